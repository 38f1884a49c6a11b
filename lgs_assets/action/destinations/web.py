"""Destinations on the web: one request at a time, bounded in size and time, and paced; errors by what to do about them.

No redirect is followed, and no address that an answer names is asked: either would take lists and keys elsewhere.
"""

import http.client
import json
import re
import socket
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import md5, sha256
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from lgs_assets.action.destinations.protocol import AccessError, BatchError, BusyError
from lgs_assets.errors import UnavailableError
from lgs_assets.escaping import printable

ANSWER_SECONDS = 30
"""How long an answer may take, to its last byte."""
_md5 = partial(md5, usedforsecurity=False)  # as Mailchimp names contacts by
_MAX_ANSWER = 5_000_000
_MAX_PAGES = 100_000
_LONGEST_WAIT = 300
_SHOWN = 200
_NOT_OF_ROWS = {402, 404, 405, 406, 410, 415, 451}
"""What no row of a batch can be the reason for."""
# The sign in an address, however it is written; also as a word, before what has a full stop, however that is written.
_AT = re.compile(
    r"@|%(25)*40|=40|\\u0040|\\x40|&(amp;)*(#0*64|#x0*40|commat);?|[(\[{<]\s*at\s*[)\]}>]"
    r"|\bat\b(?=\s*[\w.-]+(\.|\s*[(\[{<]?\s*\bdot\b\s*[)\]}>]?\s*)\w)",
    re.IGNORECASE,
)
# A whole word, or words: a part of an address is left for what finds it as a whole.
_TELEPHONE = re.compile(r'(?<![^\s(:;,"<])(\+|0)\d(?:[ ()/.-]{0,2}\d){6,13}(?![^\s):;,.">]|\.\w)')
# What JSON writes for a character, also in a text that was made JSON more than once.
_ESCAPE = re.compile(r"(?<!\\)\\(?:\\|u005c)*u([0-9a-f]{4})", re.IGNORECASE)

Row = TypeVar("Row")


class Reply(NamedTuple):
    """An answer over HTTP."""

    status: int
    retry_after: str | None
    body: bytes
    date: str | None = None
    """When the server says that it answered, by its own clock."""


@dataclass(frozen=True)
class Pace:
    """Lets requests through no faster than a destination allows."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: list[float] = field(default_factory=lambda: [0.0])

    def wait(self, interval: float) -> None:
        """Waits until the next request may be made, after which there is none for so many seconds."""
        now = self.clock()
        if now < self._next[0]:
            self.sleep(self._next[0] - now)
        self._next[0] = max(now, self._next[0]) + interval


@dataclass(frozen=True)
class Api:
    """A tool's interface of JSON over HTTP."""

    name: str
    url: str
    """Where it is, without a query."""
    headers: Mapping[str, str] = field(repr=False)
    key_variable: str
    """What to check if it does not let us in."""
    interval: float = 0
    """Seconds between requests."""
    media_type: str = "application/json"
    seconds: float = ANSWER_SECONDS
    pace: Pace = field(default_factory=Pace)

    def ask(
        self,
        method: str,
        path: str,
        content: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        interval: float | None = None,
        may_be_missing: bool = False,
    ) -> Any:
        """The JSON that a request is answered with; None for an answer without any, or of something missing.

        Raises what `Destination.send` raises. What is missing is an AccessError unless it may be.
        """
        self.pace.wait(self.interval if interval is None else interval)
        target = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {**self.headers, "Accept": self.media_type}
        body = None
        if content is not None:
            body = json.dumps(content, ensure_ascii=True).encode()
            headers["Content-Type"] = self.media_type
        reply = exchange(self.name, method, target, body, headers, seconds=self.seconds)
        if reply.status == 404 and may_be_missing:
            return None
        # Not which path: one of Mailchimp's has a hash of the address.
        elsewhere = f"what was asked for is not there. Is {self.url} the account that is meant?"
        refuse_errors(self.name, reply, key=self.key_variable, elsewhere=elsewhere)
        return parsed(self.name, reply)

    def pages(self, ask: Callable[[str | None], tuple[list[Any], str | None]]) -> Iterator[Any]:
        """What `ask` returns page by page, given where a page begins. Raises UnavailableError for one without end."""
        start = None
        for _ in range(_MAX_PAGES):
            found, following = ask(start)
            yield from found
            if following is None:
                return
            if following == start:
                break
            start = following
        raise UnavailableError(f"{self.name}: its answer never stops paging.")


def in_parts(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """The rows, so many at a time."""
    remaining = iter(rows)
    while part := list(islice(remaining, size)):
        yield part


def exchange(
    name: str, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, seconds: float
) -> Reply:
    """One request and its answer. Raises UnavailableError if there is none, in time and of a sensible size."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    connected: socket.socket | None = None

    def give_up() -> None:  # each byte that drips in would begin the time-out of the socket again
        if opened := connected or connection.sock:  # a connection forgets its socket before the answer is read
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, give_up)
    timer.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.connect()
        connected = connection.sock
        connection.request(method, target, body, dict(headers))
        with connection.getresponse() as response:
            answer = response.read(_MAX_ANSWER + 1)
            lacks = response.length  # what it announced and did not send
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{name}: no answer: {type(error).__name__}.") from None
    finally:
        timer.cancel()
        connection.close()
    if len(answer) > _MAX_ANSWER:
        raise UnavailableError(f"{name}: answered with more than {_MAX_ANSWER:,} bytes, which no list calls for.")
    if lacks:
        raise UnavailableError(f"{name}: the answer is incomplete.")
    return Reply(response.status, response.getheader("Retry-After"), answer, response.getheader("Date"))


def refuse_errors(name: str, reply: Reply, *, key: str, elsewhere: str) -> None:
    """Raises the error that an answer amounts to, if it is none of success."""
    status = reply.status
    if status in (401, 403):
        raise AccessError(f"{name}: answered {status}: it does not let us in. Check {key}.")
    if 300 <= status < 400 or status in _NOT_OF_ROWS:
        raise AccessError(f"{name}: answered {status}: {elsewhere}")
    if status in (408, 425, 429) or status >= 500 or status < 200:
        wait = _seconds(reply.retry_after, said_at=reply.date)
        raise BusyError(f"{name}: answered {status}.", status=status, wait=wait)
    if status >= 400:
        raise BatchError(f"answered {status}: {reason_in(reply.body)}", status=status)


def parsed(name: str, reply: Reply) -> Any:
    """The JSON of an answer; None if it is empty. Anything else, such as the page of a proxy, confirms nothing."""
    if not reply.body.strip():
        return None
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise unexpected(name, reply.status) from None


def unexpected(name: str, status: int = 200) -> BusyError:
    """The error of an answer that is not what the destination's documentation says."""
    return BusyError(f"{name}: the answer is not the JSON that was expected.", status=status)


@contextmanager
def expecting(name: str, status: int = 200) -> Iterator[None]:
    """Raises the error of an unexpected answer for one in which the block does not find what it looks for."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise unexpected(name, status) from None


def identifier(name: str, value: object) -> str:
    """What a destination calls somebody, if it can be that, and no address. Raises BusyError for anything else."""
    if not isinstance(value, (str, int)) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", str(value)):
        raise unexpected(name)
    return str(value)


def reason_in(body: bytes) -> str:
    """What an answer gives as a reason, without addresses."""
    return redacted(body.decode(errors="replace")) or "no reason"


def redacted(text: str) -> str:
    """Text of a destination, short, harmless, and without anything that could be an address or a telephone number."""
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    shown = _TELEPHONE.sub("…", unicodedata.normalize("NFKC", plain))
    marked = re.sub(r"\s*@[\s@]*", "@", _AT.sub("@", shown))  # also between words
    words = ("…" if "@" in word else word for word in marked.split())  # all: a cut one may be half an address
    shown = printable(" ".join(words)[: 5 * _SHOWN])
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 2].rpartition(' ')[0]} …"  # no half of a word


def without(text: str, addresses: Iterable[str | None]) -> str:
    """A text without the words that have what precedes the sign of one of the addresses, or a hash of one."""
    told = {each.lower() for each in addresses if each}
    shown = text.lower()
    hashes = {make(each.encode()).hexdigest() for each in told for make in (sha256, _md5)}
    names = {each.partition("@")[0] for each in told}
    # A name counts as a whole word only, also after "\\n" in JSON: "information" does not give info@example.test away.
    found = [rf"(?:(?<![^\W_])|(?<=\\[bfnrt])){re.escape(name)}(?![^\W_])" for name in names if name in shown]
    found += [each for each in hashes if each in shown]
    if not found:
        return text
    gives_away = re.compile("|".join(found))
    return " ".join("…" if gives_away.search(word.lower()) else word for word in text.split())


def _seconds(retry_after: str | None, *, said_at: str | None) -> float | None:
    """For how long `Retry-After` asks to wait: seconds, or until a date. None if it says nothing sensible.

    A date is counted from that of the answer: this machine's clock may be wrong.
    """
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdecimal():
        return float(min(int(retry_after.strip()[:9]), _LONGEST_WAIT))
    try:
        until, now = map(parsedate_to_datetime, (retry_after, said_at or ""))
        wait = (until - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no dates, or only one with a zone
        return None
    return min(max(wait, 0), _LONGEST_WAIT)
