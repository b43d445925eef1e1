"""``bundlewise recommend``: a plan's bundles ranked for segments, or for single shoppers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import JSON_OPTION, QUIET_OPTION, Progress, output, print_json

if TYPE_CHECKING:
    import pandas as pd

    from ..instances import Instance
    from ..solver.recommendation import PlannedBundles
    from ..solver.shopper_file import ShopperFile

_ENDINGS = (".csv", ".csv.gz", ".parquet")


@click.command(
    "recommend",
    epilog="Example: bundlewise recommend plans/2018-W01 --shoppers shoppers.csv --out ranks.csv",
)
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--top", type=click.IntRange(min=1), default=5, show_default=True, help="Ranks shown."
)
@click.option(
    "--shoppers",
    type=click.Path(path_type=Path),
    help="Table of shoppers to rank for: customer_id, with order_id and product_id or --orders.",
)
@click.option(
    "--orders", type=click.Path(path_type=Path), help="Order lines of the shoppers of --shoppers."
)
@click.option("--out", type=click.Path(path_type=Path), help="Table to write ranks of shoppers to.")
@click.option("--force", is_flag=True, help="Replace the table that --out names.")
@JSON_OPTION
@QUIET_OPTION
def command(
    plan: Path,
    top: int,
    shoppers: Path | None,
    orders: Path | None,
    out: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Rank the bundles of PLAN (a folder) for each segment of shoppers.

    Ranked by what the shop gains at a visit that sees the offer: probability of taking it times
    gain, an expectation and not a promise. A plan without segments has one group, all shoppers.

    With --shoppers FILE --out TABLE, ranks them for every shopper of a file. Ids go from that
    file to that table and nowhere else.
    """
    from ..instances import load_instance, read_scenario
    from ..solver.recommendation import planned_bundles

    _check_usage(plan, shoppers, orders, out, force)
    progress = Progress(quiet)
    with progress.stage("read", "reading the plan and its tables"):
        instance = load_instance(read_scenario(plan / "scenario.toml"))
        _keep_inputs(instance, out)
        bundles = planned_bundles(plan, instance)
    if shoppers is not None and out is not None:
        result = _for_shoppers(bundles, instance.catalogue.product_ids, shoppers, orders, out, top)
        if as_json:
            print_json(result)
        elif not quiet:
            for reason, number in result["left_out"].items():
                click.echo(f"{number:,} {reason} not used", err=True)
            if alone := result["without_orders"]:
                click.echo(f"{alone:,} shoppers without an order: as the group's", err=True)
            click.echo(
                f"ranked {result['bundles']} bundles for {result['shoppers']:,} shoppers: {out}"
            )
        return
    result = _for_groups(bundles, top)
    if as_json:
        print_json(result)
    elif not quiet:
        from .show_recommendations import show_recommendations

        show_recommendations(output(), result)


def _check_usage(
    plan: Path, shoppers: Path | None, orders: Path | None, out: Path | None, force: bool
) -> None:
    from ..instances import InputError

    if (shoppers is None) != (out is None):
        raise click.UsageError("--shoppers and --out go together")
    if orders is not None and shoppers is None:
        raise click.UsageError("--orders needs --shoppers")
    if not (plan / "scenario.toml").is_file():
        raise InputError(plan, None, "is not a plan", "a folder that `bundlewise solve` wrote")
    if out is None:
        return
    if not out.name.lower().endswith(_ENDINGS):
        raise InputError(out, None, "unknown kind of file", f"a name that ends in {_ENDINGS[0]}, "
                         f"{_ENDINGS[1]} or {_ENDINGS[2]}")  # fmt: skip
    if out.resolve().is_relative_to(plan.resolve()):
        found = "is in the plan's folder, which holds no customer"
        raise InputError(out, None, found, "a place of your own for it")
    inputs = [path.resolve() for path in (shoppers, orders) if path is not None]
    if out.resolve() in inputs:
        raise InputError(out, None, "is a file to read from", "a file of its own for the ranks")
    if out.exists() and not force:
        raise InputError(out, None, "the file is there already", "--force to replace it")


def _keep_inputs(instance: Instance, out: Path | None) -> None:
    """The tables that the plan was made from are not replaced, whatever --force says."""
    from ..instances import InputError

    if out is not None and out.resolve() in {Path(file.path).resolve() for file in instance.inputs}:
        found = "is a table that the plan was made from"
        raise InputError(out, None, found, "a file of its own for the ranks")


def _for_groups(bundles: PlannedBundles, top: int) -> dict[str, Any]:
    """``groups``: each with its figures and the bundles shown to it, best first."""
    from ..solver.recommendation import rank_groups

    taken, gain = rank_groups(bundles)
    segments = bundles.segments
    groups = []
    for g, name in enumerate(bundles.group):
        order = [b for b in (-gain[g]).argsort(kind="stable") if bundles.shown_to[b, g]][:top]
        profile = {} if segments is None else dict(segments.profile[g])
        groups.append(
            {
                **profile,
                "name": name,
                "bundles": [
                    _entry(bundles, int(b), rank, float(taken[g, b]), float(gain[g, b]))
                    for rank, b in enumerate(order, start=1)
                ],
            }
        )
    report = bundles.plan.report
    return {
        "plan": str(bundles.plan.folder),
        "name": report["name"],
        "week": report["week"],
        "currency": report["currency"],
        "segments": segments is not None,
        "groups": groups,
    }


def _entry(
    bundles: PlannedBundles, bundle: int, rank: int, taken: float, gain: float
) -> dict[str, Any]:
    row = bundles.plan.offers.iloc[bundle]
    return {
        "rank": rank,
        "bundle_id": str(row["bundle_id"]),
        "name": str(row["name"]),
        "bundle_price": float(row["bundle_price"]),
        "probability": taken,
        "margin_per_1000_visits": 10 * gain,
    }


def _for_shoppers(
    bundles: PlannedBundles,
    product_ids: Any,
    file: Path,
    orders: Path | None,
    out: Path,
    top: int,
) -> dict[str, Any]:
    from ..solver.shopper_file import read_shoppers

    shoppers = read_shoppers(file, orders, product_ids)
    table = _ranks(bundles, shoppers, top)
    _write(table, out)
    return {
        "plan": str(bundles.plan.folder),
        "out": str(out),
        "shoppers": len(shoppers.customer_ids),
        "without_orders": int((shoppers.visits == 0).sum()),
        "bundles": len(bundles),
        "rows": len(table),
        "left_out": shoppers.left_out,
    }


def _ranks(bundles: PlannedBundles, shoppers: ShopperFile, top: int) -> pd.DataFrame:
    """A row a shopper and rank, shoppers in the order of their file."""
    import numpy as np
    import pandas as pd

    from ..solver.recommendation import rank_shoppers
    from ..solver.shopper_file import shopper_beliefs

    probability, group = shopper_beliefs(bundles, shoppers)
    taken, gain = rank_shoppers(bundles, probability, group)
    hidden = ~bundles.shown_to.T[group]
    order = np.argsort(np.where(hidden, np.inf, -gain), axis=1, kind="stable")[:, :top]
    shopper = np.repeat(np.arange(len(group)), order.shape[1])
    bundle, rank = order.ravel(), np.tile(np.arange(1, order.shape[1] + 1), len(group))
    shown = ~hidden[shopper, bundle]
    shopper, bundle, rank = shopper[shown], bundle[shown], rank[shown]
    offers = bundles.plan.offers
    return pd.DataFrame(
        {
            "customer_id": pd.Series(shoppers.customer_ids[shopper], dtype="str"),
            "rank": rank,
            "bundle_id": offers["bundle_id"].to_numpy()[bundle],
            "name": offers["name"].to_numpy()[bundle],
            "segment": np.array(bundles.group, dtype=object)[group[shopper]],
            "probability": taken[shopper, bundle],
            "margin_per_1000_visits": 10 * gain[shopper, bundle],
        }
    )


def _write(table: pd.DataFrame, out: Path) -> None:
    from ..instances.bundle_ids import neutralise
    from .console import writing

    with writing(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.name.lower().endswith(".parquet"):
            table.to_parquet(out, index=False)
            return
        words = ("customer_id", "bundle_id", "name", "segment")
        cells = {name: table[name].map(neutralise) for name in words}
        table.assign(**cells).to_csv(out, index=False, float_format="%.6g", lineterminator="\n")
