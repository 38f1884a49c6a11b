"""The inbox sensor, tick by tick, on a real instance and real files."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from lgs_assets.definitions import build_definitions
from lgs_assets.resources import Inbox
from lgs_assets.sensors import inbox_sensor
from lgs_assets_tests.builders import Line, write_dump


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lgs" / "inbox"


def tick(instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"inbox": Inbox()}, definitions=build_definitions()
    )
    result = inbox_sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def requested(result: dg.SensorResult) -> list[str]:
    return [request.partition_key for request in result.run_requests or []]


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
    assert third.dynamic_partitions_requests[0].partition_keys == ["march.sql"]


def test_a_changed_file_is_another_request(instance: dg.DagsterInstance, folder: Path) -> None:
    """The run key holds the version of the file: the same one is not loaded twice, a new one is."""
    dump = write_dump(folder / "march.sql", [Line()])
    state = tick(instance, None).cursor
    (one,) = tick(instance, state).run_requests
    (same,) = tick(instance, state).run_requests
    write_dump(dump, [Line(), Line()])
    state = tick(instance, state).cursor
    (other,) = tick(instance, state).run_requests
    assert one.run_key == same.run_key != other.run_key


def test_other_files_are_left_alone(instance: dg.DagsterInstance, folder: Path) -> None:
    """Hidden and temporary names, folders and what is no dump."""
    for name in (".march.sql", "march.sql.part", "notes.txt"):
        write_dump(folder / name, [Line()])
    (folder / "folder.sql").mkdir()
    assert json.loads(tick(instance, None).cursor) == {}


def test_what_the_command_line_loaded_is_not_loaded_again(
    warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """A file of which the last load of its partition was this version needs no run, until it changes."""
    dump = write_dump(folder / "march.sql", [Line()])
    instance.add_dynamic_partitions("dumps", ["march.sql"])
    job = build_definitions().resolve_job_def("ingest")
    assert job.execute_in_process(instance=instance, partition_key="march.sql").success
    state = tick(instance, None).cursor
    assert requested(tick(instance, state)) == []
    os.utime(dump)
    state = tick(instance, state).cursor
    assert requested(tick(instance, state)) == ["march.sql"]


def test_a_vanished_file_is_no_reason_to_do_anything(instance: dg.DagsterInstance, folder: Path) -> None:
    """Its lines stay in the warehouse; the sensor forgets the file."""
    dump = write_dump(folder / "march.sql", [Line()])
    state = tick(instance, None).cursor
    dump.unlink()
    result = tick(instance, state)
    assert requested(result) == []
    assert json.loads(result.cursor) == {}
