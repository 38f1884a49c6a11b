"""pandas done well: nothing is read back, money is rounded to exact places, and tables are written by COPY."""

import io
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg

from benchmarks.peers import pandas_tables as tables
from benchmarks.peers.common import copy_block, done

ROWS_AT_ONCE = 100_000


def main(connection: psycopg.Connection, dump: Path) -> None:
    """The whole job, in one transaction."""
    with copy_block(dump) as stream:
        raw = tables.read_lines(stream, dump.name)
    raw["customer_id"] = raw["customer_id"].astype("Int32")
    save(connection, "raw_invoices", raw)
    clean = save(connection, "clean_invoices", tables.clean_invoices(raw))
    save(connection, "monthly_metrics", tables.monthly_metrics(clean))
    save(connection, "user_activity", tables.user_activity(clean))
    amounts = save(connection, "invoice_amounts", tables.invoice_amounts(clean))
    save(connection, "invoice_amount_statistics", tables.invoice_amount_statistics(amounts))
    scores = save(connection, "rfm_scores", tables.rfm_scores(clean))
    segments = save(connection, "segments", tables.segments(scores, clean))
    save(connection, "segment_summary", tables.segment_summary(segments))


def save(connection: psycopg.Connection, table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Creates and fills the table. Returns the frame as written: six places are exact, and more are noise."""
    frame = frame.round(dict.fromkeys(frame.select_dtypes("float"), 6))
    columns = ", ".join(f"{name} {_type(frame[name].dtype)}" for name in frame)
    connection.execute(f"create table {table} ({columns})".encode())
    with connection.cursor().copy(f"copy {table} from stdin (format csv, freeze)".encode()) as copy:
        for first in range(0, len(frame), ROWS_AT_ONCE):
            text = io.StringIO()
            frame.iloc[first : first + ROWS_AT_ONCE].to_csv(text, header=False, index=False)
            copy.write(text.getvalue())
    done(table)
    return frame


def _type(dtype: Any) -> str:
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "bigint"
    if pd.api.types.is_float_dtype(dtype):
        return "numeric"
    return "timestamp" if pd.api.types.is_datetime64_any_dtype(dtype) else "text"


if __name__ == "__main__":
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        done("start")
        main(connection, Path(sys.argv[1]))
