"""The pages over HTTP: routes, headers, and what is answered when something is wrong. GET and HEAD only."""

from __future__ import annotations

import gzip
import hashlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import anyio
import anyio.to_thread
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lgs_assets.dashboard import files
from lgs_assets.dashboard.bar import chips, idle, picking
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.kept import KeptPages
from lgs_assets.dashboard.pages import (
    campaigns,
    cohorts,
    customers,
    data,
    experiment,
    experiments,
    movements,
    outlook,
    overview,
    products,
    report,
    segments,
)
from lgs_assets.dashboard.pages.page import NothingThereError, Page, Shown, View
from lgs_assets.dashboard.queries import (
    ALWAYS_READ,
    CONNECTIONS,
    PATIENCE_SECONDS,
    Built,
    NotReadyError,
    Tables,
    needed,
)
from lgs_assets.dashboard.rendering import FOLDER, code_version, templates
from lgs_assets.dashboard.report import conditions
from lgs_assets.errors import LgsError
from lgs_assets.listening import LOOPBACK, in_url

PAGES: Final = (
    overview.PAGE,
    segments.ALL,
    segments.ONE,
    movements.PAGE,
    customers.LIST,
    customers.ONE,
    customers.INVOICE,
    cohorts.PAGE,
    products.PAGE,
    outlook.PAGE,
    campaigns.ALL,
    campaigns.ONE,
    experiments.PAGE,
    experiment.PAGE,
    data.PAGE,
    data.TABLE,
    report.SHOP,
    report.SEGMENT,
)
_OF_ALL: Final = (data.PAGE, data.TABLE, report.SHOP, report.SEGMENT)
"""The pages that name the build of all tables."""
LONGEST_URL: Final = 8000
KEPT_BYTES: Final = 8_000_000
"""Of packed pages, some hundreds, each known by its ETag: none is shown that its tables would not give."""
LOCAL_HOSTS: Final = tuple(map(in_url, LOOPBACK))
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an address may hold the number of a customer
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_BUILD: Final = (
    "Run lgs run (or make run): it loads what is in the inbox, upgrades the tables of an older version and builds what "
    "is missing."
)
_LOG = logging.getLogger(__name__)
_Render = Callable[[Request, Page, View, list[str]], Response]


def application(tables: Tables, *, hosts: Iterable[str] = LOCAL_HOSTS, kept_bytes: int = KEPT_BYTES) -> Starlette:
    """The dashboard as an ASGI application. It answers requests by these host names only.

    So many bytes of pages are kept, for others who ask for the same view of the same build.
    """
    site = _Site(tables, KeptPages(kept_bytes))
    routes = [
        Route("/healthz", site.health, methods=["GET"]),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]
    for page in PAGES:
        stem = page.path if page.path != "/" else "/overview"
        routes.append(Route(f"{stem}/{{name}}.{{format}}", site.file_of(page), methods=["GET"]))
    # A path with a file comes before the page of an item, which would take it for the item's name.
    routes += [Route(page.path, site.page_of(page), methods=["GET"]) for page in PAGES]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(_Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts], www_redirect=False),
            Middleware(_Bounds),
            Middleware(GZipMiddleware, minimum_size=500),
        ],
        exception_handlers={404: site.not_found, 405: site.refused},
    )


class LeftOutError(Exception):
    """A file would be of others than its address says, and has no place to say so: its text says why."""


class _Site:
    """The routes. What reads the database is run in threads, while others wait for it."""

    def __init__(self, tables: Tables, kept: KeptPages) -> None:
        self._tables = tables
        self._kept = kept
        # More would only wait for a connection, and for their turns in Python. One is left for who asks for the health.
        self._threads = anyio.CapacityLimiter(CONNECTIONS - 1)
        self._is_synthetic: bool | None = None
        """Whether the lines are invented, as it was last seen; None before anything was read."""
        self._templates = templates(navigation=[page for page in PAGES if page.label])

    def health(self, _: Request) -> Response:
        """Whether the tables can be reached."""
        try:
            self._tables.built()
        except (sa.exc.SQLAlchemyError, LgsError):
            return PlainTextResponse("the database is out of reach", 503)
        return PlainTextResponse("ok")

    def page_of(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """The route of a page."""
        return partial(self._in_a_thread, page=page, render=self._render_page)

    def file_of(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """The route of what can be taken away from a page."""
        return partial(self._in_a_thread, page=page, render=self._render_file)

    def not_found(self, request: Request, _: Exception) -> Response:
        """No such page."""
        return self._message(
            request, 404, "There is no such page.", "The address may be misspelt, or from an older version."
        )

    def refused(self, request: Request, _: Exception) -> Response:
        """Nothing can be changed here."""
        return self._message(request, 405, "These pages can only be read.", "Use GET or HEAD.")

    async def _in_a_thread(self, request: Request, page: Page, render: _Render) -> Response:
        answer = partial(self._answer, request, page, render)
        try:
            with anyio.fail_after(PATIENCE_SECONDS):  # what has begun is not broken off
                return await anyio.to_thread.run_sync(answer, limiter=self._threads)
        except TimeoutError:
            return self._message(request, 503, "Too many ask at once.", "Try again in a moment.")

    def _answer(self, request: Request, page: Page, render: _Render) -> Response:
        pairs = request.query_params.multi_items()
        filters, notices = Filters.parse(pairs)
        wished = {*page.wished} | needed(filters)
        try:
            with self._tables.reading(page.tables, wished) as reading:
                self._is_synthetic = reading.built.is_synthetic
                tag = "" if page.is_live else _tag(request, page, reading.built, wished)
                if _matches(request, tag):
                    return Response(status_code=304, headers={"ETag": tag})
                if packed := self._kept.get(tag):
                    return _as_accepted(request, packed, tag)
                known, unknown = reading.known(filters)
                notices += unknown
                if "format" in request.path_params and (left_out := [*notices, *_idle(request, page, known)]):
                    raise LeftOutError(" ".join(left_out))
                if not notices and known.query() != request.url.query and request.url.query:
                    return RedirectResponse(known.url(request.url.path), 307)
                item = request.path_params.get("item", "")
                # A picture of all rows of a long list is of no use to anybody.
                is_whole = request.path_params.get("format") in ("csv", "xlsx")
                response = render(request, page, View(known, reading, item, whole=is_whole), notices)
            if page.is_live:
                tag = f'W/"{hashlib.sha256(response.body).hexdigest()[:32]}"'
                if _matches(request, tag):
                    return Response(status_code=304, headers={"ETag": tag})
            elif isinstance(response, HTMLResponse):
                packed = gzip.compress(response.body, compresslevel=6, mtime=0)
                self._kept.keep(tag, packed)
                return _as_accepted(request, packed, tag)
            response.headers.update(_fresh(tag))
            return response
        except NothingThereError as error:
            return self._message(request, 404, str(error), "It may be in data that is not loaded.")
        except LeftOutError as error:
            of = request.url.path.rpartition("/")[0].replace("/overview", "/")
            return self._message(request, 400, "This file cannot be made with these filters.", str(error), of=of)
        except NotReadyError as error:
            return self._message(request, 503, str(error), _BUILD)
        except sa.exc.ProgrammingError:
            _LOG.exception("A page cannot be read.")
            return self._message(
                request,
                503,
                "A table is being replaced, or may not be read.",
                "Try again in a moment. If it stays, run lgs run, which upgrades the tables of an older version.",
            )
        except (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.TimeoutError, LgsError):
            _LOG.exception("The database cannot be used.")
            return self._message(
                request,
                503,
                "The database cannot be reached, or took too long.",
                "Try again in a moment. If it stays, run lgs status where the platform runs.",
            )

    def _render_page(self, request: Request, page: Page, view: View, notices: list[str]) -> Response:
        shown = page.show(view)
        return HTMLResponse(
            self._templates.get_template(page.template).render(self._context(request, page, view, shown, notices))
        )

    def _render_file(self, request: Request, page: Page, view: View, notices: list[str]) -> Response:
        name, form = request.path_params["name"], request.path_params["format"]
        found = page.show(view).files.get(name)
        if found is None or form not in files.FORMATS:
            raise NothingThereError(f"There is no file {name}.{form}.")
        return files.response(found, name, form, page=page, view=view, templates=self._templates)

    def _context(self, request: Request, page: Page, view: View, shown: Shown, notices: list[str]) -> dict[str, Any]:
        idling = idle(view.filters, request.url.path, page.honours)
        query = view.filters.without(chip.key for chip in idling).query()
        if missing := sorted({*page.wished} - view.reading.tables):
            notices = [*notices, f"Not built yet, and so not shown here: {', '.join(missing)}. {_BUILD}"]
        notices = [*_idle(request, page, view.filters), *notices]
        return shown.content | {
            "page": page,
            "shown": shown,
            "view": view,
            "filters": view.filters,
            "choices": view.choices,
            "notices": notices,
            "built": view.built,
            "path": request.url.path,
            "query": f"?{query}" if query else "",
            "chips": chips(view.filters, request.url.path),
            "picking": picking(view.filters, request.url.path, page.honours),
            "shared": view.filters.customers_only(),
            "title": shown.title,
            "css": "",
            "back": view.filters.url(request.url.path.replace("/report", "/segments" if view.item else "/", 1)),
            "conditions": conditions(view.built),
            "files": "/overview" if request.url.path == "/" else request.url.path,
        }

    def _message(self, request: Request, status: int, what: str, remedy: str, *, of: str = "") -> Response:
        if self._is_synthetic is None and status != 503:
            with suppress(sa.exc.SQLAlchemyError, LgsError):
                self._is_synthetic = self._tables.built().is_synthetic
        html = self._templates.get_template("message.html").render(
            what=what,
            remedy=remedy,
            is_synthetic=self._is_synthetic,
            path=request.url.path,
            filters=Filters.parse(request.query_params.multi_items())[0].customers_only(),
            of=of,
            retry=str(request.url) if status == 503 else "",
            query=f"?{request.url.query}" if request.url.query else "",
        )
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})


class _Headers:
    """Adds to every answer what keeps a browser from doing more than to show it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class _Bounds:
    """Refuses addresses that no page of this site has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_URL:
            await PlainTextResponse("The address is too long.", 414)(scope, receive, send)
        elif scope["type"] == "http" and "\0" in scope["path"]:
            await PlainTextResponse("The address holds a character that no page has.", 400)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _tag(request: Request, page: Page, built: Built, wished: set[str]) -> str:
    tables = {*page.tables, *wished, *ALWAYS_READ}
    of = [request.url.path, request.url.query, code_version(), built.objections]
    if page in _OF_ALL:
        tables |= set(built.tables)
        of += [str(built.dumps), str(built.checks)]
    return f'W/"{built.fingerprint(*of, tables=tables)[:32]}"'


def _as_accepted(request: Request, packed: bytes, tag: str) -> Response:
    """A packed page, unpacked for a browser that cannot."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(gzip.decompress(packed), headers=_fresh(tag))
    encoding = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return HTMLResponse(packed, headers=_fresh(tag) | encoding)


def _idle(request: Request, page: Page, filters: Filters) -> list[str]:
    """That some filters do nothing on a page, and why, if any do not."""
    idling = ", ".join(chip.text for chip in idle(filters, request.url.path, page.honours))
    return [f"{page.refusal} These filters do nothing here: {idling}."] if idling else []


def _fresh(tag: str) -> dict[str, str]:
    """What a browser may keep, but has to ask for again."""
    return {"ETag": tag, "Cache-Control": "private, no-cache"}


def _matches(request: Request, tag: str) -> bool:
    """Whether the browser has the page of a tag; one that is not known yet is nobody's."""
    return bool(tag) and tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]
