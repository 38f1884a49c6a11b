"""Where things are: the folders of the checkout, and the environment variables that move them."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SQL = ROOT / "sql"


def state() -> Path:
    """The folder of everything that the platform makes: LGS_HOME, or `.lgs`; a relative path is below the checkout."""
    return ROOT / (os.environ.get("LGS_HOME") or ".lgs")


def inbox() -> Path:
    """The folder where dumps arrive: LGS_INBOX, or `inbox` in the state folder; a relative path likewise."""
    return ROOT / (os.environ.get("LGS_INBOX") or state() / "inbox")
