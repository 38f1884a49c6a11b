"""What assets, checks and sensors are handed: the warehouse and its tables, and the inbox."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import dagster as dg
from pydantic import Field
from upath import UPath

from lgs_assets import project
from lgs_assets.arrivals import inbox
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.errors import LgsError
from lgs_assets.places import open_place
from lgs_assets.sources import DateOrder
from lgs_assets.warehouse.database import Warehouse, database_url
from lgs_assets.warehouse.loading import REJECT_LIMIT, DumpFile
from lgs_assets.warehouse.tables import PostgresTables, Tables

ENGINES = ("postgres", "duckdb", "spark")


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

    def tables(self) -> Tables:
        """The tables, in the warehouse and where LGS_ENGINE and LGS_LAKE say."""
        return configured_tables(self.get())


def configured_tables(warehouse: Warehouse) -> Tables:
    """The store that LGS_ENGINE and LGS_LAKE name. Raises LgsError if there is no such engine, or no such place."""
    name = project.engine()
    if name == "postgres":
        return PostgresTables(warehouse)
    if name not in ENGINES:
        raise LgsError(f"LGS_ENGINE: expected one of {', '.join(ENGINES)}; found {name}.")
    from lgs_assets.lake.engine import engine  # here: without a lake none of this is needed
    from lgs_assets.lake.place import Place
    from lgs_assets.lake.tables import LakeTables

    return LakeTables(warehouse, Place(project.lake()), engine(name))


class Inbox(dg.ConfigurableResource):
    """Where dumps arrive: a folder or a bucket. A dump's file name is its partition key.

    Each method raises LgsError if the inbox is out of reach, and DumpError for what is wrong with one file.
    """

    location: str = Field(
        default_factory=project.inbox, description="A folder or the URL of a bucket: LGS_INBOX, or .lgs/inbox."
    )

    reject_limit: float = Field(
        default_factory=lambda: cast("Any", os.environ.get("LGS_REJECT_LIMIT") or REJECT_LIMIT),
        validate_default=True,
        ge=0,
        le=1,
        description="The share of a dump's lines that may be rejected: LGS_REJECT_LIMIT, or 0.01.",
    )
    date_order: Literal["shown", "day first", "month first"] = Field(
        default_factory=lambda: cast("Any", os.environ.get("LGS_DATE_ORDER") or "shown"),
        validate_default=True,
        description="How to read dates like 03/04/2011 in a dump in which no date shows it: LGS_DATE_ORDER. "
        "shown: such a dump is refused.",
    )

    @property
    def dates(self) -> DateOrder | None:
        """The order of dates in a dump that does not show it, None to refuse it."""
        return None if self.date_order == "shown" else self.date_order

    @property
    def _place(self) -> UPath:
        return open_place(self.location, variable=inbox.VARIABLE)

    def prepare(self) -> None:
        """Creates the folder, for people to find. A bucket is not ours to create."""
        if not (place := self._place).protocol:
            place.mkdir(parents=True, exist_ok=True)

    def files(self) -> inbox.Listing:
        """What lies in the inbox, from one look at its directory."""
        return inbox.listing(self._place)

    def path_of(self, dump: str) -> UPath:
        """Where the dump of this name lies. The demo dump has its own place: it must never mix with real ones."""
        if dump == DEMO_DUMP:
            return UPath(project.state() / "demo" / dump)
        return inbox.path_of(self._place, dump)

    def dump(self, name: str) -> DumpFile:
        """The dump of this name as it now lies here, and how it is to be read and judged."""
        path = self.path_of(name)
        return DumpFile(
            path,  # type: ignore[arg-type] # a UPath has all that reading needs of a Path
            name,
            # Noted before the file is read: one that is replaced meanwhile is another version, and is loaded again.
            version=inbox.version_of(path),
            reject_limit=self.reject_limit,
            dates=self.dates,
            # Synthetic lines and real ones must never add up: the first real dump takes the demo's place.
            supersedes=None if name == DEMO_DUMP else DEMO_DUMP,
        )

    def land(self, file: Path) -> str:
        """Copies a file into the inbox, where it appears complete or not at all. Returns its name there."""
        inbox.land(file, self.path_of(file.name))
        return file.name

    def set_aside(self, dump: str) -> UPath | None:
        """Moves a dump to the folder `forgotten` of the inbox. Returns where it lies then; None if it was not there."""
        return inbox.set_aside(self.path_of(dump))
