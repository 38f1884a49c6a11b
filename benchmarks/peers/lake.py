"""The platform's own functions with the lines in a lake and the models in DuckDB, the results in PostgreSQL."""

import os
import sys
from pathlib import Path

from benchmarks.peers.platform import main
from lgs_assets.warehouse.database import Warehouse

if __name__ == "__main__":
    os.environ["LGS_ENGINE"] = "duckdb"
    main(Warehouse(os.environ["DATABASE_URL"]), [Path(dump) for dump in sys.argv[1:]])
