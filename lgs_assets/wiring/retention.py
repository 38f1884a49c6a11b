"""How long Dagster remembers: old runs go, with their events; those that the present state rests on stay."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

import dagster as dg

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_RESULTS = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION}


def delete_old_runs(instance: dg.DagsterInstance, *, finished_before: datetime) -> int:
    """Deletes the runs that finished before a moment, with their events and their steps' output. Returns how many.

    However old, a run stays if it made the latest materialization of an asset or of one of its partitions, or the
    latest result of a check: freshness, automation, sensors and `lgs run` ask for these. So does the last run of each
    partition, which may say why a dump could not be loaded.
    """

    @cache
    def last_run_of(partition: str) -> str:
        (last,) = instance.get_run_records(dg.RunsFilter(tags={"dagster/partition": partition}), limit=1)
        return last.dagster_run.run_id

    @cache
    def maker_of(asset: dg.AssetKey, partition: str | None) -> str:
        partitions = [partition] if partition is not None else None
        records = dg.AssetRecordsFilter(asset, asset_partitions=partitions)
        return instance.fetch_materializations(records, limit=1).records[0].run_id

    @cache
    def judge_of(check: dg.AssetCheckKey) -> str | None:
        record = instance.get_latest_asset_check_evaluation_record(check)
        return record.run_id if record else None

    def needed(run: dg.DagsterRun) -> Iterator[bool]:
        if partition := run.tags.get("dagster/partition"):
            yield last_run_of(partition) == run.run_id
        for entry in instance.all_logs(run.run_id, of_type=_RESULTS):
            event = entry.get_dagster_event()
            if event.is_step_materialization:
                made = event.step_materialization_data.materialization
                yield maker_of(made.asset_key, made.partition) == run.run_id
            else:
                yield judge_of(event.asset_check_evaluation_data.asset_check_key) == run.run_id

    old = instance.get_run_records(dg.RunsFilter(statuses=_FINISHED, updated_before=finished_before))
    runs = [record.dagster_run for record in old if not any(needed(record.dagster_run))]
    for run in runs:
        instance.delete_run(run.run_id)
        instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        # Dagster's SQLite keeps the events of each run in a file, which it empties but does not shrink.
        for file in Path(instance.root_directory, "history", "runs").glob(f"{run.run_id}.db*"):
            file.unlink()
    return len(runs)
