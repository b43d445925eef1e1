"""Price cuts with and without display and mailer: which price sensitivity foretells them?

    python -m benchmarks.advertised

The Complete Journey, learned on the 27 or 28 weeks before 2017-W27, the 13 weeks from there held
out (those before the test weeks of ``benchmarks.held_out``). Of the 4,000 products found in the
most baskets, product-weeks with a price cut that the other half of the customers shows, at least
three baskets within four weeks at the reference price and unpromoted, which set the level. A line
a kind of week: baskets foretold for each one seen, by η learned without the promotions table, by
η net of display and mailer, and by the latter with the learned effects of display and mailer.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from bundlewise.instances.complete_journey import write_complete_journey
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.models.demand import fit_demand, promotions_of
from bundlewise.models.history import most_bought, only_products
from bundlewise.models.panel import Panel, weekly_panel
from bundlewise.models.product_features import product_features
from bundlewise.models.sensitivity import Promotions
from numpy.typing import NDArray

WEEK = "2017-W40"  # nothing from here on is read
HELD_OUT = 13
CUTS = ((0.05, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.5))
NEAR, NEARLY_NONE = 4, 0.02  # weeks that set the level; share of visits that count as no promotion


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        write_complete_journey(Path(folder) / "instance")
        scenario = Path(folder) / "instance" / "scenario.toml"
        instance = load_instance(read_scenario(scenario, week=WEEK))
    first, end = int(instance.orders.week.min()), int(instance.orders.week.max()) + 1
    known = end - first - HELD_OUT
    top = most_bought(instance.orders, first, first + known, 4_000)
    told = promotions_of(instance, instance.orders, first, end)
    assert told is not None
    promotions = Promotions(told.display[top], told.mailer[top])
    panel = weekly_panel(only_products(instance.orders, top), first, end)
    train, base = panel.before(known), panel.before(known).usual_price()
    features = product_features(instance.catalogue, np.ones(len(instance.catalogue))).take(top)
    early = Promotions(promotions.display[:, :known], promotions.mailer[:, :known])
    without, net = (
        fit_demand(
            train,
            base,
            features.category,
            features.n_categories,
            horizon=HELD_OUT,
            promotions=table,
        ).sensitivity
        for table in (None, early)
    )
    print(f"mean η without the table {without.mean.mean():.2f}, net {net.mean.mean():.2f}")
    factor = np.asarray(net.promotion_factor(promotions), dtype=float)
    slopes = {"without": (without.mean, 1.0), "net": (net.mean, 1.0), "both": (net.mean, factor)}
    show(panel, known, base, promotions, slopes)


def show(
    panel: Panel,
    known: int,
    base: NDArray[np.float64],
    promotions: Promotions,
    slopes: dict[str, tuple[NDArray[np.float64], NDArray[np.float64] | float]],
) -> None:
    """A line a kind of week and a depth of cut."""
    display, mailer = promotions.display, promotions.mailer
    plain = (display < NEARLY_NONE) & (mailer < NEARLY_NONE)
    kinds = {
        "neither": plain,
        "mailer alone": (display < NEARLY_NONE) & (mailer > 0.5),
        "display": display > 0.3,
    }
    week = np.arange(panel.n_weeks)
    near = (np.abs(week[:, None] - week) <= NEAR).astype(float)
    print("met by shoppers  price cut    cells  baskets  η without  η net  η net, effects")
    for kind, met in kinds.items():
        for low, high in CUTS:
            seen, foretold, cells = 0.0, dict.fromkeys(slopes, 0.0), 0
            for half in (0, 1):
                baskets, price = _dense(panel, half)
                cut, visits = 1.0 - price / base[:, None], panel.visits[:, half]
                usual = (np.abs(cut) < 0.03) & plain
                level_baskets = (baskets * usual) @ near
                level = level_baskets / np.maximum((visits * usual) @ near, 1e-9)
                chosen = met & (cut >= low) & (cut < high) & (week >= known) & (level_baskets >= 3)
                cells += int(chosen.sum())
                seen += float(baskets[chosen].sum())
                for name, (slope, effects) in slopes.items():
                    response = np.exp(slope[:, None] * (1.0 - level) * cut) * effects
                    foretold[name] += float((level * visits * response)[chosen].sum())
            ratios = "  ".join(f"{value / seen:9.2f}" for value in foretold.values())
            print(f"{kind:15}  {low:4.0%}–{high:<4.0%}  {cells:7,}  {seen:7,.0f}  {ratios}")


def _dense(panel: Panel, half: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(products, weeks) baskets of one half of the customers, and the price the other half paid."""
    baskets = np.zeros((panel.n_products, panel.n_weeks))
    price = np.full_like(baskets, np.nan)
    baskets[panel.product, panel.week] = panel.baskets[:, half]
    price[panel.product, panel.week] = panel.price[:, 1 - half]
    return baskets, price


if __name__ == "__main__":
    main()
