"""What tests share: real servers for the session, a fresh database for each test, and the real data."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lgs_assets import places
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets_tests.arrivals.azurite import azurite as azurite  # a fixture, by its name
from lgs_assets_tests.arrivals.shops import Shop
from lgs_assets_tests.browser import browser as browser  # likewise
from lgs_assets_tests.lake.spark import SparkCluster
from lgs_assets_tests.sources.mariadb import MariaDB


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the settings, the state or the database of the person who runs it, or leaves a server behind."""
    for name in [name for name in os.environ if name.startswith(("LGS_", "DAGSTER_")) and name != "LGS_REAL_DATA"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LGS_HOME", str(tmp_path / "lgs"))
    yield
    EmbeddedServer(tmp_path / "lgs" / "postgres").stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """The session's own PostgreSQL server."""
    server = EmbeddedServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def make_database(server: EmbeddedServer):
    """Makes an empty database on the session's server and returns its URL."""

    def make() -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return server.url().rsplit("/", 1)[0] + f"/{name}"

    return make


@pytest.fixture
def database(make_database, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, to which LGS_DATABASE_URL points."""
    url = make_database()
    monkeypatch.setenv("LGS_DATABASE_URL", url)
    return url


@pytest.fixture
def warehouse(database: str) -> Iterator[Warehouse]:
    """A prepared warehouse without any lines."""
    warehouse = Warehouse(database)
    warehouse.prepare()
    yield warehouse
    warehouse.engine.dispose()


@pytest.fixture
def one_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each family has its first chart only: runs would otherwise spend most of their time drawing."""
    from lgs_assets.charts.report import families

    for family in families():
        monkeypatch.setattr(family, "charts", family.charts[:1])


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
