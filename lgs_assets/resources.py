"""What assets, checks and sensors are handed: the warehouse and the inbox."""

import os
import shutil
from functools import lru_cache
from pathlib import Path

import dagster as dg
from pydantic import Field

from lgs_assets import project
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.database import Warehouse, database_url


@lru_cache(maxsize=8)
def _prepared(url: str) -> Warehouse:
    warehouse = Warehouse(url)
    warehouse.prepare()
    return warehouse


class WarehouseResource(dg.ConfigurableResource):
    """The warehouse of LGS_DATABASE_URL, or of the embedded server. No password passes through run configuration."""

    def get(self) -> Warehouse:
        """The warehouse, connected when it is first used, with its schema in place."""
        return _prepared(database_url())


class Inbox(dg.ConfigurableResource):
    """The folder where dumps arrive. A dump's file name is its partition key."""

    folder: str = Field(default_factory=lambda: str(project.inbox()), description="LGS_INBOX, or .lgs/inbox.")

    def path_of(self, dump: str) -> Path:
        """Where the dump of this name lies. The demo dump has its own place: it must never mix with real ones."""
        if dump == DEMO_DUMP:
            return project.state() / "demo" / dump
        return Path(self.folder, dump)

    def land(self, file: Path) -> str:
        """Copies a file into the inbox, where it appears complete or not at all. Returns its name there."""
        target = self.path_of(file.name)
        if file.resolve() != target.resolve():
            target.parent.mkdir(parents=True, exist_ok=True)
            arriving = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copyfile(file, arriving)
            arriving.replace(target)
        return target.name
