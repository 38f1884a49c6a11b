"""A real MariaDB for tests, from the programs of the Debian package mariadb-server."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

ACCOUNT_FOR_ROOT = "nobody"
PATIENCE_SECONDS = 60
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
_PROGRAM = shutil.which("mariadbd", path=_PATH) or ""
_INSTALLER = shutil.which("mariadb-install-db", path=_PATH) or ""


@dataclass
class MariaDB:
    """One server in a folder of its own, on a free port of this machine, under an account without privileges."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lgs-mariadb-")))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_installed() -> bool:
        return bool(_PROGRAM and _INSTALLER)

    @property
    def url(self) -> str:
        """The URL of its administrator, without a database."""
        return f"mariadb+pymysql://root@127.0.0.1:{self.port}/"

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Starts it, the first time with an empty data directory, and waits until it answers."""
        account = [f"--user={ACCOUNT_FOR_ROOT}"] if os.geteuid() == 0 else []
        common = ["--no-defaults", f"--datadir={self.folder / 'data'}", *account]
        if not (self.folder / "data").exists():
            if account:  # whose folder the account may enter
                shutil.chown(self.folder, ACCOUNT_FOR_ROOT)
            options = ["--auth-root-authentication-method=normal", "--skip-test-db"]
            subprocess.run([_INSTALLER, *common, *options], check=True, capture_output=True)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        where = ["--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.folder / 'socket'}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([_PROGRAM, *common, *where, "--skip-log-bin"], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.execute("select 1")
            except sa.exc.OperationalError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """Ends it as a power cut would."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def make_database(self) -> str:
        """Makes an empty database and returns its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"create database {name} character set utf8mb4")
        return self.url + name

    def execute(self, statement: str, *, database: str = "") -> None:
        engine = sa.create_engine(self.url + database, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
