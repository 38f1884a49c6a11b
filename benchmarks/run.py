"""Runs the benchmark: `python -m benchmarks.run --help`. Writes results.json, report.md and a picture for each size."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import psycopg
import typer
from psycopg import sql

from benchmarks import history, report, workload
from benchmarks.compare import LINES, compare
from benchmarks.measure import Limits, Measurement, clean_environment, measure
from benchmarks.peers import (
    DAY,
    DAY_AND_ALL,
    HISTORY,
    HISTORY_OF_A_DAY,
    OURS_OF_HISTORY,
    PEERS,
    PLATFORM,
    SPARK,
    Peer,
)
from benchmarks.peers.common import RESULTS, SETTINGS
from benchmarks.results import Results, Run, load, save
from lgs_assets import places
from lgs_assets.configuration import Settings
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.schema import SCHEMA
from lgs_assets.warehouse.server import EmbeddedServer, program

PEERS_PYTHON = places.ROOT / ".venv-benchmark" / "bin" / "python"


class Stage(StrEnum):
    """What is measured."""

    WHOLE_JOB = "whole-job"
    HISTORY = "history"
    BOTH = "both"


@dataclass(frozen=True)
class Bench:
    """The server, the folder and the limits of all runs."""

    server: EmbeddedServer
    work: Path
    limits: Limits

    def fresh_database(self, name: str) -> str:
        """An empty database of that name. Returns its URL."""
        self._administer("drop database if exists {}", name)
        self._administer("create database {}", name)
        shutil.rmtree(self._home(name), ignore_errors=True)
        return urlsplit(self.server.url())._replace(path=f"/{name}", query="").geturl()

    def drop(self, name: str) -> None:
        """Removes a database again, and the state that the platform kept with it."""
        self._administer("drop database {}", name)
        shutil.rmtree(self._home(name), ignore_errors=True)

    def remove_server(self) -> None:
        """Ends the server, and removes all its data."""
        self.server.stop()
        shutil.rmtree(self.server.directory, ignore_errors=True)

    def measure(self, peer: Peer, url: str, *arguments: Path | str) -> Measurement:
        """Runs a peer on a database, on dumps or on tables."""
        database = urlsplit(url).path.lstrip("/")
        environment = clean_environment() | {
            "DATABASE_URL": url,
            "LGS_DATABASE_URL": url,
            "LGS_HOME": str(self._home(database)),
            "MPLCONFIGDIR": str(self.work / "matplotlib"),
            # The psql that belongs to the server.
            "PATH": f"{program('psql').parent}{os.pathsep}{os.environ['PATH']}",
            "LGS_ENGINE": peer.engine or "",
            "LGS_SPARK_MASTER": os.environ.get("LGS_SPARK_MASTER", ""),
            SETTINGS: settings_as_sql(),
        }
        python = sys.executable if peer.is_ours else str(PEERS_PYTHON)
        return measure(
            [python, "-m", f"benchmarks.peers.{peer.module}", *map(str, arguments)],
            environment=environment,
            url=url,
            data=self.server.data,
            log=self.work / "clients.log",
            limits=self.limits,
        )

    def _home(self, database: str) -> Path:
        return self.work / "homes" / database

    def _administer(self, statement: str, database: str) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(database)))


def settings_as_sql() -> str:
    """The defaults of the platform's settings as peers take them: in JSON, each value as SQL."""
    return json.dumps({name: sql.Literal(value).as_string() for name, value in Settings().values().items()})


def run_size(bench: Bench, results: Results, size: int, peers: list[Peer], runs: int, *, dump: Path) -> None:
    """Runs the peers on a dump, in turn, this many times. A peer goes first in one round and last in another.

    A run of the platform comes first, for its tables and to warm the caches. It counts only if there is a single round,
    as for sizes that take long.
    """
    reference, platform = bench.fresh_database(f"reference_{size}"), _platform()
    if (made := bench.measure(platform, reference, dump)).error:
        raise LgsError(f"The platform itself fails: {made.error}")
    leaders = [peer for peer in peers if not peer.follows]
    if runs == 1 and platform in leaders:
        leaders.remove(platform)
        _note(results, size, platform, made)
        results.verdicts[f"{size}x {platform.title}"] = compare(reference, reference, schema=SCHEMA)
        _follow(bench, results, size, platform, peers, reference)
    for turn in range(runs):
        results.load.append(round(os.getloadavg()[0], 2))
        shift = turn % max(len(leaders), 1)
        for peer in leaders[shift:] + leaders[:shift]:
            if turn >= (peer.at_most or runs):
                continue
            url = bench.fresh_database("run")
            if _record(bench, results, size, peer, url, dump) and turn == 0:
                schema = SCHEMA if peer.is_ours else "public"
                tables = RESULTS if peer.engine else (*LINES, *RESULTS)
                results.verdicts[f"{size}x {peer.title}"] = compare(reference, url, schema=schema, tables=tables)
            _follow(bench, results, size, peer, peers, url)
            bench.drop("run")
    bench.drop(f"reference_{size}")


def run_history(bench: Bench, results: Results, size: int, peers: list[Peer], runs: int, *, dump: Path) -> None:
    """What happened, on the lines of the platform: ours, then what others build of it, in the same database."""
    url = bench.fresh_database("history")
    bench.measure(_platform(), url, dump)
    for turn in range(runs):
        results.load.append(round(os.getloadavg()[0], 2))
        for peer in peers:
            if turn >= (peer.at_most or runs):
                continue
            tables = history.built_by(peer)
            if _record(bench, results, size, peer, url, *tables) and turn == 0 and not peer.is_ours:
                results.verdicts[f"{size}x {peer.title}"] = compare(url, url, tables=tables)
            _drop_tables(url, tables)
    bench.drop("history")


def run_history_of_day(bench: Bench, results: Results, size: int, runs: int, *, dump: Path, day: Path) -> None:
    """What happened once more, after a day's dump has been loaded into a warehouse that has all of it."""
    for _ in range(runs):
        url = bench.fresh_database("grown")
        bench.measure(_platform(), url, dump)
        bench.measure(OURS_OF_HISTORY, url, *history.tables())
        bench.measure(DAY, url, day)
        _record(bench, results, size, HISTORY_OF_A_DAY, url, *history.tables())
        bench.drop("grown")


def run_day(bench: Bench, results: Results, size: int, runs: int, *, dump: Path, day: Path) -> None:
    """A day's dump on top of existing tables, against both dumps from nothing; with the same tables in the end."""
    for turn in range(runs):
        whole, grown = bench.fresh_database("whole"), bench.fresh_database("grown")
        bench.measure(_platform(), grown, dump)
        succeeded = _record(bench, results, size, DAY_AND_ALL, whole, dump, day)
        if _record(bench, results, size, DAY, grown, day) and succeeded and turn == 0:
            results.verdicts[f"{size}x {DAY.title}"] = compare(whole, grown, schema=SCHEMA)
        bench.drop("whole")
        bench.drop("grown")


def _platform() -> Peer:
    return next(peer for peer in PEERS if peer.name == PLATFORM)


def _drop_tables(url: str, tables: list[str]) -> None:
    """Makes room for the tables of the next."""
    with psycopg.connect(url) as connection:
        for table in tables:
            connection.execute(sql.SQL("drop table if exists public.{}").format(sql.Identifier(table)))


def _record(bench: Bench, results: Results, size: int, peer: Peer, url: str, *arguments: Path | str) -> bool:
    """Runs a peer and notes what it took. Returns whether it succeeded."""
    measurement = bench.measure(peer, url, *arguments)
    _note(results, size, peer, measurement)
    return not measurement.error


def _follow(bench: Bench, results: Results, size: int, leader: Peer, peers: list[Peer], url: str) -> None:
    """Runs the peers that work in another peer's database."""
    for peer in peers:
        if peer.follows == leader.name:
            _record(bench, results, size, peer, url)


def _note(results: Results, size: int, peer: Peer, measurement: Measurement) -> None:
    results.runs.append(Run(size, peer.title, measurement))
    typer.echo(f"{size}x  {peer.title:<40}{measurement.error or f'{measurement.seconds:8.2f} s'}")


def main(
    size: Annotated[list[int] | None, typer.Option(help="Times the lines of the source. May be given again.")] = None,
    peer: Annotated[list[str] | None, typer.Option(help="Only these. May be given again.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Rounds; the slowest peers take part in fewer.")] = 5,
    stage: Annotated[Stage, typer.Option(help="The whole job, what happened, or both.")] = Stage.BOTH,
    day: Annotated[bool, typer.Option("--day", help="Also a day's dump on top of each size.")] = False,
    add: Annotated[bool, typer.Option("--add", help="Adds to existing results, of other sizes.")] = False,
    dump: Annotated[
        Path | None, typer.Option(help="The source, .sql.gz. Default: LGS_REAL_DATA, or synthetic.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Dumps, server and results go here.")] = places.ROOT / ".benchmark",
    client_gb: Annotated[float, typer.Option(help="A client that needs more memory is stopped.")] = 12,
    seconds: Annotated[float, typer.Option(help="A client that takes longer is stopped.")] = 1800,
) -> None:
    """Measure the whole job, from a dump to all tables, by the platform and by its peers on one server."""
    names = {candidate.name for candidate in (*PEERS, *HISTORY)}
    if unknown := set(peer or ()) - names:
        raise typer.BadParameter(
            f"There is no peer {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}."
        )
    chosen = set(peer or names - {SPARK})
    peers = [candidate for candidate in PEERS if candidate.name in chosen and stage != Stage.HISTORY]
    of_history = [candidate for candidate in HISTORY if candidate.name in chosen and stage != Stage.WHOLE_JOB]
    if not PEERS_PYTHON.exists() and not all(candidate.is_ours for candidate in (*peers, *of_history)):
        raise typer.BadParameter("the environment of the peers is missing: make .venv-benchmark/installed")
    work = work.absolute()
    real_data = os.environ.get("LGS_REAL_DATA")
    source = dump or workload.source_dump(Path(real_data) if real_data else None, work / "dumps")
    bench = Bench(EmbeddedServer(work / "postgres"), work, Limits(seconds, int(client_gb * 1e9)))
    bench.remove_server()  # of an interrupted benchmark
    try:
        there = work / "results.json"
        results = load(there) if add and there.exists() else Results(str(source.name), _versions(bench.server))
        for copies in sorted(set(size or [1])):
            replicated = workload.replicated(source, work / "dumps", copies=copies)
            if peers:
                run_size(bench, results, copies, peers, runs, dump=replicated)
            if of_history:
                run_history(bench, results, copies, of_history, runs, dump=replicated)
            after = workload.day_after(source, work / "dumps", copies=copies) if day else None
            if after and peers:
                run_day(bench, results, copies, runs, dump=replicated, day=after)
            if after and of_history:
                run_history_of_day(bench, results, copies, runs, dump=replicated, day=after)
            save(results, there)
            report.write(results, work)
    finally:
        bench.remove_server()
    typer.echo(f"\n{(work / 'report.md').read_text()}")


def _versions(server: EmbeddedServer) -> dict[str, str]:
    with psycopg.connect(server.url()) as connection:
        postgres = str(connection.info.parameter_status("server_version"))
    pinned = (places.ROOT / "benchmarks" / "requirements.txt").read_text().splitlines()
    peers = dict(line.split(" ")[0].split("==") for line in pinned if "==" in line)
    return {"Python": sys.version.split()[0], "PostgreSQL": postgres} | peers


if __name__ == "__main__":
    typer.run(main)
