"""The platform's own functions: every table of what happened, on the lines of a warehouse. Arguments: the tables."""

import os
import sys
from collections.abc import Callable
from typing import Any

import pandas as pd

from benchmarks.peers.common import done
from benchmarks.peers.platform import UNVERSIONED
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.models.baskets import bought_together
from lgs_assets.models.returns import match_returns
from lgs_assets.models.trend import seasonal_parts, trends
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.lineage import ASSETS, models
from lgs_assets.wiring.resources import tables_of

BY_PYTHON: dict[str, Callable[..., pd.DataFrame]] = {
    "product_pairs": lambda lines, codes: bought_together(lines, codes, support=Settings().pair_support),
    "return_matches": match_returns,
    "seasonality": seasonal_parts,
    "trend_statistics": trends,
}


def main(warehouse: Warehouse, tables: list[str]) -> None:
    """Builds the tables, in this order."""
    store, every = tables_of(Configuration.read(), warehouse), models()
    assets: dict[str, Any] = {asset.key.path[-1]: asset for asset in ASSETS}
    done("start")
    for table in tables:
        if table in every:
            store.publish_model(table, every[table].bound_to(Settings().values()), UNVERSIONED)
        else:
            inputs = {
                name: assets[table].node_def.input_def_named(name).metadata.get("columns")
                for name in assets[table].keys_by_input_name
            }
            read = [store.read_frame(name, only) for name, only in inputs.items()]
            store.publish_frame(table, BY_PYTHON[table](*read), UNVERSIONED)
        done(table)


if __name__ == "__main__":
    main(Warehouse(os.environ["DATABASE_URL"]), sys.argv[1:])
