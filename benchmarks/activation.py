"""Whether lists arrive as they were planned, whatever breaks, and what a large plan costs.

    python -m benchmarks.activation [--applies 77] [--kills 53] [--members 100000]

On a server of its own, which is removed afterwards. The drill applies plans by processes that are killed at each step
and at random, to a receiver of which two answers in five are wrong, until there are so many of both; then each list is
compared with what was planned. A large plan is made in a process of its own, which reports its seconds and its memory.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from lgs_assets.action.contacts import import_contacts
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets_tests.action.conftest import make_customers
from lgs_assets_tests.action.drill import ROWS, Tally, drill
from lgs_assets_tests.action.lists import set_members
from lgs_assets_tests.action.people import KEY, contacts_file, line
from lgs_assets_tests.action.receiver import SIGNING_KEY, receiving


def main(
    applies: Annotated[int, typer.Option(min=0, help="Apply at least so often.")] = 77,
    kills: Annotated[int, typer.Option(min=0, help="Kill at least so many of these.")] = 53,
    members: Annotated[int, typer.Option(min=0, help="Plan a list of so many.")] = 100_000,
) -> None:
    """Prints the figures. Ends with 1 if a list is not as it was planned, or a large plan costs more than it may."""
    with TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        try:
            is_dear = bool(members) and not _large(server.url(), Path(folder), members)
            tally = _drill(server.url(), Path(folder), applies, kills)
        finally:
            server.stop()
    typer.echo(f"{tally.applies} applies, {tally.kills} kills, {tally.ends} ends compared, {len(tally.wrong)} wrong")
    for wrong in tally.wrong:
        typer.echo(wrong)
    raise typer.Exit(is_dear or bool(tally.wrong))


def _drill(url: str, folder: Path, applies: int, kills: int) -> Tally:
    people = _people(url, folder, 40)
    with receiving() as receiver:

        def fail(faults: list[str | None]) -> None:
            receiver.faults = faults

        rounds = drill(
            people, lambda: Webhook(receiver.url, SIGNING_KEY, ROWS, 1), lambda: set(receiver.held), fail, seed=1
        )
        for tally in rounds:
            if tally.applies >= applies and tally.kills >= kills:
                people.engine.dispose()
                return tally
    raise AssertionError  # the rounds have no end


def _large(url: str, folder: Path, members: int) -> bool:
    """Plans and applies a list of so many members, to files. Returns whether that costs no more than it may."""
    people = _people(url, folder, members)
    set_members(people, range(1, members + 1))
    people.engine.dispose()
    tool = [sys.executable, "-m", "benchmarks.large_plan", url, str(folder / "lists"), KEY]
    done = subprocess.run(tool, stdout=subprocess.PIPE, text=True)
    typer.echo(done.stdout.rstrip())
    return done.returncode == 0


def _people(url: str, folder: Path, number: int) -> Warehouse:
    """A fresh warehouse with so many customers, all with a contact."""
    warehouse = Warehouse(url)
    with warehouse.engine.connect() as connection:
        connection.exec_driver_sql("drop schema if exists lgs cascade; drop schema if exists lgs_private cascade")
        connection.commit()
    make_customers(warehouse, number)
    import_contacts(warehouse, contacts_file(folder, map(line, range(1, number + 1))), key=KEY, reject_limit=0)
    return warehouse


if __name__ == "__main__":
    typer.run(main)
