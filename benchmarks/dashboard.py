"""The dashboard under many clicks, and beside a Streamlit app that shows the same page: on every table of a warehouse.

    python -m benchmarks.dashboard [--clients 50] [--views 12] [--loads 5]

On a copy of the warehouse. Every statement of every page is timed: one over 50 ms is a failure. One client asks for
every page in so many views, once when nobody has and once again. A browser opens the overview, ours and Streamlit's in
turn. Then so many clients ask without a pause, each for one view after another, while a day's dump is loaded and the
tables are replaced behind them.
"""

import gzip
import hashlib
import http.client
import json
import math
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import numpy as np
import psutil
import psycopg
import sqlalchemy as sa
import typer
from psycopg import sql

from benchmarks import history
from benchmarks.measure import clean_environment
from benchmarks.run import PEERS_PYTHON
from benchmarks.warehouse import WORK, environment, state_folder
from benchmarks.workload import day_after, source_dump
from lgs_assets.dashboard.app import PAGES
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.queries import Tables
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets_tests.browser import chromium
from lgs_assets_tests.dashboard.conftest import MOST_BYTES, serve

if TYPE_CHECKING:
    from selenium import webdriver

COPY = "benchmark_dashboard"
MOST_MILLISECONDS = 50
"""That a statement may take."""
MOST_MILLISECONDS_TOGETHER = 500
"""To the first byte of 95 in 100 pages, while many click and tables are replaced."""
MOST_MILLISECONDS_ALONE = 200
"""To that of 95 in 100 views of a page, of views that nobody has asked for yet."""
MOST_MEGABYTES = 100
"""Of the dashboard's process."""
ITEMS = {
    "/segments/{item}": "select 'hibernating'",
    "/customers/{item}": "select customer_id from customer_profile order by orders desc, customer_id limit 1",
    "/invoices/{item}": "select invoice_no from clean_invoices group by 1 order by count(*) desc, 1 limit 1",
    "/campaigns/{item}": "select audience from audience_members group by 1 order by count(*) desc, 1 limit 1",
    "/experiments/{item}": "select experiment from experiments order by 1 limit 1",
    "/data/{item}": "select 'churn_risk'",
    "/report/{item}": "select 'hibernating'",
}
"""What names an item of each kind of page, one with much to show; nothing where there is none."""
ROUNDS = 4
PATIENCE = 60
"""Seconds until a server answers, or a page is there."""
DRAWN = {
    "LGS": "document.readyState === 'complete' && !!document.querySelector('#main svg')",
    "Streamlit": "document.querySelectorAll('[data-testid=stMetric]').length === 5"
    " && document.querySelectorAll('[data-testid=stVegaLiteChart] :is(canvas, svg)').length >= 3"
    " && !!document.querySelector('[data-testid=stDataFrame] canvas')",
}
"""When the page is there: its last figure, and for Streamlit all that arrives after one another."""


@dataclass(frozen=True)
class Answer:
    """What one request came to."""

    view: str
    status: int
    """0 if there was no answer."""
    seconds: float
    """Until the first byte."""
    sent: int
    """Bytes of the body, packed as they came."""
    tag: str = ""
    """What tells the build of the tables of this view from any other."""
    shown: str = ""
    """A hash of what the page shows."""


class Client:
    """A visitor, whose connection stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, view: str) -> Answer:
        """Asks for a view."""
        began = time.perf_counter()
        try:
            self._connection.request("GET", view, headers={"Accept-Encoding": "gzip"})
            answer = self._connection.getresponse()
            seconds, sent = time.perf_counter() - began, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(view, 0, time.perf_counter() - began, 0)
        body = gzip.decompress(sent) if answer.headers.get("Content-Encoding") == "gzip" else sent
        # Below it stands when the last of all tables was built, also of those that the page does not show.
        main = body.partition(b"<main")[2].partition(b"</main>")[0]
        tag = answer.headers.get("ETag", "")
        return Answer(view, answer.status, seconds, len(sent), tag, hashlib.sha256(main).hexdigest())


@contextmanager
def serving(command: list[str], environment: dict[str, str], *, port: int, ready: str) -> Iterator[psutil.Process]:
    """A server in a process of its own, from its first answer on."""
    with (WORK / "dashboard.log").open("ab") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while Client(port).ask(ready).status != 200:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not answer: see {WORK / 'dashboard.log'}")
            time.sleep(0.1)  # its imports are not part of what is measured
        yield psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


def megabytes(process: psutil.Process) -> float:
    """The resident memory of a process and those that it started."""
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]) / 1e6


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def pages(warehouse: Warehouse) -> dict[str, str]:
    """Every page that has something to show, by the path of its kind."""
    found = {}
    for page in PAGES:
        for row in warehouse.rows(ITEMS.get(page.path, "select ''")):
            found[page.path] = page.path.format(item=next(iter(row.values())))
    return found


def views_of(path: str, warehouse: Warehouse, number: int) -> list[str]:
    """So many views of a page: as of the end of several months, in several countries."""
    months = warehouse.rows("select invoice_month from monthly_metrics where not is_partial order by 1 desc offset 1")
    countries = warehouse.rows("select country from customer_profile group by 1 order by count(*) desc, 1 limit 3")
    chosen = [(month.invoice_month, country) for country in (None, *countries) for month in months]
    step = max(1, len(chosen) // number)
    return [
        Filters(as_of=month, countries=(country.country,) if country else ()).url(path)
        for month, country in chosen[::step][:number]
    ]


def alone(port: int, views: dict[str, list[str]]) -> list[str]:
    """Prints what one client waits for each page, asked first and once again; returns what is over budget."""
    typer.echo(
        "\n| page | first byte p50, ms | p95 | asked again p50 | p95 | kB | errors |\n|---|---|---|---|---|---|---|"
    )
    client, broken = Client(port), []
    for page, asked in views.items():
        first, again = ([client.ask(view) for view in asked] for _ in range(2))
        waits = [1000 * quantile for answers in (first, again) for quantile in quantiles(answers)]
        largest = max(answer.sent for answer in first)
        errors = sum(answer.status != 200 for answer in first + again)
        typer.echo(f"| {page} | {' | '.join(f'{wait:.0f}' for wait in waits)} | {largest / 1000:.1f} | {errors} |")
        broken += [f"{errors} errors of {page}"] if errors else []
        broken += [f"{largest / 1000:.1f} kB of {page}"] if largest > MOST_BYTES else []
        broken += [f"a p95 of {waits[1]:.0f} ms of {page}"] if waits[1] > MOST_MILLISECONDS_ALONE else []
    return broken


def quantiles(answers: list[Answer]) -> tuple[float, float]:
    """The median and the 95th percentile of the seconds until the first byte."""
    middle, high = np.quantile([answer.seconds for answer in answers], [0.5, 0.95])
    return float(middle), float(high)


def slowest(url: str, views: dict[str, list[str]]) -> float:
    """Prints the slowest statements of all views, and returns the milliseconds of the slowest.

    Of each statement of a view the fastest of some rounds counts: others may keep the cores busy. What is read once a
    build is read in each.
    """
    taken: dict[tuple[str, str], float] = {}
    view = ""

    def before(*arguments: Any) -> None:
        arguments[4].began = time.perf_counter()  # the context of the statement

    def after(*arguments: Any) -> None:
        taken[view, arguments[2]] = min(
            taken.get((view, arguments[2]), math.inf), time.perf_counter() - arguments[4].began
        )

    for _ in range(ROUNDS):
        tables = Tables(url)
        for site in serve(tables):
            sa.event.listen(tables.engine, "before_cursor_execute", before)
            sa.event.listen(tables.engine, "after_cursor_execute", after)
            for view in (view for some in views.values() for view in some):
                site.get(view)
        tables.engine.dispose()
    ranked = sorted(taken.items(), key=lambda item: -item[1])
    over = sum(1000 * seconds > MOST_MILLISECONDS for seconds in taken.values())
    typer.echo(f"\n{len(ranked):,} statements of views, {over} over {MOST_MILLISECONDS} ms. The slowest:\n")
    for (of, statement), seconds in ranked[:5]:
        typer.echo(f"- {1000 * seconds:.0f} ms, {of}: {' '.join(statement.split())[:90]} …")
    return 1000 * ranked[0][1]


def together(port: int, views: list[str], clients: int, work: Callable[[], None]) -> list[str]:
    """Prints how long so many clients wait, who ask on and on until the work is done; returns what must not be."""
    is_over = threading.Event()

    def click(seed: int) -> list[Answer]:
        client, choice = Client(port), random.Random(seed)  # noqa: S311 (no secret)
        answers = []
        while not is_over.is_set():
            answers.append(client.ask(choice.choice(views)))
        return answers

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        clicking = [pool.submit(click, seed) for seed in range(clients)]
        try:
            work()
        finally:
            is_over.set()
    seconds = time.perf_counter() - began
    answers = [answer for client in clicking for answer in client.result()]
    shown = defaultdict(set)
    for answer in answers:
        shown[answer.view, answer.tag].add(answer.shown)
    builds = Counter(view for view, _ in shown)
    mixed = [view for (view, _), pages in shown.items() if len(pages) > 1]
    middle, high = quantiles(answers)
    errors = sum(answer.status != 200 for answer in answers)
    typer.echo(
        f"\n{clients} clients without a pause for {seconds:.0f} s, while a day's dump is loaded and tables replaced: "
        f"{len(answers):,} answers, first byte p50 {1000 * middle:.0f} ms, p95 {1000 * high:.0f} ms, "
        f"{errors} errors. {sum(number > 1 for number in builds.values())} of "
        f"{len(builds)} views were seen of more than one build, up to {max(builds.values())}; "
        f"{len(mixed)} of the {len(shown):,} pages, each named by its build, were not the same for everybody"
        f"{': ' if mixed else ''}{', '.join(mixed)}."
    )
    return [
        *([f"{errors} errors"] if errors else []),
        *([f"{len(mixed)} pages of mixed builds"] if mixed else []),
        *([f"a p95 of {1000 * high:.0f} ms"] if 1000 * high > MOST_MILLISECONDS_TOGETHER else []),
    ]


def in_browser(name: str, browser: "webdriver.Chrome", url: str) -> tuple[float, int, int]:
    """Opens a page with nothing kept: the seconds until it is there, its requests and its bytes, packed."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.get_log("performance")
    began = time.perf_counter()
    browser.get(url)
    while not browser.execute_script(f"return {DRAWN[name]}"):
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError(f"{name} does not show its page within {PATIENCE} s.")
        time.sleep(0.02)  # as exact as the figure is told
    seconds = time.perf_counter() - began
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    loaded = [event["params"] for event in events if event["method"] == "Network.loadingFinished"]
    frames = [event["params"] for event in events if event["method"] == "Network.webSocketFrameReceived"]
    # Messages of a socket are told in base64.
    sent = sum(each["encodedDataLength"] for each in loaded) + sum(
        len(each["response"]["payloadData"]) * 3 // 4 for each in frames
    )
    return seconds, len(loaded) + bool(frames), int(sent)


def opened(sites: dict[str, tuple[str, psutil.Process]], loads: int) -> None:
    """Prints what the overview costs a browser, and its server, site by site, in turn."""
    typer.echo("\n| overview | until it is there, s | from | to | requests | kB | server MB before | after |")
    typer.echo("|---|---|---|---|---|---|---|---|")
    before = {name: megabytes(server) for name, (_, server) in sites.items()}
    taken: dict[str, list[tuple[float, int, int]]] = {name: [] for name in sites}
    if not shutil.which("chromedriver"):
        typer.echo("NOT MEASURED IN A BROWSER: install the Debian packages chromium and chromium-driver")
        return
    with tempfile.TemporaryDirectory() as profile:
        browser = chromium(Path(profile))
        try:
            for _ in range(loads):
                for name, (url, _server) in sites.items():
                    taken[name].append(in_browser(name, browser, url))
        finally:
            browser.quit()
    for name, (_, server) in sites.items():
        seconds = sorted(each[0] for each in taken[name])
        _, requests, sent = taken[name][0]
        typer.echo(
            f"| {name} | {median(seconds):.2f} | {seconds[0]:.2f} | {seconds[-1]:.2f} | {requests} | "
            f"{sent / 1000:,.0f} | {before[name]:.0f} | {megabytes(server):.0f} |"
        )


def load_a_day(url: str, state: Path) -> None:
    """Loads a day's dump and rebuilds what happened, as the platform does, by processes of their own."""
    real_data = os.environ.get("LGS_REAL_DATA")
    day = day_after(source_dump(Path(real_data) if real_data else None, WORK), WORK, copies=1)
    where = environment(state) | {"DATABASE_URL": url, "LGS_DATABASE_URL": url}
    for module, arguments in (("platform", [str(day.absolute())]), ("history", history.tables())):
        with (WORK / "dashboard.log").open("ab") as log:
            command = [sys.executable, "-m", f"benchmarks.peers.{module}", *arguments]
            subprocess.run(command, env=where, check=True, stdout=log, stderr=log)


@contextmanager
def copied(server: EmbeddedServer) -> Iterator[str]:
    """The URL of a copy of the warehouse, which is removed afterwards."""
    url = server.url()
    name = urlsplit(url).path.lstrip("/")
    drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(COPY))
    with psycopg.connect(urlsplit(url)._replace(path="/template1").geturl(), autocommit=True) as connection:
        connection.execute(drop)
        make = sql.SQL("create database {} template {} strategy file_copy")
        connection.execute(make.format(sql.Identifier(COPY), sql.Identifier(name)))
        try:
            yield urlsplit(url)._replace(path=f"/{COPY}").geturl()
        finally:
            connection.execute(drop)


def main(
    clients: Annotated[int, typer.Option(min=1, help="Who click at once.")] = 50,
    views: Annotated[int, typer.Option(min=1, help="Months and countries in which each page is asked for.")] = 12,
    loads: Annotated[int, typer.Option(min=1, help="How often a browser opens each overview.")] = 5,
) -> None:
    """Prints the measurements. Ends with 1 where a page, a statement, the clients or the memory are over budget."""
    typer.echo(f"Load average {os.getloadavg()[0]:.2f}.")
    state = state_folder()
    server = EmbeddedServer(state / "postgres")
    try:
        with copied(server) as url:
            port, other = free_port(), free_port()
            warehouse = Warehouse(url)
            asked = {page: views_of(path, warehouse, views) for page, path in pages(warehouse).items()}
            warehouse.engine.dispose()
            lgs = [str(Path(sys.executable).with_name("lgs")), "dashboard", "--port", str(port)]
            app = Path(__file__).with_name("peers") / "streamlit_overview.py"
            streamlit = [
                *(str(PEERS_PYTHON), "-m", "streamlit", "run", str(app), "--server.port", str(other)),
                *("--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false"),
            ]
            driver = url.replace("postgresql://", "postgresql+psycopg://")
            with serving(lgs, environment(state) | {"LGS_DATABASE_URL": url}, port=port, ready="/healthz") as ours:
                with serving(
                    streamlit, clean_environment() | {"DATABASE_URL": driver}, port=other, ready="/_stcore/health"
                ) as theirs:
                    local = "http://127.0.0.1"
                    opened({"LGS": (f"{local}:{port}/", ours), "Streamlit": (f"{local}:{other}/", theirs)}, loads)
                most = slowest(url, asked)
                began = megabytes(ours)
                broken = alone(port, asked)
                typer.echo(f"\nMemory of the dashboard: {began:.0f} MB before, {megabytes(ours):.0f} MB after.")
                everything = [view for some in asked.values() for view in some]
                broken += together(port, everything, clients, lambda: load_a_day(url, state))
                ended = megabytes(ours)
                typer.echo(f"\nMemory of the dashboard: {ended:.0f} MB. Load average {os.getloadavg()[0]:.2f}.")
    finally:
        server.stop()
    if most > MOST_MILLISECONDS:
        broken.append(f"a statement of {most:.0f} ms")
    if ended > MOST_MEGABYTES:
        broken.append(f"{ended:.0f} MB of memory")
    if broken:
        typer.echo(f"\nOver budget: {'; '.join(broken)}.", err=True)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
