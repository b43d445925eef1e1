"""The learned prior of pairs on disk: files beside the beliefs that pandas alone can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.errors import InputError
from .category_lift import CategoryLift
from .graph_filter import GraphFilter
from .lift_mixture import Kind, LiftMixture
from .lift_prior import LiftPrior
from .pair_features import PairFeatures
from .title_words import TitleWords

GRAPH, WORDS, TABLE = "graph_filter.parquet", "title_words.parquet", "pair_features.parquet"


def write_learned_prior(prior: LiftPrior, ids: NDArray[np.object_], folder: Path) -> dict[str, Any]:
    """Write the features, and return what belongs into the manifest.

    ``graph_filter.parquet`` has a row a product that was bought, ``title_words.parquet`` a row a
    word of a title (weights, not the words), ``pair_features.parquet`` a row a product.
    """
    features = prior.features
    embedding = features.graph.embedding
    bought = np.flatnonzero(embedding.any(axis=1))
    names = [f"direction_{k + 1}" for k in range(embedding.shape[1])]
    graph = pd.DataFrame(embedding[bought], columns=pd.Index(names))
    graph.insert(0, "product_id", pd.Series(ids[bought], dtype="str"))
    graph.to_parquet(folder / GRAPH, index=False)
    words = features.words
    product = np.repeat(ids, np.diff(words.start))
    pd.DataFrame(
        {
            "product_id": pd.Series(product, dtype="str"),
            "word": words.word,
            "weight": words.weight,
        }
    ).to_parquet(folder / WORDS, index=False)
    pd.DataFrame(
        {
            "product_id": pd.Series(ids, dtype="str"),
            "brand_code": features.brand,
            "log_price": features.log_price,
            "bought": features.bought,
        }
    ).to_parquet(folder / TABLE, index=False)
    return {**prior.fit, "graph_filter_ranks": list(features.graph.ranks)}


def read_learned_prior(
    folder: Path,
    written: dict[str, Any],
    ids: NDArray[np.object_],
    lift: CategoryLift,
) -> LiftPrior | None:
    """What ``write_learned_prior`` wrote; None in beliefs of before there was a learned prior.

    Parameters
    ----------
    written
        the manifest's ``pair_prior``.

    Raises InputError that names the file and what is wrong with it.
    """
    if "weights" not in written:
        return None
    try:
        ranks = tuple(int(rank) for rank in written["graph_filter_ranks"])
        features = PairFeatures(
            lift,
            GraphFilter(_embedding(folder / GRAPH, ids, max(ranks, default=0)), ranks),
            _words(folder / WORDS, ids),
            *_table(folder / TABLE, ids),
        )
        weights, new_weights = (
            np.array([written[kind][name] for name in features.names], dtype=float)
            for kind in ("weights", "new_weights")
        )
        fitted = [float(written[name]) for name in ("strength", "strength_exponent", "dispersion")]
        mixture = _mixture(written.get("mixture"))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        place = folder / "manifest.json"
        raise InputError(place, "pair_prior", f"cannot be read ({error!r})") from None
    return LiftPrior(features, weights, new_weights, *fitted, mixture=mixture)


def _mixture(written: dict[str, Any] | None) -> LiftMixture | None:
    """None too in beliefs of before there was a mixture."""
    if written is None:
        return None
    kinds = tuple(Kind(*(float(kind[name]) for name in Kind._fields)) for kind in written["kinds"])
    return LiftMixture(kinds, float(written["others_factor"]))


def _embedding(path: Path, ids: NDArray[np.object_], rank: int) -> NDArray[np.float32]:
    table, product = _read(path, ids)
    if table.shape[1] != rank + 1:
        raise InputError(path, None, f"{table.shape[1] - 1} directions", f"{rank} directions")
    embedding = np.zeros((len(ids), rank), dtype=np.float32)
    embedding[product] = table.drop(columns="product_id").to_numpy(dtype=np.float32)
    return embedding


def _words(path: Path, ids: NDArray[np.object_]) -> TitleWords:
    table, product = _read(path, ids)
    word = table["word"].to_numpy(dtype=np.int32)
    order = np.lexsort((word, product))
    start = np.append(0, np.cumsum(np.bincount(product, minlength=len(ids))))
    return TitleWords(start, word[order], table["weight"].to_numpy(dtype=np.float32)[order])


def _table(
    path: Path, ids: NDArray[np.object_]
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]:
    table, product = _read(path, ids)
    brand = np.full(len(ids), -1, dtype=np.int32)
    log_price = np.full(len(ids), np.nan)
    brand[product] = table["brand_code"].to_numpy(dtype=np.int32)
    log_price[product] = table["log_price"].to_numpy(dtype=float)
    bought = np.zeros(len(ids), dtype=bool)
    bought[product] = table["bought"].to_numpy(dtype=bool)
    return brand, log_price, bought


def _read(path: Path, ids: NDArray[np.object_]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The table, and the position of each row's product."""
    try:
        table = pd.read_parquet(path)
        product = pd.Index(ids).get_indexer(pd.Index(table["product_id"].astype(object)))
    except Exception as error:  # whatever pyarrow and pandas raise on a missing or broken file
        raise InputError(path, None, f"cannot be read ({error})") from None
    if (product < 0).any():
        name = table["product_id"].iloc[int(np.argmax(product < 0))]
        raise InputError(path, "product_id", f"{name!r}, which products.parquet lacks")
    return table, product.astype(np.int64)
