"""Explanations for a person at a terminal, at most 100 columns wide."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import money, safe

_WIDTH = 100
_TITLE = 34  # characters of a product's title within a sentence


def show_bundle(console: Console, answer: dict[str, Any]) -> None:
    """Print why a bundle is in the plan."""
    console.width = min(console.width, _WIDTH)
    currency, bundle = answer["currency"], answer["bundle"]
    _say(console, _headline(answer), style="bold")
    low, high = bundle["incremental_margin_low"], bundle["incremental_margin_high"]
    _say(
        console,
        f"{bundle['bundle_price']:,.2f} instead of {money(bundle['list_price'], currency)} "
        f"({100 * bundle['discount']:.1f} % off); adds "
        f"{money(bundle['incremental_margin'], currency)} to the week's margin "
        f"(90 %: {low:,.2f} to {high:,.2f}).",
    )
    _show_groups(console, answer)
    _show_gain(console, answer)
    if answer["levels"]:
        _heading(console, "Other levels")
        console.print(_level_table(answer["levels"], answer["objective"], inside=True))
        _show_unreachable(console, answer)
    _heading(console, "Rules that bind it")
    _show_rules(console, answer)
    if answer["evidence"] is not None:
        _heading(console, "Evidence")
        names = {p["product_id"]: p["title"] for p in answer["products"]}
        _show_evidence(console, answer["evidence"], names)
    if answer["assumed"]:
        _say(console, "Assumed, not known: " + "; ".join(answer["assumed"]) + ".")
    if answer["dropping"] is not None:
        _heading(console, "Without it")
        _show_cost(console, answer["dropping"], answer, "Dropping it", "It cannot be dropped")
    _show_not_told(console, answer)


def show_absence(console: Console, answer: dict[str, Any]) -> None:
    """Print why a set of products is no bundle of the plan."""
    console.width = min(console.width, _WIDTH)
    name = answer.get("bundle_name") or " & ".join(answer["product_ids"])
    _say(console, f"{answer['bundle_id']}  {name}", style="bold")
    if answer["in_plan"]:
        _say(console, f"It is in the plan: bundlewise explain PLAN {answer['bundle_id']}.")
    if answer["candidate"] is False:
        _say(console, f"Not a candidate: {answer['reason']['text']}.")
    elif answer["candidate"] and not answer["in_plan"]:
        _say(console, "It was a candidate: the plan without it earns more.")
    if answer["best"] is not None:
        best = answer["best"]
        _say(
            console,
            f"Best level: {100 * best['discount']:.1f} % off, at "
            f"{money(best['bundle_price'], answer['currency'])}; alone it would add "
            f"{money(best['incremental_margin'], answer['currency'])} to the week's margin.",
        )
        console.print(_level_table(answer["levels"], answer["objective"], inside=False))
    if answer["evidence"] is not None:
        _heading(console, "Evidence")
        names = dict(zip(answer["product_ids"], answer["titles"], strict=True))
        _show_condition(console, answer["evidence"], names)
        _show_evidence(console, answer["evidence"], names)
    if answer["forcing"] is not None:
        _heading(console, "Forced in")
        _show_cost(console, answer["forcing"], answer, "Forcing it in", "It cannot be forced in")
    _show_not_told(console, answer)


def _headline(answer: dict[str, Any]) -> str:
    bundle = answer["bundle"]
    return f"{bundle['bundle_id']}  {bundle['name']}  ({answer['name']} {answer['week']})"


def _show_groups(console: Console, answer: dict[str, Any]) -> None:
    """The four groups of shoppers, in words and money."""
    account = answer["per_1000_visits"]
    if account is None:
        return
    currency = answer["currency"]
    _heading(console, f"Of {account['visits']:,.0f} visits that see it ({currency})")
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    table.add_column("who", overflow="fold", ratio=1)
    for heading in ("shoppers", "gain each", "together"):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in account["groups"]:
        shoppers, gain = f"{group['shoppers']:,.3g}", f"{group['gain']:+,.2f}"
        table.add_row(safe(_who(group)), shoppers, gain, f"{group['money']:+,.2f}")
    if account["offer_cost"]:
        table.add_row("the offer's own cost", "", "", f"{-account['offer_cost']:+,.2f}")
    table.add_row("in all", "", "", f"{account['earns']:+,.2f}", style="bold")
    console.print(table)
    if account["redemption"] == "automatic":
        _say(
            console,
            "The till gives the price to everybody: those who buy it anyway on visits that do "
            "not see the offer are counted in the first line.",
        )


def _who(group: dict[str, Any]) -> str:
    buys = " and ".join(_short(title) for title in group["buys_titles"])
    adds = " and ".join(_short(title) for title in group["adds_titles"])
    if not adds:
        return f"buy {buys} anyway" + (": paid for nothing" if group["gain"] < 0 else "")
    if not buys:
        return f"buy neither anyway, now take {adds}"
    return f"buy {buys} anyway, now add {adds}"


def _short(title: str) -> str:
    return title if len(title) <= _TITLE else title[: _TITLE - 1].rstrip() + "…"


def _show_gain(console: Console, answer: dict[str, Any]) -> None:
    gain = answer["gain"]
    if gain is None:
        return
    _heading(console, "Whether a discount pays")
    names = {product["product_id"]: product["title"] for product in answer["products"]}
    known = {"gain_condition": gain["condition"], "gain_parts": gain["parts"]}
    _show_condition(console, {**known, "break_even_discount": gain["break_even_discount"]}, names)


def _show_condition(console: Console, known: dict[str, Any], names: dict[str, str]) -> None:
    """The gain condition with each product's part, and the break-even discount."""
    value = known["gain_condition"]
    parts = ", ".join(
        f"{part:.2f} by {_short(names[p])}" for p, part in known["gain_parts"].items()
    )
    more = (
        "more than 1: a small discount pays"
        if value > 1
        else "not above 1: a small one does not pay by itself"
    )
    _say(console, f"The first cent off brings back {value:.2f} cents ({parts}); {more}.")
    even = known["break_even_discount"]
    if even is None:
        _say(console, "It gains up to the largest discount that may be offered.")
    elif even <= 0:
        _say(console, "It gains at no discount, the offer's cost counted.")
    else:
        _say(
            console, f"It gains up to {100 * even:.1f} % off, where what it adds comes to nothing."
        )


def _level_table(levels: list[dict[str, Any]], objective: str, *, inside: bool) -> Table:
    """The levels, what each would earn, and why not."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("level", "price", "off", "sold", "had anyway", "earns"):
        table.add_column(heading, justify="right", no_wrap=True)
    if objective != "margin":
        table.add_column(objective, justify="right", no_wrap=True)
    table.add_column("", overflow="fold", ratio=1)
    for level in levels:
        units = level["bundle_units"]
        already = level["subsidised_units"] / units if units else 0.0
        cells = [
            f"{level['level']:g}",
            f"{level['bundle_price']:,.2f}",
            f"{100 * level['discount']:.1f} %",
            f"{units:,.4g}",
            f"{100 * already:.0f} %",
            f"{level['incremental_margin']:+,.2f}",
        ]
        if objective != "margin":
            cells.append(f"{level['value']:,.4g}")
        chosen = bool(level.get("chosen"))
        table.add_row(*cells, safe(_why(level, inside=inside)), style="bold" if chosen else None)
    return table


def _why(level: dict[str, Any], *, inside: bool) -> str:
    if not inside:
        left_out = level["left_out"]
        text = "gains nothing" if left_out == "no-gain" else f"refused by {left_out}"
        return text if left_out else ""
    if level["chosen"]:
        return "chosen"
    if level["why_not"] in ("earns less", "gains nothing"):
        return f"{level['why_not']}: {level['difference']:+,.2f}"
    return f"{level['why_not']} ({level['difference']:+,.2f})"


def _show_unreachable(console: Console, answer: dict[str, Any]) -> None:
    if any(level["capped"] for level in answer["levels"]):
        _say(
            console,
            "A level deeper than prices were cut before counts as what earns less: the response "
            "as learned, or no more of it than at the deepest cut.",
        )


def _show_rules(console: Console, answer: dict[str, Any]) -> None:
    rules = answer["binding_rules"]
    if not rules:
        _say(console, "None: every rule it counts in has something to spare.")
    for rule in rules:
        text = f"{rule['name']}: {rule['value']:,.6g} of {rule['limit']:,.6g}"
        if rule["change"] is not None and rule["step"]:
            text += f"; {rule['step']}: {rule['change']:+,.2f}"
        elif rule["shadow_price"]:
            text += f"; one more unit is worth about {rule['shadow_price']:,.2f}"
        _say(console, text)


def _show_evidence(console: Console, known: dict[str, Any], names: dict[str, str]) -> None:
    """Orders, odds ratio beside what trips alone make it, and price sensitivities."""
    _say(console, _orders(known))
    for pair in [known] if "odds_ratio" in known else known["pairs"]:
        who = "" if pair is known else " and ".join(_short(names[p]) for p in pair["product_ids"])
        text = f"{who}: {_orders(pair).lower()} " if who else ""
        text += f"Odds ratio {pair['odds_ratio']:.2f} (90 %: {pair['odds_ratio_low']:.2f} to "
        text += f"{pair['odds_ratio_high']:.2f})"
        trips = pair["trip_size_odds_ratio"]
        if trips is not None:
            text += f"; the size of the trips they are bought on alone makes it {trips:.2f}"
        _say(console, text + ".")
    for product, facts in known["products"].items():
        low, high = facts["price_sensitivity_low"], facts["price_sensitivity_high"]
        cut = facts["deepest_cut"]
        seen = (
            f"prices were cut by up to {100 * cut:.0f} %" if cut > 0 else "its price was never cut"
        )
        _say(
            console,
            f"{_short(names[product])}: price sensitivity {facts['price_sensitivity']:.2f} "
            f"(90 %: {low:.2f} to {high:.2f}); {seen}.",
        )


def _orders(known: dict[str, Any]) -> str:
    orders, expected = known["orders"], known["orders_expected"]
    text = "Too few orders hold all of it to be counted" if orders is None else ""
    if orders is not None:
        text = f"{orders:,} order{'' if orders == 1 else 's'} hold all of it"
    if expected is not None:
        text += f"; {expected:,.1f} would if they were bought independently"
    return text + "."


def _show_cost(
    console: Console, found: dict[str, Any], answer: dict[str, Any], what: str, hopeless: str
) -> None:
    """What a plan made anew loses, and which bundles go and come."""
    if found["conflict"] is not None:
        _say(console, f"{hopeless}: {found['conflict']['text']}.")
        return
    if found["objective"] is None:
        _say(console, "No plan was found within the time limit: the cost is not known.")
        return
    _say(console, f"{what} {_cost(found, answer)}, with the best plan made anew.")
    gap = "unknown" if found["gap"] is None else f"{100 * found['gap']:.4f} %"
    _say(console, f"That plan is {found['status']}, gap {gap}.")
    for key, text in (("goes", "goes"), ("comes", "comes"), ("moves", "moves to another level")):
        for bundle in found[key]:
            if bundle["bundle_id"] == answer.get("bundle", {}).get("bundle_id"):
                continue
            earns = money(bundle["incremental_margin"], answer["currency"])
            line = f"  {text}: {bundle['bundle_id']}  {bundle['name']} (adds {earns})"
            _say(console, line)


def _cost(found: dict[str, Any], answer: dict[str, Any]) -> str:
    low, high = found["cost_low"], found["cost_high"]
    unit = {"margin": answer["currency"], "revenue": f"{answer['currency']} of revenue"}
    of = unit.get(answer["objective"], answer["objective"])
    if low is None:
        return f"costs {high:,.2f} {of} or less"
    if 0 < high < 0.005:
        return f"costs less than 0.01 {of}"
    if round(low, 2) == round(high, 2):
        return f"costs {high:,.2f} {of}" if high >= 0 else f"gains {-high:,.2f} {of}"
    return f"costs between {low:,.2f} and {high:,.2f} {of}"


def _show_not_told(console: Console, answer: dict[str, Any]) -> None:
    for line in answer["not_told"]:
        _say(console, f"Not told: {line}.")


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _say(console: Console, text: str, style: str = "") -> None:
    line = safe(text)
    if style:
        line.stylize(style)
    console.print(line)
