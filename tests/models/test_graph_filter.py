"""The low-pass filter of the product graph."""

from __future__ import annotations

import numpy as np
from bundlewise.models.graph_filter import fit_graph_filter
from scipy.sparse import csr_array


def purchases(rng: np.random.Generator, shoppers: int = 400, products: int = 80) -> csr_array:
    """Two kinds of shoppers, each with half of the products of its own."""
    kind = rng.integers(0, 2, shoppers)
    own = np.arange(products) % 2
    mean = np.where(kind[:, None] == own[None, :], 0.5, 0.1)
    return csr_array(rng.poisson(mean).astype(np.float32))


def lifts(embedding: np.ndarray, rank: int) -> np.ndarray:
    return embedding[:, :rank].astype(float) @ embedding[:, :rank].T.astype(float)


def test_the_filter_is_the_truncated_decomposition_of_the_graph():
    table = purchases(np.random.default_rng(1))
    dense = table.toarray().astype(float)
    rows, columns = dense.sum(axis=1), dense.sum(axis=0)
    dense, rows = dense[rows > 0], rows[rows > 0]
    graph = dense / np.sqrt(rows[:, None] * columns[None, :])
    _, values, vectors = np.linalg.svd(graph, full_matrices=False)
    found = fit_graph_filter(table, ranks=(2,))
    exact = (vectors[:2].T * values[:2] ** 2) @ vectors[:2]
    exact *= columns.sum() / np.sqrt(columns[:, None] * columns[None, :])
    np.testing.assert_allclose(lifts(found.embedding, 2), exact, rtol=0.02, atol=0.02)


def test_products_of_the_same_shoppers_have_a_lift_above_one():
    found = fit_graph_filter(purchases(np.random.default_rng(2)), ranks=(2, 8))
    own = np.arange(80) % 2
    lift = lifts(found.embedding, 2)
    same = own[:, None] == own[None, :]
    expected = (0.5**2 + 0.1**2) / 2 / 0.3**2
    assert abs(lift[same].mean() - expected) < 0.1
    assert abs(lift[~same].mean() - (2 - expected)) < 0.1


def test_ranks_that_the_products_cannot_bear_are_left_out():
    table = purchases(np.random.default_rng(3))
    assert fit_graph_filter(table).ranks == (8,)
    few = fit_graph_filter(csr_array(table.toarray()[:, :10]))
    assert few.ranks == ()
    assert few.embedding.shape == (10, 0)
    nothing = fit_graph_filter(csr_array(np.zeros((5, 40), dtype=np.float32)))
    assert nothing.ranks == ()


def test_a_product_never_bought_and_a_shopper_without_purchases_say_nothing():
    dense = purchases(np.random.default_rng(4)).toarray()
    dense[:, 7] = 0
    dense[5] = 0
    found = fit_graph_filter(csr_array(dense), ranks=(4,))
    assert (found.embedding[7] == 0).all()
    assert np.isfinite(found.embedding).all()
    assert (np.delete(found.embedding, 7, axis=0)[:, 0] != 0).all()
    taken = found.take(np.array([3, -1, 7]))
    np.testing.assert_array_equal(taken.embedding[0], found.embedding[3])
    assert (taken.embedding[1:] == 0).all()


def test_a_graph_of_fewer_directions_than_the_rank_fills_up_with_nothing():
    """Two kinds of shoppers who buy all of their half: two directions say all there is."""
    table = np.zeros((200, 40), dtype=np.float32)
    table[:100, :20] = table[100:, 20:] = 1.0
    found = fit_graph_filter(csr_array(table))
    assert found.ranks == (8,)
    assert found.embedding.shape == (40, 8)
    lift = found.embedding @ found.embedding.T
    np.testing.assert_allclose(lift, np.kron(2 * np.eye(2), np.ones((20, 20))), atol=1e-3)
