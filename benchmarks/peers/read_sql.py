"""Tables of the platform into pandas, by pandas.read_sql."""

import os

import pandas as pd

from benchmarks.peers.common import done
from lgs_assets.warehouse.database import Warehouse

if __name__ == "__main__":
    engine = Warehouse(os.environ["DATABASE_URL"]).engine
    pd.read_sql("select 1", engine)
    done("start")
    for table in ("clean_invoices", "rfm_scores"):
        pd.read_sql(f"select * from {table}", engine)
        done(table)
