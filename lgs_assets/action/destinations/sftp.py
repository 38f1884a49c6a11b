"""A folder of an SFTP server, for files that are dropped: a server whose key is known, and each file seen whole or not.

The driver of fsspec asks a policy whether to trust the key that a server shows. This one trusts what ssh itself would:
the keys in `known_hosts`. Whoever logs in does so by their key, from `~/.ssh` or an agent.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lgs_assets.action.destinations.protocol import AccessError
from lgs_assets.errors import LgsError

if TYPE_CHECKING:  # it is an extra
    import paramiko

SCHEME = "sftp://"
SECONDS = 30
"""How long the server may take over each step."""
KNOWN_HOSTS = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))


def put_files(location: str, files: Mapping[str, bytes]) -> None:
    """Puts files into a folder that is there, each with its marker after it, under its name only when it is complete.

    Raises AccessError if the key of the server is not known, or it does not let us in, and what the driver raises.
    """
    try:
        import fsspec
        import paramiko
    except ImportError:
        raise LgsError(
            'LGS_DROP: the driver for sftp:// is not installed. Install it: .venv/bin/pip install --editable ".[sftp]".'
        ) from None
    parts = urlsplit(location)
    host, port = parts.hostname or "", parts.port or 22
    known = _known(host if port == 22 else f"[{host}]:{port}")
    seconds = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout", "channel_timeout"), SECONDS)
    try:
        server: Any = fsspec.filesystem(
            "sftp", host=host, port=port, username=unquote(parts.username or "") or None,
            host_key_policy=_policy(known), transport_factory=_preferring(known), skip_instance_cache=True, **seconds,
        )  # fmt: skip
    except paramiko.AuthenticationException:
        raise AccessError(f"drop: {host} does not let us in. Check the user of LGS_DROP and its key.") from None
    except paramiko.SSHException as error:
        if "No authentication methods" not in str(error):
            raise
        raise AccessError(f"drop: there is no key to log in to {host} with, neither in ~/.ssh nor an agent.") from None
    try:
        server.ftp.get_channel().settimeout(SECONDS)
        folder = unquote(parts.path).rstrip("/")
        for name, content in files.items():
            server.pipe_file(f"{folder}/.{name}.part", content)
            server.mv(f"{folder}/.{name}.part", f"{folder}/{name}")
            server.pipe_file(f"{folder}/{name}.done", b"")
    finally:
        server.client.close()


@dataclass
class _Known:
    """What `known_hosts` says of a server."""

    keys: dict[bytes, str] = field(default_factory=dict)
    """Its keys, as the protocol has them, and the kind of each."""
    revoked: set[bytes] = field(default_factory=set)
    """Keys that are trusted nowhere: whoever stole one can pose as any server that has it."""
    unread: list[str] = field(default_factory=list)
    """Lines that cannot be read, and may be about this server."""


def _known(host: str) -> _Known:
    known = _Known()
    for file in KNOWN_HOSTS:
        path = file.expanduser()
        try:
            lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        except OSError as error:
            raise AccessError(f"drop: {file} cannot be read: {error.strerror}. Nothing is sent.") from None
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith(("#", "@cert-authority")):  # we ask for no certificates
                continue
            try:
                _note_line(words, host, known)
            except Exception:  # each kind of damage has an error of its own
                if words[0] == "@revoked":
                    raise AccessError(
                        f"drop: line {number} of {file} revokes a key and cannot be read. Nothing is sent: correct it."
                    ) from None
                known.unread.append(f"line {number} of {file}")
    return known


def _note_line(words: list[str], host: str, known: _Known) -> None:
    from paramiko import HostKeys

    is_revoked = words[0] == "@revoked"
    names, kind, key = words[is_revoked : is_revoked + 3]
    decoded = b64decode(key, validate=True)
    if is_revoked:
        known.revoked.add(decoded)
    elif any(name == (HostKeys.hash_host(host, name) if name[0] == "|" else host) for name in names.split(",")):
        known.keys[decoded] = kind


def _preferring(known: _Known) -> "Callable[..., paramiko.Transport]":
    """Connections that ask first for a key of a kind that is known: else a server with several may show another."""
    import paramiko

    def connect(*arguments: Any, **options: Any) -> paramiko.Transport:
        transport = paramiko.Transport(*arguments, **options)
        kinds = transport.get_security_options()
        known_kinds = {each.replace("ssh-rsa", "rsa-sha2") for each in known.keys.values()}
        kinds.key_types = sorted(kinds.key_types, key=lambda kind: not kind.startswith(tuple(known_kinds)))
        return transport

    return connect


def _policy(known: _Known) -> "paramiko.MissingHostKeyPolicy":
    """Asked about every server, as the driver itself knows none."""
    import paramiko

    class KnownKeysOnly(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # it comes without types
        def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            shown = key.asbytes()
            if shown in known.keys and shown not in known.revoked:
                return
            client.close()
            shows = f"drop: {hostname} shows the key {key.get_name()} {key.fingerprint}"
            if shown in known.revoked:
                raise AccessError(
                    f"{shows}, which known_hosts marks as @revoked: somebody may pose as it. Nothing is sent."
                )
            if known.keys:
                raise AccessError(
                    f"{shows}, and known_hosts has another: somebody may pose as it. Nothing is sent. If it has a new "
                    "key, ask whoever runs it, and replace the line."
                )
            unread = f" ({', '.join(known.unread)} cannot be read)" if known.unread else ""
            raise AccessError(
                f"{shows}, which is not in known_hosts{unread}. Nothing is sent. If whoever runs it confirms the key, "
                "log in once by sftp, which adds it."
            )

    return KnownKeysOnly()
