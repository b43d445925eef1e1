"""What the held-out scores mean, in one plain sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Words:
    """Of a section of the scores: its title, what it says, and which end is better."""

    title: str
    meaning: str
    better: str = ""


SECTIONS = {
    "pairs": Words(
        "Products bought together",
        "How probable the later weeks made each pair of products, over all pairs: log-likelihood "
        "per joint basket.",
        "higher is better",
    ),
    "demand": Words(
        "Purchases at the price of the week",
        "How far baskets of one half of the customers, by product and week, are from those "
        "expected at the price the other half paid: mean Poisson deviance.",
        "lower is better",
    ),
    "relations": Words(
        "Relations of products",
        "Whether two products are found together at all in later weeks: the logistic relation "
        "model beside the gamma-Poisson beliefs. Log loss, lower is better; area under the curve, "
        "higher is better.",
    ),
    "sets": Words(
        "Sets of three and four",
        "How probable the later weeks made each set of products: log-likelihood per basket that "
        "holds a set.",
        "higher is better",
    ),
    "next_product": Words(
        "What joins a basket",
        "One product of each later basket is hidden, and all that it does not show are ranked. "
        "Recall: how often the hidden one is among the first ten; NDCG counts a higher rank for "
        "more. All methods see the same, and none knows the customer.",
        "higher is better",
    ),
    "calibration": Words(
        "How sure the beliefs are",
        "Later counts should lie anywhere in what was predicted of them, equally often: every "
        "tenth of the predicted distribution should hold a tenth of them.",
        "flat is right",
    ),
    "interests": Words(
        "Interest tags of shoppers",
        "How well the tags of a shopper tell what later purchases are about.",
    ),
    "segments": Words(
        "Segments of shoppers",
        "How much better later purchases are foretold when a shopper's segment is known.",
        "higher is better",
    ),
    "mechanism": Words(
        "Joint purchases as prices move",
        "Whether a constant odds ratio tells how joint orders move with the purchases of the two "
        "products better than a constant lift: Poisson deviance. A negative difference says yes.",
        "lower is better",
    ),
}

CALIBRATION = {
    "demand": Words(
        "Purchases, a week ahead",
        "Baskets that hold a product in one week, foretold from the week before: the interval of "
        "q.",
    ),
    "joint_orders": Words(
        "Joint orders, a week ahead",
        "Orders of one week that hold both products of a pair, foretold from the week before: the "
        "interval of J.",
    ),
    "affinity": Words(
        "Affinity, given the purchases",
        "Joint orders of all later weeks, given how often each product was bought in them and how "
        "many joint orders there were in all: the interval of λ alone.",
    ),
}


def level_text(part: dict[str, Any]) -> str:
    """How many joint orders there were in all; nothing where that was foretold too."""
    if "level" not in part:
        return ""
    return f"All joint orders together were {part['level']:.3f} of those expected."


NAMES = {
    "learned": "learned (this is used)",
    "beliefs": "beliefs (this is used)",
    "als": "ALS of implicit",
    "bm25": "BM25 of implicit",
    "tf_idf": "TF-IDF of implicit",
    "item_cosine": "cosine of products",
    "least_squares": "least squares on counts",
    "ndcg_at_10": "NDCG@10",
    "recall_at_10": "recall@10",
    "methods": "of the hidden product",
    "ahead": "recall of the beliefs, less that peer's",
    "ahead_spread": "standard error of that",
    "own_share": "the shopper's own share",
    "smaller_sets": "from pairs and triples alone",
}


def plain(key: str) -> str:
    """A key of the scores in words."""
    return NAMES.get(key, key.replace("_", " "))


def expected_range(group: dict[str, Any]) -> str:
    """Between which expected counts a group of the calibration lies."""
    least, most = group["expected_from"], group["expected_to"]
    if most is None:
        return f"{least:g} or more"
    return f"{least:g} to {most:g}" if least else f"below {most:g}"
