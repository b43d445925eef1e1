"""An instance as a whole: visits, files, age, rules against the tables."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario

from .files import ORDERS, SCENARIO, load, write_shop


def orders_on(*days: date, per_day: int = 1) -> str:
    lines = [f"{day}-{number},007,{day},1,4.00" for day in days for number in range(per_day)]
    return "\n".join(["order_id,product_id,ordered_at,quantity,amount", *lines, ""])


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def test_inputs_carry_hashes_and_rows(tmp_path: Path) -> None:
    instance = load(tmp_path)
    orders, products = instance.inputs
    assert orders.path == str(tmp_path / "orders.csv")
    assert orders.sha256 == hashlib.sha256(ORDERS.encode()).hexdigest()
    assert (orders.rows, orders.rows_used) == (6, 5)
    assert (products.rows, products.rows_used) == (4, 4)


def test_quality_adds_up(tmp_path: Path) -> None:
    quality = load(tmp_path, orders=ORDERS + "6,zz,2017-12-31,1,1,1,x\n").quality
    assert quality is not None
    assert quality.lines_read == 7
    assert quality.lines_used == 5
    assert quality.lines_quarantined == 1
    assert quality.lines_later == 1
    assert quality.weeks == 4  # W49, W50, W51 and W52
    assert (quality.first_day, quality.last_day) == (date(2017, 12, 4), date(2018, 1, 1))
    assert (quality.products, quality.products_sold, quality.products_available) == (4, 3, 3)
    assert quality.price_sources == {"list median": 1, "list_price": 3}
    assert (quality.costs_stated, quality.costs_assumed, quality.stocks_stated) == (3, 1, 2)


def test_visits_are_the_mean_of_the_last_four_complete_weeks(tmp_path: Path) -> None:
    # Thursday 2017-11-23 to Sunday 2017-12-31: W47 is cut off, W48 to W52 are whole
    busy = days(date(2017, 11, 23), 11)  # up to the end of W48
    text = orders_on(*busy, per_day=9) + orders_on(*days(date(2017, 12, 4), 28)).split("\n", 1)[1]
    assert load(tmp_path, orders=text).visits == 7


def test_a_week_that_breaks_off_does_not_count(tmp_path: Path) -> None:
    text = orders_on(*days(date(2017, 11, 20), 38))  # to Wednesday 2017-12-27
    assert load(tmp_path, orders=text).visits == 7
    text = orders_on(*days(date(2017, 12, 11), 17))
    instance = load(tmp_path, orders=text)
    assert instance.visits == 7
    assert "orders cover only 2 complete weeks; visits are their mean, 7" in instance.warnings


def test_a_shop_that_closes_on_sundays_has_complete_weeks(tmp_path: Path) -> None:
    open_days = [day for day in days(date(2017, 12, 4), 27) if day.weekday() < 6]
    instance = load(tmp_path, orders=orders_on(*open_days))
    assert instance.visits == 6
    assert instance.warnings == ()


def test_less_than_a_week_of_orders_is_told(tmp_path: Path) -> None:
    text = orders_on(date(2017, 12, 26), date(2017, 12, 29), per_day=4)
    shop = load(tmp_path, orders=text)
    assert shop.visits == 14  # 8 visits in 4 days; a week cannot be seen whole
    assert "orders cover no complete week" in shop.warnings[0]


def test_stated_visits_win(tmp_path: Path) -> None:
    scenario = SCENARIO.replace("[limits]", "visits = 1000\n[limits]")
    instance = load(tmp_path, scenario=scenario)
    assert instance.visits == 1000
    assert instance.quality is not None
    assert instance.quality.visits_assumed


@pytest.mark.parametrize("limit", [0, 1])
def test_old_orders_are_refused(tmp_path: Path, limit: int) -> None:
    scenario = SCENARIO.replace("[assumptions]", f"max_age_days = {limit}\n[assumptions]")
    path = write_shop(tmp_path, scenario=scenario)
    if limit == 1:
        load_instance(read_scenario(path))
        return
    with pytest.raises(InputError) as caught:
        load_instance(read_scenario(path))
    assert "orders.csv: the newest order line is of 2017-12-31, 1 days before" in str(caught.value)
    assert "expected at most 0 days (data.max_age_days)" in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('kind = "category-limit"\ncategory = "Drink"\nmax = 1',
         "rules.category-limit[Drink].category: no category 'Drink' in products.csv "
         "(the nearest known is 'Drinks'); expected a category of the products table"),
        ('kind = "brand-limit"\nbrand = "Acme"\nmax = 1',
         "rules.brand-limit[Acme].brand: no brand 'Acme' in products.csv; expected a brand"),
        ('name = "tea"\nkind = "must-include"\nproducts = ["07", "C"]',
         "rules.tea.products: no product '07' in products.csv (the nearest known is '007')"),
        ('kind = "excluded"\nproducts = ["7", "c"]', "no product 'c' in products.csv"),
        ('kind = "never-together"\nproducts = ["7", "C", "X"]', "no product 'X'"),
        ('kind = "at-most-one-of"\nproducts = ["X"]', "at-most-one-of[1].products: no product 'X'"),
        ('kind = "at-most-one-of"\nbundles = [["7", "X"]]', "[1].bundles: no product 'X'"),
        ('kind = "locked"\nproducts = ["7", "X"]\nlevel = 0.1', "no product 'X'"),
    ],
)  # fmt: skip
def test_a_rule_about_nothing_is_an_error(tmp_path: Path, rule: str, message: str) -> None:
    path = write_shop(tmp_path, scenario=f"{SCENARIO}[[rules]]\n{rule}\n")
    with pytest.raises(InputError) as caught:
        load_instance(read_scenario(path))
    assert str(caught.value).startswith(f"{path}: rules.")
    assert message in str(caught.value)


def test_formats_mix(tmp_path: Path) -> None:
    path = write_shop(tmp_path)
    expected = load_instance(read_scenario(path))
    frame = pd.read_csv(tmp_path / "orders.csv", dtype={"product_id": str, "order_id": str})
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"], format="ISO8601")
    frame.to_parquet(tmp_path / "orders.parquet")
    frame.to_csv(tmp_path / "orders.csv.gz", index=False)
    frame.to_excel(tmp_path / "orders.xlsx", index=False)
    for ending in ("parquet", "csv.gz", "xlsx"):
        path.write_text(SCENARIO.replace("orders.csv", f"orders.{ending}"), encoding="utf-8")
        instance = load_instance(read_scenario(path))
        for name in expected.orders.__slots__:
            got, want = getattr(instance.orders, name), getattr(expected.orders, name)
            assert got.tolist() == want.tolist() if name != "n_products" else got == want
