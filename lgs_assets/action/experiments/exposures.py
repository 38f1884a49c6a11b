"""Whom lists reached while their purchases counted, as a table: by the answers of destinations until it is built."""

import pandas as pd

from lgs_assets.action.experiments.state import EXPOSURES
from lgs_assets.warehouse.database import Warehouse


def exposed(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of the table `exposures`: one an experiment, customer, destination, audience and period."""
    names = ["experiment", "customer_id", "arm", "destination", "audience", "period", "reached_at"]
    rows = [tuple(row.values()) for row in warehouse.rows(EXPOSURES)]
    return pd.DataFrame(rows, columns=names).astype({"customer_id": "int64", "reached_at": "datetime64[us, UTC]"})
