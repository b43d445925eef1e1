"""Order lines: what is set aside and why, what is learned from, and what becomes of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.quarantine import REASONS
from bundlewise.instances.read_orders import OrdersRead, read_orders
from bundlewise.instances.weeks import week_index

IDS = np.array(["01", "1", "B"], dtype=object)
WEEK = week_index("2018-W02")
HEAD = "order_id,product_id,ordered_at,quantity,amount"


def read(folder: Path, *lines: str, head: str = HEAD, week: int = WEEK) -> OrdersRead:
    path = folder / "orders.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return read_orders(path, IDS, week)


GOOD = "o1,01,2018-01-01,1,2.00"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",01,2018-01-01,1,2.00", "missing order_id"),
        ("o2,,2018-01-01,1,2.00", "missing product_id"),
        ("o2,01,01/02/2018,1,2.00", "unreadable date"),
        ("o2,01,,1,2.00", "unreadable date"),
        ("o2,01,2018-01-01,one,2.00", "unreadable number"),
        ("o2,01,2018-01-01,,2.00", "unreadable number"),
        ("o2,01,2018-01-01,1,2€", "unreadable number"),
        ("o2,01,2018-01-01,nan,2.00", "unreadable number"),
        ("o2,001,2018-01-01,1,2.00", "unknown product"),
        ("o2,01,2018-01-01,0,2.00", "non-positive quantity"),
        ("o2,01,2018-01-01,-1,-2.00", "non-positive quantity"),
        ("o2,01,2018-01-01,1,0", "non-positive amount"),
        ("o2,01,2018-01-01,1,-2.00", "non-positive amount"),
        ("o2,01,2018-01-01,100,200.00", "absurd quantity"),
        (GOOD, "duplicate line"),
        # the first reason in the list is the one that is given
        ("o2,999,never,0,0", "unreadable date"),
    ],
)
def test_a_bad_line_has_one_reason_and_keeps_its_cells(
    tmp_path: Path, line: str, reason: str
) -> None:
    result = read(tmp_path, GOOD, "o3,1,2018-01-01,1,1.00", line)
    assert reason in REASONS
    assert result.counts == {reason: 1}
    assert result.quarantine["reason"].tolist() == [reason]
    assert result.quarantine["line"].tolist() == [4]
    assert result.quarantine.iloc[0, 2:].tolist() == line.split(",")
    assert result.orders.n_lines == 2


def test_a_clean_file_has_an_empty_quarantine(tmp_path: Path) -> None:
    result = read(tmp_path, GOOD)
    assert result.counts == {}
    assert len(result.quarantine) == 0
    assert result.quarantine.columns.tolist() == ["line", "reason", *HEAD.split(",")]


def test_arrays_say_what_the_lines_said(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "o2,1,2018-01-05T10:00:00,2,3.98,5.00,c9,s1,",
        "o1,01,2018-01-01,1.5,2.00,,c7,s1,deal",
        "o2,B,2018-01-05T10:00:00,1,0.99,,c9,s1,",
        "o3,B,2018-01-07,1,0.99,0,,,",
        head=f"{HEAD},list_amount,customer_id,store_id,bundle_id",
    )
    orders = result.orders
    assert orders.visit.tolist() == [0, 0, 1, 2]
    assert orders.product.tolist() == [1, 2, 0, 2]  # "1" and "01" are different products
    assert orders.quantity.tolist() == [2, 1, 1.5, 1]
    assert orders.amount.tolist() == [398, 99, 200, 99]
    assert orders.list_amount.tolist() == [500, -1, -1, -1]
    assert orders.bundled.tolist() == [False, False, True, False]
    assert orders.week.tolist() == [week_index("2018-W01")] * 3
    assert orders.customer.tolist() == [0, 1, -1]
    assert orders.store.tolist() == [0, 0, -1]
    assert orders.n_products == 3
    assert result.customer_ids.tolist() == ["c9", "c7"]
    assert result.counts == {"lines with a list_amount of 0 or less, not used": 1}


def test_coupons_are_read_line_by_line(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "o2,1,2018-01-05,2,3.98,0.50",
        "o1,01,2018-01-01,1.5,2.00,",
        "o2,B,2018-01-05,1,0.99,0",
        "o3,B,2018-01-07,1,0.99,-1.00",
        head=f"{HEAD},coupon_amount",
    )
    assert result.orders.coupon is not None
    assert result.orders.coupon.tolist() == [True, False, False, False]
    assert result.counts == {"lines with a coupon_amount below 0, taken as without a coupon": 1}


def test_a_file_without_the_column_has_no_coupons(tmp_path: Path) -> None:
    coupon = read(tmp_path, GOOD).orders.coupon
    assert coupon is not None
    assert not coupon.any()


def test_an_unreadable_coupon_sets_the_line_aside(tmp_path: Path) -> None:
    lines = ("a,01,2018-01-01,1,1,much", "b,01,2018-01-01,1,1,")
    result = read(tmp_path, *lines, head=f"{HEAD},coupon_amount")
    assert result.counts == {"unreadable number": 1}
    assert result.quarantine["coupon_amount"].tolist() == ["much"]
    with pytest.raises(InputError, match="coupon_amount 'much'"):
        read(tmp_path, lines[0], head=f"{HEAD},coupon_amount")


def test_weeks_run_from_monday_to_sunday_across_the_year(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "a,01,2017-12-31T23:59:59,1,1",  # Sunday of 2017-W52
        "b,01,2018-01-01T00:00:00,1,1",  # Monday of 2018-W01
        "c,01,2018-01-01T03:00:00+09:00,1,1",  # Sunday in UTC, Monday where it was bought
        "d,01,2016-01-03,1,1",  # 2015-W53
        "e,01,2018-01-07T23:59:59Z,1,1",
        "f,01,2018-01-08,1,1",  # Monday of the planned week
        "g,01,2019-05-01,1,1",
    )
    labels = ["2017-W52", "2018-W01", "2018-W01", "2015-W53", "2018-W01"]
    assert result.orders.week.tolist() == [week_index(label) for label in labels]
    assert result.counts == {"lines in or after the planned week": 2}
    assert len(result.quarantine) == 0
    assert str(result.last_used_day) == "2018-01-07"
    assert str(result.last_day) == "2018-01-08"  # a stray later date covers nothing


def test_the_first_line_of_an_order_counts(tmp_path: Path) -> None:
    result = read(
        tmp_path,
        "a,01,2018-01-01,1,1,c1,s1",
        "a,1,2018-01-09,1,1,c2,s1",
        "b,01,2018-01-09,1,1,c1,s1",
        "b,1,2018-01-01,1,1,c1,s2",
        head=f"{HEAD},customer_id,store_id",
    )
    assert result.orders.visit.tolist() == [0, 0]
    assert result.counts == {
        "orders with several dates": 2,
        "orders with several customers": 1,
        "orders with several stores": 1,
        "lines in or after the planned week": 2,
    }
    assert "2 of 2 orders have lines of several dates" in result.warnings[0]


def test_the_dates_of_lines_in_the_planned_week_are_counted_even_when_set_aside(
    tmp_path: Path,
) -> None:
    result = read(tmp_path, GOOD, "b,01,2018-01-09,1,1", "b,zz,2018-01-09,1,1")
    assert result.counts == {"unknown product": 1, "lines in or after the planned week": 2}


def test_many_units_are_usual_for_some_products(tmp_path: Path) -> None:
    lines = [f"o{number},B,2018-01-01,60,30.00" for number in range(9)]
    result = read(tmp_path, *lines, "p,B,2018-01-01,599,300.00", "q,B,2018-01-01,600,300.00")
    # the median line holds 60 units; 599 are less than ten times as many, 600 are not
    assert result.counts == {"absurd quantity": 1}
    assert result.quarantine["order_id"].tolist() == ["q"]


def test_a_product_of_few_lines_has_no_usual_quantity(tmp_path: Path) -> None:
    lines = [f"o{number},B,2018-01-01,200,90.00" for number in range(5)]
    assert read(tmp_path, *lines).counts == {}
    assert read(tmp_path, GOOD, *lines[:4]).counts == {"absurd quantity": 4}


def test_quantities_by_weight_are_absurd_even_where_they_are_the_rule(tmp_path: Path) -> None:
    fuel = [f"o{number},B,2018-01-01,{8000 + number},20.00" for number in range(5)]
    result = read(tmp_path, *fuel, GOOD)  # a quarter of a cent a unit
    assert result.counts == {"absurd quantity": 5}


def test_a_line_repeated_in_every_column_is_a_duplicate_and_the_first_stays(
    tmp_path: Path,
) -> None:
    head = f"{HEAD},till"
    result = read(tmp_path, GOOD + ",1", GOOD + ",2", GOOD + ",1", GOOD + ",1", head=head)
    assert result.counts == {"duplicate line": 2}
    assert result.quarantine["line"].tolist() == [4, 5]
    assert result.orders.n_lines == 2


def test_no_customer_is_in_the_quarantine(tmp_path: Path) -> None:
    result = read(tmp_path, GOOD + ",secret,x", "b,zz,2018-01-01,1,1,secret,y@example.org",
                  head=f"{HEAD},customer_id,email")  # fmt: skip
    assert not result.quarantine.astype(str).isin(["secret", "y@example.org"]).any().any()


def test_fractions_of_a_cent_are_counted(tmp_path: Path) -> None:
    result = read(tmp_path, "a,01,2018-01-01,3,1.005")
    assert result.orders.amount.tolist() == [100]
    assert result.counts == {"lines with a fraction of a cent, rounded": 1}
    assert "1 lines have amounts with a fraction of a cent" in result.warnings[0]


def test_no_usable_line_is_an_error_with_reasons_and_an_example(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "a,01,03.01.2018,1,1", "b,zz,2018-01-01,1,1")
    line = str(caught.value)
    assert "no usable line left (1 unreadable date, 1 unknown product; " in line
    assert "row 2 has ordered_at '03.01.2018')" in line
    assert "expected at least one good line" in line


@pytest.mark.parametrize(
    ("cells", "example"),
    [
        ("x,1,1", "quantity 'x'"),
        ("1,y,1", "amount 'y'"),
        ("1,1,z", "list_amount 'z'"),
    ],
)
def test_the_example_is_the_cell_at_fault(tmp_path: Path, cells: str, example: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"a,01,2018-01-01,{cells}", head=f"{HEAD},list_amount")
    assert f"1 unreadable number; row 2 has {example})" in str(caught.value)


def test_usual_quantities_are_those_before_the_planned_week(tmp_path: Path) -> None:
    early = [f"o{number},B,2018-01-01,1,1.00" for number in range(5)] + ["p,B,2018-01-02,200,99"]
    later = [f"l{number},B,2018-02-01,300,99" for number in range(20)]
    result = read(tmp_path, *early, *later)
    assert result.counts["absurd quantity"] == 21
    assert result.orders.quantity.tolist() == [1] * 5


def test_lines_of_the_planned_week_alone_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="all 1 usable lines are in or after the planned week"):
        read(tmp_path, "a,01,2018-01-09,1,1")


def test_every_line_is_used_set_aside_or_later(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    size = 5000
    frame = pd.DataFrame(
        {
            "order_id": rng.choice(["", "a", "b", "c", "d"], size),
            "product_id": rng.choice(["", "01", "1", "B", "zz"], size),
            "ordered_at": rng.choice(["2018-01-01", "2017-06-01", "x", "2018-01-10"], size),
            "quantity": rng.choice(["1", "2", "-1", "", "500"], size),
            "amount": rng.choice(["1", "2.5", "0", "y"], size),
        }
    )
    path = tmp_path / "orders.parquet"
    frame.to_parquet(path)
    result = read_orders(path, IDS, WEEK)
    set_aside = sum(result.counts.get(reason, 0) for reason in REASONS)
    assert set_aside == len(result.quarantine)
    assert result.rows == size
    # whatever was not set aside is either an orders line or dated by its order's first line
    kept = frame.drop(index=result.quarantine["line"] - 2)
    first = kept.groupby("order_id")["ordered_at"].first()
    learned = kept["order_id"].map(first) < "2018-01-08"
    assert result.orders.n_lines == int(learned.sum())
    assert (np.diff(result.orders.visit) >= 0).all()
