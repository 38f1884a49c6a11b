"""How a command ends that fails for a known reason: with the reason on standard error, and no traceback."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import typer

from lgs_assets.errors import LgsError
from lgs_assets.escaping import printable


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

    return reported
