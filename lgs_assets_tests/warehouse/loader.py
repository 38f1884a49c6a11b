"""A process that loads a dump, for tests that kill it. It imports little, and so begins at once."""

from multiprocessing.connection import Connection

from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump


def load_in_process(url: str, dump: DumpFile, ready: Connection) -> None:
    """Loads the dump as soon as it is connected, which it tells."""
    warehouse = Warehouse(url)
    warehouse.rows("select 1")
    ready.send("ready")
    load_dump(warehouse, dump)
