"""Re-checks a finished plan: every rule and every account, from the tables, scenario and beliefs.

Shares no code with what makes plans. It reads the tables with the readers of ``instances`` and
takes the beliefs as the plan states them; prices, rules, economics and sums are its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from ..instances.errors import InputError
from ..instances.instance import Instance
from ..instances.load import load_instance
from ..instances.scenario import read_scenario
from .verifier_accounts import inconsistent_cells, wrong_accounts, wrong_intervals, wrong_prices
from .verifier_case import Case
from .verifier_groups import wrong_groups
from .verifier_level_files import WrittenAccounts, read_accounts
from .verifier_levels import wrong_levels
from .verifier_prices import wrong_rule_prices
from .verifier_report import (
    wrong_beliefs,
    wrong_context,
    wrong_hashes,
    wrong_kpis,
    wrong_products,
    wrong_proof,
    wrong_rule_rows,
)
from .verifier_rules import broken_offers, broken_rows, plan_rows
from .verifier_segments import (
    SegmentedCase,
    wrong_segment_accounts,
    wrong_segment_intervals,
    wrong_segmenting,
)
from .verifier_sets import subsets
from .verifier_tables import PlanFiles, read_files

_LARGEST_FILE = 1 << 30  # bytes; nothing in a plan folder comes near


def verify_plan(folder: Path) -> tuple[str, ...]:
    """Problems of a plan folder, one line each; empty where there are none.

    Raises
    ------
    InputError
        the folder is missing or unreadable, or the scenario or a table it names is.
    """
    if not folder.is_dir():
        raise InputError(folder, None, "is not there", "a plan folder")
    try:
        files = {
            path.name: path.read_bytes()
            for path in sorted(folder.iterdir())
            if path.is_file() and path.stat().st_size < _LARGEST_FILE
        }
    except OSError as error:
        raise InputError(folder, None, f"cannot be read ({error.strerror})") from error
    if "plan.csv" not in files and "plan.json" not in files:
        raise InputError(folder, None, "holds neither plan.csv nor plan.json", "a plan folder")
    return verify_files(files)


def verify_files(
    files: Mapping[str, bytes], *, instance: Instance | None = None
) -> tuple[str, ...]:
    """Problems of a plan given as the content of its files, one line each.

    Parameters
    ----------
    files
        name in the plan folder -> content: plan.csv, plan.json, products.csv, beliefs.parquet,
        scenario.toml and whatever else plan.json lists under ``files``.
    instance
        the instance the plan was made for; read from the scenario's tables where not given.

    Raises
    ------
    InputError
        the scenario or a table it names cannot be read.
    """
    plan, problems = read_files(files)
    if plan is None:
        return tuple(problems)
    if instance is None:
        instance = _load(files["scenario.toml"])
    position = {str(name): row for row, name in enumerate(instance.catalogue.product_ids)}
    problems += _unknown(plan, position)
    problems += wrong_segmenting(plan, instance)
    if not problems:
        unreadable: list[str] = []
        accounts = read_accounts(files, plan, unreadable)
        problems += _problems(Case(instance, plan, position), accounts)
        problems += unreadable
    problems += wrong_hashes(files, plan.report)
    return tuple(dict.fromkeys(problems))


def _problems(case: Case, accounts: WrittenAccounts) -> Iterator[str]:
    """Every check, the rules first."""
    segments = case.files.segments
    segmented = None if segments is None else SegmentedCase(case, segments)
    rows = plan_rows(case)
    yield from broken_offers(case)
    yield from broken_rows(rows)
    for offer in case.offers:
        prices = list(wrong_prices(case, offer))
        yield from prices
        if not prices:  # else every account of the row would be reported with them
            yield from inconsistent_cells(case, offer)
            if segmented is None:
                yield from wrong_accounts(case, offer)
            else:
                yield from wrong_segment_accounts(segmented, offer)
    if segmented is None:
        yield from wrong_intervals(case)
    else:
        yield from wrong_segment_intervals(segmented)
    if accounts.levels is not None:
        yield from wrong_levels(case, segmented, accounts.levels)
    if accounts.groups is not None:
        yield from wrong_groups(case, segmented, accounts.groups)
    yield from _wrong_order(case)
    yield from wrong_kpis(case)
    yield from wrong_proof(case)
    yield from wrong_rule_rows(case, rows)
    yield from wrong_rule_prices(case)
    yield from wrong_products(case)
    yield from wrong_beliefs(case)
    yield from wrong_context(case)


def _wrong_order(case: Case) -> Iterator[str]:
    """Rows stand by incremental margin, highest first, then by bundle id."""
    keys = [(-offer.incremental_margin, offer.bundle_id) for offer in case.offers]
    for key, follower in pairwise(keys):
        if follower < key:
            yield f"plan.csv: {follower[1]}: stands after {key[1]}, expected before it"


def _unknown(plan: PlanFiles, position: dict[str, int]) -> list[str]:
    """Products, pairs and sets that the tables or beliefs do not know, which ends the checking."""
    problems = []
    for offer in plan.offers:
        for name in offer.product_ids:
            if name not in position:
                found = f"product_ids holds {name}, which is not in the products table"
                problems.append(f"plan.csv: {offer.bundle_id}: {found}, expected known products")
            elif name not in plan.product_beliefs:
                found = f"product_ids holds {name}, which beliefs.parquet does not know"
                problems.append(f"plan.csv: {offer.bundle_id}: {found}, expected the plan's own")
        for subset in subsets(len(offer.product_ids)) if not problems else ():
            names = frozenset(offer.product_ids[place] for place in subset)
            if names not in (plan.pair_beliefs if len(names) == 2 else plan.set_beliefs):
                found = f"product_ids holds {' and '.join(sorted(names))}"
                what = "a pair" if len(names) == 2 else "a set"
                problems.append(
                    f"plan.csv: {offer.bundle_id}: {found}, {what} that beliefs.parquet does not "
                    f"know, expected the plan's own {what.removeprefix('a ')}s"
                )
    return problems


def _load(scenario: bytes) -> Instance:
    """The instance of a resolved scenario (its paths are absolute)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.toml"
        path.write_bytes(scenario)
        return load_instance(read_scenario(path))
