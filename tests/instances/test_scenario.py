"""Scenario files: every mistake is one line that names file, key, found and expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.rules import AtMostOneOf, CategoryLimit, Locked
from bundlewise.instances.scenario import GrossMargins, Scenario, read_scenario
from bundlewise.instances.weeks import week_label

BASE = """\
[scenario]
name = "base"
week = "2018-W01"
[data]
orders = "orders.csv"
products = "tables/products.csv"
[limits]
max_bundles = 5
"""


def read(folder: Path, text: str, *, week: str | None = None) -> Scenario:
    path = folder / "s.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(path, week=week)


def fault(folder: Path, text: str, *, week: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text, week=week)
    line = str(caught.value)
    assert line.startswith(f"{folder / 's.toml'}: ")
    assert "\n" not in line
    return line.removeprefix(f"{folder / 's.toml'}: ")


def test_defaults(tmp_path: Path) -> None:
    scenario = read(tmp_path, BASE)
    assert (scenario.name, week_label(scenario.week), scenario.currency) == (
        "base",
        "2018-W01",
        "USD",
    )
    assert scenario.data.orders == tmp_path / "orders.csv"
    assert scenario.data.products == tmp_path / "tables" / "products.csv"
    assert scenario.assumptions.gross_margin is None
    assert scenario.assumptions.exposure == 1.0
    assert scenario.candidates.max_candidates == 200_000
    assert scenario.discounts.levels == (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
    assert scenario.limits.max_bundles_per_product == 1
    assert scenario.solver.time_limit == 60
    assert scenario.rules == ()
    assert scenario.path == tmp_path / "s.toml"


def test_whole_numbers_stand_for_numbers_and_what_is_off_may_be_said(tmp_path: Path) -> None:
    text = BASE + "discount_budget = 500\n[assumptions]\ngross_margin = 0\ntax_rate = 0\n"
    scenario = read(tmp_path, f"{text}[compliance]\nomnibus = false\n[segments]\n")
    assert scenario.limits.discount_budget == 500.0
    assert scenario.assumptions.gross_margin == 0.0


def test_levels_are_kept_ascending(tmp_path: Path) -> None:
    assert read(tmp_path, f"{BASE}[discounts]\nlevels = [0.3, 0.1]").discounts.levels == (0.1, 0.3)


def test_the_week_given_overrides_the_file(tmp_path: Path) -> None:
    assert week_label(read(tmp_path, BASE, week="2020-W53").week) == "2020-W53"
    without = BASE.replace('week = "2018-W01"\n', "")
    assert week_label(read(tmp_path, without, week="2018-W02").week) == "2018-W02"
    wrong = BASE.replace("2018-W01", "2018-W99")
    assert fault(tmp_path, wrong, week="2018-W02").startswith("scenario.week: text '2018-W99'")


def test_gross_margins_by_department(tmp_path: Path) -> None:
    table = '[assumptions.gross_margin]\nby = "department"\ndefault = 0.25\nGROCERY = 0.24\n"A"=0\n'
    margin = read(tmp_path, BASE + table).assumptions.gross_margin
    assert margin == GrossMargins(by="department", default=0.25, values={"GROCERY": 0.24, "A": 0.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[limit]\n", "limit: unknown table (the nearest known is limits)"),
        ("[data]\norder = 1\n", "data.order: unknown key (the nearest known is data.orders)"),
        ("[solver]\nmin_support = 3\n",
         "solver.min_support: unknown key (the nearest known is candidates.min_support)"),
        ("[limits]\nmax_bundels = 3\n",
         "limits.max_bundels: unknown key (the nearest known is limits.max_bundles)"),
        ("data = 3\n", "data: 3; expected a table, [data]"),
        ("scenario = 3\n", "scenario: 3; expected a table, [scenario]"),
        ("[rules]\nx = 1\n", "rules: a table; expected a list of tables, [[rules]]"),
        ("rules = [1]\n", "rules[1]: 1; expected a table, [[rules]]"),
        ("[segments]\nby = 'x'\n", "segments.by: unknown key (the nearest known is"),
        ("[compliance]\nomnibus = true\n",
         "compliance.omnibus: omnibus compliance is not available in this version; expected false"),
        ("[compliance]\nx = 1\n", "compliance.x: unknown key (the nearest known is"),
    ],
)  # fmt: skip
def test_unknown_names(tmp_path: Path, text: str, message: str) -> None:
    assert fault(tmp_path, text).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[segments]\ncount = 'many'\n",
         "segments.count: text 'many'; expected 'auto' or a whole number of at least 1 and of at"),
        ("[segments]\ncount = 0\n", "segments.count: 0; expected 'auto' or a whole number"),
        ("[segments]\nmin_customers = 0\n", "segments.min_customers: 0; expected a whole number"),
        ("[segments]\ntarget = true\n",
         "segments.target: true, with segments.count = 1; expected segments.count = \"auto\""),
        ("[segments]\ncount = 'auto'\ntarget = true\n[assumptions]\nredemption = 'automatic'\n",
         "segments.target: true, with assumptions.redemption = \"automatic\": the till gives"),
        ("[segments]\ncount = 3\ntarget = true\n[objective]\nmaximize = 'affinity'\n",
         "segments.target: true, with objective.maximize = \"affinity\", which knows no segments"),
    ],
)  # fmt: skip
def test_segments_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    assert fault(tmp_path, BASE + text).startswith(message)


def test_segments_are_off_unless_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, BASE).segments.count == 1
    segments = read(tmp_path, BASE + '[segments]\ncount = "auto"\ntarget = true\n').segments
    assert (segments.count, segments.target, segments.min_customers) == ("auto", True, 20)


def test_a_missing_key_or_section(tmp_path: Path) -> None:
    assert fault(tmp_path, "").startswith("scenario.name: missing; expected a name of letters,")
    without = BASE.replace('orders = "orders.csv"\n', "")
    assert fault(tmp_path, without) == "data.orders: missing; expected a path"
    without = BASE.replace("max_bundles = 5\n", "")
    assert fault(tmp_path, without) == (
        "limits.max_bundles: missing; expected a whole number of at least 0"
    )
    without = BASE.replace('week = "2018-W01"\n', "")
    assert fault(tmp_path, without) == (
        "scenario.week: missing; expected an ISO week such as 2018-W01, here or with --week"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("scenario.name", '"a b"', "text 'a b'; expected letters, digits, - and _ only"),
        ("scenario.name", '""', "text ''; expected letters, digits, - and _ only"),
        ("scenario.name", '"../x"', "text '../x'; expected letters, digits, - and _ only"),
        ("scenario.name", "5", "5; expected text"),
        ("scenario.currency", '"dollar"', "text 'dollar'; expected a code such as USD"),
        ("scenario.week", '"2018-W53"', "text '2018-W53'; expected an ISO week such as 2018-W01"),
        ("scenario.week", '"2018-01-01"', "text '2018-01-01'; expected an ISO week such as"),
        ("scenario.week", "2018-01-01", "the date or time 2018-01-01; expected text"),
        ("data.orders", "5", "5; expected a path"),
        ("data.orders", '""', "empty text; expected a path"),
        ("data.max_age_days", "-1", "-1; expected a whole number of at least 0"),
        ("assumptions.gross_margin", "1.0", "1.0; expected a number of at least 0 and below 1, or"),
        ("assumptions.gross_margin", "true", "true; expected a number of at least 0 and below 1,"),
        ("assumptions.gross_margin", '"x"', "text 'x'; expected a number of at least 0 and below"),
        ("assumptions.gross_margin", "nan", "nan; expected a number of at least 0 and below 1, or"),
        ("assumptions.gross_margin.by", '"color"', "text 'color'; expected one of 'category', 'd"),
        ("assumptions.gross_margin.FISH", "2", "2; expected a number of at least 0 and below 1"),
        ("assumptions.tax_rate", "-0.1", "-0.1; expected a number of at least 0"),
        ("assumptions.tax_rate", "inf", "inf; expected a number of at least 0"),
        ("assumptions.visits", "0", "0; expected a number above 0"),
        ("assumptions.exposure", "1.1", "1.1; expected a number above 0 and of at most 1"),
        ("assumptions.exposure", "true", "true; expected a number above 0 and of at most 1"),
        ("assumptions.redemption", '"all"', "text 'all'; expected one of 'seen', 'automatic'"),
        ("assumptions.diversion", "2", "2; expected a number of at least 0 and of at most 1"),
        ("candidates.min_support", "0", "0; expected a whole number of at least 1"),
        ("candidates.min_support", "2.5", "2.5; expected a whole number of at least 1"),
        ("candidates.min_support", "true", "true; expected a whole number of at least 1"),
        ("candidates.max_size", "5", "5; expected a whole number of at least 2 and of at most 4"),
        ("candidates.allow_same_category", "1", "1; expected true or false"),
        ("discounts.levels", "[]", "[]; expected a list of 1 to 64, each a number above 0 and bel"),
        ("discounts.levels", "[0.1, 1.0]", "[0.1, 1.0]; expected a list of 1 to 64, each a number"),
        ("discounts.levels", "0.1", "0.1; expected a list of 1 to 64, each a number above 0 and"),
        ("discounts.levels", "[0.1, 0.1]", "0.1 stands there twice; expected each level once"),
        ("discounts.price_ending", '".98"', "text '.98'; expected one of 'none', 'x.x9', '.99',"),
        ("objective.maximize", '"profit"', "text 'profit'; expected one of 'margin', 'revenue',"),
        ("limits.max_bundles", "-1", "-1; expected a whole number of at least 0"),
        ("limits.min_bundles", "6", "6, above limits.max_bundles = 5; expected at most 5"),
        ("limits.stock_safety", "1", "1; expected a number of at least 0 and below 1"),
        ("limits.min_plan_margin", "1.5", "1.5; expected a number below 1"),
        ("limits.discount_budget", "-1", "-1; expected a number of at least 0"),
        ("solver.engine", '"cplex"', "text 'cplex'; expected auto, highs, scip, cp-sat or pulp:N"),
        ("solver.engine", '"pulp:"', "text 'pulp:'; expected auto, highs, scip, cp-sat or pulp:N"),
        ("solver.gap", "[0.1]", "[0.1]; expected a number of at least 0"),
        ("solver.time_limit", "0", "0; expected a number above 0"),
        ("solver.deterministic", '"yes"', "text 'yes'; expected true or false"),
    ],
)
def test_wrong_types_and_impossible_values(
    tmp_path: Path, key: str, value: str, message: str
) -> None:
    # the key is stated in a file that extends a good one, which is then not to blame
    (tmp_path / "base.toml").write_text(
        BASE + '[assumptions.gross_margin]\nby = "category"\ndefault = 0.2\n'
        if key.startswith("assumptions.gross_margin.")
        else BASE,
        encoding="utf-8",
    )
    table, _, name = key.rpartition(".")
    extends = 'extends = "base.toml"\n'
    text = f"[scenario]\n{extends}" + ("" if table == "scenario" else f"[{table}]\n")
    assert fault(tmp_path, f"{text}{name} = {value}\n").startswith(f"{key}: {message}")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            'name = "b"\nkind = "brand-limit"\nbrand = "A"',
            ".b: neither min nor max; expected min, max or both",
        ),
        ("max = 1", "[1].kind: missing; expected one of category-limit, brand-limit,"),
        ('kind = "categorylimit"', "[1].kind: text 'categorylimit' (the nearest known is cat"),
        ("kind = 1", "[1].kind: 1; expected one of category-limit"),
        ('kind = "stability"', "[1]: neither min_share nor max_steps; expected min_share, max_"),
        ('kind = "stability"\nmin_share = 0', "[1].min_share: 0; expected a number above 0 and of"),
        ('kind = "stability"\nmin_share = 1.5', "[1].min_share: 1.5; expected a number above 0"),
        ('kind = "stability"\nmax_steps = -1', "[1].max_steps: -1; expected a whole number of at"),
        ('kind = "stability"\nmax_step = 1',
         "[1].max_step: unknown key (the nearest known is max_steps); expected one of name, kind,"),
        ('name = "keep"\nkind = "stability"\nmax_steps = 1',
         ".keep: no data.previous_plan to compare with; expected data.previous_plan, the folder"),
        ('kind = "same-level"', "[1]: neither bundles nor category; expected exactly one of"),
        ('kind = "same-level"\ncategory = "A"\nbundles = [["1", "2"], ["3", "4"]]',
         "[1]: both of them; expected exactly one of bundles, category"),
        ('kind = "same-level"\nbundles = [["1", "2"]]',
         "[1].bundles: [['1', '2']]; expected a list of at least 2, each a list of 2 to 4"),
        ('kind = "same-level"\nbundles = [["1", "2"], ["2", "1"]]',
         "[1].bundles: [['1', '2'], ['2', '1']]; expected each bundle once"),
        ('kind = "clearance"', "[1].products: missing; expected a list of at least 1, each text"),
        ('kind = "clearance"\nproducts = ["1"]', "[1].target: missing; expected a number above 0"),
        (
            'kind = "clearance"\nproducts = ["1"]\ntarget = 1e300',
            "[1].target: 1e+300; expected a number above 0 and of at most 1e+15",
        ),
        ('kind = "clearance"\nproducts = ["1"]\ntarget = 0', "[1].target: 0; expected a number ab"),
        ('kind = "clearance"\nproducts = ["1", "1"]\ntarget = 5', "[1].products: ['1', '1']; exp"),
        ('kind = "clearance"\nproducts = ["1"]\ntarget = 5\nprice = 0', "[1].price: 0; expected a"),
        ('kind = "category-limit"', "[1].category: missing; expected text"),
        ('kind = "category-limit"\ncategory = "A"\nmax = -1',
         "[1].max: -1; expected a whole number of at least 0"),
        ('kind = "category-limit"\ncategory = "A"\nmin = 3\nmax = 2',
         "[1].min: 3, above max = 2; expected at most 2"),
        ('name = "b"\nkind = "brand-limit"\nbrand = "A"\nmaximum = 2',
         ".b.maximum: unknown key (the nearest known is max); expected one of name, kind, brand,"),
        ('kind = "must-include"\nproducts = ["1"]',
         "[1].products: ['1']; expected a list of 2 to 4, each text"),
        ('kind = "must-include"\nproducts = [1, 2]', "[1].products: [1, 2]; expected a list of 2"),
        ('kind = "must-include"\nproducts = ["1", "1"]',
         "[1].products: ['1', '1']; expected each product once"),
        ('kind = "must-include"\nproducts = ["1", "2", "3"]',
         "[1].products: 3 products; expected at most candidates.max_size = 2"),
        ('kind = "must-include"\nproducts = ["1", "2"]\nlevel = 0.12',
         "[1].level: 0.12; expected an entry of discounts.levels (0.05, 0.1, 0.15, 0.2, 0.25, "),
        ('kind = "excluded"\nproducts = ["1", "2"]\nlevel = 0.12', "[1].level: 0.12; expected an"),
        ('name = "l"\nkind = "locked"\nproducts = ["1", "2"]',
         ".l.level: missing; expected a number above 0 and below 1"),
        ('kind = "locked"\nproducts = ["1", "2"]\nlevel = 0.07', "[1].level: 0.07; expected an"),
        ('kind = "never-together"\nproducts = ["1"]',
         "[1].products: ['1']; expected a list of at least 2, each text"),
        ('kind = "never-together"\nproducts = ["1", "1"]', "[1].products: ['1', '1']; expected"),
        ('kind = "at-most-one-of"', "[1]: neither products nor bundles; expected exactly one of"),
        ('kind = "at-most-one-of"\nproducts = ["1"]\nbundles = [["1", "2"]]',
         "[1]: both of them; expected exactly one of products, bundles"),
        ('kind = "at-most-one-of"\nbundles = [["1"]]', "[1].bundles: [['1']]; expected a list"),
        ('name = 3\nkind = "locked"', "[1].name: 3; expected text"),
    ],
)  # fmt: skip
def test_wrong_rules(tmp_path: Path, rule: str, message: str) -> None:
    assert fault(tmp_path, f"{BASE}[[rules]]\n{rule}\n").startswith(f"rules{message}")


def test_rules_may_name_bundles_as_large_as_candidates(tmp_path: Path) -> None:
    rule = '[[rules]]\nkind = "must-include"\nproducts = ["1", "2", "3"]\n'
    scenario = read(tmp_path, f"{BASE}[candidates]\nmax_size = 3\n{rule}")
    assert scenario.candidates.max_size == 3


def test_affinity_chooses_pairs(tmp_path: Path) -> None:
    text = f'{BASE}[candidates]\nmax_size = 3\n[objective]\nmaximize = "affinity"\n'
    assert fault(tmp_path, text) == (
        'candidates.max_size: 3 with objective.maximize = "affinity"; '
        "expected 2: affinity chooses pairs"
    )


def test_two_rules_of_one_name(tmp_path: Path) -> None:
    rule = '[[rules]]\nname = "a"\nkind = "brand-limit"\nbrand = "B"\nmax = 3\n'
    assert fault(tmp_path, BASE + rule + rule) == (
        "rules.a.name: two rules of this name; expected each once"
    )


def test_a_rule_may_not_be_named_like_part_of_another(tmp_path: Path) -> None:
    rule = '[[rules]]\nname = "a[max_steps]"\nkind = "brand-limit"\nbrand = "B"\nmax = 3\n'
    steady = '[[rules]]\nname = "a"\nkind = "stability"\nmax_steps = 1\n'
    assert fault(tmp_path, BASE + rule + steady) == (
        "rules.a[max_steps].name: text 'a[max_steps]', which is what plans call a's max_steps; "
        "expected another name"
    )


@pytest.mark.parametrize("name", ["bundle-count", "stock", "product-exposure[0001]"])
def test_a_rule_may_not_be_named_like_a_limit(tmp_path: Path, name: str) -> None:
    rule = f'[[rules]]\nname = "{name}"\nkind = "never-together"\nproducts = ["1", "2"]\n'
    line = fault(tmp_path, BASE + rule)
    assert line.startswith(f"rules.{name}.name: text {name!r}, which is the name of a limit; exp")


def test_rules_get_names_that_are_unique(tmp_path: Path) -> None:
    rules = [
        'kind = "category-limit"\ncategory = "DAIRY"\nmax = 1',
        'kind = "category-limit"\ncategory = "DAIRY"\nmin = 1',
        'kind = "brand-limit"\nbrand = "A"\nmax = 1',
        'kind = "never-together"\nproducts = ["1", "2"]',
        'kind = "never-together"\nproducts = ["1", "3"]',
        'name = "never-together[3]"\nkind = "never-together"\nproducts = ["1", "4"]',
        'kind = "never-together"\nproducts = ["1", "5"]',
        'kind = "at-most-one-of"\nbundles = [["1", "2"], ["3", "4"]]',
        'name = "mine"\nkind = "locked"\nproducts = ["1", "2"]\nlevel = 0.1',
        'kind = "same-level"\ncategory = "DAIRY"',
        'kind = "clearance"\nproducts = ["1"]\ntarget = 10',
    ]
    scenario = read(tmp_path, BASE + "".join(f"[[rules]]\n{rule}\n" for rule in rules))
    assert [rule.name for rule in scenario.rules] == [
        "category-limit[DAIRY]",
        "category-limit[DAIRY,2]",
        "brand-limit[A]",
        "never-together[1]",
        "never-together[2]",
        "never-together[3]",
        "never-together[4]",
        "at-most-one-of[1]",
        "mine",
        "same-level[DAIRY]",
        "clearance[1]",
    ]
    assert scenario.rules[0] == CategoryLimit(
        name="category-limit[DAIRY]", kind="category-limit", category="DAIRY", max=1
    )
    assert isinstance(scenario.rules[7], AtMostOneOf)
    assert scenario.rules[7].bundles == (("1", "2"), ("3", "4"))
    assert isinstance(scenario.rules[8], Locked)


def test_a_week_given_wrongly_is_not_the_files_fault(tmp_path: Path) -> None:
    line = fault(tmp_path, BASE, week="2018-W60")
    assert line == "--week: text '2018-W60'; expected an ISO week such as 2018-W01"


def test_a_syntax_error_names_the_line(tmp_path: Path) -> None:
    line = fault(tmp_path, "[scenario]\nname = base\n")
    assert line.startswith("not valid TOML: ")
    assert "line 2" in line


def test_files_that_are_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: no such file; expected a scenario file"):
        read_scenario(tmp_path / "none.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_scenario(tmp_path)
    (tmp_path / "s.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(InputError, match=r"not UTF-8 .*; expected text in UTF-8"):
        read_scenario(tmp_path / "s.toml")


def test_extends_merges_tables_by_key_and_rules_by_name(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "base.toml").write_text(
        BASE
        + '[assumptions.gross_margin]\nby = "category"\ndefault = 0.2\nTEA = 0.3\n'
        + '[[rules]]\nname = "tea"\nkind = "category-limit"\ncategory = "TEA"\nmax = 3\nmin = 1\n'
        + '[[rules]]\nname = "pair"\nkind = "excluded"\nproducts = ["1", "2"]\n',
        encoding="utf-8",
    )
    (tmp_path / "middle.toml").write_text(
        '[scenario]\nextends = "base/base.toml"\nname = "middle"\n[data]\norders = "mine.csv"\n',
        encoding="utf-8",
    )
    scenario = read(
        tmp_path,
        '[scenario]\nextends = "middle.toml"\nname = "top"\n[limits]\nmin_bundles = 2\n'
        "[assumptions.gross_margin]\nTEA = 0.4\nCAKE = 0.5\n"
        '[[rules]]\nname = "tea"\nkind = "category-limit"\nmax = 4\n'
        '[[rules]]\nname = "pair"\nkind = "never-together"\nproducts = ["8", "9"]\n'
        '[[rules]]\nkind = "brand-limit"\nbrand = "B"\nmax = 3\n',
    )
    assert scenario.name == "top"
    assert scenario.data.orders == tmp_path / "mine.csv"
    assert scenario.data.products == tmp_path / "base" / "tables" / "products.csv"
    assert (scenario.limits.max_bundles, scenario.limits.min_bundles) == (5, 2)
    assert scenario.assumptions.gross_margin == GrossMargins(
        by="category", default=0.2, values={"TEA": 0.4, "CAKE": 0.5}
    )
    tea, pair, brand = scenario.rules
    assert tea == CategoryLimit(name="tea", kind="category-limit", category="TEA", max=4, min=1)
    assert (pair.kind, brand.kind) == ("never-together", "brand-limit")


def test_a_share_takes_the_place_of_a_table_and_back(tmp_path: Path) -> None:
    table = '[assumptions.gross_margin]\nby = "category"\ndefault = 0.2\n'
    share = "[assumptions]\ngross_margin = 0.3\n"
    over = '[scenario]\nextends = "base.toml"\n'
    (tmp_path / "base.toml").write_text(BASE + table, encoding="utf-8")
    assert read(tmp_path, over + share).assumptions.gross_margin == 0.3
    (tmp_path / "base.toml").write_text(BASE + share, encoding="utf-8")
    assert isinstance(read(tmp_path, over + table).assumptions.gross_margin, GrossMargins)


def test_the_file_that_states_a_bad_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(BASE + "min_bundles = 9\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text('[scenario]\nextends = "base.toml"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenario(tmp_path / "s.toml")
    assert str(caught.value).startswith(f"{tmp_path / 'base.toml'}: limits.min_bundles: 9, above")


def test_extends_in_a_circle_or_to_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[scenario]\nextends = "s.toml"\n', encoding="utf-8")
    path = tmp_path / "s.toml"
    path.write_text('[scenario]\nextends = "a.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"files extend in a circle \(s\.toml -> a\.toml -> s\."):
        read_scenario(path)
    assert "scenario.extends: no such file: " in fault(tmp_path, '[scenario]\nextends = "b.toml"')
    assert "scenario.extends: 3; expected the path" in fault(tmp_path, "[scenario]\nextends = 3")
