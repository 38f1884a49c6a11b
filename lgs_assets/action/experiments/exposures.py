"""Whom lists reached while their purchases counted, as a table: by the answers of destinations until it is built."""

import pandas as pd

from lgs_assets.action.experiments.state import EXPOSURES
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import frame_of_rows


def exposed(warehouse: Warehouse) -> pd.DataFrame:
    """The rows of the table `exposures`: one an experiment, customer, destination, audience and period."""
    return frame_of_rows("exposures", warehouse.rows(EXPOSURES))
