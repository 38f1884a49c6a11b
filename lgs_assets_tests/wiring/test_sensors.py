"""The inbox sensor, tick by tick, on a real instance and real files."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions, defs
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import forget_dump
from lgs_assets.wiring.jobs import RunDumps, load_dumps
from lgs_assets.wiring.refusals import refusals
from lgs_assets.wiring.sensors import FILES_PER_TICK, inbox_sensor, refused_dumps
from lgs_assets_tests.builders import Line, resources, write_dump


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture(autouse=True)
def _its_own_database(database: str) -> None:
    """Each tick looks into the ledger."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lgs" / "inbox"
    folder.mkdir(parents=True)
    return folder


def tick(instance: dg.DagsterInstance | None, cursor: str | None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources=vars(resources()), definitions=defs)
    result = inbox_sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def requested(result: dg.SensorResult) -> list[str]:
    keys: list[str] = []
    for request in result.run_requests or []:
        many = request.run_config.get("ops", {}).get("load_dumps", {}).get("config", {}).get("dumps", [])
        keys += many or [request.partition_key or ""]
    assert keys == [key for added in result.dynamic_partitions_requests or [] for key in added.partition_keys]
    return keys


def known(result: dg.SensorResult) -> list[str]:
    return list(json.loads(result.cursor or "")["files"])


def test_a_file_is_taken_once_it_stays_the_same(instance: dg.DagsterInstance, folder: Path) -> None:
    """First seen, it may still be growing; unchanged on the next tick, its partition and its load are requested."""
    assert requested(tick(instance, None)) == []
    dump = write_dump(folder / "march.sql", [Line()])
    first = tick(instance, None)
    assert requested(first) == []
    write_dump(dump, [Line(), Line()])
    second = tick(instance, first.cursor)
    assert requested(second) == []
    third = tick(instance, second.cursor)
    assert requested(third) == ["march.sql"]


def test_a_file_renamed_into_place_is_taken(instance: dg.DagsterInstance, folder: Path) -> None:
    """As long as it grows under a temporary name it is nothing; under its own it is a dump like any other."""
    arriving = write_dump(folder / "march.sql.part", [Line()])
    state = tick(instance, None).cursor
    assert requested(tick(instance, state)) == []
    arriving.rename(folder / "march.sql")
    state = tick(instance, state).cursor
    assert requested(tick(instance, state)) == ["march.sql"]


def test_a_marked_file_is_taken_at_once(instance: dg.DagsterInstance, folder: Path) -> None:
    """The marker says that it is complete, and is itself no dump."""
    write_dump(folder / "march.sql", [Line()])
    (folder / "march.sql.done").touch()
    result = tick(instance, None)
    assert requested(result) == ["march.sql"]
    assert known(result) == ["march.sql"]


def test_a_marker_speaks_of_no_later_version(instance: dg.DagsterInstance, folder: Path) -> None:
    """A file written over one that was marked long ago may still be growing."""
    (folder / "march.sql.done").touch()
    os.utime(folder / "march.sql.done", (1, 1))
    write_dump(folder / "march.sql", [Line()])
    assert requested(tick(instance, None)) == []


def test_a_file_without_a_time_is_no_marked_one(instance: dg.DagsterInstance, folder: Path) -> None:
    """Some tools set the time of the last change to the beginning of time."""
    os.utime(write_dump(folder / "march.sql", [Line()]), (0, 0))
    assert requested(tick(instance, None)) == []


def test_a_file_is_requested_once(instance: dg.DagsterInstance, folder: Path) -> None:
    """Whatever became of the run, the cursor remembers. The instance is not asked again about a loaded file."""
    write_dump(folder / "march.sql", [Line()])
    state = tick(instance, tick(instance, None).cursor).cursor
    result = tick(instance, state)
    assert requested(result) == []
    instance.add_dynamic_partitions("dumps", ["march.sql"])
    job = build_definitions(Configuration.read()).resolve_job_def("ingest")
    assert job.execute_in_process(instance=instance, partition_key="march.sql").success
    state = tick(instance, result.cursor).cursor
    assert requested(tick(None, state)) == []  # without an instance, whoever asks it fails


def test_a_file_brings_what_another_one_brought_before_it_changed(
    warehouse: Warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """An archived copy of a rolling file was not loaded twice; it is loaded when the rolling file holds other lines."""
    job = build_definitions(Configuration.read()).resolve_job_def("ingest")
    for name in ("latest.sql", "2011-11.sql"):
        write_dump(folder / name, [Line("1")])
        instance.add_dynamic_partitions("dumps", [name])
        assert job.execute_in_process(instance=instance, partition_key=name).success
    state = tick(instance, tick(instance, None).cursor).cursor
    assert requested(tick(instance, state)) == []
    write_dump(folder / "latest.sql", [Line("1"), Line("2")])
    assert job.execute_in_process(instance=instance, partition_key="latest.sql").success
    state = tick(instance, state).cursor
    assert requested(tick(instance, state)) == ["2011-11.sql"]


def test_the_demo_leaves_the_partitions_once_a_real_dump_is_loaded(
    warehouse: Warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """Not before: a real dump that cannot be loaded takes nothing away."""
    job = build_definitions(Configuration.read()).resolve_job_def("ingest")
    write_dump(Configuration.read().state / "demo" / DEMO_DUMP, [Line("1")])
    write_dump(folder / "march.sql", [Line("2")])
    state = tick(instance, tick(instance, None).cursor).cursor
    for name in (DEMO_DUMP, "march.sql"):
        before = tick(instance, state)
        assert not before.dynamic_partitions_requests
        instance.add_dynamic_partitions("dumps", [name])
        assert job.execute_in_process(instance=instance, partition_key=name).success
    (request,) = tick(instance, state).dynamic_partitions_requests or []
    assert (type(request), request.partition_keys) == (dg.DeleteDynamicPartitionsRequest, [DEMO_DUMP])


def test_a_forgotten_file_that_comes_back_is_loaded(
    warehouse: Warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """The same file with the same time: what counts is that the ledger no longer has its lines."""
    write_dump(folder / "march.sql", [Line()])
    instance.add_dynamic_partitions("dumps", ["march.sql"])
    assert (
        build_definitions(Configuration.read())
        .resolve_job_def("ingest")
        .execute_in_process(instance=instance, partition_key="march.sql")
        .success
    )
    forget_dump(warehouse, "march.sql")
    state = tick(instance, None).cursor
    assert requested(tick(instance, state)) == ["march.sql"]


def test_a_changed_file_is_another_request(instance: dg.DagsterInstance, folder: Path) -> None:
    """The run key holds the version of the file: the same one is not loaded twice, a new one is."""
    dump = write_dump(folder / "march.sql", [Line()])
    state = tick(instance, None).cursor
    (one,) = tick(instance, state).run_requests or []
    (same,) = tick(instance, state).run_requests or []
    write_dump(dump, [Line(), Line()])
    state = tick(instance, state).cursor
    (other,) = tick(instance, state).run_requests or []
    assert one.run_key == same.run_key != other.run_key


def test_a_file_that_comes_back_is_another_request(instance: dg.DagsterInstance, folder: Path) -> None:
    """It was gone when its run wanted to read it; Dagster would ignore the run key that it has seen before."""
    dump = write_dump(folder / "march.sql", [Line()])
    first = tick(instance, tick(instance, None).cursor)
    (one,) = first.run_requests or []
    dump.rename(folder.parent / "march.sql")
    state = tick(instance, first.cursor).cursor
    (folder.parent / "march.sql").rename(dump)
    state = tick(instance, state).cursor
    (again,) = tick(instance, state).run_requests or []
    assert one.partition_key == again.partition_key
    assert one.run_key != again.run_key


def test_what_the_command_line_loaded_is_not_loaded_again(
    warehouse: Warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """A file needs no run if this version was its partition's last load, until it changes."""
    dump = write_dump(folder / "march.sql", [Line()])
    instance.add_dynamic_partitions("dumps", ["march.sql"])
    job = build_definitions(Configuration.read()).resolve_job_def("ingest")
    assert job.execute_in_process(instance=instance, partition_key="march.sql").success
    state = tick(instance, None).cursor
    assert requested(tick(instance, state)) == []
    os.utime(dump)
    state = tick(instance, state).cursor
    assert requested(tick(instance, state)) == ["march.sql"]


def test_a_vanished_file_is_told_and_no_reason_to_do_anything(
    instance: dg.DagsterInstance, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lines stay in the warehouse; the sensor forgets the file."""
    dump = write_dump(folder / "march.sql", [Line()])
    state = tick(instance, None).cursor
    dump.unlink()
    result = tick(instance, state)
    assert requested(result) == known(result) == []
    assert "No longer in the inbox, their lines stay: march.sql" in capsys.readouterr().err


def test_what_is_refused_is_told_once_and_holds_up_nothing(
    instance: dg.DagsterInstance, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning when it is first seen, the reason for a skipped tick from then on; the good file is loaded."""
    write_dump(folder / "march.sql", [Line()])
    (folder / "april.sql").mkdir()
    first = tick(instance, None)
    assert capsys.readouterr().err.count(f"Refused: {folder}/april.sql: is not a file.") == 1
    second = tick(instance, first.cursor)
    assert "Refused" not in capsys.readouterr().err
    assert requested(second) == known(second) == ["march.sql"]
    third = tick(instance, second.cursor)
    assert f"{folder}/april.sql: is not a file." in str(third.skip_reason)


@pytest.mark.parametrize("cursor", ['{"march.sql": [55, 1700000000000000000]}', "not even JSON", '{"files": [1]}'])
def test_a_cursor_of_other_code_starts_afresh(instance: dg.DagsterInstance, folder: Path, cursor: str) -> None:
    """After an upgrade every file counts as new; loaded ones are found loaded."""
    write_dump(folder / "march.sql", [Line()])
    state = tick(instance, cursor)
    assert requested(state) == []
    assert requested(tick(instance, state.cursor)) == ["march.sql"]


def test_hundreds_of_files_are_taken_tick_by_tick(instance: dg.DagsterInstance, folder: Path) -> None:
    """No tick does more than its share, none is slow, and each file is requested once; one run loads a tick's."""
    names = [f"day {day:04}.sql" for day in range(FILES_PER_TICK + 2)]
    for name in names:
        write_dump(folder / name, [Line()])
    state, taken = tick(instance, None).cursor, []
    while True:
        began = time.process_time()
        result = tick(instance, state)
        assert time.process_time() - began < 10  # seconds; Dagster would wait for sixty
        if not requested(result):
            break
        assert len(requested(result)) <= FILES_PER_TICK
        assert len(result.run_requests or []) == 1
        taken += requested(result)
        state = result.cursor
    assert taken == names


def test_the_demo_dump_is_refused(instance: dg.DagsterInstance, folder: Path) -> None:
    """Under its name another file would be loaded: the demo dump in its own place."""
    write_dump(folder / DEMO_DUMP, [Line()])
    write_dump(Configuration.read().state / "demo" / DEMO_DUMP, [Line()])
    state = tick(instance, None).cursor
    result = tick(instance, state)
    assert requested(result) == []
    assert "has the name of the demo dump" in str(result.skip_reason)


def load_many(instance: dg.DagsterInstance, *names: str, **overrides: Any) -> dg.ExecuteInProcessResult:
    """The run that the inbox sensor requests for several dumps."""
    instance.add_dynamic_partitions("dumps", names)
    job = build_definitions(Configuration.read(), **overrides).resolve_job_def("ingest_many")
    config = dg.RunConfig({load_dumps.name: RunDumps(dumps=list(names))})
    return job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)


def load_alone(instance: dg.DagsterInstance, name: str | None) -> dg.ExecuteInProcessResult:
    job = build_definitions(Configuration.read()).resolve_job_def("ingest")
    return job.execute_in_process(instance=instance, partition_key=name, raise_on_error=False)


def follow_up(instance: dg.DagsterInstance, failed: dg.ExecuteInProcessResult) -> list[str | None]:
    """The dumps for which the sensor on failures requests a load of their own."""
    (entry,) = instance.all_logs(failed.run_id, of_type=dg.DagsterEventType.PIPELINE_FAILURE)
    context = dg.build_run_status_sensor_context(
        "refused_dumps", entry.get_dagster_event(), instance, failed.dagster_run
    )
    requests: Any = refused_dumps(context)
    return [request.partition_key for request in requests]


def test_a_dump_refused_among_many_is_a_failed_partition_until_it_loads(
    warehouse: Warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """By its name, with file, line and column, as if it had come alone. The good one beside it is left alone."""
    write_dump(folder / "a.sql", [Line(quantity="seven")])
    write_dump(folder / "b.sql", [Line("b")])
    (folder / "c.sql").write_text("no dump at all")
    failed = load_many(instance, "a.sql", "b.sql", "c.sql")
    names = follow_up(instance, failed)
    assert names == ["a.sql", "c.sql"]
    for name in names:
        load_alone(instance, name)
    assert follow_up(instance, failed) == []  # as after `lgs run`, which has loaded each alone by then
    first, second = refusals(instance)
    assert (first.dump, second.dump) == ("a.sql", "c.sql")
    assert "a.sql: 1 of 1 lines cannot be read" in first.reason
    assert "line 2, column quantity" in first.reason
    assert "c.sql, line 1: no column invoice_no" in second.reason
    write_dump(folder / "a.sql", [Line("a")])
    write_dump(folder / "c.sql", [Line("c")])
    assert load_many(instance, "a.sql", "c.sql").success
    assert refusals(instance) == []


def test_what_fails_for_another_reason_is_no_refusal(instance: dg.DagsterInstance, folder: Path) -> None:
    """Such as a place that cannot be reached: to try each of hundreds of dumps alone would take hours, and in vain."""
    write_dump(folder / "a.sql", [Line()])
    failed = load_many(instance, "a.sql", "b.sql", tables=None)
    assert not failed.success
    assert follow_up(instance, failed) == []
