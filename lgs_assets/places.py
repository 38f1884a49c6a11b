"""Where things are: the folders of the checkout, any folder or bucket by its path or its URL, and the shop's clock."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from upath import UPath

from lgs_assets.errors import LgsError, UnavailableError

ROOT = Path(__file__).resolve().parents[1]
SQL = ROOT / "sql"
TIME_ZONE = "Europe/London"  # of the retailer, and so of the timestamps of invoices

EXTRAS = {"abfs": "azure", "abfss": "azure", "az": "azure", "s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
"""The schemes of buckets, and the extra of this project that installs the driver of each."""


def open_place(location: str, *, variable: str) -> UPath:
    """The folder or the part of a bucket that a variable names. A folder's path is also a `pathlib.Path`.

    Raises LgsError if the driver of a URL is not installed, or lacks credentials.
    """
    if "://" not in location:
        return UPath(location)
    with reaching(location, variable=variable):
        place = UPath(location, use_listings_cache=False)
        try:
            place.fs  # noqa: B018 (it loads the driver)
        except ImportError as error:
            extra = EXTRAS.get(place.protocol)
            remedy = f'Install it: .venv/bin/pip install --editable ".[{extra}]".' if extra else f"{error}."
            raise LgsError(
                f"{variable}: {location}: the driver for {place.protocol}:// is not installed. {remedy}"
            ) from error
        return place


def in_shop(moment: datetime) -> datetime:
    """What the shop's clock shows at a moment: like the timestamps of invoices, it has no time zone."""
    return moment.astimezone(ZoneInfo(TIME_ZONE)).replace(tzinfo=None)


@contextmanager
def reaching(
    where: UPath | str, *, variable: str, passing: tuple[type[Exception], ...] = (), what: str = ""
) -> Iterator[None]:
    """Turns any failure at a place into an LgsError that says what to check; for a bucket, UnavailableError.

    `what` is the place in words. Errors in `passing` are not about the place, and pass unchanged.
    """
    try:
        yield
    except Exception as error:  # each driver has errors of its own
        if isinstance(error, (LgsError, *passing)):
            raise
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        is_bucket = "://" in str(where)
        kind = UnavailableError if is_bucket else LgsError
        remedy = f"{variable} and the credentials in the environment" if is_bucket else variable
        raise kind(f"{where}: {f'{what} is ' if what else ''}out of reach: {reason}. Check {remedy}.") from error


def private_folder(path: Path, *, mode: int = 0o700) -> None:
    """Creates the folder, and missing parents, for this account alone. An existing one stays as it is."""
    for folder in [*reversed(path.parents), path]:
        if not folder.exists():
            with suppress(FileExistsError):
                folder.mkdir(mode=mode)
