"""The shipped case of a hundred products is what its generator makes, and reads cleanly."""

from __future__ import annotations

import gzip
from importlib import resources
from pathlib import Path

import numpy as np
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.instances.seed_case import build_seed_case, seed_shop, write_seed_case
from bundlewise.instances.synthetic_shoppers import simulate_bundles

_SHIPPED = resources.files("bundlewise.instances") / "data" / "seed100"


def _content(name: str, body: bytes) -> bytes:
    """Bytes of a file; of a packed one those inside, since zlib versions pack differently."""
    return gzip.decompress(body) if name.endswith(".gz") else body


def test_the_generator_makes_the_shipped_files_byte_for_byte(tmp_path: Path) -> None:
    build_seed_case(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shipped = {path.name: path.read_bytes() for path in _SHIPPED.iterdir()}
    assert made.keys() == shipped.keys()
    for name, body in made.items():
        assert _content(name, body) == _content(name, shipped[name]), name
    assert sum(map(len, shipped.values())) < 1_000_000


def test_the_case_loads_without_a_bad_line(tmp_path: Path) -> None:
    write_seed_case(tmp_path)
    instance = load_instance(read_scenario(tmp_path / "scenario.toml"))
    catalogue = instance.catalogue
    assert len(catalogue) == 100
    assert catalogue.available.all()
    assert len(instance.quarantine) == 0
    assert len(set(catalogue.title)) == 100
    assert not catalogue.cost_assumed.any()
    assert instance.events is not None
    assert set(instance.events["kind"]) == {"view", "search", "cart"}
    assert len(instance.events) > 10_000


def test_some_bundles_truly_gain() -> None:
    """By simulated shoppers, more than 3 standard errors above 0, at 15 % off."""
    shop = seed_shop()
    discount = np.round(0.15 * shop.reference_price[shop.ties].sum(axis=1)).astype(int)
    found = simulate_bundles(shop, shop.ties, discount, 50_000, 1)
    assert (found["gain"] > 3 * found["gain_se"]).sum() >= 12
