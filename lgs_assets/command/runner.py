"""Brings the warehouse up to date from the command line: which dumps and tables need work, and the run that does it."""

import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dagster as dg

from lgs_assets.arrivals.inbox import Arrival, Inbox, Listing
from lgs_assets.configuration import Configuration
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.definitions import build_definitions
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.errors import DumpError, LgsError, ServerError
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps
from lgs_assets.warehouse.loading import forget_dump
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.wiring.failures import StepFailure
from lgs_assets.wiring.jobs import RunDumps, load_dumps
from lgs_assets.wiring.left_undone import unbuilt
from lgs_assets.wiring.lineage import built_specs
from lgs_assets.wiring.location import TAGS, add_to_location
from lgs_assets.wiring.lost_runs import attend
from lgs_assets.wiring.partitions import DUMPS, sha256_loaded
from lgs_assets.wiring.resources import Resources
from lgs_assets.wiring.versions import reader
from lgs_assets.wording import counted

POLL_SECONDS = 0.5  # each look at the events takes the interpreter from the run for some milliseconds
EVALUATION = dg.DagsterEventType.ASSET_CHECK_EVALUATION
STEP_FAILURE = dg.DagsterEventType.STEP_FAILURE


@dataclass(frozen=True)
class Step:
    """A step of a run as it begins or ends: `name` is an asset, or `check_` and an asset."""

    name: str
    seconds: float | None
    """How long it took; None while it runs."""


@dataclass(frozen=True)
class Outcome:
    """What was done: the dumps loaded, the tables rebuilt, and the checks that did not hold."""

    loaded: list[str]
    refused: list[str]
    """Why each dump that failed could not be loaded."""
    remarks: list[str]
    """What a person should know of the dumps that were loaded."""
    rebuilt: list[str]
    failed_checks: list[dg.AssetCheckEvaluation]


@dataclass(frozen=True)
class Runner:
    """Runs jobs in this process, with the resources of one configuration, and reports their steps to `progress`."""

    configuration: Configuration
    instance: dg.DagsterInstance
    progress: Callable[[Step], None] = lambda step: None

    @cached_property
    def resources(self) -> Resources:
        """The warehouse, the inbox and all else that runs are handed."""
        return Resources.of(self.configuration)

    @cached_property
    def definitions(self) -> dg.Definitions:
        """What there is to run."""
        return build_definitions(self.configuration, **vars(self.resources))

    def bring_up_to_date(self, dump: Path | None = None, *, force: bool = False) -> Outcome:
        """Loads the dump, or whatever is new in the inbox, and rebuilds the tables that this or the settings outdate.

        Without any dump at all it makes the demo dump. What is up to date is left alone unless `force` is given.
        A blocking check that fails ends the work: what is built on its table stays as it was.
        Raises LgsError with the reason if a step fails; the tables are then as they were before that step. A dump that
        cannot be loaded holds up no other, and is part of the outcome.
        """
        ledger = self._ledger()
        current = reader(self.resources.tables)
        readers = {loaded.sha256: loaded.reader for loaded in ledger}
        # Dagster alone knows of a file whose content another one had brought. To ask it takes a query for each.
        loaded_files = {(loaded.dump, loaded.file_version) for loaded in ledger if loaded.reader == current}
        to_consider = self._dumps_to_consider(dump, [loaded.dump for loaded in ledger])
        due = [
            name
            for name, arrival in to_consider.arrivals.items()
            if force
            or (
                (name, arrival.version) not in loaded_files
                and readers.get(sha256_loaded(self.instance, name, arrival.version) or "") != current
            )
        ]
        events, refused = self._ingest(due)
        events_of_twins, refused_twins = self._ingest(self._dumps_orphaned_since(ledger))
        events += events_of_twins
        if stale := self._outdated(force=force):
            if force:  # else a small change would have only its own invoices replaced
                with self.resources.warehouse.transaction() as connection:
                    for table in stale:
                        mark_outdated(connection, table)
            events += self._execute("refresh", tables=stale)
        return _outcome(events, ledger, [*to_consider.refused, *refused, *refused_twins])

    def forget(self, dump: str) -> Outcome:
        """Takes the lines of a dump out again and rebuilds what was built with them. Its file leaves the inbox.

        Half-done, it can be asked for again. Raises LgsError if there is no such dump.
        """
        ledger = self._ledger()
        known = [loaded.dump for loaded in ledger]
        aside = self.resources.inbox.set_aside(dump)
        if not (aside or dump in known or self.instance.has_dynamic_partition(DUMPS, dump)):
            raise LgsError(f"There is no dump {dump}. Loaded: {', '.join(known) or 'none'}.")
        if dump in known:
            forget_dump(self.resources.warehouse, dump)
        self.instance.delete_dynamic_partition(DUMPS, dump)
        events, refused = self._ingest(self._dumps_orphaned_since(ledger))
        if stale := self._outdated(force=False):
            events += self._execute("refresh", tables=stale)
        return _outcome(events, ledger, refused)

    def _ledger(self) -> list[LoadedDump]:
        return loaded_dumps(self.resources.warehouse)

    def _dumps_to_consider(self, dump: Path | None, known: Collection[str]) -> Listing:
        """The dump that is named; else those in the inbox; else, unless there are lines of others, the demo dump."""
        inbox = self.resources.inbox
        if dump:
            if not dump.is_file():
                raise DumpError(f"{dump}: there is no such file.")
            return _only(inbox, inbox.land(dump))
        if (in_inbox := inbox.files()) != Listing() or set(known) - {DEMO_DUMP}:
            return in_inbox
        if not (demo := inbox.path_of(DEMO_DUMP)).exists():
            write_demo_dump(Path(demo.path))
        return _only(inbox, DEMO_DUMP)

    def _ingest(self, names: Iterable[str]) -> tuple[list[dg.DagsterEvent], list[str]]:
        """Loads dumps. Returns the events, and why some could not be loaded; those do not hold up the others."""
        events: list[dg.DagsterEvent] = []
        refused: list[str] = []
        waiting = list(names)
        if len(waiting) > 1:
            self.instance.add_dynamic_partitions(DUMPS, waiting)
            events += self._execute("ingest_many", many=waiting)
            loaded = set(_outcome(events).loaded)
            waiting = [name for name in waiting if name not in loaded]  # each shows by a run of its own what is wrong
        for name in waiting:
            try:
                self.instance.add_dynamic_partitions(DUMPS, [name])
                events += self._execute("ingest", partition=name)
            except DumpError as error:
                refused.append(str(error))
        if events and DEMO_DUMP not in {loaded.dump for loaded in self._ledger()}:
            self.instance.delete_dynamic_partition(DUMPS, DEMO_DUMP)  # a real dump has taken its place
        return events, refused

    def _dumps_orphaned_since(self, ledger: Iterable[LoadedDump]) -> list[str]:
        """The dumps in the inbox whose content another one had brought, which has gone since the ledger was read."""
        gone = {loaded.sha256 for loaded in ledger} - {loaded.sha256 for loaded in self._ledger()}
        arrivals = self.resources.inbox.files().arrivals if gone else {}
        return [
            name for name, arrival in arrivals.items() if sha256_loaded(self.instance, name, arrival.version) in gone
        ]

    def _outdated(self, *, force: bool) -> list[str]:
        """The derived tables to rebuild."""
        if force:
            return [table for spec in built_specs() if (table := spec.key.path[-1]) != RAW_INVOICES]
        return unbuilt(self.instance, self.configuration.settings, self.resources.warehouse)

    def _execute(
        self,
        job: str,
        *,
        partition: str | None = None,
        many: Sequence[str] = (),
        tables: Sequence[str] | None = None,
    ) -> list[dg.DagsterEvent]:
        """Runs a job and returns its events. A failed blocking check ends it early, and is among them.

        A table that fails holds up only what is built on it. Raises LgsError at the end, with what was not rebuilt.
        """
        run_id = str(uuid.uuid4())
        selection = [dg.AssetKey(table) for table in tables] if tables is not None else None
        attend(self.instance, run_id)
        try:
            with _reported(self.instance, run_id, self.progress):
                self.definitions.resolve_job_def(job).execute_in_process(
                    instance=self.instance,
                    partition_key=partition,
                    asset_selection=selection,
                    run_id=run_id,
                    tags=TAGS | {"dagster/max_retries": "0"},  # whoever runs the command sees how it ends
                    run_config=dg.RunConfig(
                        ops={load_dumps.name: RunDumps(dumps=list(many))} if many else {},
                        # The progress says it more briefly.
                        loggers={"console": {"config": {"log_level": "CRITICAL"}}},
                    ),
                    raise_on_error=partition is not None,
                )
        except StepFailure as failure:
            raise failure.error from None
        except dg.DagsterError as error:
            if reason := _given_up(self.instance, run_id):
                raise ServerError(reason) from error
            if not any(check.blocking for check in _outcome(_events(self.instance, run_id)).failed_checks):
                raise
        finally:
            add_to_location(self.instance, run_id)
        events = _events(self.instance, run_id)
        if reason := _given_up(self.instance, run_id):
            raise ServerError(reason)
        if tables and (reasons := _reasons(self.instance, run_id, events)):
            if left := sorted(set(tables).difference(_outcome(events).rebuilt)):
                reasons.append(f"Not rebuilt: {', '.join(left)}. lgs run tries again.")
            raise LgsError("\n".join(reasons))
        return events


def _outcome(events: list[dg.DagsterEvent], ledger: Iterable[LoadedDump] = (), refused: Sequence[str] = ()) -> Outcome:
    """What the events say; `ledger` is that of before them."""
    before = {dump.dump: dump for dump in ledger}
    made = [event.step_materialization_data.materialization for event in events if event.is_step_materialization]
    loaded = {materialization.partition: materialization for materialization in made if materialization.partition}
    built = {materialization.asset_key.path[-1] for materialization in made} - {RAW_INVOICES}
    remarks = [remark for name, dump in loaded.items() for remark in _remarks(dump, before.get(name))]
    checks = [event.asset_check_evaluation_data for event in events if event.event_type == EVALUATION]
    # A check may run after each of several loads: what it says at last counts.
    last = {(check.asset_key, check.check_name): check for check in checks}
    failed = [check for check in last.values() if not check.passed]
    return Outcome([*loaded], [*refused], remarks, sorted(built), failed)


def _remarks(dump: dg.AssetMaterialization, earlier: LoadedDump | None) -> Iterator[str]:
    facts = {name: value.value for name, value in dump.metadata.items()}
    if earlier and earlier.sha256 != facts["dump_sha256"]:
        yield (
            f"{dump.partition} takes the place of the dump of this name: {counted(earlier.lines, 'line')}, "
            f"the last of {earlier.last_invoice_at:%Y-%m-%d}."
        )
    if facts["content_of"] != dump.partition:
        yield f"{dump.partition} holds the same as {facts['content_of']}: nothing is loaded twice."
    elif facts["rejected_lines"]:
        lines = int(str(facts["rejected_lines"]))
        are = "is" if lines == 1 else "are"
        yield f"{counted(lines, 'line')} of {dump.partition} {are} rejected: lgs rejects {dump.partition}"
    if currency := str(facts.get("numbers", "")).partition(", in ")[2]:
        yield f"Prices of {dump.partition} are in {currency}. Nothing is converted: all figures are shown in pounds."
    for what in ("columns", "sheets", "tables"):
        if left_out := facts.get(f"{what} left out"):
            yield f"{what.capitalize()} of {dump.partition} that are left out: {left_out}"


def _only(inbox: Inbox, dump: str) -> Listing:
    return Listing({dump: Arrival(inbox.version_of(dump), is_marked=True)})


def _given_up(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """Why a step of the run was given up after it had been tried again; None if none was."""
    tried_again = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    failed = {entry.get_dagster_event().step_key for entry in instance.all_logs(run_id, of_type=STEP_FAILURE)}
    for entry in reversed(tried_again):
        event = entry.get_dagster_event()
        if event.step_key in failed and (error := event.step_retry_data.error) and error.cause:
            attempts = counted(len(tried_again), "more attempt")
            return f"{event.step_key}: given up after {attempts}: {error.cause.message.strip()}"
    return None


def _reasons(instance: dg.DagsterInstance, run_id: str, events: Iterable[dg.DagsterEvent]) -> list[str]:
    """Why steps of the run failed, but for those whose blocking checks do not hold, as its events say."""
    evaluated = [event for event in events if event.event_type == EVALUATION]
    blocked = {event.step_key for event in evaluated if not event.asset_check_evaluation_data.passed}
    failed = [entry.get_dagster_event() for entry in instance.all_logs(run_id, of_type=STEP_FAILURE)]
    return [
        (data.user_failure_data and data.user_failure_data.description)
        or f"{event.step_key}: {data.error_display_string}"
        for event in failed
        if event.step_key not in blocked and (data := event.step_failure_data)
    ]


def _events(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION, EVALUATION}
    return [entry.get_dagster_event() for entry in instance.all_logs(run_id, of_type=kinds)]


@contextmanager
def _reported(instance: dg.DagsterInstance, run_id: str, progress: Callable[[Step], None]) -> Iterator[None]:
    """Reports the steps of the run while the block executes it, from the events that Dagster records."""
    done = threading.Event()
    seen: str | None = None

    def report() -> None:
        nonlocal seen
        kinds = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS}
        new = instance.get_records_for_run(run_id, seen, kinds)
        seen = new.cursor
        for record in new.records:
            event = record.event_log_entry.get_dagster_event()
            ended = event.event_type == dg.DagsterEventType.STEP_SUCCESS
            if event.step_key:
                progress(Step(event.step_key, event.step_success_data.duration_ms / 1000 if ended else None))

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            report()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        report()
