"""Events: good rows by catalogue index, the others counted, no customer id."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError

from .files import SCENARIO, load

WITH_EVENTS = SCENARIO.replace("[assumptions]", 'events = "events.csv"\n[assumptions]')

EVENTS = """\
customer_id,product_id,at,kind,query
y,007,2017-12-01T08:00:00,view,
new,,2017-12-01,search,green tea
x,7,2017-12-31T23:00:00Z,cart,
y,007,never,view,
y,007,2017-12-01,bought,
y,zz,2017-12-01,view,
y,,2017-12-01,view,
y,007,2018-01-01,view,
,007,2017-12-02,view,
"""


def test_good_rows_stay_and_the_others_are_counted(tmp_path: Path) -> None:
    instance = load(tmp_path, scenario=WITH_EVENTS, events=EVENTS)
    events = instance.events
    assert events is not None
    assert events["product"].tolist() == [0, -1, 1, 0]
    assert events["kind"].tolist() == ["view", "search", "cart", "view"]
    assert events["query"].tolist() == ["", "green tea", "", ""]
    # x, y and z are customers of the orders, in this order; a new one gets the next code
    assert events["customer"].tolist() == [1, 3, 0, -1]
    assert (
        instance.counts.items()
        >= {
            "events with an unreadable date": 1,
            "events of an unknown kind": 1,
            "events of an unknown product": 1,
            "events without a product": 1,
            "events in or after the planned week": 1,
        }.items()
    )
    assert (instance.inputs[2].rows, instance.inputs[2].rows_used) == (9, 4)


def test_a_missing_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="header: no column 'kind'"):
        load(tmp_path, scenario=WITH_EVENTS, events="customer_id,product_id,at\nx,7,2017-12-01\n")
