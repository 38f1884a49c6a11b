"""An SSH server on this machine, for one account, that serves a folder by SFTP and can lose its connections."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

USER = "shop"


@dataclass
class SshServer:
    """Where it listens, what it serves and shows, and what it has seen."""

    folder: Path
    host_key: Any = field(default_factory=lambda: paramiko.ECDSAKey.generate())
    other_host_keys: list[Any] = field(default_factory=list)
    account_key: Any = field(default_factory=lambda: paramiko.ECDSAKey.generate())
    port: int = 0
    loses_after: int | None = None
    """After so many writes it hangs up, once."""
    seen: list[set[str]] = field(default_factory=list)
    """The names in the folder after each write."""
    logins: int = 0

    @property
    def location(self) -> str:
        """Its folder, as a URL."""
        return f"sftp://{USER}@127.0.0.1:{self.port}/lists"

    def known_as(self, file: Path) -> None:
        """Writes its key down in a file of known hosts."""
        file.write_text(self.known_line)

    @property
    def known_line(self) -> str:
        """Its line in a file of known hosts."""
        return f"[127.0.0.1]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}\n"


class _Account(paramiko.ServerInterface):  # type: ignore[misc]  # it comes without types
    def __init__(self, server: SshServer) -> None:
        self.server = server

    def check_auth_publickey(self, username: str, key: Any) -> int:
        fits = username == USER and key == self.server.account_key
        self.server.logins += fits
        return int(paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED)

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


class _File(paramiko.SFTPHandle):  # type: ignore[misc]
    folder: "_Folder"

    def write(self, offset: int, data: bytes) -> int:
        server = self.folder.server
        if server.loses_after is not None:
            server.loses_after -= 1
            if server.loses_after < 0:
                server.loses_after = None
                self.folder.transport.close()
        status = int(super().write(offset, data))
        server.seen.append({path.name for path in (server.folder / "lists").iterdir()})
        return status

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.writefile.fileno()))


class _Folder(paramiko.SFTPServerInterface):  # type: ignore[misc]
    def __init__(self, account: _Account, *_: Any, transport: Any, **__: Any) -> None:
        self.server, self.transport = account.server, transport

    def _path(self, path: str) -> Path:
        return self.server.folder / path.lstrip("/")

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            descriptor = os.open(self._path(path), flags, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        file = _File(flags)
        file.folder, file.filename = self, path
        file.readfile = file.writefile = os.fdopen(descriptor, "wb")
        return file

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        self._path(oldpath).replace(self._path(newpath))
        return int(paramiko.SFTP_OK)


@contextmanager
def ssh_serving(server: SshServer) -> Iterator[SshServer]:
    """Listens for the length of a block, at the port of the server or a free one."""
    (server.folder / "lists").mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", server.port)) as listening:
        server.port = listening.getsockname()[1]
        transports: list[Any] = []

        def accept() -> None:
            with suppress(OSError):  # it is closed at the end
                while True:
                    connection, _ = listening.accept()
                    with suppress(paramiko.SSHException, EOFError, OSError):  # a client may hang up at any moment
                        transport = paramiko.Transport(connection)
                        transports.append(transport)
                        for key in (server.host_key, *server.other_host_keys):
                            transport.add_server_key(key)
                        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Folder, transport=transport)
                        transport.start_server(server=_Account(server))

        threading.Thread(target=accept, daemon=True).start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        for transport in transports:
            transport.close()
