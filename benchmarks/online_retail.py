"""Online Retail (Chen, Sain and Guo 2012): a British wholesaler of gifts, read as an instance.

541,909 invoice lines from 2010-12-01 to 2011-12-09, many of them of trade customers; UCI Machine
Learning Repository, on CRAN in the package onlineretail (CC0). The file is not shipped.

Cleaning is the tool's own, that of ``bundlewise validate``: non-positive quantities and amounts,
exact duplicates and absurd quantities go to quarantine. Three kinds of dirt only this file has are
taken out before: cancelled invoices, invoices that book bad debts, and codes that are no products
(postage, fees, samples, vouchers).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from bundlewise.instances.instance import Instance
from bundlewise.instances.load import load_instance
from bundlewise.instances.scenario import read_scenario
from bundlewise.instances.weeks import week_index, week_label

FIRST_WEEK = week_index("2010-W48")
END_WEEK = week_index("2011-W50")  # the last orders are of the Friday of 2011-W49
_PRODUCT = r"\d{5}[A-Z]{0,2}|DCGS\w+|PADS"  # DCGS: what was sold on another shop's site
_SCENARIO = """\
[scenario]
name = "online-retail"
week = "{week}"
currency = "GBP"
[data]
orders = "orders.parquet"
products = "products.parquet"
[assumptions]
gross_margin = 0.4
[discounts]
levels = [0.1]
[limits]
max_bundles = 40
"""


def online_retail(file: Path, week: int) -> tuple[Instance, dict[str, int]]:
    """The orders before a week, and how many lines became of what.

    A product's title is its most frequent description. There are no categories, costs and
    stocks; the margin stated is not used by any belief.
    """
    lines = pd.read_parquet(file)
    counts = {"lines": len(lines)}
    code = lines["StockCode"].str.upper()
    invoice = lines["InvoiceNo"].astype("str")
    dirt = {
        "of cancelled invoices": invoice.str.startswith("C"),
        "of bad debts": invoice.str.startswith("A"),
        "of codes that are no products": ~code.str.fullmatch(_PRODUCT),
    }
    good = pd.Series(True, index=lines.index)
    for reason, bad in dirt.items():
        counts[reason] = int((good & bad).sum())
        good &= ~bad
    lines, code = lines[good], code[good]
    orders = pd.DataFrame(
        {
            "order_id": lines["InvoiceNo"].astype("str"),
            "product_id": code,
            "ordered_at": lines["InvoiceDate"].astype("datetime64[s]"),
            "quantity": lines["Quantity"],
            "amount": (lines["Quantity"] * lines["UnitPrice"]).round(2),
            "customer_id": lines["CustomerID"].astype("str"),
        }
    )
    # notes of the warehouse, such as "damaged" or "?", stand in lower case
    sold = lines["Description"].where(lines["Description"].str.upper() == lines["Description"])
    title = sold.groupby(code).agg(lambda texts: next(iter(texts.mode()), ""))
    products = pd.DataFrame({"product_id": title.index, "title": title.to_numpy()})
    with tempfile.TemporaryDirectory() as folder:
        orders.to_parquet(Path(folder, "orders.parquet"), index=False)
        products.to_parquet(Path(folder, "products.parquet"), index=False)
        scenario = Path(folder, "scenario.toml")
        scenario.write_text(_SCENARIO.format(week=week_label(week)), encoding="utf-8")
        instance = load_instance(read_scenario(scenario))
    counts |= instance.counts | {"used": instance.orders.n_lines}
    return instance, counts
