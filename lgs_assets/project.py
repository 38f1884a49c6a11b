"""Where things are: the folders of the checkout, and the environment variables that move them."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SQL = ROOT / "sql"


def state() -> Path:
    """The folder of everything that the platform makes: LGS_HOME, or `.lgs` in the checkout."""
    return Path(os.environ.get("LGS_HOME") or ROOT / ".lgs").absolute()


def inbox() -> Path:
    """The folder where dumps arrive: LGS_INBOX, or `inbox` in the state folder."""
    return Path(os.environ.get("LGS_INBOX") or state() / "inbox").absolute()
