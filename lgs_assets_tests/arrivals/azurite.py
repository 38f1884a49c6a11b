"""Azurite, the emulator of Azure Storage, on this machine."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from lgs_assets import places

AZURITE = "azurite@3.35.0"
# The account and the key of every Azurite: they are public.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PATIENCE_SECONDS = 30


def azurite_program() -> str:
    """Azurite on the path, or installed below .lgs, once."""
    if found := shutil.which("azurite-blob"):
        return found
    cache = places.ROOT / ".lgs" / "azurite"
    program = cache / "node_modules" / ".bin" / "azurite-blob"
    if not program.exists():
        if not (npm := shutil.which("npm")):
            pytest.skip("NOT PROVEN ON AZURE STORAGE: neither azurite-blob nor npm is on the path")
        cache.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--prefix", cache, AZURITE],
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode:
            pytest.skip(f"NOT PROVEN ON AZURE STORAGE: {AZURITE} cannot be installed: {done.stderr}")
    return str(program)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite with its data in memory; the connection string of its account."""
    program = azurite_program()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            program, "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent",
            "--blobHost", "127.0.0.1", "--blobPort", str(port),
        ],
        cwd=tmp_path_factory.mktemp("azurite"),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert server.poll() is None and time.monotonic() < deadline, "Azurite does not start"
            time.sleep(0.1)
        endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        yield f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)
