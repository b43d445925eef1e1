"""The sample of ``bundlewise init``: complete, clean, the same every time, never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundlewise.instances.errors import InputError
from bundlewise.instances.load import load_instance
from bundlewise.instances.sample import SCENARIO, write_sample
from bundlewise.instances.scenario import KNOWN_KEYS, read_scenario

NAMES = ("orders.csv", "prices.csv", "products.csv", "scenario.toml")


def test_the_sample_loads_without_a_warning(tmp_path: Path) -> None:
    write_sample(tmp_path / "new" / "shop")
    instance = load_instance(read_scenario(tmp_path / "new" / "shop" / "scenario.toml"))
    assert instance.warnings == ()
    assert len(instance.quarantine) == 0
    assert len(instance.catalogue) == 34
    assert instance.counts == {
        "products not active": 1,
        "products promoted in the planned week": 1,
    }
    assert instance.orders.n_lines > 20_000
    assert instance.catalogue.cost_assumed.sum() == 3


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_sample(tmp_path / folder)
    for name in NAMES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name}: the file is there already"):
        write_sample(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("key", KNOWN_KEYS)
def test_every_key_stands_in_the_scenario(key: str) -> None:
    table, _, name = key.rpartition(".")
    if table == "compliance":
        return  # for a later version
    assert f"{name} = " in SCENARIO or f"[[{key}]]" in SCENARIO
