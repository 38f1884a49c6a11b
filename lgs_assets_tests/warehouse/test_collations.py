"""Text has one order in every table, whatever the collation of the database: ties are broken as by other engines."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lgs_assets.contracts.contract import kept_tables, tables
from lgs_assets.contracts.declaration import columns
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import read_frame
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets_tests.builders import TABLES, Line, build_tables, load_lines, make_empty

# Ties in every order of text: by country, by invoice, by product and by description. The collations of languages pass
# over punctuation and case at first.
LINES = [
    Line(f"{invoice}{number}", code, description, customer_id=customer, country=country, invoice_date=f"{day} 10:00")
    for number, day in enumerate(("2011-03-01", "2011-03-15", "2011-04-30"))
    for customer, country in enumerate(("Österreich", "a-land", "A land", "Zambia", "ZZ", "aland"), start=100)
    for invoice in ("A-", "a", "B_", "é", "C")
    for code, description in (("22041", "x-y"), ("2204A", "X Y"), ("2204B", "xy"), ("a-1", "X-Z"), ("A1", "É"))
]  # fmt: skip


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """A warehouse in a database of the collation that most servers have."""
    (tmp_path / "locales").mkdir()
    compiled = tmp_path / "locales" / "en_US.UTF-8"
    localedef = shutil.which("localedef")
    if not localedef or subprocess.run([localedef, "-i", "en_US", "-f", "UTF-8", compiled], check=False).returncode:
        pytest.skip("NOT PROVEN IN ANOTHER COLLATION: install the Debian package locales")
    for folder in (compiled.parent, compiled):
        folder.chmod(0o755)
    monkeypatch.setenv("LOCPATH", str(compiled.parent))
    server = EmbeddedServer(tmp_path / "elsewhere")
    url = server.url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create database en template template0 locale_provider libc locale 'en_US.UTF-8'")
    warehouse = Warehouse(f"{url.rpartition('/')[0]}/en")
    yield warehouse
    warehouse.engine.dispose()
    server.stop()


def test_tables_are_the_same_in_a_database_of_another_collation(
    warehouse: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    """Row by row, in their order, to the last text."""
    assert elsewhere.rows("select 'a' < 'B' as is_of_a_language, 'a' < 'B' collate \"C\" as is_of_bytes") == [
        {"is_of_a_language": True, "is_of_bytes": False}
    ]
    for where in (warehouse, elsewhere):
        load_lines(where, tmp_path, LINES)
        build_tables(where, pair_support=1)
    different = [table for table in TABLES if not read_frame(warehouse, table).equals(read_frame(elsewhere, table))]
    assert different == []


def test_every_text_of_a_derived_table_has_its_collation(warehouse: Warehouse) -> None:
    """Its contract says so: otherwise the next table that breaks ties by a text would depend on the server."""
    make_empty(warehouse, *TABLES)
    found = warehouse.rows(
        "select table_name, column_name, collation_name from information_schema.columns where table_schema = 'lgs'"
    )
    collations = {(row.table_name, row.column_name): row.collation_name for row in found}
    texts = [
        (table, column.name)
        for table in sorted({*tables()} - {*kept_tables(), "charts"})
        for column in columns(table)
        if column.type == "text" and (table, column.name) in collations
    ]
    assert len(texts) > len(TABLES)
    assert [text for text in texts if collations[text] != "C"] == []
