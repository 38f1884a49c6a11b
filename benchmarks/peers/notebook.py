"""The notebook way: three notebooks that read a table with read_sql and write the next ones with to_sql."""

import os
import sys
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from benchmarks.peers import pandas_tables as tables
from benchmarks.peers.common import copy_block, done


def ingest(engine: sa.Engine, dump: Path) -> None:
    """The first notebook."""
    with copy_block(dump) as stream:
        save(engine, "raw_invoices", tables.read_lines(stream, dump.name))


def clean(engine: sa.Engine) -> None:
    """The second."""
    raw = pd.read_sql("select * from raw_invoices order by line_number", engine)
    save(engine, "clean_invoices", tables.clean_invoices(raw))


def analyse(engine: sa.Engine) -> None:
    """The third."""
    clean = pd.read_sql("select * from clean_invoices", engine)
    save(engine, "monthly_metrics", tables.monthly_metrics(clean))
    save(engine, "user_activity", tables.user_activity(clean))
    amounts = tables.invoice_amounts(clean)
    save(engine, "invoice_amounts", amounts)
    save(engine, "invoice_amount_statistics", tables.invoice_amount_statistics(amounts))
    scores = tables.rfm_scores(clean)
    save(engine, "rfm_scores", scores)
    segments = tables.segments(scores, clean)
    save(engine, "segments", segments)
    save(engine, "segment_summary", tables.segment_summary(segments))


def save(engine: sa.Engine, table: str, frame: pd.DataFrame) -> None:
    """As a notebook does it."""
    frame.to_sql(table, engine, if_exists="replace", index=False)
    done(table)


if __name__ == "__main__":
    engine = sa.create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://"))
    done("start")
    ingest(engine, Path(sys.argv[1]))
    clean(engine)
    analyse(engine)
