"""The sensors: new dump files become runs, and rebuilt tables rebuild what follows."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from lgs_assets.jobs import ingest
from lgs_assets.partitions import RAW_INVOICES, dumps
from lgs_assets.resources import Inbox

DUMP_SUFFIXES = (".sql", ".csv", ".sql.gz", ".csv.gz", ".zip")

# Size in bytes and time of the last change in nanoseconds: what tells a version of a file without reading it.
State = tuple[int, int]


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Loads every new or changed dump in the inbox, once it has stayed the same for two ticks.",
)
def inbox_sensor(context: dg.SensorEvaluationContext, inbox: Inbox) -> dg.SensorResult:
    """Registers each complete new file as a partition of raw_invoices and requests its load. Reads no file."""
    before: dict[str, State] = {name: (size, at) for name, (size, at) in json.loads(context.cursor or "{}").items()}
    now = dict(dump_files(Path(inbox.folder)))
    settled = {name: state for name, state in now.items() if before.get(name) == state}
    # The run key lets Dagster ignore what was requested before, so asking for every settled file again is harmless.
    requests = [
        dg.RunRequest(partition_key=name, run_key=f"{name}:{size}:{at}", tags={"lgs/dump": name})
        for name, (size, at) in sorted(settled.items())
        if not _is_loaded(context.instance, name, size, at)
    ]
    if vanished := sorted(set(before) - set(now)):
        context.log.info(f"No longer in the inbox, their lines stay: {', '.join(vanished)}")
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[dumps.build_add_request([request.partition_key or "" for request in requests])],
        cursor=json.dumps(now),
        skip_reason=None if requests else f"Nothing new among {len(now)} files in {inbox.folder}",
    )


keep_current = dg.AutomationConditionSensorDefinition(
    "keep_current",
    target=dg.AssetSelection.all() - dg.AssetSelection.assets(RAW_INVOICES),
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Rebuilds each table after the tables that it is built from.",
)


def dump_files(folder: Path) -> Iterator[tuple[str, State]]:
    """The files that look like dumps and are not being written under a temporary name."""
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        if file.name.lower().endswith(DUMP_SUFFIXES) and not file.name.startswith(".") and file.is_file():
            status = file.stat()
            yield file.name, (status.st_size, status.st_mtime_ns)


def _is_loaded(instance: dg.DagsterInstance, name: str, size: int, modified_ns: int) -> bool:
    """Whether the last load of this dump was of this very file, as `lgs run` leaves it when it lands one."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(RAW_INVOICES), asset_partitions=[name]), limit=1
    ).records
    materialization = records[0].asset_materialization if records else None
    if materialization is None:
        return False
    loaded = materialization.metadata
    seen = tuple(loaded[key].value if key in loaded else None for key in ("dump_bytes", "dump_modified_ns"))
    return seen == (size, str(modified_ns))
