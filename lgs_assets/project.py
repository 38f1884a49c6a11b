"""Where things are: the folders of the checkout, and the environment variables that move them."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SQL = ROOT / "sql"
TIME_ZONE = "Europe/London"  # of the retailer, and so of the timestamps of invoices


def state() -> Path:
    """The folder of everything that the platform makes: LGS_HOME, or `.lgs`; a relative path is below the checkout."""
    return ROOT / (os.environ.get("LGS_HOME") or ".lgs")


def engine() -> str:
    """What runs the models: LGS_ENGINE, or `postgres`."""
    return os.environ.get("LGS_ENGINE") or "postgres"


def lake() -> str:
    """Where an engine other than PostgreSQL keeps lines: LGS_LAKE, a folder or a URL, or `lake` in the state folder.

    A relative path is below the checkout.
    """
    given = os.environ.get("LGS_LAKE", "")
    return given if "://" in given else str(ROOT / (given or state() / "lake"))


def inbox() -> str:
    """Where dumps arrive: LGS_INBOX, a folder or the URL of a bucket, or `inbox` in the state folder.

    A relative path likewise.
    """
    given = os.environ.get("LGS_INBOX", "")
    return given if "://" in given else str(ROOT / (given or state() / "inbox"))
