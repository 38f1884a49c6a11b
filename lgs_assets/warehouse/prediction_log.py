"""The log of predictions: each is kept once, as it was made, and never changed."""

import pandas as pd
import pyarrow as pa
from psycopg import sql

from lgs_assets.contracts.declaration import columns
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import copy_rows, frame_of_rows
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import driver_cursor

LOG = "prediction_log"

_HELD = """
    select
        task, as_of, model, model_version, count(*) as predictions, min(made_at) as made_at,
        min(window_until) as judged_from
    from prediction_log
    group by task, as_of, model, model_version
    order by task, as_of, model, model_version
"""


def keep(warehouse: Warehouse, predictions: pd.DataFrame) -> None:
    """Adds predictions with the columns of the log but `made_at`, which is now; those that are there stay."""
    names = [column.name for column in columns(LOG) if column.name != "made_at"]
    rows = pa.table({name: pa.array(predictions[name], from_pandas=True) for name in names})
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, LOG)
        added = sql.Identifier("added_predictions")
        cursor.execute(
            sql.SQL("create temporary table {} on commit drop as select {} from {} limit 0").format(
                added, listed, sql.Identifier(LOG)
            )
        )
        copy_rows(cursor, added, rows)
        cursor.execute(
            sql.SQL("insert into {} ({}, made_at) select {}, now() from {} on conflict do nothing").format(
                sql.Identifier(LOG), listed, listed, added
            )
        )


def held(warehouse: Warehouse) -> pd.DataFrame:
    """What the log holds: one row a task, moment, model and version."""
    return frame_of_rows("logged_predictions", warehouse.rows(_HELD))
