"""Beliefs on disk and under another catalogue."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundlewise.instances.catalogue import Catalogue
from bundlewise.instances.errors import InputError
from bundlewise.models.beliefs import Beliefs
from bundlewise.models.beliefs_folder import load_beliefs, save_beliefs
from bundlewise.models.copula import joint_probability
from bundlewise.models.learning import learn
from scipy.special import logit

from .shops import PRODUCTS, catalogue_of, shop


@pytest.fixture(scope="module")
def beliefs() -> Beliefs:
    return learn(shop())


@pytest.fixture
def saved(beliefs: Beliefs, tmp_path: Path) -> Path:
    save_beliefs(beliefs, tmp_path / "beliefs")
    return tmp_path / "beliefs"


def assert_same(first: Beliefs, second: Beliefs) -> None:
    for field in fields(Beliefs):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, field.name
            np.testing.assert_array_equal(one, other)
    assert first.manifest == second.manifest
    assert first.pair_prior is not None
    assert second.pair_prior is not None
    np.testing.assert_array_equal(first.pair_prior.product_lift, second.pair_prior.product_lift)
    assert first.pair_prior.strength == second.pair_prior.strength
    assert first.pair_prior.learned is not None
    assert second.pair_prior.learned is not None
    assert first.pair_prior.learned.fit == second.pair_prior.learned.fit
    one, other = (a.ravel() for a in np.meshgrid(*2 * [np.arange(len(first.product_ids))]))
    apart = one != other
    for name, values in first.pairs_of(one[apart], other[apart]).items():
        np.testing.assert_array_equal(values, second.pairs_of(one[apart], other[apart])[name])


def test_a_round_trip_changes_nothing(beliefs: Beliefs, saved: Path):
    assert_same(beliefs, load_beliefs(saved))


def test_the_prior_of_a_pair_answers_without_joint_orders(beliefs: Beliefs):
    a, b = np.triu_indices(PRODUCTS, 1)
    assert beliefs.pair_prior is not None
    assert beliefs.pair_prior.learned is not None
    np.testing.assert_array_equal(beliefs.prior_lift(a, b), beliefs.pair_prior.learned.of(a, b))
    np.testing.assert_allclose(beliefs.prior_lift(b, a), beliefs.prior_lift(a, b))
    old = replace(beliefs, pair_prior=replace(beliefs.pair_prior, learned=None))
    code, lift = beliefs.category_code, beliefs.pair_prior.product_lift
    expected = beliefs.category_lift[code[a], code[b]] * lift[a] * lift[b]
    np.testing.assert_allclose(old.prior_lift(a, b), expected)
    plain = replace(beliefs, pair_prior=None).prior_lift(a, b)
    np.testing.assert_allclose(plain, beliefs.category_lift[code[a], code[b]])


def test_beliefs_of_before_the_learned_prior_can_be_read(beliefs: Beliefs, tmp_path: Path):
    assert beliefs.pair_prior is not None
    old = replace(
        beliefs,
        pair_prior=replace(beliefs.pair_prior, learned=None),
        pair_expected=None,
        pair_trip_odds=None,
    )
    save_beliefs(old, tmp_path / "old")
    assert not (tmp_path / "old" / "graph_filter.parquet").exists()
    found = load_beliefs(tmp_path / "old")
    assert found.pair_prior is not None
    assert found.pair_prior.learned is None
    assert found.pair_expected is None
    pair = np.array([0]), np.array([1])
    for name, values in old.pairs_of(*pair).items():
        np.testing.assert_array_equal(values, found.pairs_of(*pair)[name])


def test_pandas_alone_can_read_it(beliefs: Beliefs, saved: Path):
    products = pd.read_parquet(saved / "products.parquet")
    assert {
        "product_id",
        "purchase_probability",
        "price_sensitivity",
        "reference_price",
        "deepest_cut",
    } <= set(products)
    pairs = pd.read_parquet(saved / "pairs.parquet")
    assert list(pairs.columns) == [
        "product_a",
        "product_b",
        "orders",
        "joint_probability",
        "odds_ratio",
        "spread",
        "expected_orders",
        "trip_odds_ratio",
    ]
    assert pairs["product_a"][0] == beliefs.product_ids[beliefs.pair_a[0]]
    assert json.loads((saved / "manifest.json").read_text())["schema_version"] == 1


def test_an_existing_folder_is_replaced_only_by_force(beliefs: Beliefs, saved: Path):
    with pytest.raises(InputError, match="holds beliefs already"):
        save_beliefs(beliefs, saved)
    (saved / "stale.txt").write_text("")
    save_beliefs(beliefs, saved, force=True)
    assert not (saved / "stale.txt").exists()
    assert_same(beliefs, load_beliefs(saved))
    assert os.listdir(saved.parent) == ["beliefs"]


def test_a_failed_write_leaves_nothing(beliefs: Beliefs, tmp_path: Path):
    broken = replace(beliefs, manifest={"number": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        save_beliefs(broken, tmp_path / "beliefs")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("manifest.json", "cannot be read"),
        ("products.parquet", "cannot be read"),
        ("pairs.parquet", "cannot be read"),
        ("category_lift.parquet", "cannot be read"),
        ("graph_filter.parquet", "cannot be read"),
        ("title_words.parquet", "cannot be read"),
        ("pair_features.parquet", "cannot be read"),
    ],
)
def test_a_broken_file_is_named(saved: Path, file: str, message: str):
    (saved / file).write_bytes(b"not this")
    with pytest.raises(InputError, match=f"{file}: {message}"):
        load_beliefs(saved)
    (saved / file).unlink()
    with pytest.raises(InputError, match=f"{file}: {message}"):
        load_beliefs(saved)


def test_wrong_contents_are_named(saved: Path):
    def edited(file: str, change) -> None:
        table = pd.read_parquet(saved / file)
        change(table).to_parquet(saved / file, index=False)

    good = (saved / "products.parquet").read_bytes()
    edited("products.parquet", lambda t: t.drop(columns="deepest_cut"))
    with pytest.raises(InputError, match=r"products.parquet: no column 'deepest_cut'"):
        load_beliefs(saved)
    (saved / "products.parquet").write_bytes(good)
    edited("products.parquet", lambda t: t.assign(deepest_cut=np.nan))
    with pytest.raises(InputError, match=r"products.parquet: deepest_cut: empty"):
        load_beliefs(saved)
    (saved / "products.parquet").write_bytes(good)
    edited("pairs.parquet", lambda t: t.assign(product_b="nobody"))
    with pytest.raises(InputError, match=r"pairs.parquet: row 1: product 'nobody'"):
        load_beliefs(saved)


def test_no_folder_is_an_input_error(tmp_path: Path):
    with pytest.raises(InputError, match="no such folder"):
        load_beliefs(tmp_path / "nothing")


def test_any_pair_has_a_joint_probability(beliefs: Beliefs):
    a, b = (index.astype(np.int32) for index in np.triu_indices(PRODUCTS, 1))
    joint = beliefs.joint_probability(a, b)
    q = beliefs.purchase_probability
    assert ((joint > 0) & (joint < np.minimum(q[a], q[b]))).all()
    np.testing.assert_array_equal(joint, beliefs.joint_probability(b, a))
    stored = beliefs.joint_probability(beliefs.pair_a, beliefs.pair_b)
    np.testing.assert_array_equal(stored, beliefs.pair_joint)
    facts = beliefs.pairs_of(a, b)
    np.testing.assert_allclose(joint_probability(q[a], q[b], facts["odds_ratio"]), joint)
    # the products are independent: pairs too rare to be counted must not look repelled
    uncounted = ~np.isin(a.astype(int) * PRODUCTS + b, beliefs.pair_a * PRODUCTS + beliefs.pair_b)
    assert uncounted.sum() > 20
    assert 0.75 < np.mean(joint[uncounted] / (q[a] * q[b])[uncounted]) < 1.1


def test_no_pair_asked_for_gives_none(beliefs: Beliefs):
    nothing = np.zeros(0, dtype=np.int32)
    assert len(beliefs.joint_probability(nothing, nothing)) == 0


def test_aligning_to_the_same_catalogue_changes_nothing(beliefs: Beliefs):
    same = beliefs.aligned(shop().catalogue)
    np.testing.assert_array_equal(same.pair_joint, beliefs.pair_joint)
    np.testing.assert_array_equal(same.purchase_probability, beliefs.purchase_probability)
    assert same.manifest["aligned"] == {
        "products_added": 0,
        "products_dropped": 0,
        "products_repriced": 0,
    }


def test_aligning_reorders_adds_and_drops(beliefs: Beliefs):
    catalogue = shop().catalogue
    ids = np.array(["NEW", *catalogue.product_ids[:1:-1]], dtype=object)  # reversed, two dropped
    other = replace(catalogue_of(len(ids)), product_ids=ids)
    found = beliefs.aligned(other)
    assert found.manifest["aligned"]["products_added"] == 1
    assert found.manifest["aligned"]["products_dropped"] == 2
    assert found.purchase_probability[0] == 0
    assert found.purchase_probability[1] == beliefs.purchase_probability[-1]
    key = found.pair_a.astype(int) * len(ids) + found.pair_b
    assert (np.diff(key) > 0).all()
    pair = int(np.flatnonzero(beliefs.pair_a >= 2)[0])
    a, b = beliefs.pair_a[pair], beliefs.pair_b[pair]
    moved = np.array([PRODUCTS - a]), np.array([PRODUCTS - b])
    assert found.joint_probability(*moved)[0] == beliefs.pair_joint[pair]


def test_aligning_to_another_price_moves_along_the_same_demand(beliefs: Beliefs):
    """Demand at any price in money is the same before and after."""
    found = beliefs.aligned(catalogue_of(PRODUCTS, price=600))
    assert found.manifest["aligned"]["products_repriced"] == PRODUCTS

    def log_odds(b: Beliefs, price: float) -> np.ndarray:
        return logit(b.purchase_probability) + b.price_sensitivity * (1 - price / b.reference_price)

    for price in (400.0, 500.0, 600.0):
        np.testing.assert_allclose(log_odds(found, price), log_odds(beliefs, price), rtol=1e-9)
    np.testing.assert_array_equal(found.odds_ratio, beliefs.odds_ratio)
    assert (found.pair_joint < beliefs.pair_joint).all()


def test_a_lower_price_leaves_less_to_cut_and_a_rise_supports_no_more(beliefs: Beliefs):
    """The lowest price the data support stays; but the old shelf price was never a cut."""
    assert beliefs.deepest_cut.max() > 0.1
    lower = beliefs.aligned(catalogue_of(PRODUCTS, price=450)).deepest_cut
    supported = np.minimum(500 * (1 - beliefs.deepest_cut), 450)
    np.testing.assert_allclose(450 * (1 - lower), supported)
    higher = beliefs.aligned(catalogue_of(PRODUCTS, price=600)).deepest_cut
    np.testing.assert_array_equal(higher, beliefs.deepest_cut)
    never = replace(beliefs, deepest_cut=np.zeros(PRODUCTS))
    assert (never.aligned(catalogue_of(PRODUCTS, price=600)).deepest_cut == 0).all()


def with_two_more(category: str) -> Catalogue:
    """The shop's products after two that it never sold."""
    known = catalogue_of(PRODUCTS)
    return replace(
        catalogue_of(PRODUCTS + 2),
        product_ids=np.concatenate([["NEW", "NEWER"], known.product_ids]).astype(object),
        category=np.concatenate([[category, category], known.category]).astype(object),
    )


@pytest.mark.parametrize("learned", [True, False])
def test_a_product_added_is_in_the_category_the_catalogue_says(beliefs: Beliefs, learned: bool):
    assert beliefs.pair_prior is not None
    if not learned:
        beliefs = replace(beliefs, pair_prior=None)
    lift = np.array([[2.0, 3.0, 5.0], [3.0, 7.0, 11.0], [5.0, 11.0, 13.0]])
    prior = beliefs.pair_prior
    if prior is not None and prior.learned is not None:
        features = prior.learned.features
        features = replace(features, lift=replace(features.lift, category_lift=lift))
        prior = replace(prior, learned=replace(prior.learned, features=features))
    beliefs = replace(beliefs, category_lift=lift, pair_prior=prior)
    found = beliefs.aligned(with_two_more("category 2"))
    old = np.arange(PRODUCTS) + 2
    code = int(beliefs.category_code[2])  # of P002, of "category 2"
    assert (found.category_code[:2] == code).all()
    np.testing.assert_array_equal(found.category_code[2:], beliefs.category_code)
    np.testing.assert_array_equal(found.category_lift, lift)
    if prior is not None and prior.learned is not None:
        features = found.pair_prior.learned.features  # type: ignore[union-attr]
        np.testing.assert_array_equal(features.lift.category, found.category_code)
        new = features.as_if_new(np.zeros(PRODUCTS, dtype=int), old)
        at = features.names.index("log_lift")
        np.testing.assert_allclose(new[:, at], np.log(lift[code, beliefs.category_code]))
    else:
        first = found.prior_lift(np.zeros(PRODUCTS, dtype=int), old)
        np.testing.assert_allclose(first, lift[code, beliefs.category_code])


def test_a_category_that_nothing_is_known_of_has_the_lifts_of_all(beliefs: Beliefs, tmp_path: Path):
    lift = np.array([[2.0, 3.0, 5.0], [3.0, 7.0, 11.0], [5.0, 11.0, 13.0]])
    plain = replace(beliefs, category_lift=lift, pair_prior=None)
    found = plain.aligned(with_two_more("toys"))
    assert (found.category_code[:2] == 3).all()  # of their own, and the same
    q, code = beliefs.purchase_probability, beliefs.category_code
    mean = [float(q @ lift[k, code] / q.sum()) for k in range(3)]
    old = np.arange(PRODUCTS) + 2
    np.testing.assert_allclose(
        found.prior_lift(np.ones(PRODUCTS, dtype=int), old), np.take(mean, code)
    )
    np.testing.assert_allclose(found.category_lift[3, 3], q @ np.take(mean, code) / q.sum())
    np.testing.assert_array_equal(found.category_lift[:3, :3], lift)
    whole = beliefs.aligned(with_two_more("toys"))
    save_beliefs(whole, tmp_path / "whole")
    assert_same(whole, load_beliefs(tmp_path / "whole"))


def test_a_price_that_q_was_carried_to_makes_q_less_sure(beliefs: Beliefs):
    near, far = (beliefs.aligned(catalogue_of(PRODUCTS, price=price)) for price in (510, 700))
    assert (near.purchase_spread >= beliefs.purchase_spread).all()
    assert (far.purchase_spread > near.purchase_spread).all()
    rng = np.random.default_rng(21)
    x = int(np.argmax(beliefs.sensitivity_scale))
    eta = rng.normal(beliefs.sensitivity_location[x], beliefs.sensitivity_scale[x], 200_000)
    eta = eta[(eta > 0) & (eta < beliefs.sensitivity_cap[x])]
    log_q = np.log(beliefs.purchase_probability[x])
    log_q += rng.normal(0, beliefs.purchase_spread[x], len(eta))
    carried = -np.logaddexp(0, -(logit(np.exp(log_q)) + eta * (1 - 700 / 500)))
    assert abs(np.std(carried) / far.purchase_spread[x] - 1) < 0.1


def test_beliefs_of_another_shop_are_refused(beliefs: Beliefs):
    other = replace(catalogue_of(3), product_ids=np.array(["x", "y", "z"], dtype=object))
    with pytest.raises(InputError, match="no product"):
        beliefs.aligned(other)


def test_force_never_deletes_what_is_not_beliefs(beliefs: Beliefs, tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_mother.txt").write_text("dear")
    with pytest.raises(InputError, match="holds something else"):
        save_beliefs(beliefs, tmp_path / "letters", force=True)
    assert (tmp_path / "letters" / "to_mother.txt").read_text() == "dear"
    (tmp_path / "empty").mkdir()
    save_beliefs(beliefs, tmp_path / "empty")
    assert_same(beliefs, load_beliefs(tmp_path / "empty"))
