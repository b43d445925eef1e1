"""Which of a plan's bundles suit whom: its offers ranked for segments and for single shoppers.

For a shopper who sees an offer, the probability of taking the bundle is the sum of the four rows
of design section 2 at the group's q and η, and what the shop gains is the sum of share × gain.
The ranking is by that gain: probability × gain, not a promise that a shopper will buy.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numba import njit, prange
from numpy.typing import NDArray

from ..instances.bundle_ids import split_bundle_id
from ..instances.catalogue import Catalogue
from ..instances.errors import InputError
from ..instances.instance import Instance
from ..models.beliefs import Displaced
from ..models.copula import discriminant_root, joint_given_root
from ..models.segments import Segments
from ..models.segments_folder import read_segments
from .economics import unit_gain
from .plan_folder import PlanFolder, read_plan_folder
from .posterior import NODES, truncated_normal_nodes
from .segment_pairs import within_odds_ratio
from .shares import expected_rows

EVERYBODY = "all shoppers"
"""The one group of a plan without segments."""

_COLUMNS = (
    "kind", "product_id", "purchase_probability", "sensitivity_location", "sensitivity_scale",
    "sensitivity_cap", "deepest_cut", "product_a", "product_b", "joint_probability", "odds_ratio",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedBundles:
    """A plan's offers, ready to be ranked for anybody.

    Attributes
    ----------
    plan
        the plan's folder.
    group
        (groups,) names of the segments, or ``EVERYBODY`` alone.
    segments
        the segments with their products as ``product_ids``; None without.
    product_ids
        (products,) ids of the plan's products.
    position
        (products,) their catalogue indices.
    probability
        (products, groups) q.
    rate, weight
        (products · groups, nodes) η/r at the nodes of its posterior, and their weights; the row of
        product x in group g is x·groups + g.
    price, reach, gain, funding
        (products,) cents: r, ``deepest_cut``·r, what an added unit earns, supplier funding.
    first, second
        (bundles,) products of a pair; -1 for a bundle of three or four.
    odds_ratio
        (bundles,) ψ within groups; 1 for a bundle of three or four.
    money_off
        (bundles,) D, cents.
    shown_to
        (bundles, groups) whether the offer is shown to the group.
    everybody
        (bundles, 2) probability of taking it, and gain in cents, of a visit of anybody it is
        shown to, as plan.csv has them.
    net
        1 + tax rate.
    """

    plan: PlanFolder
    group: tuple[str, ...]
    segments: Segments | None
    product_ids: tuple[str, ...]
    position: NDArray[np.int64]
    probability: NDArray[np.float64]
    rate: NDArray[np.float64]
    weight: NDArray[np.float64]
    price: NDArray[np.float64]
    reach: NDArray[np.float64]
    gain: NDArray[np.float64]
    funding: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    odds_ratio: NDArray[np.float64]
    money_off: NDArray[np.float64]
    shown_to: NDArray[np.bool_]
    everybody: NDArray[np.float64]
    net: float

    def __len__(self) -> int:
        return len(self.first)

    def bundle_products(self, bundle: int) -> list[int]:
        """The bundle's products, as positions in ``product_ids``."""
        ids = split_bundle_id(str(self.plan.offers["bundle_id"].iloc[bundle]))
        return [self.product_ids.index(name) for name in ids]


def planned_bundles(folder: Path, instance: Instance) -> PlannedBundles:
    """Read a plan for ranking.

    Parameters
    ----------
    instance
        the instance that the plan was made for.

    Raises
    ------
    InputError
        the folder is no plan, or its beliefs cannot be read.
    """
    plan = read_plan_folder(folder)
    table = _beliefs_table(folder)
    products = table[table["kind"] == "product"]
    ids = tuple(str(name) for name in products["product_id"])
    catalogue = instance.catalogue
    index = {str(name): row for row, name in enumerate(catalogue.product_ids)}
    lacking = [name for name in ids if name not in index]
    if lacking:
        found = f"holds {lacking[0]}, which the products table lacks"
        raise InputError(folder / "beliefs.parquet", None, found, "the tables it was made from")
    position = np.array([index[name] for name in ids], dtype=np.int64)
    segments = read_segments(folder, np.array(ids, dtype=object), catalogue.product_ids)
    group = (EVERYBODY,) if segments is None else tuple(str(name) for name in segments.name)
    q, factor = _group_beliefs(products, segments)
    location, scale, cap = (
        _numbers(products, f"sensitivity_{part}") for part in ("location", "scale", "cap")
    )
    nodes, weight = truncated_normal_nodes(location, scale, cap, NODES)
    price = catalogue.reference_price[position].astype(np.float64)
    offers = plan.offers
    pairs = _bundle_products(folder, offers, ids)
    shown_to = _shown_to(offers, group)
    nodes_of_groups = (nodes / price[:, None])[:, None, :] * factor[:, :, None]
    return PlannedBundles(
        plan=plan,
        group=group,
        segments=segments,
        product_ids=ids,
        position=position,
        probability=q,
        rate=np.ascontiguousarray(nodes_of_groups.reshape(-1, NODES)),
        weight=np.repeat(weight, len(group), axis=0),
        price=price,
        reach=_numbers(products, "deepest_cut") * price,
        gain=_unit_gain(instance, products, position),
        funding=catalogue.supplier_funding[position].astype(np.float64),
        first=np.array([p[0] if len(p) == 2 else -1 for p in pairs], dtype=np.int64),
        second=np.array([p[1] if len(p) == 2 else -1 for p in pairs], dtype=np.int64),
        odds_ratio=_odds_ratios(plan, table, ids, pairs, q, segments),
        money_off=np.rint(100 * (offers["list_price"] - offers["bundle_price"]).to_numpy(float)),
        shown_to=shown_to,
        everybody=_everybody(instance, offers, _funding(catalogue, offers), shown_to, segments),
        net=1.0 + instance.scenario.assumptions.tax_rate,
    )


def rank_groups(bundles: PlannedBundles) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(groups, bundles) probability of taking each bundle at a visit that sees it, and gain, cents.

    A bundle of three or four is taken as in plan.csv by everybody, by groups in proportion to
    Π q_group/q.
    """
    if bundles.segments is None:
        return bundles.everybody[:, 0][None, :], bundles.everybody[:, 1][None, :]
    groups = np.arange(len(bundles.group))
    return _ranked(bundles, bundles.probability.T, groups)


def rank_shoppers(
    bundles: PlannedBundles, probability: NDArray[np.float64], group: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(shoppers, bundles) the same for single shoppers.

    Parameters
    ----------
    probability
        (shoppers, products) q of each.
    group
        (shoppers,) group of each, whose η and ψ are taken.
    """
    return _ranked(bundles, probability, group)


def _ranked(
    bundles: PlannedBundles, probability: NDArray[np.float64], group: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    taken, gain = (np.zeros((len(probability), len(bundles))) for _ in range(2))
    _pair_gains(
        np.ascontiguousarray(probability), group.astype(np.int64), len(bundles.group),
        bundles.first, bundles.second, bundles.odds_ratio, bundles.money_off, bundles.price,
        bundles.reach, bundles.gain, bundles.funding, bundles.rate, bundles.weight, bundles.net,
        taken, gain,
    )  # fmt: skip
    share = np.ones(1) if bundles.segments is None else bundles.segments.visit_share
    pooled = bundles.probability @ share
    for bundle in np.flatnonzero(bundles.first < 0):
        some = bundles.bundle_products(int(bundle))
        liking = (probability[:, some] / pooled[some]).prod(axis=1)
        taken[:, bundle] = np.minimum(bundles.everybody[bundle, 0] * liking, 1.0)
        gain[:, bundle] = bundles.everybody[bundle, 1] * liking
    return taken, gain


@njit(cache=True, parallel=True, error_model="numpy")
def _pair_gains(
    probability, group, n_groups, first, second, odds_ratio, money_off, price, reach, gain,
    funding, rate, weight, net, taken, gained,
):  # fmt: skip
    """Σ rows and Σ row × gain; the smaller of the capped and the uncapped gain, as in plans."""
    for c in prange(len(probability)):
        for b in range(len(first)):
            i, j = first[b], second[b]
            if i < 0:
                continue
            q1, q2, psi, off = probability[c, i], probability[c, j], odds_ratio[b], money_off[b]
            joint = joint_given_root(q1, q2, psi, discriminant_root(q1, q2, psi))
            row1, row2 = i * n_groups + group[c], j * n_groups + group[c]
            for capped in range(2):
                reach1 = min(price[i], reach[i]) if capped else price[i]
                reach2 = min(price[j], reach[j]) if capped else price[j]
                adds2, adds1, both = expected_rows(
                    q1, q2, psi, row1, row2, rate, weight, reach1, reach2, off
                )
                total = joint + adds1 + adds2 + both
                value = (
                    (adds1 + both) * gain[i]
                    + (adds2 + both) * gain[j]
                    + total * (funding[i] + funding[j] - off / net)
                )
                if capped == 0 or value < gained[c, b]:
                    taken[c, b], gained[c, b] = total, value


def _beliefs_table(folder: Path) -> pd.DataFrame:
    path = folder / "beliefs.parquet"
    try:
        table = pd.read_parquet(io.BytesIO(path.read_bytes()))
    except Exception as error:  # whatever pyarrow and pandas raise on a missing or broken file
        raise InputError(path, None, f"cannot be read ({error})") from None
    lacking = [name for name in _COLUMNS if name not in table]
    if lacking:
        raise InputError(path, None, f"no column {lacking[0]!r}", "the file that solve wrote")
    return table


def _bundle_products(folder: Path, offers: pd.DataFrame, ids: tuple[str, ...]) -> list[list[int]]:
    """The products of each bundle, as positions in ``ids``."""
    if "bundle_id" not in offers:
        found = "no column 'bundle_id'"
        raise InputError(folder / "plan.csv", None, found, "the file that solve wrote")
    place = {name: row for row, name in enumerate(ids)}
    bundles = []
    for bundle in map(str, offers["bundle_id"]):
        names = split_bundle_id(bundle)
        if not place.keys() >= set(names):
            raise _no_beliefs(folder, bundle)
        bundles.append([place[name] for name in names])
    return bundles


def _no_beliefs(folder: Path, bundle: str) -> InputError:
    found = f"says nothing of {bundle}, which plan.csv holds"
    return InputError(folder / "beliefs.parquet", None, found, "the file that solve wrote")


def _unit_gain(
    instance: Instance, products: pd.DataFrame, position: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(products,) m of the plan's products, less what was believed to be displaced."""
    shares = {}
    for name in Displaced._fields:
        if name in products:
            shares[name] = np.zeros(len(instance.catalogue))
            shares[name][position] = _numbers(products, name)
    return unit_gain(instance, Displaced(**shares))[position]


def _numbers(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    return table[column].to_numpy(dtype=np.float64)


def _group_beliefs(
    products: pd.DataFrame, segments: Segments | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(products, groups) q and the factor on η."""
    q = _numbers(products, "purchase_probability")[:, None]
    if segments is None:
        return q, np.ones_like(q)
    return q * segments.purchase_ratio, segments.sensitivity_factor


def _odds_ratios(
    plan: PlanFolder,
    table: pd.DataFrame,
    ids: tuple[str, ...],
    bundles: list[list[int]],
    q: NDArray[np.float64],
    segments: Segments | None,
) -> NDArray[np.float64]:
    """(bundles,) ψ of each pair, within segments where there are some."""
    pairs = table[table["kind"] == "pair"]
    facts = {
        frozenset((str(a), str(b))): (float(joint), float(psi))
        for a, b, joint, psi in zip(
            pairs["product_a"],
            pairs["product_b"],
            pairs["joint_probability"],
            pairs["odds_ratio"],
            strict=True,
        )
    }
    odds_ratio = np.ones(len(bundles))
    two = [b for b, products in enumerate(bundles) if len(products) == 2]
    if not two:
        return odds_ratio
    for b in two:
        if frozenset(ids[x] for x in bundles[b]) not in facts:
            raise _no_beliefs(plan.folder, str(plan.offers["bundle_id"].iloc[b]))
    pooled = np.array([facts[frozenset(ids[x] for x in bundles[b])] for b in two])
    odds_ratio[two] = pooled[:, 1]
    if segments is not None:
        first, second = (q[[bundles[b][side] for b in two]] for side in (0, 1))
        odds_ratio[two] = within_odds_ratio(
            first, second, segments.visit_share, pooled[:, 0].copy(), pooled[:, 1].copy()
        )
    return odds_ratio


def _shown_to(offers: pd.DataFrame, group: tuple[str, ...]) -> NDArray[np.bool_]:
    """(bundles, groups) from the column ``segments``; everybody where there is none."""
    shown = np.ones((len(offers), len(group)), dtype=bool)
    if "segments" in offers.columns:
        for row, names in enumerate(offers["segments"]):
            shown[row] = [name in str(names).split("; ") for name in group]
    return shown


def _funding(catalogue: Catalogue, offers: pd.DataFrame) -> NDArray[np.float64]:
    """(bundles,) supplier funding of each bundle, currency units."""
    index = {str(name): row for row, name in enumerate(catalogue.product_ids)}
    return np.array(
        [
            sum(catalogue.supplier_funding[index[name]] for name in split_bundle_id(str(bundle)))
            / 100
            for bundle in offers["bundle_id"]
        ],
        dtype=np.float64,
    )


def _everybody(
    instance: Instance,
    offers: pd.DataFrame,
    funding: NDArray[np.float64],
    shown_to: NDArray[np.bool_],
    segments: Segments | None,
) -> NDArray[np.float64]:
    """(bundles, 2) probability and gain of a visit that sees the offer, from plan.csv.

    The till may give the price to visits that did not see it: what these cost is no matter of
    who is shown the offer. ``funding`` is (bundles,), currency units.
    """
    assumptions = instance.scenario.assumptions
    share = np.ones(1) if segments is None else segments.visit_share
    visits = instance.visits * assumptions.exposure * np.maximum(shown_to @ share, 1e-12)
    subsidised, units = _numbers(offers, "subsidised_units"), _numbers(offers, "bundle_units")
    automatic = assumptions.redemption == "automatic"
    unseen = subsidised * (1.0 - assumptions.exposure) if automatic else 0.0 * subsidised
    money_off = _numbers(offers, "list_price") - _numbers(offers, "bundle_price")
    bill = unseen * (money_off / (1.0 + assumptions.tax_rate) - funding)
    margin = _numbers(offers, "incremental_margin") + assumptions.offer_cost + bill
    return np.column_stack([(units - unseen) / visits, 100 * margin / visits])
