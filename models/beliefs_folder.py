"""Beliefs on disk: a folder of Parquet and JSON that pandas alone can read."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.errors import InputError
from .beliefs import Beliefs, Displaced, PairPrior
from .category_lift import CategoryLift
from .learning import SCHEMA_VERSION
from .pair_prior_folder import read_learned_prior, write_learned_prior
from .segments_folder import read_segments, write_segments
from .sets_folder import read_sets, write_sets

MANIFEST, PRODUCTS, PAIRS, LIFTS = (
    "manifest.json",
    "products.parquet",
    "pairs.parquet",
    "category_lift.parquet",
)

# field of Beliefs -> type of its column in products.parquet and pairs.parquet
_PRODUCT_COLUMNS: dict[str, type[np.generic]] = {
    "purchase_probability": np.float64,
    "purchase_spread": np.float64,
    "price_sensitivity": np.float64,
    "sensitivity_location": np.float64,
    "sensitivity_scale": np.float64,
    "sensitivity_cap": np.float64,
    "deepest_cut": np.float64,
    "usual_quantity": np.float64,
    "category_code": np.int32,
}
_PAIR_COLUMNS: dict[str, tuple[str, type[np.generic]]] = {
    "pair_orders": ("orders", np.int64),
    "pair_joint": ("joint_probability", np.float64),
    "odds_ratio": ("odds_ratio", np.float64),
    "odds_spread": ("spread", np.float64),
}
# of beliefs since these were kept; absent where they are None
_GRAPH_COLUMNS = {"pair_expected": "expected_orders", "pair_trip_odds": "trip_odds_ratio"}


def save_beliefs(beliefs: Beliefs, folder: Path, *, force: bool = False) -> None:
    """Write beliefs as a folder, whole or not at all.

    ``products.parquet`` has a row a product (``reference_price`` in currency units, empty where
    unknown), ``pairs.parquet`` a
    row a counted pair (ids in ``product_a`` and ``product_b``), ``category_lift.parquet`` a row
    a pair of category codes, ``manifest.json`` the rest.

    Parameters
    ----------
    force
        replace beliefs that are there already. Without it a folder with files in it is an
        InputError, and so is, in any case, one that holds something else.
    """
    folder = Path(folder)
    check_beliefs_target(folder, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(beliefs, staging)
        staging.chmod(0o755)
        if folder.is_dir() and any(folder.iterdir()):
            replaced = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            folder.rename(replaced / "old")
            staging.rename(folder)
            shutil.rmtree(replaced)
        else:
            staging.rename(folder)  # an empty folder may be there
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_beliefs_target(folder: Path, *, force: bool) -> None:
    """Whether beliefs may be written there; asked before any work is done."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MANIFEST).is_file():
        raise InputError(folder, None, "holds something else", "a new folder for the beliefs")
    if not force:
        raise InputError(folder, None, "holds beliefs already", "--force to replace them")


def load_beliefs(folder: Path) -> Beliefs:
    """Read what ``save_beliefs`` wrote.

    Raises InputError that names the file and what is wrong with it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, None, "no such folder", "a folder that `bundlewise learn` wrote")
    manifest = _read_manifest(folder / MANIFEST)
    columns = ("product_id", "reference_price", "product_lift", *_PRODUCT_COLUMNS)
    products = _read_table(folder / PRODUCTS, columns)
    names = [column for column, _ in _PAIR_COLUMNS.values()]
    pairs = _read_table(folder / PAIRS, ("product_a", "product_b", *names))
    ids = products["product_id"].astype(str)
    if ids.duplicated().any():
        raise InputError(folder / PRODUCTS, "product_id", "ids that repeat", "each id once")
    ends = _pair_ends(folder / PAIRS, pairs, pd.Index(ids))
    category_lift = _read_lifts(folder / LIFTS)
    code = _column(folder / PRODUCTS, products, "category_code", np.int32)
    if len(code) and not (code.min() >= 0 and code.max() < len(category_lift)):
        raise InputError(folder / PRODUCTS, "category_code", "a code that category_lift lacks")
    return Beliefs(
        product_ids=np.array(list(ids), dtype=object),
        pair_a=ends[0],
        pair_b=ends[1],
        reference_price=_prices(folder / PRODUCTS, products),
        category_lift=category_lift,
        manifest=manifest["manifest"],
        pair_prior=_pair_prior(folder, manifest, products, category_lift),
        segments=read_segments(folder, ids.to_numpy(dtype=object)),
        product_sets=read_sets(folder, ids.to_numpy(dtype=object), manifest["manifest"]),
        **{
            name: _column(folder / PRODUCTS, products, name, np.float64)
            for name in Displaced._fields
            if name in products
        },
        **{
            name: _column(folder / PRODUCTS, products, name, kind)
            for name, kind in _PRODUCT_COLUMNS.items()
        },
        **{
            name: _column(folder / PAIRS, pairs, column, kind)
            for name, (column, kind) in _PAIR_COLUMNS.items()
        },
        **{
            name: _column(folder / PAIRS, pairs, column, np.float64)
            for name, column in _GRAPH_COLUMNS.items()
            if column in pairs
        },
    )


def _write(beliefs: Beliefs, folder: Path) -> None:
    ids = np.array([str(name) for name in beliefs.product_ids], dtype=object)
    prior = beliefs.pair_prior
    lift = np.ones(len(ids)) if prior is None else prior.product_lift
    products = pd.DataFrame(
        {
            "product_id": pd.Series(ids, dtype="str"),
            "reference_price": np.where(
                beliefs.reference_price >= 0, beliefs.reference_price / 100, np.nan
            ),
            **{name: getattr(beliefs, name) for name in _PRODUCT_COLUMNS},
            "product_lift": lift,
        }
    )
    for name, share in beliefs.displaced._asdict().items():
        if share is not None:
            products[name] = share
    products.to_parquet(folder / PRODUCTS, index=False)
    pairs = pd.DataFrame(
        {
            "product_a": pd.Series(ids[beliefs.pair_a], dtype="str"),
            "product_b": pd.Series(ids[beliefs.pair_b], dtype="str"),
            **{column: getattr(beliefs, name) for name, (column, _) in _PAIR_COLUMNS.items()},
            **{
                column: getattr(beliefs, name)
                for name, column in _GRAPH_COLUMNS.items()
                if getattr(beliefs, name) is not None
            },
        }
    )
    pairs.to_parquet(folder / PAIRS, index=False)
    codes = np.arange(len(beliefs.category_lift))
    lifts = pd.DataFrame(
        {
            "category_a": np.repeat(codes, len(codes)),
            "category_b": np.tile(codes, len(codes)),
            "lift": beliefs.category_lift.ravel(),
        }
    )
    lifts.to_parquet(folder / LIFTS, index=False)
    if beliefs.segments is not None:
        write_segments(beliefs.segments, ids, folder)
    if beliefs.product_sets is not None:
        write_sets(beliefs.product_sets, ids, folder)
    content = {"schema_version": SCHEMA_VERSION, **beliefs.manifest}
    if prior is not None:
        content["pair_prior"] = {
            "strength": prior.strength,
            "visits": prior.visits,
            "min_support": prior.min_support,
        }
        if prior.learned is not None:
            content["pair_prior"] |= write_learned_prior(prior.learned, ids, folder)
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _read_manifest(path: Path) -> dict[str, Any]:
    """The manifest as it was learned, and the pair prior that was written beside it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(path, None, f"cannot be read ({error})") from None
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found != SCHEMA_VERSION:
        raise InputError(
            path, "schema_version", f"{found!r}", f"{SCHEMA_VERSION}, which this version reads"
        )
    prior = content.pop("pair_prior", None)
    return {"manifest": content, "pair_prior": prior}


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # whatever pyarrow and pandas raise on a missing or broken file
        raise InputError(path, None, f"cannot be read ({error})") from None
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(path, None, f"no column {missing[0]!r}", ", ".join(columns))
    return table


def _column(path: Path, table: pd.DataFrame, column: str, kind: type[np.generic]) -> NDArray[Any]:
    try:
        values = table[column].to_numpy(dtype=kind)
    except (TypeError, ValueError):
        raise InputError(path, column, "cells that are no numbers", "numbers") from None
    if not np.isfinite(values).all():
        raise InputError(path, column, "empty or infinite cells", "numbers")
    return values


def _prices(path: Path, products: pd.DataFrame) -> NDArray[np.int64]:
    """(products,) cents, -1 where the cell is empty."""
    prices = pd.to_numeric(products["reference_price"], errors="coerce").to_numpy(dtype=float)
    if (prices[~np.isnan(prices)] < 0).any() or (
        np.isnan(prices) & products["reference_price"].notna().to_numpy()
    ).any():
        raise InputError(path, "reference_price", "cells that are no prices", "prices, or nothing")
    return np.where(np.isnan(prices), -1, np.round(np.nan_to_num(prices) * 100)).astype(np.int64)


def _pair_ends(
    path: Path, pairs: pd.DataFrame, ids: pd.Index
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Positions of the pairs' products, checked to be known, ascending and sorted."""
    a, b = (ids.get_indexer(pd.Index(pairs[name])) for name in ("product_a", "product_b"))
    unknown = np.flatnonzero((a < 0) | (b < 0))
    if len(unknown):
        row = pairs.iloc[int(unknown[0])]
        name = row["product_a"] if a[unknown[0]] < 0 else row["product_b"]
        raise InputError(
            path, f"row {int(unknown[0]) + 1}", f"product {name!r} is not in {PRODUCTS}"
        )
    key = a.astype(np.int64) * len(ids) + b
    if (a >= b).any() or (np.diff(key) <= 0).any():
        raise InputError(
            path, None, "pairs out of order", f"pairs sorted as their products are in {PRODUCTS}"
        )
    return a.astype(np.int32), b.astype(np.int32)


def _read_lifts(path: Path) -> NDArray[np.float64]:
    table = _read_table(path, ("category_a", "category_b", "lift"))
    size = round(len(table) ** 0.5)
    codes = np.arange(size)
    a, b = (_column(path, table, name, np.int64) for name in ("category_a", "category_b"))
    square = size * size == len(table)
    if not square or (a != np.repeat(codes, size)).any() or (b != np.tile(codes, size)).any():
        raise InputError(path, None, "rows that are missing or out of order", "every pair of codes")
    return _column(path, table, "lift", np.float64).reshape(size, size)


def _pair_prior(
    folder: Path,
    manifest: dict[str, Any],
    products: pd.DataFrame,
    category_lift: NDArray[np.float64],
) -> PairPrior | None:
    written = manifest["pair_prior"]
    if written is None:
        return None
    product_lift = _column(folder / PRODUCTS, products, "product_lift", np.float64)
    category = _column(folder / PRODUCTS, products, "category_code", np.int32)
    ids = products["product_id"].astype(str).to_numpy(dtype=object)
    lift = CategoryLift(category, category_lift, product_lift)
    try:
        return PairPrior(
            product_lift,
            float(written["strength"]),
            float(written["visits"]),
            int(written["min_support"]),
            read_learned_prior(folder, written, ids, lift),
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(folder / MANIFEST, "pair_prior", f"cannot be read ({error})") from None
