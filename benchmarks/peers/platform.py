"""The platform's own functions: load, publish. Without its orchestrator, checks, metadata and charts."""

import os
import sys
from pathlib import Path

import pandas as pd

from benchmarks.peers.common import PLAYBOOK, done, in_order
from lgs_assets.configuration import Configuration, Settings
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.wiring.lineage import models
from lgs_assets.wiring.resources import tables_of

UNVERSIONED = Provenance("0" * 64, "0" * 64, {})


def main(warehouse: Warehouse, dumps: list[Path]) -> None:
    """Loads the dumps, and builds every table from them and from dumps loaded before."""
    warehouse.prepare()
    store = tables_of(Configuration.read(), warehouse)
    done("start")
    for dump in dumps:
        store.load_dump(DumpFile(dump, dump.name))
    done("raw_invoices")
    store.publish_frame(PLAYBOOK.stem, pd.read_csv(PLAYBOOK), UNVERSIONED)
    every = models()
    for table in in_order():
        store.publish_model(table, every[table].bound_to(Settings().values()), UNVERSIONED)
        done(table)


if __name__ == "__main__":
    main(Warehouse(os.environ["DATABASE_URL"]), [Path(dump) for dump in sys.argv[1:]])
