"""A receiver of lists: it judges every request, keeps what it is told, and goes wrong when it is told to."""

import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from lgs_assets_tests.action.misbehaving import Misbehaving, Reply
from lgs_assets_tests.action.schemas import WEBHOOK, problems

SIGNING_KEY = "a key between us and the receiver"


class Receiver:
    """What the receiver holds, what it was asked, and what goes wrong with the next requests."""

    def __init__(self) -> None:
        self.held: dict[int, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.faults: list[str | None] = []
        self.poison: set[int] = set()
        self.answers: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.url = ""

    def obey(self, key: str, content: dict[str, Any]) -> dict[str, Any]:
        """Does what a request says, once a key."""
        with self.lock:
            if key in self.answers:
                return self.answers[key]
            rejected = []
            for change in content["changes"]:
                customer = change["customer_id"]
                if customer in self.poison:
                    rejected.append({"id": customer, "reason": f"mailbox {change['email']} is full"})
                elif change["operation"] == "remove":
                    self.held.pop(customer, None)
                else:
                    self.held[customer] = {"email": change["email"], **change["fields"]}
            self.answers[key] = {"rejected": rejected}
            return self.answers[key]


class _Handler(Misbehaving):
    receiver: Receiver

    def do_POST(self) -> None:  # noqa: N802 (so http.server calls it)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = json.loads(body)
        self._judge(body, content)
        self.receiver.requests.append(content)
        fault = self.receiver.faults.pop(0) if self.receiver.faults else None
        with suppress(BrokenPipeError, ConnectionResetError):  # the sender was killed, or has given up
            self._answer(fault, content)

    def _judge(self, body: bytes, content: dict[str, Any]) -> None:
        """Notes what is wrong with a request."""
        stamp = self.headers["X-LGS-Timestamp"]
        expected = hmac.new(SIGNING_KEY.encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
        if self.headers["X-LGS-Signature"] != f"sha256={expected}" or abs(int(stamp) - time.time()) > 300:
            self.receiver.problems.append("signature")
        path, _, query = self.path.partition("?")
        self.receiver.problems += problems(WEBHOOK, self.command, path, dict(parse_qsl(query)), content)

    def _answer(self, fault: str | None, content: dict[str, Any]) -> None:
        def obey() -> Reply:
            return 207 if fault == "207" else 200, self.receiver.obey(self.headers["Idempotency-Key"], content)

        match fault:
            case "207":
                self.misbehave(None, obey)
            case "400 if poisoned":
                self.receiver.faults.insert(0, fault)
                if any(change["customer_id"] in self.receiver.poison for change in content["changes"]):
                    self.say(400, {"error": f"bad address {content['changes'][0]['email']}"})
                else:
                    self.misbehave(None, obey)
            case _:
                self.misbehave(fault, obey)


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens on this machine, for the length of a block; at a port of its own unless one is given."""
    receiver = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/lists?token=of-the-receiver"
        yield receiver
        server.shutdown()
