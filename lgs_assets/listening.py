"""Where pages are served: the addresses of this machine alone, and a socket that listens."""

import ipaddress
import socket
from typing import Final

from lgs_assets.errors import LgsError

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""The names of this machine for itself."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises LgsError if the port is taken, or the address is not this machine's."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise LgsError(f"{host}:{port}: cannot listen there: {error.strerror}. Choose another port: --port.") from error


def in_url(host: str) -> str:
    """The host as a URL has it."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
