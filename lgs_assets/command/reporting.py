"""How a command that fails for a known reason ends: with the reason on standard error, and no traceback."""

import errno
import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import typer

from lgs_assets.errors import LgsError
from lgs_assets.escaping import printable

REJECTED = 3
"""The exit code of a command that did its work and names what was wrong: errors of checks, rejected lines or rows."""

_MISSING = {"42P01", "42703"}
"""PostgreSQL's codes for an undefined table and an undefined column."""


def fail(reason: str, *, exit_code: int = 1) -> NoReturn:
    """Ends the command with a reason and an exit code."""
    typer.secho(printable(reason, keep="\n"), err=True, fg=typer.colors.RED)
    raise typer.Exit(exit_code)


def reporting_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Ends a command that fails on purpose with its reason and the exit code of its error, without a traceback."""

    @wraps(command)
    def reported(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except LgsError as error:
            fail(str(error), exit_code=error.exit_code)
        except Exception as error:  # a full disk shows as an error of whatever was writing
            if getattr(getattr(error, "orig", None), "sqlstate", None) in _MISSING:
                fail("The tables are those of an earlier version of the platform. lgs run rebuilds them.")
            if not (reason := _disk_is_full(error)):
                raise
            fail(f"A disk is full: {reason}. Make room, and run the same command again: nothing is left half done.")

    return reported


def expect_new(path: Path, *, force: bool) -> None:
    """Raises LgsError if there is a file that a command would replace, unless it is to."""
    if path.exists() and not force:
        raise LgsError(f"{path} is there already; --force replaces it.")


def _disk_is_full(error: BaseException | None) -> str:
    """What the operating system or Dagster's SQLite said of a full disk, if that is behind an error; else nothing."""
    while error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return str(error)
        if isinstance(error, sqlite3.Error) and error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return f"the one of Dagster's state, in LGS_HOME ({error})"
        error = error.__cause__ or error.__context__
    return ""
