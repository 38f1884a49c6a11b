"""Where lists go: one small protocol, and the destinations that the configuration names.

Every operation is a set operation: to add a member who is there, or to remove one who is not, changes nothing. So what
may have arrived can be sent again. Delivery is at least once; the idempotency key tells a repeat.
"""

import csv
import hmac
import http.client
import io
import json
import re
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from lgs_assets.configuration import Configuration
from lgs_assets.errors import LgsError, UnavailableError, UsageError
from lgs_assets.escaping import csv_cell, printable
from lgs_assets.places import open_place, reaching

Operation = Literal["add", "update", "remove"]

ANSWER_SECONDS = 30
"""How long an answer may take, to its last byte."""
_MAX_ANSWER = 1_000_000
_LONGEST_WAIT = 300
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class Change(NamedTuple):
    """What a destination is to do with one customer. A removal tells it nothing but whom."""

    operation: Operation
    customer_id: int
    email: str | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """Changes that are sent in one request."""

    audience: str
    plan: int
    number: int
    changes: tuple[Change, ...]
    key: str
    """By which the receiver tells a repeat of the same batch with the same content."""
    sent_at: datetime


@dataclass(frozen=True)
class Answer:
    """What a destination says of a batch that it took."""

    status: int
    rejected: dict[int, str] = field(default_factory=dict)
    """Why it did not take some of the customers."""


class Destination(Protocol):
    """Where a list goes."""

    @property
    def name(self) -> str:
        """By which commands and ledgers call it."""

    @property
    def batch_rows(self) -> int | None:
        """How many changes it takes at a time; None for all of a plan."""

    def send(self, batch: Batch) -> Answer:
        """Hands a batch over. Does nothing else: no second attempt, no state.

        Raises BusyError or UnavailableError if it may be tried again, BatchError for a batch that is refused as a
        whole, and AccessError if there is no sense in sending any other.
        """


class BusyError(UnavailableError):
    """The destination asks to come back later, or is out of order."""

    def __init__(self, reason: str, *, status: int, wait: float | None = None) -> None:
        """`wait` is for how many seconds, if it says so."""
        super().__init__(reason)
        self.status, self.wait = status, wait


class BatchError(LgsError):
    """The destination refuses a batch because of what is in it."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(reason)
        self.status = status


class AccessError(LgsError):
    """The destination does not let us in, or is not the one that we mean."""


def destinations(configuration: Configuration) -> dict[str, Destination]:
    """The destinations that are configured, by name."""
    found: list[Destination] = []
    if configuration.drop:
        found.append(Drop(configuration.drop))
    if configuration.webhook_url and configuration.webhook_key:
        url, key = configuration.webhook_url.get_secret_value(), configuration.webhook_key.get_secret_value()
        found.append(Webhook(_address(url), key, configuration.webhook_rows))
    return {destination.name: destination for destination in found}


def destination_named(configuration: Configuration, name: str) -> Destination:
    """A destination. Raises UsageError if there is none of the name, or it is not configured."""
    found = destinations(configuration)
    if name not in found:
        needs = {"drop": "LGS_DROP", "webhook": "LGS_WEBHOOK_URL and LGS_WEBHOOK_KEY"}
        if name in needs:
            raise UsageError(f"The destination {name} is not configured: set {needs[name]}.")
        raise UsageError(f"There is no destination {name!r}. There are: {', '.join(needs)}.")
    return found[name]


def _address(url: str) -> str:
    """The URL of a webhook, if lists may go there. Raises UsageError, which does not show it: it may be a secret."""
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in _LOCAL
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise UsageError("LGS_WEBHOOK_URL: expected an address that begins with https://, or http:// on this machine.")
    return url


@dataclass(frozen=True)
class Drop:
    """A folder or a part of a bucket: a CSV file a plan, and beside it an empty one that says that it is complete."""

    location: str
    name: str = "drop"
    batch_rows: None = None

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`. Done again it writes the same bytes."""
        place = open_place(self.location, variable="LGS_DROP")
        with reaching(self.location, variable="LGS_DROP"):
            place.mkdir(parents=True, exist_ok=True)
            target = place / f"{batch.audience}-plan-{batch.plan}.csv"
            if isinstance(target, Path):  # a folder; an object in a bucket appears as a whole
                partial = target.with_name(f".{target.name}.part")
                partial.touch(mode=0o600)
                partial.write_bytes(_csv(batch.changes))
                partial.replace(target)
            else:
                target.write_bytes(_csv(batch.changes))
            (place / f"{target.name}.done").write_bytes(b"")
        return Answer(200)


def _csv(changes: Sequence[Change]) -> bytes:
    names = sorted({name for change in changes for name in change.fields})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["operation", "customer_id", "email", *names])
    for change in changes:
        cells = [csv_cell(str(change.fields.get(name, ""))) for name in names]
        writer.writerow([change.operation, change.customer_id, change.email or "", *cells])
    return text.getvalue().encode()


@dataclass(frozen=True)
class Webhook:
    """A URL that takes batches as JSON. The signature covers the time and the body, so neither can be altered."""

    url: str = field(repr=False)
    key: str = field(repr=False)
    batch_rows: int = 500
    seconds: float = ANSWER_SECONDS
    name: str = "webhook"

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`. Redirects are not followed: they would take the addresses elsewhere."""
        body = _json(batch)
        stamp = str(int(batch.sent_at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": batch.key,
            "X-LGS-Timestamp": stamp,
            "X-LGS-Signature": f"sha256={signature(self.key, stamp, body)}",
        }
        status, retry_after, answer = self._post(body, headers)
        if status in (401, 403):
            raise AccessError(f"webhook: answered {status}: it does not accept our signature. Check LGS_WEBHOOK_KEY.")
        if 300 <= status < 400 or status in (404, 405):
            raise AccessError(f"webhook: answered {status}: nothing is there that takes lists. Check LGS_WEBHOOK_URL.")
        if status == 429 or status >= 500:
            raise BusyError(f"webhook: answered {status}.", status=status, wait=_seconds(retry_after))
        if status >= 400:
            raise BatchError(f"answered {status}: {_reason(answer)}", status=status)
        if not 200 <= status < 300:
            raise BusyError(f"webhook: answered {status}.", status=status)
        return Answer(status, _rejected(answer, batch, status))

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str | None, bytes]:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.seconds)

        def give_up() -> None:  # each byte that drips in would begin the time-out of the socket again
            if connection.sock:
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.seconds, give_up)
        timer.start()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            answer = response.read(_MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"webhook: no answer: {type(error).__name__}.") from None
        finally:
            timer.cancel()
            connection.close()
        if len(answer) > _MAX_ANSWER:
            raise UnavailableError(f"webhook: answered with more than {_MAX_ANSWER:,} bytes, which no list calls for.")
        if response.length:  # it announced more than came
            raise UnavailableError("webhook: the answer breaks off.")
        return response.status, response.getheader("Retry-After"), answer


def signature(key: str, stamp: str, body: bytes) -> str:
    """What proves to a receiver that a body is ours, and of that time."""
    return hmac.new(key.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()


def _json(batch: Batch) -> bytes:
    content = {
        "audience": batch.audience,
        "plan": batch.plan,
        "batch": batch.number,
        "changes": [change._asdict() for change in batch.changes],
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()


def _rejected(answer: bytes, batch: Batch, status: int) -> dict[int, str]:
    """Whom an answer rejects, as {"rejected": [{"id": 17, "reason": "…"}]}. An empty answer rejects nobody.

    Anything else that is not JSON, such as the page of a proxy, confirms nothing.
    """
    if not answer.strip():
        return {}
    try:
        stated = json.loads(answer)
        listed = stated.get("rejected", [])
        rejected = {int(row["id"]): redacted(str(row.get("reason", "no reason"))) for row in listed}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BusyError("webhook: the answer is not the JSON that was expected.", status=status) from None
    sent = {change.customer_id for change in batch.changes}
    return {customer: reason for customer, reason in rejected.items() if customer in sent}


def _reason(answer: bytes) -> str:
    return redacted(answer[:200].decode(errors="replace")) or "no reason"


def redacted(text: str) -> str:
    """Text of a destination, short, harmless, and without anything that could be an address."""
    return re.sub(r"\S*(@|%40|\\u0040)\S*", "…", printable(" ".join(text.split())))[:200]


def _seconds(retry_after: str | None) -> float | None:
    """For how long `Retry-After` asks to wait: seconds, or until a date. None if it says nothing sensible."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(min(int(retry_after.strip()[:9]), _LONGEST_WAIT))
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0), _LONGEST_WAIT)
