"""Small shops with known truth, simulated by the week."""

from __future__ import annotations

import numpy as np
from bundlewise.instances.orders import Baskets, Orders
from bundlewise.models.panel import Panel
from numpy.typing import NDArray


def panel_of(
    baskets: NDArray[np.float64], price: NDArray[np.float64], visits: NDArray[np.float64]
) -> Panel:
    """A panel from dense (halves, products, weeks) baskets and (products, weeks) true prices.

    A half shows the price of a week only where it bought: the selection trap.
    """
    n = len(price)
    product, week = np.nonzero(baskets.sum(axis=0) > 0)
    counts = baskets[:, product, week].T
    shown = np.where(counts > 0, price[product, week][:, None], np.nan)
    start = np.searchsorted(product, np.arange(n + 1))
    return Panel(0, visits.T.copy(), start, week.astype(np.int32), counts, shown)


def promotions(
    rng: np.random.Generator, n: int, weeks: int, chance: float = 0.2, depth: float = 0.4
) -> NDArray[np.float64]:
    """(products, weeks) relative cuts: now and then a week at up to ``depth`` off, else 0."""
    return np.where(rng.random((n, weeks)) < chance, rng.uniform(0.05, depth, (n, weeks)), 0.0)


def buy(
    rng: np.random.Generator,
    q: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    cut: NDArray[np.float64],
    visits: NDArray[np.float64],
    level: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """(halves, products, weeks) baskets: binomial, logit P = logit q + level + η·cut."""
    odds = (q / (1 - q))[:, None] * np.exp(level + sensitivity[:, None] * cut)
    probability = odds / (1 + odds)
    return np.stack([rng.binomial(visits[h].astype(int), probability) for h in (0, 1)]).astype(
        float
    )


def trips(
    rng: np.random.Generator, by_class: NDArray[np.float64], visits: int, weeks: int
) -> Baskets:
    """Visits of equally likely classes; class t buys product x with probability by_class[x, t]."""
    classes = rng.integers(0, by_class.shape[1], visits)
    held = rng.random((visits, len(by_class))) < by_class.T[classes]
    week = np.sort(rng.integers(0, weeks, visits)).astype(np.int32)
    start = np.append(0, np.cumsum(held.sum(axis=1)))
    return Baskets(start, np.nonzero(held)[1].astype(np.int32), week, len(by_class))


def order_lines(
    rng: np.random.Generator,
    q: NDArray[np.float64],
    sensitivity: NDArray[np.float64],
    cut: NDArray[np.float64],
    price: NDArray[np.float64],
    visits: int,
    first_week: int,
    level: NDArray[np.float64] | float = 0.0,
) -> Orders:
    """Orders of ``visits`` independent shoppers a week, each with a customer code.

    Parameters
    ----------
    cut
        (products, weeks) relative cut of ``price`` (products,) cents.
    level
        (products, weeks) added to log-odds.
    """
    n, weeks = cut.shape
    odds = (q / (1 - q))[:, None] * np.exp(level + sensitivity[:, None] * cut)
    probability = odds / (1 + odds)
    week = np.repeat(np.arange(weeks), visits)
    held = rng.random((len(week), n)) < probability.T[week]
    visit, product = np.nonzero(held)
    paid = np.rint(price[:, None] * (1 - cut)).astype(np.int64)[product, week[visit]]
    lines = len(visit)
    return Orders(
        visit=visit.astype(np.int32),
        product=product.astype(np.int32),
        quantity=np.ones(lines),
        amount=paid,
        list_amount=np.full(lines, -1, dtype=np.int64),
        bundled=np.zeros(lines, dtype=bool),
        week=(week + first_week).astype(np.int32),
        customer=rng.integers(0, 2_000, len(week)).astype(np.int32),
        store=np.full(len(week), -1, dtype=np.int32),
        n_products=n,
    )
