"""The real data through the loader: both of its shapes come to the same lines, in little memory.

Needs the UCI data (see `real_data` in conftest.py); skips loudly without.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lgs_assets import places
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import DumpFile, load_dump
from lgs_assets_tests.warehouse.evidence import COLUMNS, debris, differences, ledger

LINES = 1_067_371
MEMORY_LIMIT_BYTES = 100 << 20
LOAD = """
import sys
from pathlib import Path
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.loading import load_dump
load_dump(Warehouse(sys.argv[1]), DumpFile(Path(sys.argv[2]), sys.argv[3]))
"""
# A process of its own in between: what is measured starts with the memory of its parent.
MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.fixture(scope="module")
def real(make_database: Callable[[], str], real_data: Path) -> Iterator[tuple[Warehouse, int]]:
    """A warehouse with both shapes of the real data, and the most memory that loading the SQL dump took."""
    warehouse = Warehouse(make_database())
    warehouse.prepare()
    load_dump(warehouse, DumpFile(real_data / "online_retail_II.csv.zip", "csv"))
    arguments = [LOAD, warehouse.url, str(real_data / "retail.sql.gz"), "sql"]
    environment = {**os.environ, "PYTHONPATH": str(places.ROOT)}
    measured = subprocess.check_output([sys.executable, "-c", MEASURE, *arguments], env=environment)
    yield warehouse, int(measured)
    warehouse.engine.dispose()


def test_both_shapes_of_the_real_data_hold_the_same_lines(real: tuple[Warehouse, int]) -> None:
    """The same rows, as often, in the order of the file; money to the last digit, and nothing lost or rejected."""
    warehouse, _ = real
    rows = warehouse.rows(
        "select count(*), sum(quantity * unit_price), count(*) - count(customer_id), count(*) - count(description), "
        "min(line_number), max(line_number) - min(line_number) + 1 from raw_invoices group by dump"
    )
    facts: list[Any] = [tuple(row.values()) for row in rows]
    assert [row[:4] for row in facts] == [(LINES, Decimal("19287250.568"), 243_007, 4_382)] * 2
    assert sorted(row[4:] for row in facts) == [(2, LINES), (16, LINES)]
    one, other = (f"select {COLUMNS} from raw_invoices where dump = '{dump}'" for dump in ("sql", "csv"))
    assert differences(warehouse, one, other) == 0
    assert [(dump.lines, dump.rejected) for dump in ledger(warehouse).values()] == [(LINES, 0)] * 2
    assert debris(warehouse) == []


def test_loading_the_real_data_takes_little_memory(real: tuple[Warehouse, int]) -> None:
    """The dump is streamed: a fresh Python process stays far below the size of the data."""
    _, memory = real
    assert memory < MEMORY_LIMIT_BYTES
