"""A small instance folder that tests change one cell or key of."""

from __future__ import annotations

from pathlib import Path

from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario

PRODUCTS = """\
product_id,title,category,department,brand,list_price,unit_cost,stock,active
007,Tea,Drinks,Food,Leaf,4.00,2.00,10,true
7,Coffee,Drinks,Food,Bean,8.00,,,true
B+1,Cake,Bakery,Food,Oven,,1.00,,yes
C,Plate,Kitchen,Home,Oven,6.00,2.50,3,no
"""

ORDERS = """\
order_id,product_id,ordered_at,quantity,amount,list_amount,customer_id
1,007,2017-12-04T09:00:00,1,4.00,4.00,x
1,7,2017-12-04T09:00:00,1,7.00,8.00,x
2,B+1,2017-12-12,2,5.00,6.00,y
3,007,2017-12-20,1,3.00,4.00,x
4,B+1,2017-12-31,1,3.00,3.20,z
5,B+1,2018-01-01,1,9.00,9.00,z
"""

SCENARIO = """\
[scenario]
name = "shop"
week = "2018-W01"
[data]
orders = "orders.csv"
products = "products.csv"
[assumptions]
gross_margin = 0.25
[limits]
max_bundles = 3
"""


def write_shop(
    folder: Path,
    *,
    products: str = PRODUCTS,
    orders: str = ORDERS,
    scenario: str = SCENARIO,
    **tables: str,
) -> Path:
    """Write the folder and return the scenario's path; ``tables`` are further CSV files."""
    for name, text in {"products": products, "orders": orders, **tables}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    path = folder / "scenario.toml"
    path.write_text(scenario, encoding="utf-8")
    return path


def load(folder: Path, **texts: str) -> Instance:
    """Write the folder and load it."""
    return load_instance(read_scenario(write_shop(folder, **texts)))
