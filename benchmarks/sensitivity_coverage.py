"""Does the posterior of price sensitivity cover what other shoppers show?

    python -m benchmarks.sensitivity_coverage

The Complete Journey, weeks 1-27 (those that the validation window of ``benchmarks.held_out`` learns
on) and its 4,000 products. Households fall into two groups, both parities of their ids in each, and
price sensitivities are learned from each group alone. In both directions, the posterior of one
group is held against the likelihood of the other:

    η ~ N(location, scale²) truncated to [0, cap]   by one group,
    c ~ N(η, 1/i)                                   the other group's estimate, i its information.

Both err, so c is distributed as their sum. Printed is how many products have c between the 5 % and
the 95 % point of that, from where the other group says least to where it says most: 90 % is right.
``share`` is the part of the variance that is the posterior's, which tells how far a line tests it.
What moves both groups alike, seasons and advertising above all, is not tested.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from bundlewise.instances.orders import Orders
from bundlewise.models.panel import weekly_panel
from bundlewise.models.sensitivity import Sensitivity, fit_sensitivity, likelihood_centre
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from .held_out import JOURNEY_WINDOWS, journey_data

GROUPS = 9  # of products, by evidence
TAIL = 0.05  # outside the interval, on either side
POINTS = 200  # of a posterior, at equal steps of its distribution


@dataclass(frozen=True, slots=True)
class Compared:
    """(products,) of one direction, those that the other group has evidence of.

    Attributes
    ----------
    quantile
        of c in the distribution that the posterior foretells for it.
    information
        i, of the other group's likelihood.
    share
        part of the variance of c that is the posterior's.
    """

    quantile: NDArray[np.float64]
    information: NDArray[np.float64]
    share: NDArray[np.float64]


def main() -> None:
    """Print a line a group of products, from least evidence to most, and one for all."""
    window = JOURNEY_WINDOWS["validation"]  # of which only the weeks learned on are looked at
    data, weeks = journey_data(window), window[:2]
    base = weekly_panel(data.for_demand, *weeks).usual_price()
    category, n_categories = data.features.category, data.features.n_categories
    one, other = (
        Group.learned(households(data.for_demand, group), weeks, base, category, n_categories)
        for group in (0, 1)
    )
    directions = compared(one, other), compared(other, one)
    quantile, information, share = (
        np.concatenate([getattr(found, name) for found in directions])
        for name in ("quantile", "information", "share")
    )
    inside = (quantile >= TAIL) & (quantile <= 1 - TAIL)
    print(f"{len(quantile):,} comparisons, both directions; inside, below and above the interval")
    for part in np.array_split(np.argsort(information, kind="stable"), GROUPS):
        print(
            f"  i {information[part].min():8.3f} to {information[part].max():9.3f}   "
            f"share {share[part].mean():4.0%}   {inside[part].mean():6.1%}   "
            f"{(quantile[part] < TAIL).mean():5.1%}   {(quantile[part] > 1 - TAIL).mean():5.1%}"
        )
    print(f"all: {inside.mean():.1%}")


@dataclass(frozen=True, slots=True)
class Group:
    """What one group of shoppers says: the posterior of each product, and the prior of it.

    Attributes
    ----------
    found
        of the products, then of one product a category that nobody ever bought: its location and
        scale are those of the category's prior.
    products
        how many products there are.
    """

    found: Sensitivity
    products: int

    @classmethod
    def learned(
        cls,
        orders: Orders,
        weeks: tuple[int, int],
        base_price: NDArray[np.float64],
        category: NDArray[np.int32],
        n_categories: int,
    ) -> Group:
        """Learn from these orders alone, at the base prices of all."""
        never = np.arange(n_categories, dtype=np.int32)
        panel = weekly_panel(replace(orders, n_products=len(category) + n_categories), *weeks)
        prices = np.concatenate([base_price, np.full(n_categories, np.nan)])
        codes = np.concatenate([category, never])
        return cls(fit_sensitivity(panel, prices, codes, n_categories), len(category))

    def likelihood(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(products,) centre and information of the purchases alone, without the prior."""
        of, n = self.found, self.products
        category, information = of.category[:n], of.information[:n]
        location, scale = of.location[n:][category], of.scale[n:][category]
        return likelihood_centre(of.location[:n], information, location, scale), information


def households(orders: Orders, group: int) -> Orders:
    """The orders of every other pair of customer codes, so that both parities are in each group."""
    visits = orders.customer // 2 % 2 == group
    lines, position = visits[orders.visit], np.cumsum(visits) - 1
    of_line = ("product", "quantity", "amount", "list_amount", "bundled")
    return replace(
        orders,
        visit=position[orders.visit[lines]].astype(np.int32),
        coupon=None if orders.coupon is None else orders.coupon[lines],
        **{name: getattr(orders, name)[lines] for name in of_line},
        **{name: getattr(orders, name)[visits] for name in ("week", "customer", "store")},
    )


def compared(posterior: Group, other: Group) -> Compared:
    """Where the other group's estimates lie in what the posterior foretells of them."""
    centre, information = other.likelihood()
    told = information > 0
    centre, information = centre[told], information[told]
    of, n = posterior.found, posterior.products
    location, scale = of.location[:n][told], of.scale[:n][told]
    low, high = ndtr(-location / scale), ndtr((of.cap - location) / scale)
    step = (np.arange(POINTS) + 0.5) / POINTS
    eta = location[:, None] + scale[:, None] * ndtri(low[:, None] + (high - low)[:, None] * step)
    quantile = ndtr((centre[:, None] - eta) * np.sqrt(information)[:, None]).mean(axis=1)
    variance = of.spread[:n][told] ** 2
    return Compared(quantile, information, variance / (variance + 1 / information))


if __name__ == "__main__":
    main()
