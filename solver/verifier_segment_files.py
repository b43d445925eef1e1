"""The segments of a plan folder, read and checked on their own for the verifier."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SEGMENT_FILES = ("segments.json", "segment_products.parquet")
_WHOLE = 1e-6  # what sums of shares may be off
_FIGURES = ("purchase_ratio", "ratio_spread", "sensitivity_factor")


@dataclass(frozen=True, slots=True)
class WrittenSegments:
    """The segments of a plan folder.

    Attributes
    ----------
    names
        of the segments.
    share
        (segments,) share of the visits.
    figures
        product id -> column -> (segments,) values.
    """

    names: tuple[str, ...]
    share: NDArray[np.float64]
    figures: dict[str, dict[str, NDArray[np.float64]]]


def read_segments(files: Mapping[str, bytes], problems: list[str]) -> WrittenSegments | None:
    """The segments of a plan, None without; what is wrong with them is added to ``problems``."""
    present = [name for name in SEGMENT_FILES if name in files]
    if not present:
        return None
    missing = [name for name in SEGMENT_FILES if name not in files]
    if missing:
        problems.append(f"{missing[0]}: is missing beside {present[0]}")
        return None
    try:
        rows = json.loads(files["segments.json"])["segments"]
        names = tuple(str(row["name"]) for row in rows)
        share = np.array([float(row["visit_share"]) for row in rows])
        table = pd.read_parquet(io.BytesIO(files["segment_products.parquet"]))
        figures = {
            str(product): {
                name: part.sort_values("segment")[name].to_numpy(dtype=np.float64)
                for name in _FIGURES
            }
            for product, part in table.groupby("product_id", sort=False)
        }
    except Exception as error:  # whatever pyarrow, pandas and json raise on a broken file
        problems.append(f"segments.json, segment_products.parquet: cannot be read ({error})")
        return None
    problems += _impossible(names, share, figures)
    return WrittenSegments(names, share, figures)


def _impossible(
    names: tuple[str, ...],
    share: NDArray[np.float64],
    figures: dict[str, dict[str, NDArray[np.float64]]],
) -> Iterator[str]:
    """Segments that cannot be: shares, ratios or factors that do not add up."""
    if len(set(names)) < len(names):
        yield "segments.json: two segments have one name, expected names of their own"
    if not (share >= 0).all() or abs(share.sum() - 1) > _WHOLE:
        yield f"segments.json: visit_share adds up to {share.sum():g}, expected 1"
    for product, columns in figures.items():
        for name, values in columns.items():
            if len(values) != len(names) or not (np.isfinite(values) & (values >= 0)).all():
                yield (
                    f"segment_products.parquet: {product}: {name} is {values.tolist()}, "
                    f"expected {len(names)} numbers of at least 0"
                )
                return
        total = float(share @ columns["purchase_ratio"])
        if abs(total - 1) > _WHOLE:
            yield (
                f"segment_products.parquet: {product}: purchase_ratio adds up to {total:g} "
                "over the visits, expected 1"
            )
