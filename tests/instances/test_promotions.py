"""The promotions table: what was on display and in the mailer, by week and store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.weeks import week_index

from .files import SCENARIO, load

WITH = SCENARIO.replace("[assumptions]", 'promotions = "promotions.csv"\n[assumptions]')
ORDERS = """\
order_id,product_id,ordered_at,quantity,amount,store_id
1,007,2017-12-04,1,4.00,north
2,7,2017-12-04,1,7.00,north
3,007,2017-12-05,1,4.00,north
4,007,2017-12-06,1,4.00,south
5,7,2017-12-12,1,7.00,south
"""
WEEK = week_index("2017-W49")


def shares(tmp_path: Path, rows: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    instance = load(tmp_path, scenario=WITH, orders=ORDERS, promotions=rows)
    assert instance.promotions is not None
    display, mailer = instance.promotions.shares(instance.orders, WEEK, WEEK + 2)
    return display, mailer, instance.warnings


def test_a_row_of_a_store_counts_with_its_visits(tmp_path: Path) -> None:
    """Three of four visits of the week are to the north store; repeated rows count once."""
    rows = (
        "product_id,week,store_id,display,mailer\n"
        "007,2017-W49,north,end of aisle,0\n"
        "007,2017-W49,north,entrance,none\n"
        "007,2017-W49,south,,A\n"
        "7,2017-W50,,0.25,true\n"
        "7,2017-W49,east,1,1\n"
        "zz,2017-W49,,1,1\n"
    )
    display, mailer, warnings = shares(tmp_path, rows)
    np.testing.assert_allclose(display[:2], [[0.75, 0], [0, 0.25]])
    np.testing.assert_allclose(mailer[:2], [[0.25, 0], [0, 1]])
    assert "promotions.csv: 1 rows name products that are not listed" in warnings
    assert "promotions.csv: 1 rows are of stores without orders, and not used" in warnings


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("007,2017-49,1,0", "row 2, column week"),
        ("007,2017-W49,-0.5,0", "row 2, column display"),
        (",2017-W49,1,0", "row 2, column product_id"),
    ],
)
def test_bad_cells_are_named(tmp_path: Path, row: str, place: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, scenario=WITH, promotions=f"product_id,week,display,mailer\n{row}\n")
    assert place in str(caught.value)
