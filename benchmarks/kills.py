"""Whether all is current within a minute, whatever is killed, and whether first commands at once succeed.

    python -m benchmarks.kills [--command 20] [--ui 20] [--run 20] [--races 50] [--seed 1]

In folders of its own, each with a server, which are removed afterwards. A kill is `kill -9` of a process and all that
it started, at a random moment after a dump has arrived: of `lgs run`, which the next one makes up for; of `lgs ui`,
which is started again; of the process that executes a run of that UI, and every other time of the next one, too. A race
starts two to four commands at once in a fresh folder. The lineage is that of the segments alone. It prints what
happened, and ends with 1 if anything was wrong; a recovery of more than a minute counts, but is no fault where a
machine has much else to do.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import dagster as dg
import typer

from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer, embedded_server
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.arrivals.shops import Shop
from lgs_assets_tests.builders import Line, write_dump
from lgs_assets_tests.wiring.killing import (
    LGS_WITH_FEW_TABLES,
    at_work,
    is_current,
    kill,
    kill_worker,
    schema_versions,
    start,
    ui_with_few_tables,
)

PATIENCE_SECONDS = 600
"""What is not current by then is not current."""
MINUTE_SECONDS = 60
UI_SECONDS = 40
"""In which a UI has started, loaded a dump and built the tables, roughly."""
RUN_SECONDS = 3
NOTHING_LEFT = "No steps needed to be retried in the failed run."
"""What Dagster's daemon says in a traceback of a run that was killed after its last step, and goes on."""
DAY = [Line(str(i), customer_id=100 + i, invoice_date=f"2011-03-{i + 1:02} 10:00:00") for i in range(20)]


@dataclass
class Tally:
    """What a part of the drill came to."""

    part: str
    times: int = 0
    kills: int = 0
    recoveries: list[float] = field(default_factory=list)
    """Seconds from the kill, or from the start of what makes up for it, until all was current."""
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        """All of it but the faults."""
        late = sum(seconds > MINUTE_SECONDS for seconds in self.recoveries)
        recovered = [f"slowest recovery {max(self.recoveries):.1f} s, {late} of more than a minute"] * bool(
            self.recoveries
        )
        wrong = f"{len(self.wrong)} wrong: failed, not current, a traceback, or several schema versions"
        return "; ".join([f"{self.part}: {self.times} times, {self.kills} kills", *recovered, wrong])


class Place:
    """A folder with everything that the platform creates, its inbox, and the processes that were started for it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "lgs"
        self._logs = folder / "logs"
        self._logs.mkdir()
        self._ui = ui_with_few_tables(folder)
        self._started: list[subprocess.Popen] = []
        self._lines = 0
        os.environ["LGS_HOME"] = str(self.home)
        os.environ["DAGSTER_HOME"] = ""
        self.configuration = Configuration.read()

    def start(self, *arguments: str) -> subprocess.Popen:
        """Starts `lgs` with these arguments."""
        code = self._ui if arguments[0] == "ui" else LGS_WITH_FEW_TABLES
        with (self._logs / str(len(self._started))).open("wb") as log:
            process = start(code, *arguments, stdout=log, stderr=log)
        self._started.append(process)
        return process

    def said(self, process: subprocess.Popen) -> str:
        """What a process that was started here has printed."""
        return (self._logs / str(self._started.index(process))).read_text(errors="replace")

    def start_ui(self) -> subprocess.Popen:
        """Starts `lgs ui` on a port that is free."""
        return self.start("ui", "--port", "0")

    def dump_arrives(self, name: int) -> None:
        """A dump of another month, complete, in the inbox."""
        month = f"{2000 + name // 12}-{1 + name % 12:02}"
        lines = [Line(f"{name}-{day.invoice_no}", customer_id=day.customer_id) for day in DAY]
        dated = [
            Line(line.invoice_no, customer_id=line.customer_id, invoice_date=day.invoice_date.replace("2011-03", month))
            for line, day in zip(lines, DAY, strict=True)
        ]
        dump = write_dump(Path(self.configuration.inbox_location) / f"{month}.sql", dated)
        dump.with_name(f"{dump.name}.done").touch()
        self._lines += len(dated)

    def is_current(self, instance: dg.DagsterInstance, warehouse: Warehouse) -> bool:
        """Whether all dumps are loaded, and all tables built from them."""
        return is_current(instance, warehouse, self._lines)

    def faults(self) -> Iterator[str]:
        """What must not be there after a part: tracebacks, or a database of Dagster with several schema versions."""
        for log in (*self._logs.iterdir(), self.home / "ui.log"):
            _, *tracebacks = log.read_text(errors="replace").split("Traceback") if log.exists() else [""]
            yield from (f"{log.name}: {text[-2000:]}" for text in tracebacks if NOTHING_LEFT not in text)
        yield from (f"{file.name}: {heads} heads" for file, heads in schema_versions(self.home).items() if heads != 1)

    def close(self) -> None:
        """Ends what was started here, and the server."""
        for process in self._started:
            kill(process)
        embedded_server(self.configuration).stop()


@contextmanager
def place() -> Iterator[Place]:
    """A fresh one, removed afterwards."""
    with TemporaryDirectory() as folder:
        made = Place(Path(folder))
        try:
            yield made
        finally:
            made.close()


@contextmanager
def state_of(here: Place) -> Iterator[tuple[dg.DagsterInstance, Warehouse]]:
    """Dagster's instance and the warehouse, to look at."""
    warehouse = Warehouse(embedded_server(here.configuration).url)
    with dagster_instance(here.configuration) as instance:
        yield instance, warehouse
    warehouse.engine.dispose()


def seconds_until(condition: Callable[[], Any]) -> float | None:
    """How long it takes until the condition holds; None if it never does."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE_SECONDS:
            return None
        time.sleep(0.5)  # each look reads the versions of all tables
    return time.monotonic() - began


def kill_commands(times: int, chance: random.Random) -> Tally:
    """Kills `lgs run`, whose work the next one does."""
    tally = Tally("commands")
    with place() as here:
        began = time.monotonic()
        here.dump_arrives(0)
        here.start("run").wait()
        whole = time.monotonic() - began
        for tally.times in range(1, times + 1):
            here.dump_arrives(tally.times)
            killed = here.start("run")
            time.sleep(chance.uniform(0, whole))  # the kill comes at any moment of the command
            tally.kills += killed.poll() is None
            kill(killed)
            began = time.monotonic()
            if code := here.start("run").wait():
                tally.wrong.append(f"the command after kill {tally.times} ended with {code}")
            tally.recoveries.append(time.monotonic() - began)
            with state_of(here) as (instance, warehouse):
                if not here.is_current(instance, warehouse):
                    tally.wrong.append(f"not current after kill {tally.times}")
        tally.wrong += here.faults()
    return tally


def kill_uis(times: int, chance: random.Random) -> Tally:
    """Kills `lgs ui`, which is started again."""
    tally = Tally("UIs")
    with place() as here:
        here.dump_arrives(0)
        here.start("run").wait()
        ui = here.start_ui()
        with state_of(here) as (instance, warehouse):
            for tally.times in range(1, times + 1):
                here.dump_arrives(tally.times)
                time.sleep(chance.uniform(0, UI_SECONDS))  # before, while or after the dump is loaded
                kill(ui)
                tally.kills += 1
                ui = here.start_ui()
                _note(tally, seconds_until(lambda: here.is_current(instance, warehouse)))
        tally.wrong += here.faults()
    return tally


def kill_runs(times: int, chance: random.Random) -> Tally:
    """Kills the process of a run inside a UI, and every other time that of the next run as well."""
    tally = Tally("runs inside a UI")
    with place() as here:
        here.dump_arrives(0)
        here.start("run").wait()
        here.start_ui()
        before: set[str] = set()
        with state_of(here) as (instance, warehouse):
            for tally.times in range(1, times + 1):
                before.update(run.run_id for run in instance.get_runs())
                here.dump_arrives(tally.times)
                for _ in range(1 + tally.times % 2):
                    seconds_until(lambda: at_work(instance, besides=before) or here.is_current(instance, warehouse))
                    time.sleep(chance.uniform(0, RUN_SECONDS))  # at any moment of the run
                    for run in at_work(instance, besides=before)[:1]:
                        kill_worker(instance, run)
                        tally.kills += 1
                        before.add(run.run_id)
                _note(tally, seconds_until(lambda: here.is_current(instance, warehouse)))
        tally.wrong += here.faults()
    return tally


def race(times: int, chance: random.Random) -> Tally:
    """Starts two to four commands at once in a fresh folder; afterwards one more brings everything up to date."""
    tally = Tally("races")
    with TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        shop = Shop(server.url())
        shop.make_table()
        shop.sell(*DAY)
        os.environ |= {"LGS_SOURCE_URL": shop.url, "LGS_SOURCE_TABLE": "retail"}
        dump = str(write_dump(Path(folder) / "retail.sql", DAY))
        arguments = {"run": [dump], "psql": ["-c", "select 1"], "ui": ["--port", "0"]}
        try:
            for tally.times in range(1, times + 1):
                commands = chance.choices(["run", "status", "psql", "pull", "ui"], k=chance.randint(2, 4))
                with place() as here:
                    processes = [here.start(command, *arguments.get(command, [])) for command in commands]
                    ends = [
                        _end_of(process, command, here) for process, command in zip(processes, commands, strict=True)
                    ]
                    ends.append(here.start("run").wait())
                    found = [f"ended with {ends}"] if any(ends) else []
                    tally.wrong += [f"{' '.join(commands)}: {fault}" for fault in (*found, *here.faults())]
        finally:
            del os.environ["LGS_SOURCE_URL"], os.environ["LGS_SOURCE_TABLE"]
            server.stop()
    return tally


def _end_of(process: subprocess.Popen, command: str, here: Place) -> int:
    """The exit code of a command; 0 for a UI that serves pages, which is then told to end."""
    if command != "ui":
        return process.wait(PATIENCE_SECONDS)
    seconds_until(lambda: process.poll() is not None or "The Dagster UI:" in here.said(process))
    serves = process.poll() is None
    process.send_signal(signal.SIGINT)
    return process.wait(PATIENCE_SECONDS) * (not serves)


def _note(tally: Tally, seconds: float | None) -> None:
    if seconds is None:
        tally.wrong.append(f"not current {PATIENCE_SECONDS} s after kill {tally.kills}")
    else:
        tally.recoveries.append(seconds)


def main(
    command: Annotated[int, typer.Option(min=0, help="Kill `lgs run` so often.")] = 20,
    ui: Annotated[int, typer.Option(min=0, help="Kill `lgs ui` so often.")] = 20,
    run: Annotated[int, typer.Option(min=0, help="Kill a run inside `lgs ui` so often.")] = 20,
    races: Annotated[int, typer.Option(min=0, help="So many races.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the random moments and the commands of the races.")] = 1,
) -> None:
    """Prints the counts. Ends with 1 if anything was wrong."""
    for name in [name for name in os.environ if name.startswith(("LGS_", "DAGSTER_"))]:
        del os.environ[name]
    parts = [(kill_commands, command), (kill_uis, ui), (kill_runs, run), (race, races)]
    wrong: list[str] = []
    for number, (part, times) in zip(count(seed), parts, strict=False):
        if times:
            tally = part(times, random.Random(number))  # noqa: S311 (so that a run can be repeated)
            typer.echo(tally.line())
            wrong += tally.wrong
    for fault in wrong:
        typer.echo(fault)
    raise typer.Exit(bool(wrong))


if __name__ == "__main__":
    typer.run(main)
