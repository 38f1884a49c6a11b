"""The guard before a web page of this machine: which requests reach it. Any ASGI application; knows no Dagster.

A browser sends requests to this machine on behalf of every page it shows. What passes here comes from the application's
own pages, from a person who opens its address, or from a program that is not a browser.
"""

from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lgs_assets.errors import LgsError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PROTECTION = {
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# Nobody frames the page, and nothing that it shows, such as a description, fetches an image from elsewhere.
_CONTENT_SECURITY_POLICY = "frame-ancestors 'none'; form-action 'self'; img-src 'self' data: blob:"


def origin_of(text: str) -> str:
    """The origin as browsers send it. Raises LgsError if the text is none."""
    with suppress(ValueError):  # a port or an address that is none
        url = urlsplit(text.lower())
        port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
        name = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        if url.scheme in _DEFAULT_PORTS and name and text.lower().rstrip("/") == f"{url.scheme}://{url.netloc}":
            return f"{url.scheme}://{name}{port}"
    raise LgsError(f"expected an origin such as https://dagster.example.com, found {text!r}")


class Guard:
    """Lets through what the application's own pages, its visitors and programs send, and nothing of other sites.

    Every request must name one of the origins in its `Host`: a foreign name that resolves to this machine (DNS
    rebinding) does not. `Origin` and `Sec-Fetch-Site`, which browsers send and pages cannot forge, must not tell of
    another site. A WebSocket must have an `Origin`, since browsers always send one. Only a POST of `application/json`
    can change anything, as no page can send that elsewhere without leave: GET /graphql takes no query.
    """

    def __init__(self, app: ASGIApp, *, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = list(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection: refuses it with the reason, or hands it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not (objection := self._objection_to(scope)):
            await self._app(scope, receive, _protecting(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "another site"})  # before accept: HTTP 403
        else:
            refusal = PlainTextResponse(objection + "\n", status_code=403)
            await refusal(scope, receive, _protecting(send))

    def _objection_to(self, scope: Scope) -> str:
        """Why the request is refused; empty if it is not."""
        headers = Headers(scope=scope)
        hosts, claimed = headers.getlist("host"), headers.getlist("origin")
        named = [origin for origin in self._origins if [origin.partition("://")[2]] == [host.lower() for host in hosts]]
        if not named:
            return f"This server is {' or '.join(self._origins)}. For another address, set LGS_UI_ORIGINS."
        if scope["type"] == "websocket":
            return "" if len(claimed) == 1 and claimed[0] in named else "The WebSocket is not of a page of this server."
        if len(claimed) > 1 or not set(claimed) <= set(named):
            return "The request comes from a page of another site."
        if (objection := _objection_by_method(scope, headers)) or _is_of_own_site(headers):
            return objection
        is_visit = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        is_visit &= headers.get("sec-fetch-dest") == "document"
        return "" if is_visit else "The request comes from a page of another site."


def _objection_by_method(scope: Scope, headers: Headers) -> str:
    if scope["method"] in ("GET", "HEAD"):
        is_query = scope["path"].rstrip("/").endswith("/graphql") and scope["query_string"]
        return "Send GraphQL by POST, as application/json." if is_query else ""
    if scope["method"] != "POST":
        return "The methods are GET, HEAD and POST."
    # In just this spelling: of another, some applications take the query string for the body.
    types = [value.partition(";")[0].strip() for value in headers.getlist("content-type")]
    return "" if types == ["application/json"] else "Send a POST as application/json (Content-Type)."


def _is_of_own_site(headers: Headers) -> bool:
    """Whether a page of this server has sent the request, a person has, or no browser at all."""
    return set(headers.getlist("sec-fetch-site")) <= {"same-origin", "none"}


def _protecting(send: Send) -> Send:
    """Adds the headers by which a browser keeps other sites away from the answer."""

    async def protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_PROTECTION)
            headers.append("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
        await send(message)

    return protected
