"""What tests share: real servers for the session, a database for each test, a warehouse built once, the real data."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from xdist.scheduler import LoadFileScheduling

from lgs_assets import places
from lgs_assets.charts.report import families
from lgs_assets.charts.style import sheet
from lgs_assets.command.runner import Outcome, Runner
from lgs_assets.configuration import Configuration
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.arrivals.azurite import azurite as azurite  # a fixture, by its name
from lgs_assets_tests.arrivals.shops import Shop
from lgs_assets_tests.browser import browser as browser  # likewise
from lgs_assets_tests.builders import SHOP, MakeDatabase, build_tables, leave_few_tables, write_dump
from lgs_assets_tests.lake.spark import SparkCluster
from lgs_assets_tests.sources.mariadb import MariaDB

SHARED = {
    "real data": ("test_real_", "test_spark"),
    "demo": ("test_method", "test_notebooks", "test_predictions", "test_emptied_tables"),
    "small demo": ("test_what_if", "test_duckdb"),
}
"""Files that share a warehouse or a cluster which takes long to make: the beginnings of their names."""
BEGUN_FIRST = (
    *("test_real_", "test_spark", "test_deployment", "test_lost_runs", "test_guard", "test_five_places"),
    *("test_method", "test_notebooks", "test_odd_shops", "test_cli", "test_lake", "test_duckdb", "test_what_if"),
    *("test_loading_faults", "test_newest_wins", "test_canaries"),
)
"""Files that take long, the longest first: if one were begun last, all other processes would wait for it."""


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # it comes without types
    """Deals out tests by file; those that share a warehouse or a cluster go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((shared for shared, names in SHARED.items() if Path(file).name.startswith(names)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        begun = (place for place, name in enumerate(BEGUN_FIRST) if item.path.name.startswith(name))
        return next(begun, len(BEGUN_FIRST))

    items.sort(key=place)


def leave_environment(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Removes the settings of the person who runs the tests, and gives the platform a state folder of its own."""
    for name in [name for name in os.environ if name.startswith(("LGS_", "DAGSTER_")) and name != "LGS_REAL_DATA"]:
        patch.delenv(name)
    patch.setenv("LGS_HOME", str(home))
    patch.setenv("DAGSTER_HOME", "")  # the platform sets it; what it was comes back afterwards


@contextmanager
def own_environment(home: Path, database: str) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a fixture that outlives a test: its own state folder, and this database."""
    with pytest.MonkeyPatch.context() as patch:
        leave_environment(patch, home)
        patch.setenv("LGS_DATABASE_URL", database)
        yield patch


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the settings, the state or the database of the person who runs it, or leaves a server behind."""
    leave_environment(monkeypatch, tmp_path / "lgs")
    yield
    EmbeddedServer(tmp_path / "lgs" / "postgres").stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The session's own PostgreSQL server. It waits for no disk: nobody needs its data after the session.

    Nor does it clean up: autovacuum would visit each of a thousand databases once a minute.
    """
    server = EmbeddedServer(tmp_path_factory.mktemp("postgres"))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            connection.execute(f"alter system set {setting} = off".encode())
        connection.execute("select pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def make_database(server: EmbeddedServer) -> MakeDatabase:
    """Makes databases on the session's server."""
    url = server.url()

    def make(*, template: str = "template1") -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(url, autocommit=True) as connection:
            source = template.rpartition("/")[2]  # its files are copied, and need not go through the log
            connection.execute(f"create database {name} template {source} strategy file_copy".encode())
        return f"{url.rpartition('/')[0]}/{name}"

    return make


@pytest.fixture(scope="session")
def prepared(make_database: MakeDatabase) -> str:
    """The URL of a prepared database; never changed, only copied. See `warehouse`."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    warehouse.engine.dispose()
    return warehouse.url


@pytest.fixture
def database(request: pytest.FixtureRequest, make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database, to which LGS_DATABASE_URL points: empty, unless a test wants a warehouse in it."""
    template = {"template": request.getfixturevalue("prepared")} if "warehouse" in request.fixturenames else {}
    url = make_database(**template)
    monkeypatch.setenv("LGS_DATABASE_URL", url)
    return url


@pytest.fixture
def warehouse(database: str) -> Iterator[Warehouse]:
    """A prepared warehouse without any lines."""
    warehouse = Warehouse(database)
    warehouse.prepare()
    yield warehouse
    warehouse.engine.dispose()


def draw_one_chart(patch: pytest.MonkeyPatch) -> None:
    """Leaves each family but its first chart, as an empty sheet."""
    for family in families():
        patch.setattr(family, "charts", [replace(family.charts[0], draw=lambda **tables: sheet("Nothing is drawn."))])


@pytest.fixture
def one_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each family has one chart only, an empty sheet: runs would otherwise spend most of their time drawing."""
    draw_one_chart(monkeypatch)


@pytest.fixture
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs build the segments, and what they are made of: a test of a command needs no other tables."""
    leave_few_tables(monkeypatch.setattr)


@dataclass(frozen=True)
class Built:
    """What a run left: a database that nobody is connected to, and a state folder with Dagster's history."""

    database: str
    home: Path


@pytest.fixture(scope="session")
def built_once(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Every table of SHOP, built by the run of `lgs run`; never changed, only copied. See `built`."""
    made = Built(make_database(), tmp_path_factory.mktemp("built") / "lgs")
    with own_environment(made.home, made.database) as patch:
        draw_one_chart(patch)
        configuration = Configuration.read()
        write_dump(Path(configuration.inbox_location) / "march.sql", SHOP)
        with dagster_instance(configuration) as instance:
            runner = Runner(configuration, instance)
            runner.bring_up_to_date()
        runner.resources.warehouse.engine.dispose()
    return made


@pytest.fixture
def built(
    built_once: Built,
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    one_chart: None,
) -> Iterator[Warehouse]:
    """A warehouse in which every table of SHOP is built and every check holds, with its inbox and Dagster's history.

    They are the test's own: it may plant a fault, or go on from there with another run.
    """
    shutil.copytree(built_once.home, tmp_path / "lgs")
    warehouse = Warehouse(make_database(template=built_once.database))
    monkeypatch.setenv("LGS_DATABASE_URL", warehouse.url)
    yield warehouse
    warehouse.engine.dispose()


@pytest.fixture(scope="module")
def built_to_read(built_once: Built, make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same for all tests of a module that change nothing."""
    home = tmp_path_factory.mktemp("read") / "lgs"
    shutil.copytree(built_once.home, home)
    return Built(make_database(template=built_once.database), home)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """The session's own MariaDB server."""
    if not MariaDB.is_installed():
        pytest.skip("NOT PROVEN ON MARIADB: install the Debian package mariadb-server")
    server = MariaDB()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[SparkCluster]:
    """The session's own Spark cluster: a master and two workers of one core each."""
    if not SparkCluster.is_installed():
        pytest.skip("NOT PROVEN ON SPARK: install Java 17 or later, and the extra spark")
    cluster = SparkCluster()
    try:
        cluster.start(workers=2)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in cluster.environment.items():
                patch.setenv(name, value)
            yield cluster
            from pyspark.sql import SparkSession

            if session := SparkSession.getActiveSession():
                session.stop()
    finally:
        cluster.stop()


@pytest.fixture(params=["postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """An empty database to pull from, in turn of each kind that runs here."""
    if request.param == "postgresql":
        return Shop(request.getfixturevalue("make_database")())
    return Shop(request.getfixturevalue("mariadb").make_database())


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the UCI data and the published figures: LGS_REAL_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("LGS_REAL_DATA") or places.ROOT.parent / "shared" / "data")
    if not (folder / "retail.sql.gz").exists():
        pytest.skip(f"NOT PROVEN ON THE REAL DATA: set LGS_REAL_DATA to the folder that holds it (no {folder})")
    return folder


@pytest.fixture(scope="session")
def real(make_database: MakeDatabase, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Every table of the real dump, built by the job that the README's command runs. Only to be read, or copied."""
    warehouse = Warehouse(make_database())
    outcome = run_once(real_data / "retail.sql.gz", warehouse.url, tmp_path_factory.mktemp("real"))
    assert {check.severity for check in outcome.failed_checks} == {dg.AssetCheckSeverity.WARN}
    yield warehouse
    warehouse.engine.dispose()


@pytest.fixture(scope="session")
def demo(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The demo shop of `lgs run`, with its charts. Only to be read, or copied."""
    folder, warehouse = tmp_path_factory.mktemp("demo"), Warehouse(make_database())
    dump = folder / "demo.sql.gz"
    write_demo_dump(dump)
    run_once(dump, warehouse.url, folder)
    yield warehouse
    warehouse.engine.dispose()


def run_once(dump: Path, database: str, folder: Path) -> Outcome:
    """Builds everything in a database from this dump, as `lgs run` does."""
    with own_environment(folder / "lgs", database), dg.DagsterInstance.ephemeral() as instance:
        runner = Runner(Configuration.read(), instance)
        outcome = runner.bring_up_to_date(dump)
        runner.resources.warehouse.engine.dispose()
    return outcome


@pytest.fixture(scope="session")
def small_demo(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The tables of a fifth of its lines, without the report. Only to be read, or copied."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    dump = tmp_path_factory.mktemp("small demo") / "retail.sql.gz"
    write_demo_dump(dump, lines=20_000)
    load_dump(warehouse, DumpFile(dump, "retail.sql.gz"))
    build_tables(warehouse)
    yield warehouse
    warehouse.engine.dispose()
