"""Sets of three and four products on disk: ``sets.parquet`` in the folder of the beliefs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.errors import InputError
from .product_sets import ABSENT, MAX_SIZE, ProductSets
from .set_prior import SetPrior

SETS = "sets.parquet"
_ENDS = ("product_a", "product_b", "product_c", "product_d")
_FIGURES = ("orders", "joint_probability", "spread")


def write_sets(sets: ProductSets, ids: NDArray[np.object_], folder: Path) -> None:
    """A row a set; ``product_d`` is empty in sets of three. Priors are in the manifest."""
    named = np.append(ids, "")[sets.products]
    table = pd.DataFrame(
        {
            **{end: pd.Series(named[:, k], dtype="str") for k, end in enumerate(_ENDS)},
            "orders": sets.orders,
            "joint_probability": sets.joint_probability,
            "spread": sets.spread,
        }
    )
    table.to_parquet(folder / SETS, index=False)


def read_sets(
    folder: Path, ids: NDArray[np.object_], manifest: dict[str, Any]
) -> ProductSets | None:
    """What ``write_sets`` wrote; None where no sets were learned.

    Raises InputError that names the file and what is wrong with it.
    """
    path = folder / SETS
    facts = manifest.get("sets")
    if facts is None and not path.exists():
        return None
    try:
        priors = tuple(SetPrior(f["level"], f["slope"], f["strength"]) for f in facts or ())
        least = tuple(int(f["least_orders"]) for f in facts or ())
        visits = float((facts or [{}])[0]["visits"])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(folder / "manifest.json", "sets", f"cannot be read ({error})") from None
    try:
        table = pd.read_parquet(path)
        products = _products(path, table, ids)
        figures = {name: table[name].to_numpy(dtype=np.float64) for name in _FIGURES}
    except InputError:
        raise
    except Exception as error:  # whatever pyarrow and pandas raise on a missing or broken file
        raise InputError(path, None, f"cannot be read ({error})") from None
    if not all(np.isfinite(values).all() for values in figures.values()):
        raise InputError(path, None, "empty or infinite cells", "numbers")
    return ProductSets(
        products=products,
        orders=figures["orders"].astype(np.int64),
        joint_probability=figures["joint_probability"],
        spread=figures["spread"],
        priors=priors,
        least_orders=least,
        visits=visits,
    )


def _products(path: Path, table: pd.DataFrame, ids: NDArray[np.object_]) -> NDArray[np.int32]:
    """(sets, 4) positions of the products, checked to be known, ascending and sorted."""
    index = pd.Index([*ids, ""])
    places = np.column_stack([index.get_indexer(pd.Index(table[end])) for end in _ENDS])
    unknown = np.flatnonzero((places < 0).any(axis=1))
    if len(unknown):
        row = int(unknown[0])
        name = next(str(table[end].iloc[row]) for k, end in enumerate(_ENDS) if places[row, k] < 0)
        raise InputError(path, f"row {row + 1}", f"product {name!r} is not in products.parquet")
    empty = places == len(ids)
    filled = np.where(empty, ABSENT, places)
    rising = (np.diff(places, axis=1) > 0).all(axis=1) & ~empty[:, : MAX_SIZE - 1].any(axis=1)
    order = np.lexsort(filled.T[::-1])
    if not rising.all() or (order != np.arange(len(order))).any():
        raise InputError(
            path, None, "sets out of order", "sets sorted as their products are in products.parquet"
        )
    return filled.astype(np.int32)
