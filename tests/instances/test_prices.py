"""The prices table: strict about its cells, and first to say what a product costs in the week."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError

from .files import SCENARIO, load

WITH_PRICES = SCENARIO.replace("[assumptions]", 'prices = "prices.csv"\n[assumptions]')
HEAD = "product_id,week,price,promoted\n"


def test_the_planned_week_counts(tmp_path: Path) -> None:
    prices = HEAD + "007,2018-W01,3.50,false\n007,2017-W52,1.00,true\n7,2017-W52,1.00,true\n"
    instance = load(tmp_path, scenario=WITH_PRICES, prices=prices)
    assert instance.catalogue.reference_price[:2].tolist() == [350, 800]
    assert instance.catalogue.price_source[:2].tolist() == ["prices", "list_price"]
    assert instance.catalogue.available[:2].tolist() == [True, True]
    assert instance.prices is not None
    assert instance.prices.promoted.tolist() == [False, True, True]
    assert [file.rows for file in instance.inputs] == [6, 4, 3]


@pytest.mark.parametrize(("allowed", "available"), [("false", False), ("true", True)])
def test_promoted_products_stay_out_unless_allowed(
    tmp_path: Path, allowed: str, available: bool
) -> None:
    scenario = f"{WITH_PRICES}[candidates]\nallow_promoted = {allowed}\n"
    instance = load(tmp_path, scenario=scenario, prices=HEAD + "007,2018-W01,3.50,true\n")
    assert bool(instance.catalogue.available[0]) is available
    assert ("products promoted in the planned week" in instance.counts) is not available


def test_rows_of_unlisted_products_are_told(tmp_path: Path) -> None:
    instance = load(tmp_path, scenario=WITH_PRICES, prices=HEAD + "zz,2018-W01,3.50,\n")
    assert "prices.csv: 1 rows name products that are not listed" in instance.warnings
    assert instance.inputs[2].rows_used == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",2018-W01,1,", "column product_id: empty cell; expected a product id"),
        ("7,,1,", "column week: empty cell; expected an ISO week such as 2018-W01"),
        ("7,2018-W53,1,", "column week: found '2018-W53'; expected an ISO week"),
        ("7,2018-01,1,", "column week: found '2018-01'; expected an ISO week"),
        ("7,2018-W01,,", "column price: empty cell; expected a price above 0"),
        ("7,2018-W01,0,", "column price: found '0'; expected a price above 0"),
        ("7,2018-W01,-1,", "column price: found '-1'; expected a price above 0"),
        ("7,2018-W01,1 USD,", "column price: found '1 USD'; expected a price above 0"),
        ("7,2018-W01,1,perhaps", "column promoted: found 'perhaps'; expected true or false"),
        ("007,2018-W01,2,", "column product_id: found '007'; expected one row for a product and"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, scenario=WITH_PRICES, prices=f"{HEAD}007,2018-W01,3,\n{row}\n")
    assert f"{tmp_path / 'prices.csv'}: row 3, {message}" in str(caught.value)


def test_fractions_of_a_cent_are_counted(tmp_path: Path) -> None:
    instance = load(tmp_path, scenario=WITH_PRICES, prices=HEAD + "7,2018-W01,3.505,\n")
    assert instance.catalogue.reference_price[1] == 350
    assert any("1 prices have a fraction of a cent" in warning for warning in instance.warnings)
