"""Segments on disk, beside the other beliefs: JSON for the segments, Parquet for the products."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..instances.errors import InputError
from .segments import Grouping, Segments

SEGMENTS, SEGMENT_PRODUCTS, PRODUCT_TOPICS = (
    "segments.json",
    "segment_products.parquet",
    "product_topics.parquet",
)
_FIGURES = ("purchase_ratio", "ratio_spread", "sensitivity_factor")


def segment_files(
    segments: Segments, product_ids: NDArray[np.object_], products: NDArray[np.int64] | None = None
) -> dict[str, Any]:
    """What is written of segments: file name -> a JSON value or a table.

    ``segments.json`` has the profiles and what tells a shopper's segment;
    ``segment_products.parquet`` a row a product and segment, products in order;
    ``product_topics.parquet`` the topic of every product that has one.

    Parameters
    ----------
    products
        (n,) the products to write of; all where not given. Topics are written of all.
    """
    ids = np.array([str(name) for name in product_ids], dtype=object)
    rows = np.arange(len(ids)) if products is None else products
    grouping, n = segments.grouping, len(segments)
    content = {
        "segments": [
            {"visit_share": float(share), **profile}
            for share, profile in zip(segments.visit_share, segments.profile, strict=True)
        ],
        "topics": [
            {"name": str(name), "share": float(share)}
            for name, share in zip(grouping.topic_name, grouping.topic_share, strict=True)
        ],
        "topic_strength": grouping.topic_strength,
        "mean_items": grouping.mean_items,
        "log_mean": grouping.log_mean,
        "log_spread": grouping.log_spread,
        "interest_weight": grouping.interest_weight,
        "centres": grouping.centre.tolist(),
    }
    of_segments = pd.DataFrame(
        {
            "product_id": pd.Series(np.repeat(ids[rows], n), dtype="str"),
            "segment": np.tile(np.arange(n, dtype=np.int32), len(rows)),
            **{name: getattr(segments, name)[rows].ravel() for name in _FIGURES},
        }
    )
    known = np.flatnonzero(grouping.product_topic >= 0)
    topics = pd.DataFrame(
        {
            "product_id": pd.Series(ids[known], dtype="str"),
            "topic": grouping.product_topic[known],
        }
    )
    return {SEGMENTS: content, SEGMENT_PRODUCTS: of_segments, PRODUCT_TOPICS: topics}


def write_segments(segments: Segments, product_ids: NDArray[np.object_], folder: Path) -> None:
    """Write the files of ``segment_files``."""
    for name, content in segment_files(segments, product_ids).items():
        if isinstance(content, pd.DataFrame):
            content.to_parquet(folder / name, index=False)
        else:
            text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
            (folder / name).write_text(text + "\n", encoding="utf-8")


def read_segments(
    folder: Path,
    product_ids: NDArray[np.object_],
    topic_ids: NDArray[np.object_] | None = None,
) -> Segments | None:
    """Read what ``write_segments`` wrote; None where the folder holds no segments.

    Parameters
    ----------
    product_ids
        (products,) ids that ``segment_products.parquet`` is of, in their order.
    topic_ids
        ids by which ``Grouping.product_topic`` is to be numbered, where these are others.

    Raises InputError that names the file and what is wrong with it.
    """
    path = folder / SEGMENTS
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        products = pd.read_parquet(folder / SEGMENT_PRODUCTS)
        topics = pd.read_parquet(folder / PRODUCT_TOPICS)
    except Exception as error:  # whatever pyarrow, pandas and json raise on a broken file
        raise InputError(path, None, f"or a file beside it cannot be read ({error})") from None
    try:
        ids = [str(name) for name in product_ids]
        of_topics = ids if topic_ids is None else [str(name) for name in topic_ids]
        return _segments(content, products, topics, ids, of_topics)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(path, None, f"and the files beside it do not fit ({error})") from None


def _segments(
    content: dict[str, Any],
    products: pd.DataFrame,
    topics: pd.DataFrame,
    ids: list[str],
    topic_ids: list[str],
) -> Segments:
    shares = np.array([row.pop("visit_share") for row in content["segments"]], dtype=np.float64)
    profile, n = tuple(content["segments"]), len(shares)
    if list(products["product_id"].iloc[::n]) != ids or len(products) != n * len(ids):
        raise ValueError(f"{SEGMENT_PRODUCTS} is not of the products in products.parquet")
    figures = {
        name: products[name].to_numpy(dtype=np.float64).reshape(len(ids), n) for name in _FIGURES
    }
    if not all(np.isfinite(values).all() and (values >= 0).all() for values in figures.values()):
        raise ValueError(f"{SEGMENT_PRODUCTS} holds cells that are no numbers of at least 0")
    at = pd.Index(topic_ids).get_indexer(pd.Index(topics["product_id"].astype("str")))
    if (at < 0).any():
        raise ValueError(f"{PRODUCT_TOPICS} holds products that are not known")
    product_topic = np.full(len(topic_ids), -1, dtype=np.int32)
    product_topic[at] = topics["topic"].to_numpy(dtype=np.int32)
    grouping = Grouping(
        topic_name=np.array([topic["name"] for topic in content["topics"]], dtype=object),
        product_topic=product_topic,
        topic_share=np.array([topic["share"] for topic in content["topics"]], dtype=np.float64),
        centre=np.array(content["centres"], dtype=np.float64),
        **{
            name: float(content[name])
            for name in (
                "topic_strength",
                "mean_items",
                "log_mean",
                "log_spread",
                "interest_weight",
            )
        },
    )
    if product_topic.max(initial=-1) >= len(grouping.topic_share):
        raise ValueError(f"{PRODUCT_TOPICS} holds topics that {SEGMENTS} lacks")
    return Segments(
        name=np.array([row["name"] for row in profile], dtype=object),
        customers=np.array([row["customers"] for row in profile], dtype=np.int64),
        visit_share=shares,
        profile=profile,
        grouping=grouping,
        **figures,
    )
