from __future__ import annotations

from bundlewise.solver.plan import format_money, format_units
from bundlewise.solver.plan_accounts import bundle_name, round_cents, significant


def test_names_are_titles_shortened():
    assert bundle_name(["Milk 1 l", "Eggs"], ["1", "2"]) == "Milk 1 l & Eggs"
    long = bundle_name(["x" * 40, "Eggs"], ["1", "2"])
    assert long == "x" * 31 + "… & Eggs"


def test_products_of_the_same_title_are_told_apart_by_their_ids():
    assert bundle_name(["Cola", "Cola"], ["07", "8"]) == "Cola (07) & Cola (8)"


def test_money_is_written_to_the_cent():
    assert [format_money(cents) for cents in (0, 5, -5, 100, -12345)] == [
        "0.00",
        "0.05",
        "-0.05",
        "1.00",
        "-123.45",
    ]


def test_units_have_six_significant_digits_and_no_exponent():
    assert format_units(123456.7) == "123457"
    assert format_units(1234567.0) == "1234570"
    assert format_units(1.23456789e-7) == "0.000000123457"
    assert format_units(0.0) == "0"
    assert format_units(7.0) == "7"
    assert significant(2 / 3) == 0.666667


def test_halves_of_a_cent_go_to_the_even_cent():
    assert (round_cents(2.5), round_cents(3.5), round_cents(-2.5)) == (2, 4, -2)
