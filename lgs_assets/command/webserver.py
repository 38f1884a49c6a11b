"""Dagster's webserver behind the guard: `python -m lgs_assets.command.webserver`, with the options of its own command.

Dagster has no setting for a middleware, so its command runs in this process, and what it hands to `uvicorn.run`, a
whole ASGI application, is served here. The address stays here as well: Dagster is told one that nothing can listen on,
so that a version which serves in another way serves nothing, rather than without the guard. A proxy before a second
port would be no guard at all, for a browser finds that port, too.

`lgs ui` serves it with the daemon beside it, and the output of both in a file.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import uvicorn
from dagster_webserver.cli import dagster_webserver
from starlette.types import ASGIApp

from lgs_assets.command.guard import Guard, origin_of
from lgs_assets.command.reporting import fail
from lgs_assets.configuration import Configuration
from lgs_assets.errors import LgsError
from lgs_assets.listening import LOOPBACK, in_url, listen

_NOWHERE = "guarded.invalid"  # RFC 6761: no name below .invalid ever resolves
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 (told apart, not bound)


def own_origins(host: str, port: int, configuration: Configuration) -> list[str]:
    """Where the pages are found: at the host that is listened on, on this machine, and where LGS_UI_ORIGINS says.

    Raises LgsError if one of the latter is no origin.
    """
    names = dict.fromkeys([host, *LOOPBACK] if host not in _ANY_ADDRESS else LOOPBACK)
    local = [f"http://{in_url(name)}:{port}" for name in names]
    try:
        return [origin_of(origin) for origin in [*local, *configuration.ui_origins.split()]]
    except LgsError as error:
        raise LgsError(f"LGS_UI_ORIGINS: {error}.") from error


def serve(listening: socket.socket, origins: list[str], options: list[str], *, announce: Callable[[str], None]) -> None:
    """Serves the Dagster UI until the process is told to end. `options` are those of `dagster-webserver`.

    `announce` is told the address once pages are served there.
    """

    def run_guarded(app: ASGIApp, *, log_level: str, **_: Any) -> None:
        announce(origins[0])
        guarded = Guard(app, origins=origins)
        uvicorn.Server(uvicorn.Config(guarded, log_level=log_level)).run(sockets=[listening])

    uvicorn.run = run_guarded  # type: ignore[assignment]
    dagster_webserver(["--host", _NOWHERE, "--port", "1", *options])


@contextmanager
def output_into(log: Path) -> Iterator[TextIO]:
    """Has a file take what this process and those that it starts print. Yields the terminal."""
    with os.fdopen(os.dup(1), "w") as terminal, log.open("ab") as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield terminal
        finally:
            os.dup2(terminal.fileno(), 1)
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def run_beside(command: list[str], *, log: Path) -> Iterator[None]:
    """Runs a command beside the block, and ends each of them when the other one ends. A file takes its output."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with log.open("ab") as file:
        # It hears of Ctrl-C from this process, once.
        process = subprocess.Popen(command, process_group=0, stdout=file, stderr=file)
    is_over = threading.Event()

    def watch() -> None:
        process.wait()
        if not is_over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        has_ended = process.poll() is not None
        is_over.set()
        process.send_signal(signal.SIGINT)  # does nothing to one that has ended
        process.wait()
        if has_ended:
            fail(f"{Path(command[0]).name} has ended by itself. The reason is at the end of {log}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=3000)
    given, others = parser.parse_known_args()
    try:
        origins = own_origins(given.host, given.port, Configuration.read())
        serve(listen(given.host, given.port), origins, others, announce=partial(print, "The Dagster UI:", flush=True))
    except LgsError as error:
        sys.exit(str(error))
