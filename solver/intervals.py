"""Intervals: how sure the beliefs are of what each offer, and the plan, would earn."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri, ndtri_exp

from ..instances.instance import Instance
from ..models.beliefs import Beliefs
from .economics import unit_gain
from .offers import Offers
from .set_draws import table_draws
from .set_kernel import set_shares
from .shares import offer_shares

DRAWS = 2048
LOW, HIGH = 0.05, 0.95
_MOST_PROBABLE = 0.999  # a drawn purchase probability stays below


def margin_draws(instance: Instance, beliefs: Beliefs, chosen: Offers) -> NDArray[np.float64]:
    """Incremental margins of offers under draws from the posterior.

    Of each product η is drawn from its truncated normal and q from a log-normal whose mean is the
    probability believed; of each pair log ψ, and of each larger set its own factor
    (``set_draws``). All are independent, drawn by Latin hypercube with a seed made from the ids,
    so that a product has the same draws in every offer and in every plan. J = C_ψ(q_i, q_j) of
    each draw. What is drawn are beliefs, not sales: a week's chance comes on top.

    Returns
    -------
    numpy.ndarray
        (draws, offers) cents a week.
    """
    gain = unit_gain(instance, beliefs.displaced)
    columns = [_offer_draws(instance, beliefs, gain, chosen, k) for k in range(len(chosen))]
    return np.stack(columns, axis=1) if columns else np.zeros((DRAWS, 0))


def interval(draws: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the 90 % interval along the first axis."""
    low, high = np.quantile(draws, [LOW, HIGH], axis=0)
    return low, high


def _offer_draws(
    instance: Instance, beliefs: Beliefs, gain: NDArray[np.float64], chosen: Offers, k: int
) -> NDArray[np.float64]:
    assumptions, catalogue = instance.scenario.assumptions, instance.catalogue
    bundle = chosen.bundle(k)
    held = list(bundle)
    product_draws = [_product_draws(beliefs, product) for product in held]
    q = np.stack([draws[0] for draws in product_draws], axis=1)
    eta = np.stack([draws[1] for draws in product_draws], axis=1)
    price = catalogue.reference_price[held].astype(np.float64)
    reach = price.copy()
    if chosen.capped[k]:
        reach = np.minimum(reach, beliefs.deepest_cut[held] * price)
    discount = float(chosen.list_price[k] - chosen.bundle_price[k])
    if len(bundle) == 2:
        anyway, taking, added = _pair_units(beliefs, held, q, eta, price, reach, discount)
    else:
        anyway, taking, added = _set_units(beliefs, bundle, q, eta, price, reach, discount)
    automatic = assumptions.redemption == "automatic"
    subsidised = anyway / assumptions.exposure if automatic else anyway
    funding = float(catalogue.supplier_funding[held].sum())
    per_visit = (subsidised + taking) * (funding - discount / (1.0 + assumptions.tax_rate))
    per_visit = per_visit + added @ gain[held]
    return instance.visits * assumptions.exposure * per_visit - 100 * assumptions.offer_cost


def _pair_units(
    beliefs: Beliefs,
    pair: list[int],
    q: NDArray[np.float64],
    eta: NDArray[np.float64],
    price: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(draws,) shares that buy all anyway and that add to it, and (draws, size) units added."""
    psi, psi_spread = _odds_ratio(beliefs, *pair)
    odds_ratio = psi * np.exp(psi_spread * ndtri(_stratified(_ids(beliefs, pair), 0)))
    shares = offer_shares(
        q,
        odds_ratio,
        eta,
        np.broadcast_to(price, q.shape),
        np.broadcast_to(reach, q.shape),
        np.full(DRAWS, discount),
    )
    added = np.stack([shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]], axis=1)
    return shares[:, 0], shares[:, 1:].sum(axis=1), added


def _set_units(
    beliefs: Beliefs,
    bundle: tuple[int, ...],
    q: NDArray[np.float64],
    eta: NDArray[np.float64],
    price: NDArray[np.float64],
    reach: NDArray[np.float64],
    discount: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The same of a bundle of three or four products."""

    def normals(held: tuple[int, ...]) -> NDArray[np.float64]:
        return ndtri(_stratified(_ids(beliefs, held), 0))

    table = table_draws(beliefs, bundle, q, normals)
    one, two = set_shares(table, eta, price, reach, discount)
    taking = one.sum(axis=1) + two.sum(axis=(1, 2))
    return table[:, -1], taking, one + two.sum(axis=1) + two.sum(axis=2)


def _ids(beliefs: Beliefs, products: Iterable[int]) -> str:
    return "+".join(sorted(str(beliefs.product_ids[product]) for product in products))


def _product_draws(
    beliefs: Beliefs, product: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draws of q and of η of a product."""
    product_id = str(beliefs.product_ids[product])
    spread = float(beliefs.purchase_spread[product])  # q is log-normal, and its mean is believed
    log_q = np.log(beliefs.purchase_probability[product]) - spread**2 / 2
    log_q = log_q + spread * ndtri(_stratified(product_id, 1))
    location = float(beliefs.sensitivity_location[product])
    scale = float(beliefs.sensitivity_scale[product])
    cap = float(beliefs.sensitivity_cap[product])
    if scale <= 0.0:
        eta = np.full(DRAWS, min(max(location, 0.0), cap))
    else:
        eta = truncated_normal(_stratified(product_id, 2), location, scale, cap)
    return np.minimum(np.exp(log_q), _MOST_PROBABLE), eta


def truncated_normal(
    uniform: NDArray[np.float64], location: float, scale: float, cap: float
) -> NDArray[np.float64]:
    """Quantiles of a normal between 0 and cap, in logarithms and from the nearer tail.

    ``scipy.stats.truncnorm`` gives the same, but takes a second to load.
    """
    low, high = -location / scale, (cap - location) / scale
    side = -1.0 if low > 0 else 1.0
    log_mass = np.logaddexp(
        np.log1p(-uniform) + log_ndtr(side * low), np.log(uniform) + log_ndtr(side * high)
    )
    return np.clip(location + scale * side * ndtri_exp(log_mass), 0.0, cap)


def _odds_ratio(beliefs: Beliefs, a: int, b: int) -> tuple[float, float]:
    facts = beliefs.pairs_of(
        np.array([min(a, b)], dtype=np.int32), np.array([max(a, b)], dtype=np.int32)
    )
    return float(facts["odds_ratio"][0]), float(facts["odds_spread"][0])


def _stratified(key: str, stream: int) -> NDArray[np.float64]:
    """(draws,) one point in the middle of each of ``DRAWS`` equal strata of (0, 1), shuffled."""
    generator = np.random.default_rng([zlib.crc32(key.encode("utf-8")), stream])
    return (generator.permutation(DRAWS) + 0.5) / DRAWS
