"""Serving the pages: where they listen, by which names they are asked, and which database they read."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from lgs_assets.configuration import Configuration
from lgs_assets.dashboard.app import LOCAL_HOSTS, application
from lgs_assets.dashboard.queries import Tables
from lgs_assets.errors import LgsError
from lgs_assets.listening import in_url, is_loopback, listen
from lgs_assets.warehouse.server import database_of


def serve(configuration: Configuration, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serves the dashboard until the process is told to end. `announce` is told the address.

    Raises LgsError for an address that others can reach, unless LGS_DASHBOARD_PUBLIC says that a proxy stands before
    it: it has no login of its own.
    """
    if not (is_loopback(host) or configuration.dashboard_public):
        raise LgsError(
            f"{host}: others could reach the dashboard there, and it has no login. Listen on 127.0.0.1, or put a proxy "
            "before it that asks people who they are, and set LGS_DASHBOARD_PUBLIC=1: docs/deployment.md."
        )
    listening = listen(host, port)
    app = application(tables_of(configuration), hosts=[*LOCAL_HOSTS, *configuration.dashboard_hosts.split()])
    announce(f"http://{in_url(host)}:{listening.getsockname()[1]}")
    uvicorn.Server(uvicorn.Config(app, log_level="warning", server_header=False)).run(sockets=[listening])


def tables_of(configuration: Configuration) -> Tables:
    """The tables of the configured database, or of the embedded server, which is started if need be."""
    return Tables(database_of(configuration))
