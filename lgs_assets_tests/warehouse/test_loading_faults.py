"""Whatever happens to a load, there are exactly the lines of one version afterwards, and nothing is left over.

The faults are real: processes are killed, the server's files may grow no further, dumps change while they are read.
"""

import gzip
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from lgs_assets.errors import DumpError, LgsError, ServerError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import LoadedDump, loaded_dumps, rejected_lines
from lgs_assets.warehouse.loading import DumpFile, forget_dump, load_dump
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets_tests.builders import Line, load_lines, values, write_dump
from lgs_assets_tests.warehouse.evidence import AT_WORK, COLUMNS, counted_while, debris, ledger, lines_of
from lgs_assets_tests.warehouse.loader import load_in_process

NAME = "retail.sql"
LINES = 10_000
REJECTS = 31
LOADER_KILLS = 15
SERVER_KILLS = 12
NOBODY = 65534
PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two versions of a dump: every quantity is 1 in one, 2 in the other, except a few that are rejected."""
    folder = tmp_path_factory.mktemp("versions")
    return [
        write_dump(
            folder / f"{version}.sql",
            [Line(f"{i}", quantity=version) for i in range(LINES + version)] + [Line(quantity="?")] * REJECTS,
        )
        for version in (1, 2)
    ]


STATE = """
select count(*) as lines, count(distinct invoice_no) as invoices, min(quantity) as version, max(quantity) as also,
    (select min(dumps.lines) from dumps) as in_ledger, (select count(*) from rejected_lines) as rejects
from raw_invoices
"""
# What a reader may see.
WHOLE = {(LINES + version, LINES + version, version, version, LINES + version, REJECTS) for version in (1, 2)}


def version_held(warehouse: Warehouse) -> int:
    """Which of the two versions there is. Fails if it is not the whole of one, or if there is anything else."""
    assert debris(warehouse) == []
    ((row),) = warehouse.rows(STATE)
    assert values(row) in WHOLE
    return int(row.version)


# ------------------------------------------------------------------------------------------------------ kill -9


@contextmanager
def loading(url: str, path: Path) -> Iterator[multiprocessing.process.BaseProcess]:
    """A process that begins to load now."""
    here, there = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=load_in_process, args=(url, DumpFile(path, NAME), there))
    process.start()
    assert here.poll(60)
    yield process
    process.join(60)
    process.close()


def test_a_load_that_is_killed_leaves_the_old_version_or_the_new(warehouse: Warehouse, versions: list[Path]) -> None:
    """Kill -9 at moments spread over a load, from first to last; each time the next load sets all right."""
    seconds = 0.0
    for path in versions:  # at least one of each, to know how long a load takes
        with loading(warehouse.url, path) as process:
            began = time.monotonic()
            process.join(60)
            seconds = time.monotonic() - began
    kills, steps, held = 0, set(), version_held(warehouse)
    with psycopg.connect(warehouse.url, autocommit=True) as observer:
        while kills < LOADER_KILLS:
            wanted = 3 - held
            with loading(warehouse.url, versions[wanted - 1]) as process:
                time.sleep(seconds * kills / LOADER_KILLS)
                steps |= {query.split()[0] for (query,) in observer.execute(AT_WORK)}
                process.kill()
                process.join(60)
                if process.exitcode == -signal.SIGKILL:
                    kills += 1
                else:  # it had ended: loads take less time than at first
                    seconds *= 0.9
            assert version_held(warehouse) in (held, wanted)
            load_dump(warehouse, DumpFile(versions[wanted - 1], NAME))
            held = version_held(warehouse)
            assert held == wanted
    assert len(steps) >= 3, f"the kills hit too little of a load: only {steps}"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server that may come to harm."""
    server = EmbeddedServer(tmp_path_factory.mktemp("harmed"))
    yield server
    server.stop()


def postmaster(server: EmbeddedServer) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))


def backend_of_load(server: EmbeddedServer) -> psutil.Process:
    """The server's process that works for the load; the server's own, if there is none at the moment."""
    with psycopg.connect(server.url()) as connection:
        query = "select pid from pg_stat_activity where application_name = 'lgs' order by state = 'idle' limit 1"
        row = connection.execute(query).fetchone()
    try:
        return psutil.Process(row[0]) if row else postmaster(server)
    except psutil.NoSuchProcess:  # the load has ended since
        return postmaster(server)


def version_held_at_last(warehouse: Warehouse) -> int:
    """The version held, once the server has noticed the death of one of its processes, and has ended all others."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return version_held(warehouse)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)  # it may only just be recovering


@pytest.mark.parametrize("victim", [postmaster, backend_of_load])
def test_a_server_that_is_killed_has_the_old_version_or_the_new(
    own_server: EmbeddedServer, versions: list[Path], victim: Callable[[EmbeddedServer], psutil.Process]
) -> None:
    """Kill -9 of the database, or of the one of its processes that loads, whereupon it ends all others."""
    first = Warehouse(own_server.url())
    first.prepare()
    for path in versions:
        began = time.monotonic()
        load_dump(first, DumpFile(path, NAME))
        seconds = time.monotonic() - began
    moments = random.Random(9)
    for _ in range(SERVER_KILLS // 2):
        warehouse = Warehouse(own_server.url())
        held = version_held(warehouse)
        path = versions[2 - held]
        with ThreadPoolExecutor() as pool:
            load = pool.submit(load_dump, warehouse, DumpFile(path, NAME))
            time.sleep(moments.uniform(0, seconds))
            victim(own_server).kill()
            assert isinstance(load.exception(60), ServerError | None)
        warehouse = Warehouse(own_server.url())
        assert version_held_at_last(warehouse) in (1, 2)
        load_dump(warehouse, DumpFile(path, NAME))
        assert version_held(warehouse) == 3 - held
        warehouse.engine.dispose()
    first.engine.dispose()


# ------------------------------------------------------------------------------------------------------ a full disk


@contextmanager
def limit_to_files(server: EmbeddedServer) -> Iterator[None]:
    """A server whose files cannot grow beyond 16 MB, as much as one of its write-ahead log has."""
    server.stop()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, hard))  # which the server inherits
    try:
        server.url()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    yield
    server.stop()


@contextmanager
def full_disk(server: EmbeddedServer) -> Iterator[None]:
    """A server on a disk with 8 MB left."""
    filler = server.directory / "filler"
    free = shutil.disk_usage(server.directory).free
    filler.write_bytes(bytes(free - (8 << 20)))
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture(params=[limit_to_files, full_disk])
def shortage(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[EmbeddedServer, Callable[[EmbeddedServer], AbstractContextManager[None]]]]:
    """A server of its own, and how to make it want for room. Only who may mount a disk can fill one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if request.param is full_disk:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(disk)], capture_output=True)
        if mounted.returncode:
            pytest.skip(f"NOT PROVEN ON A FULL DISK: no disk can be mounted here: {mounted.stderr.decode().strip()}")
    server = EmbeddedServer(disk / "postgres")
    yield server, request.param
    server.stop()
    if request.param is full_disk:
        subprocess.run(["umount", str(disk)], check=True)


def test_want_of_room_stops_a_load_and_nothing_else(
    shortage: tuple[EmbeddedServer, Callable[[EmbeddedServer], AbstractContextManager[None]]],
    versions: list[Path],
    tmp_path: Path,
) -> None:
    """The old version stays, the error says what is short, and once there is room the new one loads."""
    server, in_shortage = shortage
    # A limit to files says nothing of the disk, and may end the server.
    told = r"The disk of .* is full: could not extend .* Make room" if in_shortage is full_disk else "is its disk full"
    warehouse = Warehouse(server.url())
    warehouse.prepare()
    load_dump(warehouse, DumpFile(versions[0], NAME))
    large = write_dump(tmp_path / "large.sql", [Line(f"{i}", description="large" * 30) for i in range(100_000)])
    with in_shortage(server):
        warehouse = Warehouse(server.url())
        with pytest.raises(ServerError, match=told):
            load_dump(warehouse, DumpFile(large, NAME))
        warehouse.engine.dispose()
    warehouse = Warehouse(server.url())
    assert version_held(warehouse) == 1
    assert load_dump(warehouse, DumpFile(large, NAME)).lines == 100_000
    assert debris(warehouse) == []
    warehouse.engine.dispose()


# ------------------------------------------------------------------------------------------------------ rivals


def test_a_reader_sees_whole_states_whoever_loads(warehouse: Warehouse, versions: list[Path]) -> None:
    """Two processes load two versions at once, again and again, and one is killed each time."""
    load_dump(warehouse, DumpFile(versions[0], NAME))

    def rivals() -> None:
        moments = random.Random(9)
        for _ in range(5):
            with loading(warehouse.url, versions[0]) as one, loading(warehouse.url, versions[1]):
                time.sleep(moments.uniform(0, 0.3))
                one.kill()

    assert counted_while(warehouse, STATE, rivals) <= WHOLE
    assert version_held(warehouse) == 2


def test_the_same_dump_at_once_is_there_once(warehouse: Warehouse, versions: list[Path]) -> None:
    """Two processes load the same file under the same name."""
    with loading(warehouse.url, versions[0]) as one, loading(warehouse.url, versions[0]) as other:
        for process in (one, other):
            process.join(60)
            assert process.exitcode == 0
    assert version_held(warehouse) == 1


# ------------------------------------------------------------------------------------------------------ the file


@contextmanager
def load_under_way(warehouse: Warehouse, path: Path) -> Iterator[Future[LoadedDump]]:
    """A load that has opened its file and has the rest of it still to read, until the block ends."""
    with (
        ThreadPoolExecutor() as pool,
        psycopg.connect(warehouse.url) as rival,
        psycopg.connect(warehouse.url, autocommit=True) as observer,
    ):
        rival.execute("select pg_advisory_xact_lock(hashtextextended('lgs.raw_invoices', 0))")
        load = pool.submit(load_dump, warehouse, DumpFile(path, NAME))
        while observer.execute("select from pg_locks where locktype = 'advisory' and not granted").fetchall() == []:
            assert not load.done()
        yield load
        rival.rollback()
        load.exception(60)


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("1,2\n")


def replace(path: Path) -> None:
    new = path.with_name("new")
    new.write_text("something else")
    new.replace(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (append, "the file changed while it was read"),
        (replace, "the file changed while it was read"),
        (lambda path: os.truncate(path, 1 << 19), "the file changed while it was read"),
        (Path.unlink, "cannot be read: No such file"),
    ],
    ids=["grows", "is replaced", "is cut off", "vanishes"],
)
def test_a_file_that_changes_while_it_is_read_is_refused(
    warehouse: Warehouse, tmp_path: Path, versions: list[Path], fault: Callable[[Path], object], said: str, packed: bool
) -> None:
    """What was there stays, and the file is loaded once it holds still."""
    load_dump(warehouse, DumpFile(versions[0], NAME))
    whole = versions[1].read_bytes()
    path = tmp_path / "arriving"
    path.write_bytes(gzip.compress(whole, 0) if packed else whole)
    with load_under_way(warehouse, path) as load:
        fault(path)
    with pytest.raises(DumpError, match=said):
        load.result()
    assert version_held(warehouse) == 1
    path.write_bytes(whole)
    load_dump(warehouse, DumpFile(path, NAME))
    assert version_held(warehouse) == 2


def nothing(path: Path) -> None:
    """The file does not exist."""


def unreadable(path: Path) -> None:
    path.write_text(f"COPY retail ({COLUMNS}) FROM stdin;\n")
    path.chmod(0)


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """For root, to whom every file is readable."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (nothing, "cannot be read: (No such file|Permission denied)"),
        (Path.mkdir, "cannot be read: (Is a directory|Permission denied)"),
        (Path.touch, "the file is empty|cannot be read: Permission denied"),
        (unreadable, "cannot be read: Permission denied"),
    ],
    ids=["missing", "folder", "empty", "unreadable"],
)
def test_what_is_no_file_to_read_is_refused(
    warehouse: Warehouse, tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    """Before anything else happens: what was there stays."""
    load_lines(warehouse, tmp_path, [Line()])
    before = ledger(warehouse)
    path = tmp_path / "dump.sql"
    make(path)
    with pytest.raises(DumpError, match=said) as refused, as_an_ordinary_user():
        load_dump(warehouse, DumpFile(path, NAME))
    assert str(refused.value).startswith(str(path))
    assert ledger(warehouse) == before
    assert debris(warehouse) == []


# ------------------------------------------------------------------------------------------------------ hostile text

HOSTILE_NAMES = [
    "'); DROP TABLE lgs.dumps; --.sql",
    'retail"; DROP TABLE lgs.dumps; --',
    "$(touch trace) `touch trace` %s {0} :x \\! touch trace",
    "lgs.dumps\n\\.\n\tDROP TABLE lgs.dumps;",
    "-- ' \" \\ $$ é 鳥 " + "x" * 200,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_nothing_in_a_dump_or_in_its_name_is_run(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    """Statements, commands to psql, names and values that try to break out: the data is data, and that is all."""
    trace = Path(tempfile.mkdtemp(), "trace")  # a short path: no value of a line may be long
    trace.parent.chmod(0o777)
    values = f"'); DROP TABLE lgs.dumps; --\t\\\\! touch '{trace}'\t$$; COPY (SELECT 1) TO PROGRAM 'touch {trace}';"
    script = f"""
DROP TABLE lgs.dumps; DROP SCHEMA lgs CASCADE; CREATE TABLE lgs.evil (); CREATE ROLE evil SUPERUSER;
\\! touch '{trace}'
\\o '{trace}'
\\copy (select 1) to '{trace}'
COPY (SELECT 1) TO PROGRAM 'touch "{trace}"';
COPY other FROM PROGRAM 'touch "{trace}"';
COPY "retail""; drop table lgs.dumps; --" (a) FROM stdin;
\\! touch '{trace}'
\\.
COPY retail ({COLUMNS}, "a"") from stdin; drop table lgs.dumps; --", "%s {{}} :x") FROM stdin;
{values}\t1\t2011-01-01\t1\t1\tUK\tx\ty
{values}\t'); DROP TABLE lgs.dumps; --\t2011-01-01\t1\t1\tUK\tx\ty
\\.
COMMIT; DROP TABLE lgs.raw_invoices;
\\! touch '{trace}'
"""
    (tmp_path / "dump").write_text(script)
    load_lines(warehouse, tmp_path, [Line()])
    forget_dump(warehouse, "retail.sql")  # it has made the partition of small dumps
    tables = warehouse.rows("select relname from pg_class where relnamespace = 'lgs'::regnamespace order by 1")
    for _ in range(2):
        loaded = load_dump(warehouse, DumpFile(tmp_path / "dump", name, reject_limit=0.5), run=name, reader=name)
    assert (loaded.dump, loaded.run, loaded.reader) == (name, name, name)
    assert loaded_dumps(warehouse) == [loaded]
    ((line),) = lines_of(warehouse, name)
    assert [line[column] for column in ("invoice_no", "stock_code", "description")] == (
        values.replace("\\\\", "\\").split("\t")
    )
    ((reject),) = rejected_lines(warehouse, name)
    assert (reject.column, reject.text) == ("quantity", script.split("\n")[reject.line - 1])
    assert debris(warehouse) == []
    with pytest.raises(LgsError, match="There is no dump"):
        forget_dump(warehouse, f"{name}'; drop table dumps; --")
    forget_dump(warehouse, name)
    assert warehouse.rows("select relname from pg_class where relnamespace = 'lgs'::regnamespace order by 1") == tables
    assert not trace.exists()
    trace.parent.rmdir()
    assert not warehouse.rows("select from pg_roles where rolname = 'evil'")
