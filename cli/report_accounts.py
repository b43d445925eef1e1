"""A bundle's account in words and money: who takes it, what that earns, and what speaks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .page.numbers import NOTHING, amount, change, counted, factor, money, percent, units
from .report_charts import demand_chart, level_chart, refusal
from .report_data import Bundle, Group, Level, Product, ReportedPlan

_NUMBERS = {2: "both", 3: "all three", 4: "all four"}


@dataclass(frozen=True, slots=True)
class Account:
    """A bundle for the template: sentences, rows of cells and charts.

    ``groups``, ``products`` and ``levels`` are rows under the headings of the template;
    ``evidence`` is None where the plan was written without.
    """

    number: int
    name: str
    earns: str
    price: str
    summary: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    products: tuple[tuple[str, ...], ...]
    levels: tuple[tuple[tuple[str, ...], bool], ...]
    level_chart: Markup | None
    demand: tuple[tuple[str, Markup], ...]
    evidence: tuple[str, ...] | None


def account_of(plan: ReportedPlan, bundle: Bundle) -> Account:
    """The account of one bundle of a plan."""
    currency, evidence = plan.currency, bundle.evidence
    list_price, price = bundle.figure("list_price"), bundle.figure("bundle_price")
    return Account(
        number=bundle.number,
        name=bundle.name,
        earns=money(bundle.figure("incremental_margin"), currency),
        price=f"{amount(list_price)} → {money(price, currency)}",
        summary=_summary(bundle, currency),
        groups=tuple(_group_row(bundle, group) for group in bundle.groups),
        products=tuple(
            _product_row(plan.products[key], bundle.added[key], (evidence or {}).get("products"))
            for key in bundle.products
        ),
        levels=tuple((_level_row(level), level.chosen) for level in bundle.levels),
        level_chart=level_chart(bundle.levels, currency, _break_even(bundle))
        if bundle.levels
        else None,
        demand=tuple(
            (bundle.products[key], demand_chart(plan.products[key], _band(evidence, key)))
            for key in bundle.products
        ),
        evidence=None if evidence is None else tuple(_evidence(bundle, evidence)),
    )


def _summary(bundle: Bundle, currency: str) -> tuple[str, ...]:
    apart, together = bundle.figure("list_price"), bundle.figure("bundle_price")
    sold, anyway = bundle.figure("bundle_units"), bundle.figure("subsidised_units")
    low, high = (bundle.figure(f"incremental_margin{end}") for end in ("_low", "_high"))
    sentences = [
        f"{amount(apart)} apart, {money(together, currency)} together: {amount(apart - together)} "
        f"({percent(bundle.figure('discount'))}) off.",
        f"About {units(sold)} sold a week, {units(anyway)} of them to shoppers who would have "
        f"bought {_all_of(bundle)} anyway. It brings "
        f"{money(bundle.figure('incremental_margin'), currency)} a week (90 %: {amount(low)} to "
        f"{amount(high)}) and gives {amount(bundle.figure('discount_spend'))} in discounts.",
    ]
    if bundle.capped:
        sentences.append(
            "The discount is deeper than any price cut seen of one of its products; response is "
            "credited only as deep as was seen."
        )
    if bundle.segments:
        sentences.append(f"Shown to: {bundle.segments}.")
    return tuple(sentences)


def _all_of(bundle: Bundle) -> str:
    return _NUMBERS.get(len(bundle.products), "all of it")


def _group_row(bundle: Bundle, group: Group) -> tuple[str, ...]:
    return (
        _who(bundle, group),
        units(1000 * group.share),
        units(group.units),
        change(group.gain),
        change(group.money),
    )


def _who(bundle: Bundle, group: Group) -> str:
    """``Buy Espresso beans anyway, now add Muesli``."""
    if not group.adds:
        return f"Buy {_all_of(bundle)} anyway, now pay less"
    if not group.buys:
        return (
            f"Would buy {'neither' if len(group.adds) == 2 else 'none'}, now take {_all_of(bundle)}"
        )
    bought, added = (
        " and ".join(bundle.products.get(key, key) for key in keys)
        for keys in (group.buys, group.adds)
    )
    return f"Buy {bought} anyway, now add {added}"


def _product_row(
    product: Product, added: float, responses: Mapping[str, Any] | None
) -> tuple[str, ...]:
    known = (responses or {}).get(product.product_id)
    sensitivity = factor(product.sensitivity)
    if known is not None:
        low, high = known["price_sensitivity_low"], known["price_sensitivity_high"]
        sensitivity += f" ({factor(low)} to {factor(high)})"
    return (
        product.title,
        product.product_id,
        amount(product.price),
        amount(product.cost) + (" (assumed)" if product.cost_assumed else ""),
        units(1000 * product.purchase_probability),
        sensitivity,
        percent(product.deepest_cut, 0),
        units(added),
    )


def _level_row(level: Level) -> tuple[str, ...]:
    return (
        percent(level.discount),
        amount(level.price),
        units(level.units),
        percent(level.subsidised / level.units, 0) if level.units else NOTHING,
        amount(level.spend),
        amount(level.margin),
        percent(level.rate),
        "chosen" if level.chosen else refusal(level) if level.left_out else "",
    )


def _band(evidence: Mapping[str, Any] | None, product_id: str) -> tuple[float, float] | None:
    known = (evidence or {}).get("products", {}).get(product_id)
    if known is None:
        return None
    return known["price_sensitivity_low"], known["price_sensitivity_high"]


def _break_even(bundle: Bundle) -> float | None:
    return None if bundle.evidence is None else bundle.evidence.get("break_even_discount")


def _evidence(bundle: Bundle, evidence: Mapping[str, Any]) -> list[str]:
    sentences = [*_orders(evidence, "all of it" if "pairs" in evidence else "both")]
    for pair in evidence.get("pairs", ()):
        held = " and ".join(bundle.products.get(str(key), str(key)) for key in pair["product_ids"])
        sentences += [f"{held}: {sentence}" for sentence in _orders(pair, "both")]
    condition = evidence.get("gain_condition")
    if condition is not None:
        verdict = "more than" if condition > 1.0 else "not more than"
        sentences.append(
            f"The first cent off brings back {factor(condition)} cents, {verdict} it costs (the "
            "gain condition Σ e·η·(1 − q)·m/r; a small discount gains where it is above 1)."
        )
    if "break_even_discount" in evidence:
        even = evidence["break_even_discount"]
        sentences.append(break_even_words(even))
    return sentences


def break_even_words(even: float | None) -> str:
    if even is None:
        return "It still gains at the deepest discount that may be offered."
    if even <= 0.0:
        return "It earns nothing at any discount, the offer's cost counted."
    return f"It breaks even at {percent(even)} off; deeper discounts lose money."


def _orders(facts: Mapping[str, Any], whole: str) -> list[str]:
    sentences = []
    expected = facts.get("orders_expected")
    if facts.get("orders") is not None:
        beside = (
            "" if expected is None else f"; {units(expected)} would, were they bought independently"
        )
        sentences.append(f"{counted(facts['orders'], 'order')} with {whole}{beside}.")
    if facts.get("odds_ratio") is not None:
        low, high = facts["odds_ratio_low"], facts["odds_ratio_high"]
        trips = facts.get("trip_size_odds_ratio")
        beside = "" if trips is None else f"; the size of trips alone makes it {factor(trips)}"
        sentences.append(
            f"The odds ratio of the two purchases is {factor(facts['odds_ratio'])} (90 %: "
            f"{factor(low)} to {factor(high)}){beside}."
        )
    return sentences
