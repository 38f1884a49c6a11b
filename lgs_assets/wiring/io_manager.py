"""How assets are stored: each in the table of its name, published completely or not at all."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import dagster as dg
import pandas as pd

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.warehouse.ledger import LoadedDump
from lgs_assets.warehouse.loading import DumpFile
from lgs_assets.warehouse.publish import Provenance, keep
from lgs_assets.warehouse.tables import Tables
from lgs_assets.wiring.ahead import Ahead, building_ahead
from lgs_assets.wiring.computation import Computation
from lgs_assets.wiring.drawings import Drawings
from lgs_assets.wiring.failures import plain_failures
from lgs_assets.wiring.metadata import describe_dump, describe_provenance, describe_table, described
from lgs_assets.wiring.resources import RunSettings
from lgs_assets.wiring.retries import retried
from lgs_assets.wiring.versions import (
    published_version,
    read_frame,
    reader,
    recorded_settings,
    rules_of,
    version_of,
    versions_read,
)

Output = Model | pd.DataFrame | Computation | DumpFile


def load(tables: Tables, file: DumpFile, *, run: str, warn: Callable[[str], None]) -> LoadedDump:
    """Loads a dump, and warns about what it holds besides its lines. See `Tables.load_dump`."""
    loaded = tables.load_dump(file, run=run, reader=reader(tables))
    for what in ("columns left out", "files left out", "sheets left out", "tables left out"):
        if what in loaded.facts:
            warn(f"{file.name}, {what}: {loaded.facts[what]}")
    return loaded


class WarehouseIOManager(dg.IOManager):
    """Stores what an asset returns in the table of the asset's name, and hands it to the assets that read it.

    | returned | stored as |
    |---|---|
    | `Model` | the rows of its SELECT, computed where the lines are |
    | `pandas.DataFrame` | its rows, by COPY |
    | `Computation` | the rows of the frame that it makes, unless it is given just what those that are there come from |
    | `DumpFile` | the partition of the asset's table that the dump names |

    An input annotated `Relation` is handed over by name and stays where it is. Any other is loaded as a DataFrame;
    `dg.AssetIn(metadata={"columns": [...]})` loads only the named columns. Both carry the version that was read.
    """

    def __init__(self, tables: Tables, settings: RunSettings, ahead: Ahead, drawings: Drawings) -> None:
        self.tables = tables
        self.settings = settings
        self.ahead = ahead
        self.drawings = drawings

    def handle_output(self, context: dg.OutputContext, obj: Output) -> None:
        """Writes the table in one transaction. Raises StepFailure, which leaves the old one in place."""
        with plain_failures(), retried():
            self._write(context, obj)

    def load_input(self, context: dg.InputContext) -> Relation | pd.DataFrame:
        """The table in the form that the input's annotation asks for."""
        with plain_failures(), retried():
            return self._read(context)

    def _write(self, context: dg.OutputContext, obj: Output) -> None:
        table = context.asset_key.path[-1]
        began = time.perf_counter()
        descriptions: list[Callable[[], dict[str, Any]]] = []
        match obj:
            case DumpFile():
                loaded = load(self.tables, obj, run=context.run_id, warn=context.log.warning)
                descriptions.append(partial(describe_dump, obj, loaded))
            case Model():
                obj, provenance = obj.bound_to(self.settings.values()), self._provenance(context, obj)
                with self.ahead.built(table, obj) as built:
                    if built:
                        began = time.perf_counter() - built.seconds
                        built.take_its_place(provenance)
                    else:
                        self.tables.publish_model(table, obj, provenance)
                descriptions.append(partial(describe_provenance, provenance))
            case pd.DataFrame():
                provenance = self._provenance(context, obj)
                self.tables.publish_frame(table, obj, provenance)
                descriptions.append(partial(describe_provenance, provenance))
            case Computation():
                provenance = replace(self._provenance(context, obj), given=obj.digest)
                if keep(self.tables.warehouse, table, provenance):
                    descriptions.append(lambda: {"rows": "kept, since what they are computed from has not changed"})
                else:
                    self.tables.publish_frame(table, obj.frame, provenance)
                descriptions.append(partial(describe_provenance, provenance))
                if describe := obj.described:
                    descriptions.append(lambda: describe(self.tables.read_frame(table)))
        self.ahead.written(table)
        self.drawings.written(table)
        metadata: dict[str, Any] = {"write_seconds": round(time.perf_counter() - began, 3)}
        model = obj if isinstance(obj, Model) else None
        descriptions.append(partial(describe_table, self.tables, table, model=model))
        for description in descriptions:
            metadata |= described(table, description, context.log.warning)
        context.add_output_metadata(metadata)

    def _provenance(self, context: dg.OutputContext, obj: Model | pd.DataFrame | Computation) -> Provenance:
        spec = context.asset_spec
        version = version_of(spec, self.settings, versions_read(spec, obj))
        return Provenance(version, rules_of(spec, self.settings), recorded_settings(spec, self.settings))

    def _read(self, context: dg.InputContext) -> Relation | pd.DataFrame:
        table = context.asset_key.path[-1]
        if context.dagster_type.typing_type is Relation:
            return Relation(table, published_version(self.tables.warehouse, table))
        dumps = context.asset_partition_keys if context.has_asset_partitions else None
        return read_frame(self.tables, table, context.definition_metadata.get("columns"), dumps=dumps)


# Not a ConfigurableIOManager: settings nested in one are those of the definitions, not of the launchpad. Nested with
# `configure_at_launch` they do reach a run, but `Definitions.load_asset_value` does not find them and fails.
@dg.io_manager(required_resource_keys={"tables", "settings", "drawings"})  # type: ignore[arg-type]  # may yield, as any resource
def warehouse_io_manager(context: dg.InitResourceContext) -> Iterator[WarehouseIOManager]:
    """The IO manager with the resources of the run."""
    given = context.resources
    with building_ahead(given.tables, given.settings, context.run) as ahead:
        yield WarehouseIOManager(given.tables, given.settings, ahead, given.drawings)
