"""How assets are kept: each in the table of its name, published as a whole or not at all."""

import time
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
from upath import UPath

from lgs_assets.contracts.model import Model, Relation
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.frames import publish_frame
from lgs_assets.warehouse.publish import Provenance
from lgs_assets.warehouse.tables import Store
from lgs_assets.wiring.metadata import describe_table
from lgs_assets.wiring.resources import RunAcceptance, RunSettings
from lgs_assets.wiring.retries import retried
from lgs_assets.wiring.versions import bound_settings, published_versions, reader, rules_of, tables_read, version_of


class WarehouseIOManager(dg.IOManager):
    """Persists what an asset returns in the table of the asset's name, and hands it to those that read it.

    | returned | kept as |
    |---|---|
    | `Model` | the rows of its SELECT, made where the lines are |
    | `pandas.DataFrame` | its rows, by COPY |
    | path of a dump | the partition of the asset's table that the partition key names |

    An input annotated `Relation` is handed over by name and stays where it is. Any other is loaded as a DataFrame;
    `dg.AssetIn(metadata={"columns": [...]})` loads only the named columns.
    """

    def __init__(self, tables: Store, settings: RunSettings, acceptance: RunAcceptance) -> None:
        self.tables = tables
        self.settings = settings
        self.acceptance = acceptance
        self._versions_read: dict[str, str] = {}

    def handle_output(self, context: dg.OutputContext, obj: Model | pd.DataFrame | Path | UPath) -> None:
        """Writes the table in one transaction. Raises ContractError or DumpError, which leave the old one in place."""
        with retried():
            self._write(context, obj)

    def _write(self, context: dg.OutputContext, obj: Model | pd.DataFrame | Path | UPath) -> None:
        table = context.asset_key.path[-1]
        store = self.tables
        began = time.perf_counter()
        facts: dict[str, Any] = {}
        if isinstance(obj, Path | UPath):
            facts = self._load(context, obj)
        else:
            inputs = {name: self._versions_read[name] for name in tables_read(context.asset_spec)}
            version = version_of(context.asset_spec, self.settings, inputs)
            settings = bound_settings(table, self.settings)
            provenance = Provenance(version, rules_of(context.asset_spec, self.settings), settings)
            if isinstance(obj, Model):
                obj = obj.bound_to(self.settings.values())
                store.publish_model(table, obj, provenance)
            else:
                publish_frame(store.warehouse, table, obj, provenance)
        facts["write_seconds"] = round(time.perf_counter() - began, 3)
        model = obj if isinstance(obj, Model) else None
        context.add_output_metadata(describe_table(store, table, model=model) | facts)

    def _load(self, context: dg.OutputContext, path: Path | UPath) -> dict[str, Any]:
        """Loads the dump of the partition. Returns what there is to know of it."""
        name = context.partition_key
        dump = self.tables.load_dump(
            path,  # type: ignore[arg-type] # a UPath has all that reading needs of a Path
            name=name,
            run=context.run_id,
            reader=reader(self.tables),
            # Synthetic lines and real ones must never add up: the first real dump takes the demo's place.
            retired=None if name == DEMO_DUMP else DEMO_DUMP,
            reject_limit=self.acceptance.reject_limit,
            dates=self.acceptance.dates,
        )
        for what in ("columns left out", "sheets left out"):
            if what in dump.facts:
                context.log.warning(f"{name}, {what}: {dump.facts[what]}")
        return {
            "dagster/row_count": dump.lines if dump.dump == name else 0,
            "dump_sha256": dump.sha256,
            "dump_bytes": dump.bytes,
            "dump_format": dump.format,
            "dump_lines": dump.lines,
            "rejected_lines": dump.rejected,
            "content_of": dump.dump,
            "first_invoice_at": str(dump.first_invoice_at),
            "last_invoice_at": str(dump.last_invoice_at),
        } | {fact: value for fact, value in dump.facts.items() if fact != "format"}

    def load_input(self, context: dg.InputContext) -> Relation | pd.DataFrame:
        """The table as the annotation of the input asks for it."""
        with retried():
            return self._read(context)

    def _read(self, context: dg.InputContext) -> Relation | pd.DataFrame:
        table = context.asset_key.path[-1]
        # Noted before the rows are read: a table that is replaced meanwhile makes what is built from it outdated.
        self._versions_read[table] = published_versions(self.tables.warehouse).get(table, "")
        if context.dagster_type.typing_type is Relation:
            return Relation(table)
        dumps = context.asset_partition_keys if context.has_asset_partitions else None
        columns = context.definition_metadata.get("columns")
        return self.tables.read_frame(table, columns, dumps=dumps)


# Not a ConfigurableIOManager: resources nested in one keep the values of the definitions, not those of the launchpad.
@dg.io_manager(required_resource_keys={"tables", "settings", "acceptance"})
def warehouse_io_manager(context: dg.InitResourceContext) -> WarehouseIOManager:
    """The IO manager with the resources of the run."""
    return WarehouseIOManager(context.resources.tables, context.resources.settings, context.resources.acceptance)
