"""A folder of an SFTP server, for files that are dropped: a server whose key is known, and each file seen whole or not.

The driver of fsspec asks a policy whether to trust the key that a server shows. This one trusts what ssh itself would:
the keys in `known_hosts`. Whoever logs in does so by their key, from `~/.ssh` or an agent.
"""

from collections.abc import Mapping
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
    seconds = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout", "channel_timeout"), SECONDS)
    try:
        server: Any = fsspec.filesystem(
            "sftp", host=parts.hostname, port=parts.port or 22, username=unquote(parts.username or "") or None,
            host_key_policy=_only_known(), skip_instance_cache=True, **seconds,
        )  # fmt: skip
    except paramiko.AuthenticationException:
        raise AccessError(
            f"drop: {parts.hostname} does not let us in. Check the user of LGS_DROP and its key."
        ) from None
    try:
        server.ftp.get_channel().settimeout(SECONDS)
        folder = unquote(parts.path).rstrip("/")
        for name, content in files.items():
            server.pipe_file(f"{folder}/.{name}.part", content)
            server.mv(f"{folder}/.{name}.part", f"{folder}/{name}")
            server.pipe_file(f"{folder}/{name}.done", b"")
    finally:
        server.client.close()


def _only_known() -> "paramiko.MissingHostKeyPolicy":
    """Asked about every server, as the driver itself knows none."""
    import paramiko

    known = paramiko.HostKeys()
    for file in KNOWN_HOSTS:
        if file.expanduser().is_file():
            known.load(str(file.expanduser()))

    class OnlyKnown(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # it comes without types
        def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            if known.check(hostname, key):
                return
            client.close()
            shows = f"drop: {hostname} shows the key {key.get_name()} {key.fingerprint}"
            if key.get_name() in (known.lookup(hostname) or {}):
                raise AccessError(
                    f"{shows}, and known_hosts has another: somebody may pose as it. Nothing is sent. If it has a new "
                    "key, ask whoever runs it, and replace the line."
                )
            raise AccessError(
                f"{shows}, which is not in known_hosts. Nothing is sent. If whoever runs it confirms the key, log in "
                "once by sftp, which adds it."
            )

    return OnlyKnown()
