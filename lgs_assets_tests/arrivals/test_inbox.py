"""The inbox: real folders, and a container of Azurite, the emulator of Azure Storage, on this machine."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from azure.storage.blob import BlobServiceClient
from typer.testing import CliRunner
from upath import UPath

from lgs_assets.arrivals.inbox import Listing
from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.errors import DumpError, LgsError
from lgs_assets.sources.compression import sha256_of, unpacked
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.wiring.failures import StepFailure
from lgs_assets_tests.builders import Line, resources, write_dump
from lgs_assets_tests.wiring.test_sensors import requested, tick


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lgs" / "inbox"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as instance:
        yield instance


# --- a folder ---------------------------------------------------------------------------------------------------------


def test_whatever_lies_there_is_a_dump(folder: Path) -> None:
    """The name says nothing about the format; spaces, umlauts and capitals are as good as any."""
    names = ["MARCH", "März (2).csv", "a dump.xlsx", "retail.parquet", "retail.sql.gz"]
    for name in names:
        write_dump(folder / name, [Line()])
    listing = resources().inbox.files()
    assert list(listing.arrivals) == names
    assert listing.refused == []


@pytest.mark.parametrize(
    "name",
    [
        ".march.sql", "march.sql.tmp", "march.sql.PART", "march.sql.partial", "march.sql.filepart",
        "march.sql.crdownload", "march.sql~", "~$march.xlsx", "march.sql.done",
    ],
)  # fmt: skip
def test_hidden_and_temporary_names_are_passed_over(folder: Path, name: str) -> None:
    """They belong to the program that writes them. They are ignored silently, and nobody can land such a file."""
    file = write_dump(folder / name, [Line()])
    assert resources().inbox.files() == Listing()
    with pytest.raises(DumpError, match="ignores a file of this name"):
        resources().inbox.land(file)


def test_what_is_set_aside_and_an_empty_place_are_nothing(folder: Path) -> None:
    """Neither the inbox's own folder nor a disk's is refused; a place that does not exist yet is not an error."""
    (folder / "forgotten").mkdir()
    (folder / "lost+found").mkdir()
    assert resources().inbox.files() == Listing()
    shutil.rmtree(folder)
    assert resources().inbox.files() == Listing()


def test_the_version_changes_with_the_file(folder: Path) -> None:
    """Another size or another time is another version; a single file has the version that the listing gives."""
    dump = write_dump(folder / "march.sql", [Line()])
    os.utime(dump, ns=(1, 1))
    first = resources().inbox.files().arrivals["march.sql"].version
    assert resources().inbox.version_of("march.sql") == first
    os.utime(dump, ns=(2, 2))
    touched = resources().inbox.files().arrivals["march.sql"].version
    write_dump(dump, [Line(), Line()])
    os.utime(dump, ns=(2, 2))
    assert len({first, touched, resources().inbox.files().arrivals["march.sql"].version}) == 3


@pytest.mark.parametrize("seconds", [1_300_000_000, 0, -(2**31)])
def test_a_dump_is_as_old_as_its_file(folder: Path, seconds: int) -> None:
    """Whatever its time; one that cannot be right is recognised once its lines are known."""
    os.utime(write_dump(folder / "march.sql", [Line()]), (seconds, seconds))
    written_at = resources().inbox.dump("march.sql", resources().acceptance).written_at
    assert written_at == datetime.fromtimestamp(max(seconds, 0), UTC)


def test_what_cannot_be_loaded_is_refused_and_holds_up_nothing(folder: Path, tmp_path: Path) -> None:
    """Folders, links out of the inbox, circular links, pipes, names that cannot be partitions; each with its reason."""
    secret = write_dump(tmp_path / "secret.sql", [Line()])
    write_dump(folder / "good.sql", [Line()])
    (folder / "inside.sql").symlink_to(folder / "good.sql")
    (folder / "folder.sql").mkdir()
    os.mkfifo(folder / "pipe.sql")
    (folder / "out.sql").symlink_to(secret)
    (folder / "circle.sql").symlink_to(folder / "circle.sql")
    (folder / "nowhere.sql").symlink_to(folder / "nothing")
    for name in ("from...to.sql", "two\nlines.sql", os.fsdecode(b"caf\xe9.sql")):
        write_dump(folder / name, [Line()])
    listing = resources().inbox.files()
    assert list(listing.arrivals) == ["good.sql", "inside.sql"]
    reasons = {
        "folder.sql: is not a file", "pipe.sql: is not a file", "nowhere.sql: is not a file",
        "out.sql: leads out of the inbox",
        "circle.sql: cannot be opened", "from...to.sql: three dots", r"two\nlines.sql': the name holds",
        r"caf\udce9.sql': the name holds",
    }  # fmt: skip
    assert len(listing.refused) == len(reasons)
    assert [reason for reason in reasons if not any(reason in refused for refused in listing.refused)] == []


@pytest.mark.parametrize("name", ["out.sql", "../secret.sql", "..", "folder/../../secret.sql"])
def test_no_name_leads_out_of_the_inbox(folder: Path, tmp_path: Path, name: str) -> None:
    """Also not that of a partition which somebody adds in the Dagster UI, or of a link that came after the listing."""
    secret = write_dump(tmp_path / "lgs" / "secret.sql", [Line()])
    (folder / "folder").mkdir()
    (folder / "out.sql").symlink_to(secret)
    with pytest.raises(DumpError, match="leads out of the inbox"):
        resources().inbox.path_of(name)


def test_a_link_in_place_of_a_folder_leads_nothing_away(folder: Path, tmp_path: Path) -> None:
    """An account that may write to the inbox cannot make another put files elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_dump(folder / "march.sql", [Line()])
    (folder / "forgotten").symlink_to(elsewhere)
    with pytest.raises(LgsError, match="out of reach"):
        resources().inbox.set_aside("march.sql")
    assert (folder / "march.sql").exists()
    assert list(elsewhere.iterdir()) == []


def test_a_landed_dump_is_for_its_owner_alone(folder: Path, tmp_path: Path) -> None:
    """It is written under a name that cannot be guessed, follows no link that waits there, and replaces one."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    for name in ("march.sql", f".march.sql.{os.getpid()}"):
        (folder / name).symlink_to(victim)
    dump = write_dump(tmp_path / "elsewhere" / "march.sql", [Line()])
    (folder / "march.sql").unlink()
    resources().inbox.land(dump)
    assert victim.read_text() == "untouched"
    assert (folder / "march.sql").stat().st_mode & 0o777 == 0o600


def test_a_link_that_takes_the_place_of_a_landed_file_is_replaced(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same content elsewhere is not the same dump in the inbox, even if it comes between two looks."""
    landed = write_dump(folder / "march.sql", [Line()])
    dump = write_dump(tmp_path / "elsewhere" / "march.sql", [Line()])
    is_symlink = Path.is_symlink

    def swapped_after_the_look(path: Path) -> bool:
        was_link = is_symlink(path)
        if path == landed and not was_link:
            landed.unlink()
            landed.symlink_to(dump)
        return was_link

    monkeypatch.setattr(Path, "is_symlink", swapped_after_the_look)
    resources().inbox.land(dump)
    monkeypatch.undo()
    assert not landed.is_symlink()
    assert landed.read_text() == dump.read_text()


@pytest.mark.parametrize("swap", ["link", "pipe", "device"])
def test_what_takes_the_place_of_a_file_is_not_read(folder: Path, tmp_path: Path, swap: str) -> None:
    """It was a file when it was looked at. A pipe is not waited for, either."""
    secret = write_dump(tmp_path / "secret.sql", [Line()])
    dump = write_dump(folder / "march.sql", [Line()])
    path = resources().inbox.path_of("march.sql")
    dump.unlink()
    match swap:
        case "link":
            dump.symlink_to(secret)
        case "pipe":
            os.mkfifo(dump)
        case "device":
            dump.symlink_to("/dev/zero")
    with pytest.raises(DumpError, match=r"leads out of its folder|expected a file"):
        sha256_of(Path(path.path))


def test_a_file_that_grows_is_not_read_for_ever(folder: Path) -> None:
    """What was there when it was opened is the limit."""
    dump = write_dump(folder / "march.sql", [Line()])

    def read_while_it_grows() -> None:
        with unpacked(dump) as (_, stream):
            while data := stream.read(1):
                with dump.open("ab") as writer:
                    writer.write(data * (1 << 19))

    with pytest.raises(DumpError, match="grew while it was read"):
        read_while_it_grows()


def test_a_folder_out_of_reach_is_one_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be is an error that a person can act on."""
    write_dump(folder / "march.sql", [Line()])
    monkeypatch.setenv("LGS_INBOX", str(folder / "march.sql"))
    with pytest.raises(LgsError, match=r"march\.sql: out of reach: Not a directory\. Check LGS_INBOX"):
        resources().inbox.files()


def test_a_landed_file_appears_complete(folder: Path, tmp_path: Path) -> None:
    """Under its own name, in place of an earlier one; what cannot be copied leaves nothing behind."""
    write_dump(folder / "march.sql", [Line(), Line()])
    dump = write_dump(tmp_path / "march.sql", [Line()])
    assert resources().inbox.land(dump) == "march.sql"
    assert (folder / "march.sql").read_bytes() == dump.read_bytes()
    assert resources().inbox.land(folder / "march.sql") == "march.sql"  # where it is already
    (folder / "april.sql").mkdir()
    with pytest.raises(DumpError, match=r"april\.sql: cannot be copied to .*april\.sql: Is a directory"):
        resources().inbox.land(dump.rename(tmp_path / "april.sql"))
    assert sorted(file.name for file in folder.iterdir()) == ["april.sql", "forgotten", "march.sql"]


def test_a_dump_is_set_aside(folder: Path) -> None:
    """It is no longer listed, but still there, the latest of its name; a missing dump is none."""
    for lines in ([Line()], [Line(), Line()]):
        dump = write_dump(folder / "march.sql", lines)
        content = dump.read_bytes()
        aside = resources().inbox.set_aside("march.sql")
        assert aside and Path(aside.path) == folder / "forgotten" / "march.sql"
        assert aside.read_bytes() == content
    assert resources().inbox.files().arrivals == {}
    assert resources().inbox.set_aside("march.sql") is None


def test_a_file_that_is_gone_fails_its_run_with_a_reason(
    warehouse: Warehouse, instance: dg.DagsterInstance, folder: Path
) -> None:
    """It was there when the sensor looked."""
    with pytest.raises(StepFailure, match=r"march\.sql: no such file"):
        load(instance, "march.sql")


@pytest.mark.usefixtures("few_tables")
def test_the_command_line_tells_what_is_refused(warehouse: Warehouse, folder: Path) -> None:
    """The good dump is loaded; each other is a reason on standard error, and the exit code."""
    write_dump(folder / "good.sql", [Line()])
    (folder / "folder.sql").mkdir()
    unreadable = write_dump(folder / "bad.sql", [Line()])
    unreadable.write_bytes(b"")
    result = CliRunner(env={"COLUMNS": "100"}).invoke(app, ["run"])
    assert result.exit_code == 1
    reasons = " ".join(result.stderr.split())
    assert "folder.sql: is not a file" in reasons
    assert "bad.sql" in reasons
    assert "Traceback" not in result.output
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["good.sql"]


# --- a bucket ---------------------------------------------------------------------------------------------------------


def test_a_missing_driver_is_told_with_its_extra() -> None:
    """For each of the three, what to install; and which variable names the place."""
    script = """
import sys
sys.modules.update(adlfs=None, s3fs=None, gcsfs=None)
from lgs_assets.errors import LgsError
from lgs_assets.places import open_place
for url in ("abfs://dumps/a", "s3://dumps", "gs://dumps"):
    try:
        open_place(url, variable='LGS_LAKE')
    except LgsError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"LGS_LAKE: {url}: the driver for {url.partition(':')[0]}:// is not installed. "
        f'Install it: .venv/bin/pip install --editable ".[{extra}]".'
        for url, extra in {"abfs://dumps/a": "azure", "s3://dumps": "s3", "gs://dumps": "gcs"}.items()
    ]


def test_an_unknown_scheme_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in LGS_INBOX ends in a reason."""
    monkeypatch.setenv("LGS_INBOX", "abfz://dumps")
    with pytest.raises(LgsError, match=r"abfz://dumps: out of reach: .*abfz"):
        resources().inbox.files()


@pytest.fixture(params=["", "/retail/inbox"], ids=["container", "folder of a container"])
def bucket(azurite: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> UPath:
    """The inbox: an empty container, or a folder there. LGS_INBOX points to it."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite)
    container = UPath(f"abfs://test-{uuid.uuid4().hex[:12]}", use_listings_cache=False)
    container.mkdir(parents=True)
    monkeypatch.setenv("LGS_INBOX", f"{str(container).rstrip('/')}{request.param}")
    return UPath(os.environ["LGS_INBOX"], use_listings_cache=False)


def upload(bucket: UPath, name: str, lines: list[Line], tmp_path: Path) -> None:
    """What a system of the retailer does."""
    file = write_dump(tmp_path / "upload" / Path(name).name, lines)
    bucket.fs.put_file(str(file), (bucket / name).path)


def load(instance: dg.DagsterInstance, dump: str) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("dumps", [dump])
    return (
        build_definitions(Configuration.read())
        .resolve_job_def("ingest")
        .execute_in_process(instance=instance, partition_key=dump)
    )


def test_a_bucket_lists_as_a_folder_does(azurite: str, bucket: UPath, tmp_path: Path) -> None:
    """The same rules for names, folders and markers; and nothing from beside the inbox."""
    assert resources().inbox.files().arrivals == {}
    for name in ("a dump é.csv", ".hidden", "b.sql.part", "c.sql", "c.sql.done", "forgotten/d.sql", "e.sql/f.sql"):
        upload(bucket, name, [Line()], tmp_path)
    if bucket.parent != bucket:
        upload(bucket.parent, "inbox2.sql", [Line()], tmp_path)
        upload(bucket.parent, "inbox2/g.sql", [Line()], tmp_path)
        # As a file browser leaves one: an object that stands for the folder itself.
        with BlobServiceClient.from_connection_string(azurite).get_container_client(bucket.drive) as container:
            container.upload_blob("retail/inbox/", b"")
    listing = resources().inbox.files()
    assert {name: arrival.is_marked for name, arrival in listing.arrivals.items()} == {
        "a dump é.csv": False,
        "c.sql": True,
    }
    assert listing.refused == [
        f"{bucket / 'e.sql'}: is not a file. Put dump files directly in the inbox, and move this elsewhere."
    ]
    assert resources().inbox.version_of("c.sql") == listing.arrivals["c.sql"].version


def test_the_sensor_ticks_on_a_bucket(bucket: UPath, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """Taken once it stays the same for two ticks, once a version; nothing that was listed is believed later."""
    assert requested(tick(instance, None)) == []
    upload(bucket, "march.sql", [Line()], tmp_path)
    first = tick(instance, None)
    assert requested(first) == []
    second = tick(instance, first.cursor)
    assert requested(second) == ["march.sql"]
    third = tick(instance, second.cursor)
    assert requested(third) == []
    upload(bucket, "march.sql", [Line(), Line()], tmp_path)
    fourth = tick(instance, third.cursor)
    assert requested(fourth) == []
    assert requested(tick(instance, fourth.cursor)) == ["march.sql"]
    (bucket / "march.sql").unlink()
    assert requested(tick(instance, fourth.cursor)) == []


@pytest.mark.parametrize("name", ["march.sql", "march.sql.gz"])
def test_a_dump_is_loaded_from_a_bucket(
    bucket: UPath, warehouse: Warehouse, instance: dg.DagsterInstance, tmp_path: Path, name: str
) -> None:
    """Its lines arrive; the sensor knows then that this version is loaded."""
    upload(bucket, name, [Line(str(number)) for number in range(1000)], tmp_path)
    assert load(instance, name).success
    assert [(dump.dump, dump.lines) for dump in loaded_dumps(warehouse)] == [(name, 1000)]
    state = tick(instance, None).cursor
    assert requested(tick(instance, state)) == []


@pytest.mark.usefixtures("few_tables")
@pytest.mark.parametrize("bucket", ["/retail/inbox"], indirect=True)
def test_the_command_line_loads_from_a_bucket(bucket: UPath, warehouse: Warehouse, tmp_path: Path) -> None:
    """A file of this machine by way of the bucket; a second run finds it there and changes nothing."""
    lines = [Line(str(day), customer_id=100 + day, invoice_date=f"2011-03-{day:02} 10:00") for day in range(1, 21)]
    dump = write_dump(tmp_path / "march.sql", lines)
    first = CliRunner(env={"COLUMNS": "100"}).invoke(app, ["run", str(dump)])
    assert first.exit_code == 0, first.output
    assert [dump.dump for dump in loaded_dumps(warehouse)] == ["march.sql"]
    assert (bucket / "march.sql").read_bytes() == dump.read_bytes()
    assert "Everything is up to date" in CliRunner().invoke(app, ["run"]).output


def test_a_dump_in_a_bucket_is_set_aside(bucket: UPath, tmp_path: Path) -> None:
    """Another object holds it, in place of an earlier one of its name; a missing dump is none."""
    for lines in ([Line()], [Line(), Line()]):
        upload(bucket, "march.sql", lines, tmp_path)
        content = (bucket / "march.sql").read_bytes()
        aside = resources().inbox.set_aside("march.sql")
        assert aside == bucket / "forgotten" / "march.sql"
        assert aside.read_bytes() == content
    assert resources().inbox.files().arrivals == {}
    assert resources().inbox.set_aside("march.sql") is None


def test_a_bucket_that_is_not_there_is_told(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in its name must not look like an inbox without dumps."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite)
    monkeypatch.setenv("LGS_INBOX", "abfs://no-such-container/inbox")
    with pytest.raises(LgsError, match="abfs://no-such-container/inbox: out of reach: No such file"):
        resources().inbox.files()


def test_no_name_leads_out_of_a_bucket(bucket: UPath) -> None:
    """As in a folder."""
    for name in ("../march.sql", "..", "forgotten/march.sql"):
        with pytest.raises(DumpError, match="leads out of the inbox"):
            resources().inbox.path_of(name)
