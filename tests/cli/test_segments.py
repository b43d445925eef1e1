"""Plans by segment from the command line: made, checked, tampered with, recommended from."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .conftest import Run

DEEP = "[assumptions]\nexposure = 0.5\n[discounts]\nlevels = [0.2, 0.3]\n"
"""Discounts too deep for those who buy much of it anyway, not for the others."""

KINDS = ("barista", "gardener", "griller")


@pytest.fixture(scope="module")
def shop(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with three kinds of customers, each with six products that only they like much."""
    folder = tmp_path_factory.mktemp("segments") / "shop"
    folder.mkdir()
    rng = np.random.default_rng(5)
    products = pd.DataFrame(
        {
            "product_id": [f"{i:02d}" for i in range(18)],
            "title": [f"{KINDS[i // 6]} {'abcdef'[i % 6] * 3}" for i in range(18)],
            "category": "",
            "list_price": 5.0,
            "unit_cost": 2.5,
        }
    )
    products.to_csv(folder / "products.csv", index=False)
    rows = []
    off = np.where(rng.random((18, 20)) < 0.25, 0.3, 0.0)
    order = 0
    monday = np.datetime64("2025-01-06")
    for week in range(20):
        for customer in range(150):
            for _ in range(rng.poisson(1.2)):
                q = np.where(np.arange(18) // 6 == customer % 3, 0.5, 0.03)
                p = 1 / (1 + (1 / q - 1) * np.exp(-4.0 * off[:, week]))
                order += 1
                day = monday + 7 * week + int(rng.integers(7))
                for x in np.flatnonzero(rng.random(18) < p):
                    paid = f"{5 * (1 - off[x, week]):.2f}"
                    rows.append(
                        (f"o{order}", f"{x:02d}", f"{day}T10:00:00", 1, paid, f"c{customer}")
                    )
    columns = ["order_id", "product_id", "ordered_at", "quantity", "amount", "customer_id"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "orders.csv", index=False)
    (folder / "learned.toml").write_text(
        '[scenario]\nname = "learned"\nweek = "2025-W21"\n'
        '[data]\norders = "orders.csv"\nproducts = "products.csv"\n'
        "[assumptions]\ndiversion = 0.0\nvisits = 50000\n"
        "[limits]\nmax_bundles = 6\n[segments]\ncount = 3\n",
        encoding="utf-8",
    )
    answer = run("learn", folder / "learned.toml", "--out", folder / "beliefs", "--quiet")
    assert answer.code == 0, answer.err
    (folder / "base.toml").write_text(
        '[scenario]\nname = "base"\nextends = "learned.toml"\n[data]\nbeliefs = "beliefs"\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def solved(run: Run, shop: Path) -> Callable[..., Path]:
    """Solves the shop with lines of TOML added, each once."""
    done: dict[str, Path] = {}

    def plan(name: str, lines: str) -> Path:
        if name not in done:
            path = shop / f"{name}.toml"
            head = f'[scenario]\nname = "{name}"\nextends = "base.toml"\n'
            path.write_text(head + lines, encoding="utf-8")
            out = shop.parent / name
            answer = run("solve", path, "--out", out, "--quiet")
            assert answer.code == 0, answer.err
            done[name] = out
        return done[name]

    return plan


@pytest.fixture(scope="module")
def targeted(solved: Callable[..., Path]) -> Path:
    return solved("targeted", "[segments]\ntarget = true\n" + DEEP)


def offers(plan: Path) -> pd.DataFrame:
    return pd.read_csv(plan / "plan.csv", dtype={"bundle_id": str, "product_ids": str})


def report(plan: Path) -> dict:
    return json.loads((plan / "plan.json").read_text(encoding="utf-8"))


def test_targeted_offers_are_shown_where_they_gain_and_earn_more(
    targeted: Path, solved: Callable[..., Path]
) -> None:
    everybody = solved("everybody", DEEP)
    names = [segment["name"] for segment in report(targeted)["segments"]]
    assert len(names) == 3
    assert set(offers(everybody)["segments"]) <= {"; ".join(names)}
    shown = [set(cell.split("; ")) for cell in offers(targeted)["segments"]]
    assert all(some <= set(names) for some in shown)
    assert any(len(some) < 3 for some in shown)
    gain = report(targeted)["kpis"]["incremental_margin"]
    assert gain > report(everybody)["kpis"]["incremental_margin"]
    for segment in report(targeted)["segments"]:
        assert segment["offers"] == sum(segment["name"] in some for some in shown)
    assert [s["customers"] for s in report(targeted)["segments"]] == [50, 50, 50]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "automatic",
            '[assumptions]\nexposure = 0.8\nredemption = "automatic"\noffer_cost = 3.0\n'
            '[[rules]]\nkind = "must-include"\nproducts = ["00", "07"]\n',
        ),
        ("revenue", '[objective]\nmaximize = "revenue"\n[segments]\ntarget = true\n'),
        ("units", '[objective]\nmaximize = "units"\n[assumptions]\ntax_rate = 0.19\n'),
        ("shared", "[limits]\nmax_bundles_per_product = 3\n[segments]\ntarget = true\n"),
    ],
)
def test_every_kind_of_plan_passes_its_check(
    run: Run, solved: Callable[..., Path], name: str, lines: str
) -> None:
    """``solve`` verifies with the verifier's own code before it writes; ``check`` does it again."""
    plan = solved(name, lines)
    assert run("check", plan).code == 0
    assert len(offers(plan)) > 0
    if name == "shared":
        assert report(plan)["overlap"] is not None


def test_affinity_knows_no_segments(solved: Callable[..., Path], run: Run) -> None:
    plan = solved("affinity", '[objective]\nmaximize = "affinity"\n')
    assert "segments" not in offers(plan).columns
    assert not (plan / "segments.json").exists()
    assert run("check", plan).code == 0


def test_no_customer_is_in_the_plan(targeted: Path, shop: Path) -> None:
    assert {path.name for path in targeted.iterdir()} >= {
        "segments.json", "segment_products.parquet", "product_topics.parquet",
    }  # fmt: skip
    columns: set[str] = set()
    for path in targeted.iterdir():
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            columns |= set(table.columns)
            text = table.to_csv()
        else:
            text = path.read_text(encoding="utf-8")
        assert "customer_id" not in text
        assert ",c149," not in text
        assert '"c149"' not in text
    assert "customer_id" not in columns


def test_recommendations_follow_the_segments(run: Run, targeted: Path, tmp_path: Path) -> None:
    result = json.loads(run("recommend", targeted, "--json").out)
    assert result["segments"] is True
    shown = offers(targeted).set_index("bundle_id")["segments"]
    for group in result["groups"]:
        assert group["customers"] == 50
        for row in group["bundles"]:
            assert group["name"] in shown[row["bundle_id"]].split("; ")
            assert 0 < row["probability"] < 1
            assert row["margin_per_1000_visits"] > -1e-6
    lines = [("new", f"n{v}", f"{12 + v % 6:02d}") for v in range(8)]
    file = tmp_path / "lines.csv"
    table = pd.DataFrame(lines, columns=["customer_id", "order_id", "product_id"])
    table.to_csv(file, index=False)
    out = tmp_path / "ranks.csv"
    assert run("recommend", targeted, "--shoppers", file, "--out", out).code == 0
    (segment,) = pd.read_csv(out)["segment"].unique()
    assert "griller" in segment


def tampered(targeted: Path, folder: Path, change: Callable[[list[list[str]]], None]) -> Path:
    copy = folder / "tampered"
    shutil.copytree(targeted, copy)
    path = copy / "plan.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    change(rows)
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return copy


def set_segments(names: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        rows[1][rows[0].index("segments")] = names

    return change


def test_the_check_finds_offers_shown_to_others(run: Run, targeted: Path, tmp_path: Path) -> None:
    names = [segment["name"] for segment in report(targeted)["segments"]]
    shown = offers(targeted)["segments"].iloc[0].split("; ")
    other = names if len(shown) < 3 else names[:1]
    answer = run("check", tampered(targeted, tmp_path, set_segments("; ".join(other))))
    assert answer.code == 5
    assert "segments is with" in answer.out or "segments is without" in answer.out
    assert "bundle_units is" in answer.out


def test_the_check_finds_segments_that_are_none(run: Run, targeted: Path, tmp_path: Path) -> None:
    answer = run("check", tampered(targeted, tmp_path, set_segments("nobody")))
    assert answer.code == 5
    assert "segments is 'nobody', expected names of segments.json" in answer.out


def test_the_check_finds_shares_that_do_not_add_up(
    run: Run, targeted: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(targeted, copy)
    table = pd.read_parquet(copy / "segment_products.parquet")
    table.loc[0, "purchase_ratio"] *= 1.01
    table.to_parquet(copy / "segment_products.parquet", index=False)
    answer = run("check", copy)
    assert answer.code == 5
    assert "purchase_ratio adds up to" in answer.out


def test_the_check_misses_its_segments(run: Run, targeted: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(targeted, copy)
    for name in ("segments.json", "segment_products.parquet"):
        (copy / name).unlink()
    answer = run("check", copy)
    assert answer.code == 5
    assert "segments.json: is missing" in answer.out


def test_stored_beliefs_give_the_plan_that_learning_now_gives(
    run: Run, shop: Path, solved: Callable[..., Path], tmp_path: Path
) -> None:
    stored = solved("stored", "")
    assert run("solve", shop / "learned.toml", "--out", tmp_path / "now", "--quiet").code == 0
    assert (tmp_path / "now" / "plan.csv").read_text() == (stored / "plan.csv").read_text()


def test_beliefs_with_and_without_segments(run: Run, shop: Path, tmp_path: Path) -> None:
    pooled = tmp_path / "pooled.toml"
    head = f'[scenario]\nname = "pooled"\nextends = "{shop / "base.toml"}"\n'
    pooled.write_text(head + "[segments]\ncount = 1\n", encoding="utf-8")
    assert run("solve", pooled, "--out", tmp_path / "pooled", "--quiet").code == 0
    assert "segments" not in offers(tmp_path / "pooled").columns

    bare = tmp_path / "beliefs"
    shutil.copytree(shop / "beliefs", bare)
    for name in ("segments.json", "segment_products.parquet", "product_topics.parquet"):
        (bare / name).unlink()
    pooled.write_text(head + f'[data]\nbeliefs = "{bare}"\n', encoding="utf-8")
    answer = run("solve", pooled, "--out", tmp_path / "none", "--quiet")
    assert "holds no segments of shoppers; expected beliefs learned with" in answer.refused(2)


def test_orders_without_customers_are_refused(run: Run, shop: Path, tmp_path: Path) -> None:
    table = pd.read_csv(shop / "orders.csv", dtype=str).drop(columns="customer_id")
    table.to_csv(tmp_path / "orders.csv", index=False)
    path = tmp_path / "s.toml"
    path.write_text(
        f'[scenario]\nname = "s"\nextends = "{shop / "learned.toml"}"\n'
        f'[data]\norders = "{tmp_path / "orders.csv"}"\n',
        encoding="utf-8",
    )
    answer = run("solve", path, "--out", tmp_path / "plan", "--quiet")
    assert "no order has a customer_id; expected orders that tell shoppers apart" in (
        answer.refused(2)
    )
