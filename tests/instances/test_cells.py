"""Cells: which texts are numbers, money, moments and truth values, and to what."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from bundlewise.instances.cells import moments, money, numbers, truths
from bundlewise.instances.columns import Column
from hypothesis import given
from hypothesis import strategies as st


def column(*cells: str) -> Column:
    values = [cell for cell in cells if cell]
    codes = np.array([values.index(cell) if cell else -1 for cell in cells], dtype=np.int32)
    return Column(codes, np.array(values, dtype=object))


def test_numbers() -> None:
    read = numbers(column("1", " 2.5 ", "-3", "1e3", ".5", "7.", ""))
    assert read[:6].tolist() == [1.0, 2.5, -3.0, 1000.0, 0.5, 7.0]
    assert np.isnan(read[6])


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "1_000", "1,5", "1,000.00", "0x10", "two", "1 2", "1e99", "--1"]
)
def test_no_numbers(text: str) -> None:
    assert np.isnan(numbers(column(text))[0])


def test_a_half_cent_goes_to_the_even_side_and_is_told() -> None:
    read = money(column("1.005", "1.015", "0.125", "0.575", "2.675", "0.30000000000000004", ""))
    assert read.cents.tolist() == [100, 102, 12, 58, 268, 30, 0]
    # 57.5 is halfway between 57 and 58, 267.5 between 267 and 268: the even ones are 58 and 268
    assert read.rounded.tolist() == [True, True, True, True, True, False, False]
    assert read.readable.tolist() == [True] * 6 + [False]


@given(st.decimals(-10_000_000, 10_000_000, places=4))
def test_money_is_decimal_arithmetic(amount: Decimal) -> None:
    read = money(column(f"{amount:f}"))
    exact = amount * 100
    assert read.cents[0] == int(exact.to_integral_value(ROUND_HALF_EVEN))
    assert read.rounded[0] == (exact != exact.to_integral_value())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-01-01", "2018-01-01T00:00:00"),
        ("2017-12-31T23:59", "2017-12-31T23:59:00"),
        ("2017-12-31 23:59:59.999", "2017-12-31T23:59:59"),
        ("2017-12-31T23:30:00Z", "2017-12-31T23:30:00"),
        ("2017-12-31T23:30:00-05:00", "2017-12-31T23:30:00"),  # the shop's own clock
        ("2018-01-01T00:30:00+0900", "2018-01-01T00:30:00"),
        (" 2016-02-29 ", "2016-02-29T00:00:00"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    assert moments(column(text))[0] == np.datetime64(moment)


@pytest.mark.parametrize(
    "text",
    [
        "01/02/2017",
        "2017-13-01",
        "2017-02-29",
        "2017-1-1",
        "yesterday",
        "2017-01-01T25:00",
        "43000",
    ],
)
def test_no_moments(text: str) -> None:
    assert np.isnat(moments(column(text))[0])


def test_mixed_moments_in_one_column() -> None:
    read = moments(column("2018-01-01", "", "x", "2018-01-01T10:00:00+01:00"))
    assert np.isnat(read).tolist() == [False, True, True, False]


def test_truths() -> None:
    values, readable = truths(column("true", "FALSE", "1", "0", "Yes", "no", "", "j"), missing=True)
    assert values[:7].tolist() == [True, False, True, False, True, False, True]
    assert readable.tolist() == [True] * 7 + [False]
