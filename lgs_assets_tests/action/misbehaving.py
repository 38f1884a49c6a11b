"""What servers on the web do wrong: the faults that every stand-in of a destination can be told to show."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

Reply = tuple[int, Any]


class Misbehaving(BaseHTTPRequestHandler):
    """A handler that answers as it should, or with a fault."""

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def misbehave(self, fault: str | None, obey: Callable[[], Reply]) -> None:
        """Answers with what `obey` does and returns, unless the fault has it otherwise."""
        match fault:
            case None:
                self.say(*obey())
            case "done, answer lost":
                obey()
                self.close_connection = True
            case "no answer":
                self.close_connection = True
            case "hang":
                time.sleep(1.5)
            case "429 with Retry-After":
                self.say(429, {}, {"Retry-After": "7"})
            case "429" | "500" | "401" | "400" | "410":
                self.say(int(fault), {"detail": "oh dear"})
            case "HTML":
                self.raw(200, b"<html>log in, please</html>")
            case "invalid JSON":
                self.raw(200, b'{"rejected": [')
            case "another JSON":
                self.raw(200, b'{"data": 17, "results": [null], "segments": "?", "rejected": 1, "list": []}')
            case "deep JSON":
                self.raw(200, b"[" * 100_000)
            case "10 MB":
                self.raw(200, b" " * 10_000_000)
            case "drip":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                for _ in range(30):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.1)
            case "redirect":
                self.say(307, {}, {"Location": "http://elsewhere.test/"})
            case _:
                raise AssertionError(fault)

    def say(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        """Answers with JSON."""
        self.raw(status, b"" if content is None else json.dumps(content).encode(), headers)

    def raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answers with bytes."""
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
