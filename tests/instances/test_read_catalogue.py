"""The products table: strict about its cells, and where prices and costs come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.errors import InputError

from .files import PRODUCTS, SCENARIO, load

GROSS_MARGIN = "gross_margin = 0.25"


def test_the_table_as_arrays(tmp_path: Path) -> None:
    catalogue = load(tmp_path).catalogue
    assert catalogue.product_ids.tolist() == ["007", "7", "B+1", "C"]
    assert catalogue.title.tolist() == ["Tea", "Coffee", "Cake", "Plate"]
    assert catalogue.category.tolist() == ["Drinks", "Drinks", "Bakery", "Kitchen"]
    assert catalogue.description.tolist() == [""] * 4
    # Cake: list amounts 6.00 for 2 units and 3.20 for 1; the line of the planned week is unknown
    assert catalogue.reference_price.tolist() == [400, 800, 310, 600]
    assert catalogue.price_source.tolist() == [
        "list_price",
        "list_price",
        "list median",
        "list_price",
    ]
    assert catalogue.unit_cost.tolist() == [200, 600, 100, 250]  # Coffee: 8.00 × (1 − 0.25)
    assert catalogue.cost_assumed.tolist() == [False, True, False, False]
    assert catalogue.stock.tolist() == [10, np.inf, np.inf, 3]
    assert catalogue.min_price.tolist() == [0] * 4
    assert catalogue.supplier_funding.tolist() == [0] * 4
    assert catalogue.available.tolist() == [True, True, True, False]


def test_titles_pass_through_and_fall_back_on_the_id(tmp_path: Path) -> None:
    titles = ["<script>alert(1)</script>", "=HYPERLINK(0)", "", "Ünïcode 日本"]
    products = "product_id,title,list_price,unit_cost\n" + "".join(
        f"{number},{title},2,1\n"
        for number, title in zip(["007", "7", "B+1", "C"], titles, strict=True)
    )
    catalogue = load(tmp_path, products=products).catalogue
    assert catalogue.title.tolist() == [titles[0], titles[1], "B+1", titles[3]]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("product_id", "", "column product_id: empty cell; expected a product id"),
        ("product_id", "007", "column product_id: found '007'; expected each id once"),
        ("list_price", "4 €", "column list_price: found '4 €'; expected an amount above 0"),
        ("list_price", "nan", "column list_price: found 'nan'; expected an amount above 0"),
        ("list_price", "0", "column list_price: found '0'; expected an amount above 0"),
        ("list_price", "-4", "column list_price: found '-4'; expected an amount above 0"),
        (
            "unit_cost",
            "-0.001",
            "column unit_cost: found '-0.001'; expected an amount of 0 or more",
        ),
        ("unit_cost", "inf", "column unit_cost: found 'inf'; expected an amount of 0 or more"),
        ("min_price", "x", "column min_price: found 'x'; expected an amount of 0 or more"),
        ("supplier_funding", "-1", "column supplier_funding: found '-1'; expected an amount of"),
        ("stock", "-1", "column stock: found '-1'; expected a number of units, 0 or more"),
        ("stock", "many", "column stock: found 'many'; expected a number of units, 0 or more"),
        ("active", "maybe", "column active: found 'maybe'; expected true or false"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, column: str, cell: str, message: str) -> None:
    columns = [
        "product_id",
        "list_price",
        "unit_cost",
        "min_price",
        "supplier_funding",
        "stock",
        "active",
    ]
    good = ["007,4,2,,,,", "7,4,2,,,,", "B+1,4,2,,,,"]
    bad = ",".join({"product_id": "C", column: cell}.get(name, "") for name in columns)
    products = "\n".join([",".join(columns), *good, bad, ""])
    with pytest.raises(InputError) as caught:
        load(tmp_path, products=products)
    assert f"{tmp_path / 'products.csv'}: row 5, {message}" in str(caught.value)


def test_fractions_of_a_cent_are_counted(tmp_path: Path) -> None:
    instance = load(tmp_path, products=PRODUCTS.replace("4.00,2.00", "4.005,2.015"))
    assert instance.catalogue.reference_price[0] == 400
    assert instance.catalogue.unit_cost[0] == 202
    assert any("2 amounts have a fraction of a cent" in warning for warning in instance.warnings)


def test_the_median_is_of_paid_amounts_where_no_list_amount_is_known(tmp_path: Path) -> None:
    orders = "\n".join(
        ["order_id,product_id,ordered_at,quantity,amount,bundle_id"]
        + [f"o{day},B+1,2017-12-{day},2,{amount}," for day, amount in [(10, 2), (11, 6), (12, 4)]]
        + [
            "old,B+1,2017-10-20,1,90,",
            "deal,B+1,2017-12-13,1,0.50,deal",
            "deal2,B+1,2017-12-14,1,0.50,d",
        ]
    )
    instance = load(tmp_path, orders=orders)
    # unit prices 1, 3 and 2; the old line and those sold in bundles do not count
    assert instance.catalogue.reference_price[2] == 200
    assert instance.catalogue.price_source[2] == "paid median"


def test_a_product_without_any_price_is_not_available(tmp_path: Path) -> None:
    orders = "order_id,product_id,ordered_at,quantity,amount\n1,007,2017-12-04,1,4\n"
    instance = load(tmp_path, orders=orders)
    assert instance.catalogue.reference_price[2] == -1
    assert instance.catalogue.unit_cost[2] == 100
    assert not instance.catalogue.available[2]
    assert instance.counts == {"products not active": 1, "products without a reference price": 1}


def test_assumed_costs_are_net_of_tax_and_by_category(tmp_path: Path) -> None:
    scenario = SCENARIO.replace(
        GROSS_MARGIN,
        'tax_rate = 0.25\n[assumptions.gross_margin]\nby = "category"\ndefault = 0.2\n'
        "Drinks = 0.5\nFish = 0.1",
    )
    instance = load(tmp_path, scenario=scenario, products=PRODUCTS.replace(",1.00,", ",,"))
    assert instance.catalogue.unit_cost.tolist() == [200, 320, 198, 250]
    # Coffee 8.00/1.25 × (1 − 0.5); Cake 3.10/1.25 × (1 − 0.2) = 1.984
    assert any("such as category 'Fish'" in warning for warning in instance.warnings)


def test_no_cost_and_no_margin_is_an_error(tmp_path: Path) -> None:
    products = PRODUCTS.replace(",1.00,", ",,")
    with pytest.raises(InputError) as caught:
        load(tmp_path, scenario=SCENARIO.replace(GROSS_MARGIN, ""), products=products)
    line = str(caught.value)
    assert "row 3, column unit_cost: no cost for product '7' and 1 more" in line
    assert "expected a unit_cost, or assumptions.gross_margin in the scenario" in line


def test_a_product_without_a_price_needs_no_cost(tmp_path: Path) -> None:
    products = PRODUCTS.replace("8.00,,", "8.00,5,") + "D,Cup,,,,,,,\n"
    scenario = SCENARIO.replace(GROSS_MARGIN, "")
    instance = load(tmp_path, scenario=scenario, products=products)
    assert instance.catalogue.unit_cost[4] == -1


def test_a_cost_above_the_price_is_a_warning(tmp_path: Path) -> None:
    instance = load(tmp_path, products=PRODUCTS.replace("4.00,2.00", "4.00,4.00"))
    assert any(
        "of 3 products that may be in a bundle, 1 cost" in text for text in instance.warnings
    )
