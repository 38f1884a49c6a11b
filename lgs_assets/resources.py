"""What assets, checks and sensors are handed: the warehouse and the inbox."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

import dagster as dg
from pydantic import Field
from upath import UPath

from lgs_assets import inbox, project
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.sources import DateOrder
from lgs_assets.store import Store, configured_store
from lgs_assets.warehouse.database import Warehouse, database_url
from lgs_assets.warehouse.dumps import REJECT_LIMIT


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

    def store(self) -> Store:
        """The tables, in the warehouse and where LGS_ENGINE and LGS_LAKE say."""
        return configured_store(self.get())


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
        description="How to read dates like 03/04/2011, whatever a dump shows: LGS_DATE_ORDER. shown: as the dump "
        "shows, and one that does not is refused.",
    )

    @property
    def dates(self) -> DateOrder | None:
        """The order of day and month in a dump, None to go by what it shows."""
        return None if self.date_order == "shown" else self.date_order

    def prepare(self) -> None:
        """Makes the folder, for people to find. A bucket is not ours to make."""
        if not (place := inbox.place(self.location)).protocol:
            place.mkdir(parents=True, exist_ok=True)

    def files(self) -> inbox.Listing:
        """What lies in the inbox, from one look at its directory."""
        return inbox.listing(inbox.place(self.location))

    def path_of(self, dump: str) -> UPath:
        """Where the dump of this name lies. The demo dump has its own place: it must never mix with real ones."""
        if dump == DEMO_DUMP:
            return UPath(project.state() / "demo" / dump)
        return inbox.path_of(inbox.place(self.location), dump)

    def land(self, file: Path) -> str:
        """Copies a file into the inbox, where it appears complete or not at all. Returns its name there."""
        inbox.land(file, self.path_of(file.name))
        return file.name

    def set_aside(self, dump: str) -> UPath | None:
        """Moves a dump to the folder `forgotten` of the inbox. Returns where it lies then; None if it was not there."""
        return inbox.set_aside(self.path_of(dump))
