"""A shop whose texts are hostile, built once, and its pages on a port of this machine."""

import gzip
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn

from lgs_assets.dashboard.app import application
from lgs_assets.dashboard.queries import Tables
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import Line, MakeDatabase, build_tables, load_lines
from lgs_assets_tests.dashboard.past import record_past, send_lists, try_a_letter

SCRIPT = "<script>alert('country')</script>"
TURNED = "\ue000dna\u0627"
"""Holds what cannot be seen, though no mark of direction, as a country never does; ends in a letter of Arabic."""
FORMULA = '=HYPERLINK("http://evil.example";"click")'
BACKWARDS = "\u202eSTROBIN & \"FELT\" 'ROBINS'"
COUNTRIES = ("United Kingdom", "Germany", SCRIPT, "EIRE", TURNED)
CUSTOMERS = 64
MOST_STATEMENTS, MOST_BYTES = 6, 60_000
"""Of a page."""


def market_lines() -> list[Line]:
    """Seven months of orders of 64 customers; the last month has begun only. One invoice is held twice."""
    lines = []
    for number in range(CUSTOMERS):
        customer = 17000 + number
        start = datetime(2011, 1 + number % 5, 1 + number % 27, 9, number % 60)
        for order in range(1 + number % 7):
            at = min(start + timedelta(days=order * (5 + number % 9), hours=order), datetime(2011, 7, 4, 10))
            for product in range(1 + order % 3):
                lines.append(
                    Line(
                        invoice_no=f"{500000 + number * 10 + order}",
                        stock_code=f"{22000 + (number + product) % 12}",
                        description=(FORMULA, BACKWARDS, "<b>FELT</b> ROBIN", "CREAM JUG")[(number + product) % 4],
                        quantity=1 + number % 5,
                        invoice_date=f"{at:%Y-%m-%d %H:%M:%S}",
                        unit_price=f"{1 + product}.{number % 100:02}",
                        customer_id=customer,
                        country=TURNED if number == 63 else COUNTRIES[number % 4],
                    )
                )
    lines.append(Line("C599990", customer_id=17003, quantity=-1, invoice_date="2011-06-20 10:00:00", country=SCRIPT))
    lines.append(Line("599991", customer_id=None, quantity=9, invoice_date="2011-06-28 10:00:00", description="GUEST"))
    lines += [
        Line("599992", customer_id=17001, quantity=300, invoice_date="2011-05-30 10:00:00", country="Germany")
    ] * 2
    lines.append(Line("599993", customer_id=17002, quantity=2, invoice_date="2011-07-05 10:00:00", country="Germany"))
    return lines


@dataclass
class Answer:
    """What a page answered."""

    status: int
    headers: dict[str, str]
    body: bytes
    """Unpacked."""
    sent: int
    """Bytes as they came over the wire."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8-sig")


@dataclass
class Site:
    """The pages, served on a port."""

    tables: Tables
    port: int
    statements: list[str] = field(default_factory=list)
    """What was asked of the database since `get` began."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, *, method: str = "GET", host: str = "", follows: bool = True, **headers: str) -> Answer:
        """The answer; after one redirection, if it `follows` it."""
        answer = self._ask(path, method=method, host=host, **headers)
        if follows and answer.status == 307:
            return self._ask(answer.headers["location"], method=method, host=host, **headers)
        return answer

    def _ask(self, path: str, *, method: str, host: str, **headers: str) -> Answer:
        self.statements.clear()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {"Host": host or f"127.0.0.1:{self.port}", "Accept-Encoding": "gzip"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body, found = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        unpacked = gzip.decompress(body) if found.get("content-encoding") == "gzip" else body
        return Answer(answer.status, found, unpacked, len(body))


def check_budget(site: Site, path: str) -> None:
    """That a page is there and keeps its budget."""
    site.get(path.partition("?")[0])  # what the filters offer, and what is the same for all, is read once a build
    answer = site.get(path)
    assert answer.status == 200
    assert len(site.statements) <= MOST_STATEMENTS, site.statements
    assert answer.sent <= MOST_BYTES


def serve(tables: Tables, *, kept_bytes: int = 0) -> Iterator[Site]:
    """The pages of these tables, for as long as they are needed; none is kept, unless a test is about that."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(tables, kept_bytes=kept_bytes), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    site = Site(tables, listening.getsockname()[1])

    @sa.event.listens_for(tables.engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        site.statements.append(statement)

    yield site
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def market_url(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database in which every table of the market is built, but for the charts, and whose campaigns have begun."""
    url = make_database()
    warehouse = Warehouse(url)
    load_lines(warehouse, tmp_path_factory.mktemp("market"), market_lines(), name="march <b>2011</b>.sql")
    build_tables(warehouse, ties="by_customer_id")
    record_past(warehouse)
    try_a_letter(warehouse, "a_letter", days=30, back=4)
    send_lists(warehouse)
    warehouse.engine.dispose()
    return url


@pytest.fixture(scope="session")
def site(market_url: str, make_database: MakeDatabase) -> Iterator[Site]:
    """The pages of the market. Nobody changes its tables."""
    tables = Tables(make_database(template=market_url))
    yield from serve(tables)
    tables.engine.dispose()


@pytest.fixture
def own_site(market_url: str, make_database: MakeDatabase) -> Iterator[Site]:
    """The pages of a copy of the market, in which a test may change what it likes."""
    tables = Tables(make_database(template=market_url))
    yield from serve(tables)
    tables.engine.dispose()


@pytest.fixture
def market(site: Site) -> Iterator[Warehouse]:
    """The tables themselves, to compare the pages with."""
    warehouse = Warehouse(site.tables.engine.url.render_as_string(hide_password=False))
    yield warehouse
    warehouse.engine.dispose()
