"""The platform's own functions: every table of what happened, on the lines of a warehouse. Arguments: the tables."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pandas as pd

from benchmarks.peers.common import done
from benchmarks.peers.platform import UNVERSIONED
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.models.baskets import bought_together
from lgs_assets.models.returns import match_returns
from lgs_assets.models.trend import seasonal_parts, trends
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.lineage import ASSETS, models
from lgs_assets.wiring.resources import tables_of

Read: TypeAlias = Callable[[str], pd.DataFrame]

BY_PYTHON: dict[str, Callable[[Read], pd.DataFrame]] = {
    "product_pairs": lambda read: bought_together(
        read("clean_invoices"), read("stock_codes"), support=Settings().pair_support
    ),
    "return_matches": lambda read: match_returns(read("returnable_lines")),
    "seasonality": lambda read: seasonal_parts(read("monthly_series")),
    "trend_statistics": lambda read: trends(read("monthly_series")),
}


def main(warehouse: Warehouse, tables: list[str]) -> None:
    """Builds the tables, in this order."""
    store, every = tables_of(Configuration.read(), warehouse), models()
    done("start")
    for table in tables:
        if table in every:
            store.publish_model(table, every[table].bound_to(Settings().values()), UNVERSIONED)
        else:
            store.publish_frame(table, BY_PYTHON[table](partial(_read, store, table)), UNVERSIONED)
        done(table)


def _read(store: Tables, table: str, name: str) -> pd.DataFrame:
    """An input of a table, with the columns that its asset reads."""
    asset = next(asset for asset in ASSETS if asset.key.path == [table])
    return store.read_frame(name, asset.node_def.input_def_named(name).metadata.get("columns"))


if __name__ == "__main__":
    main(Warehouse(os.environ["DATABASE_URL"]), sys.argv[1:])
