"""What the tables say of products beside their sales: what beliefs about a product lean on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..instances.catalogue import Catalogue
from .history import category_codes


@dataclass(frozen=True, slots=True)
class ProductFeatures:
    """Codes and texts of products; arrays have shape (products,).

    Attributes
    ----------
    category, department, brand
        codes from 0; products of which the table says nothing share a code.
    category_name, department_name, brand_name
        (codes,) their names, "" among them where the table says nothing.
    title, description
        text; "" where there is none.
    price
        cents, the price at which relative cuts are 0; nan where unknown.
    """

    category: NDArray[np.int32]
    department: NDArray[np.int32]
    brand: NDArray[np.int32]
    category_name: NDArray[np.object_]
    department_name: NDArray[np.object_]
    brand_name: NDArray[np.object_]
    title: NDArray[np.object_]
    description: NDArray[np.object_]
    price: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.category)

    @property
    def n_categories(self) -> int:
        return len(self.category_name)

    def take(self, products: NDArray[np.integer]) -> ProductFeatures:
        """The features of these products, in this order; codes keep their meaning."""
        parts = {name: getattr(self, name)[products] for name in _BY_PRODUCT}
        names = {name: getattr(self, name) for name in self.__slots__ if name not in _BY_PRODUCT}
        return ProductFeatures(**parts, **names)


_BY_PRODUCT = ("category", "department", "brand", "title", "description", "price")


def product_features(catalogue: Catalogue, price: NDArray[np.float64]) -> ProductFeatures:
    """The features of a catalogue's products, at these prices."""
    category, category_name = category_codes(catalogue.category)
    department, department_name = category_codes(catalogue.department)
    brand, brand_name = category_codes(catalogue.brand)
    return ProductFeatures(
        category=category,
        department=department,
        brand=brand,
        category_name=category_name,
        department_name=department_name,
        brand_name=brand_name,
        title=catalogue.title,
        description=catalogue.description,
        price=price,
    )


def features_of_codes(category: NDArray[np.integer], n_categories: int) -> ProductFeatures:
    """Features of products of which nothing but a category is known."""
    n = len(category)
    none, empty = np.zeros(n, dtype=np.int32), np.full(n, "", dtype=object)
    return ProductFeatures(
        category=category.astype(np.int32),
        department=none,
        brand=none,
        category_name=np.array([str(code) for code in range(n_categories)], dtype=object),
        department_name=np.array([""], dtype=object),
        brand_name=np.array([""], dtype=object),
        title=empty,
        description=empty,
        price=np.full(n, np.nan),
    )
