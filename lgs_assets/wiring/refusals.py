"""The dumps that could not be loaded, which the Dagster UI shows as failed partitions, and why."""

from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.wiring.lost_runs import was_killed
from lgs_assets.wiring.partitions import DUMPS, dumps


@dataclass(frozen=True)
class Refusal:
    """A dump whose last load failed."""

    dump: str
    reason: str
    since: datetime | None
    """When that load ended; None if its run is no longer known."""


def refusals(instance: dg.DagsterInstance) -> list[Refusal]:
    """The dumps whose last load failed, in alphabetical order."""
    names = sorted(instance.get_dynamic_partitions(DUMPS))
    states = instance.get_status_by_partition(dg.AssetKey(RAW_INVOICES), names, dumps) or {}
    return [_refusal(instance, name) for name in names if (state := states.get(name)) and state.value == "FAILED"]


def _refusal(instance: dg.DagsterInstance, dump: str) -> Refusal:
    failed = dg.RunsFilter(tags={"dagster/partition": dump}, statuses=[dg.DagsterRunStatus.FAILURE])
    for record in instance.get_run_records(failed, limit=1):
        ended = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else None
        if was_killed(record.dagster_run):
            return Refusal(dump, "The process that loaded it was killed. Was there enough memory?", ended)
        return Refusal(dump, _reason(instance, record.dagster_run.run_id), ended)
    return Refusal(dump, "Its run is no longer known; lgs inspect says what is wrong with the file.", None)


def _reason(instance: dg.DagsterInstance, run_id: str) -> str:
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        failure = entry.get_dagster_event().step_failure_data
        if failure.user_failure_data and failure.user_failure_data.description:
            return str(failure.user_failure_data.description)
        if failure.error:
            return str((failure.error.cause or failure.error).message).strip()
    return "Its run ended early."
