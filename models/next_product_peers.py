"""Other methods that rank what joins a basket: cosine of products, and those of ``implicit``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from ..instances.orders import Baskets
from .hidden_products import HiddenProducts, ranks_by_company, ranks_by_score

if TYPE_CHECKING:
    from .next_product import Company

SHRINKAGES = (0.0, 10.0, 30.0, 100.0)  # orders added to the denominator of the cosine

# Of five tried, the best on weeks 28-40 of the Complete Journey: 64 and 128 factors,
# regularization 0.1-10, alpha 1-100. 256 factors gained 0.003 in recall and took 40 s.
_ALS = {"factors": 128, "regularization": 10.0, "alpha": 40.0, "iterations": 6}
_NEIGHBOURS = 500
_BM25 = {"K1": 1.2, "B": 0.75}

_CHUNK = 2_000  # baskets whose scores are held at once

Answer = str | tuple[NDArray[np.int32], dict[str, Any]]


def cosine(known: Company, shrinkage: float) -> NDArray[np.float32]:
    """(products, products) joint orders over √(orders·orders) + shrinkage, of all neighbours."""
    size = np.sqrt(np.outer(known.orders, known.orders)) + shrinkage
    return np.divide(known.counts, size, out=np.zeros_like(known.counts), where=size > 0)


def tf_idf(task: HiddenProducts, train: Baskets) -> Answer:
    """Cosine of products with baskets weighted by their inverse size, by ``implicit``."""
    return _neighbours(task, train, "TFIDFRecommender", {})


def bm25(task: HiddenProducts, train: Baskets) -> Answer:
    """Products weighted by Okapi BM25, by ``implicit``."""
    return _neighbours(task, train, "BM25Recommender", _BM25)


def als(task: HiddenProducts, train: Baskets) -> Answer:
    """Implicit-feedback matrix factorisation (Hu, Koren and Volinsky 2008), by ``implicit``.

    Baskets are its users: the factors of a held-out basket are solved for from what it shows.
    """
    modules = _implicit()
    if isinstance(modules, str):
        return modules
    shown = csr_matrix(task.members())
    ranks = np.empty(len(task), dtype=np.int32)
    with _quiet():
        model = modules.als.AlternatingLeastSquares(**_ALS, random_state=1, dtype=np.float32)
        model.fit(_matrix(train), show_progress=False)
        for first in range(0, len(task), _CHUNK):
            rows = np.arange(first, min(first + _CHUNK, len(task)))
            users = model.recalculate_user(rows, shown[rows])
            ranks[rows] = ranks_by_score(task, first, users @ model.item_factors.T)
    return ranks, _ALS


IMPLICIT: dict[str, Callable[[HiddenProducts, Baskets], Answer]] = {
    "tf_idf": tf_idf,
    "bm25": bm25,
    "als": als,
}


def _neighbours(
    task: HiddenProducts, train: Baskets, name: str, settings: dict[str, float]
) -> Answer:
    modules = _implicit()
    if isinstance(modules, str):
        return modules
    neighbours = min(_NEIGHBOURS, train.n_products)
    model = getattr(modules.nearest_neighbours, name)(K=neighbours, **settings)
    with _quiet():
        model.fit(_matrix(train), show_progress=False)
    company = model.similarity.toarray().astype(np.float32)
    alone = np.zeros(train.n_products, dtype=np.float32)
    return ranks_by_company(task, company, alone), {"neighbours": neighbours, **settings}


def _implicit() -> Any:
    """The package, or a sentence on why not."""
    try:
        with _quiet():
            import implicit  # pyright: ignore[reportMissingImports]
            import implicit.als  # pyright: ignore[reportMissingImports]
            import implicit.nearest_neighbours  # pyright: ignore[reportMissingImports]
    except ImportError:
        return "implicit is not installed (pip install 'bundlewise[bench]')"
    return implicit


@contextmanager
def _quiet() -> Iterator[None]:
    """As ``implicit`` advises, one thread of linear algebra in each of its own; then hear no more
    of its advice, on matrix formats too."""
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore")
        yield


def _matrix(baskets: Baskets) -> csr_matrix:
    """(baskets of two or more, products) 1 where held: one product alone tells nothing here."""
    baskets = baskets.select(np.diff(baskets.start) >= 2)
    ones = np.ones(len(baskets.product), dtype=np.float32)
    shape = (baskets.n_visits, baskets.n_products)
    return csr_matrix((ones, baskets.product, baskets.start), shape=shape)
