from __future__ import annotations

import pytest
from bundlewise.instances.bundle_ids import (
    bundle_id,
    escape_id,
    neutralise,
    restore,
    split_bundle_id,
    unescape_id,
)
from hypothesis import given
from hypothesis import strategies as st

IDS = st.text(alphabet="ab0+;,%2BC35-='", min_size=1, max_size=8)


def test_ids_are_sorted_as_text_so_that_the_name_is_stable():
    assert bundle_id(["9", "10"]) == "10+9" == bundle_id(["10", "9"])


def test_separators_inside_an_id_are_percent_escaped():
    assert bundle_id(["a+b", "c;d", "e,f"]) == "a%2Bb+c%3Bd+e%2Cf"


def test_a_percent_sign_stays_unless_it_would_read_as_an_escape():
    assert escape_id("50%") == "50%"
    assert escape_id("%2B") == "%252B"


@given(st.lists(IDS, min_size=2, max_size=4, unique=True))
def test_a_bundle_id_gives_its_products_back(ids: list[str]):
    assert split_bundle_id(bundle_id(ids)) == tuple(sorted(ids))


@given(st.lists(IDS, min_size=2, max_size=2, unique=True), st.lists(IDS, min_size=2, max_size=2))
def test_different_bundles_have_different_ids(first: list[str], second: list[str]):
    assert (bundle_id(first) == bundle_id(second)) == (sorted(first) == sorted(second))


@given(IDS)
def test_escaping_is_undone(product_id: str):
    assert unescape_id(escape_id(product_id)) == product_id


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''-1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str):
    assert neutralise(text) == "'" + text
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize("text", ["", "Milk 1 l", "'quoted'", "007", "<b>bold</b>"])
def test_other_text_is_left_alone(text: str):
    assert neutralise(text) == text
    assert restore(text) == text
