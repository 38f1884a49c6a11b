"""Tables of the platform into pandas, by the platform's own function."""

import os

from benchmarks.peers.common import done
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame

if __name__ == "__main__":
    warehouse = Warehouse(os.environ["DATABASE_URL"])
    warehouse.rows("select 1")
    done("start")
    for table in ("clean_invoices", "rfm_scores"):
        read_frame(warehouse, table)
        done(table)
