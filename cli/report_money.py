"""Who pays for the discounts of a plan: steps from nothing to its incremental margin."""

from __future__ import annotations

from .report_data import Bundle, ReportedPlan


def money_steps(plan: ReportedPlan) -> list[tuple[str, float]]:
    """Labels and money a week, net of tax; they add up exactly to ``kpis.incremental_margin``.

    What added units bring is Σ added units × (reference price/(1 + tax) − unit cost); discounts
    are Σ units × (list price − bundle price)/(1 + tax). Supplier funding F is what groups.csv
    states as the gain of those who buy all of a bundle anyway, plus their discount. What is
    displaced is the rest of what groups.csv states, and the rounding of the others to cents.
    """
    assumptions = plan.report["assumptions"]
    net = 1.0 + assumptions["tax_rate"]
    brings = anyway = adding = funding = 0.0
    for bundle in plan.bundles:
        off = (bundle.figure("list_price") - bundle.figure("bundle_price")) / net
        subsidised = sum(group.units for group in bundle.groups if not group.adds)
        others = sum(group.units for group in bundle.groups if group.adds)
        anyway += off * subsidised
        adding += off * others
        funding += _funding(bundle, off) * (subsidised + others)
        for key, units in bundle.added.items():
            product = plan.products[key]
            brings += units * (product.price / net - product.cost)
    cost = assumptions.get("offer_cost", 0.0) * len(plan.bundles)
    total = plan.report["kpis"]["incremental_margin"]
    bill = _cents(anyway) + _cents(adding) + _cents(cost)
    displaced = _cents(total) - _cents(brings) - _cents(funding) + bill
    steps = [
        ("Margin of the units added, at full price", _cents(brings)),
        ("Supplier funding", _cents(funding)),
        ("Displaced: other products, later weeks", displaced),
        ("Discounts to shoppers who add a product", -_cents(adding)),
        ("Discounts to those who buy all of it anyway", -_cents(anyway)),
        ("Cost of making the offers", -_cents(cost)),
    ]
    always = (0, 3, 4)  # the others only where there is something
    return [(label, c / 100) for place, (label, c) in enumerate(steps) if c or place in always]


def _funding(bundle: Bundle, off: float) -> float:
    """F, money for each bundle sold: those who buy all of it anyway bring F − D/(1 + tax)."""
    found = next((group.gain + off for group in bundle.groups if not group.adds), 0.0)
    return found if abs(found) >= 0.005 else 0.0  # less than a cent is what groups.csv rounds


def _cents(value: float) -> int:
    return round(100 * value)
