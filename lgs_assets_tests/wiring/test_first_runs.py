"""Commands that are started at once in a fresh folder: one makes Dagster's state and the warehouse, the others wait."""

import subprocess
import sys
import threading
from pathlib import Path

from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import Line, MakeDatabase, write_dump
from lgs_assets_tests.wiring.killing import LGS_WITH_FEW_TABLES, schema_versions


def test_commands_started_at_once_in_a_fresh_folder_all_succeed(tmp_path: Path) -> None:
    """No command fails, and Dagster's databases have one version of their schema each."""
    lines = [Line(str(i), customer_id=100 + i, invoice_date=f"2011-03-{i + 1:02} 10:00:00") for i in range(20)]
    dump = str(write_dump(tmp_path / "retail.sql", lines))
    commands = [("run", dump), ("status",), ("run", dump), ("psql", "-c", "select 1")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LGS_WITH_FEW_TABLES, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for arguments in commands
    ]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(commands), "\n".join(outputs)
    versions = schema_versions(tmp_path / "lgs")
    assert versions
    assert set(versions.values()) == {1}, versions


def test_a_warehouse_prepared_several_times_at_once_is_prepared_once(make_database: MakeDatabase) -> None:
    """Who waited for the lock sees what was made in the meantime."""
    for _ in range(5):
        url, together = make_database(), threading.Barrier(4)
        errors: list[Exception] = []

        def prepare(url: str = url, together: threading.Barrier = together, errors: list[Exception] = errors) -> None:
            warehouse = Warehouse(url)
            together.wait()
            try:
                warehouse.prepare()
            except Exception as error:
                errors.append(error)
            warehouse.engine.dispose()

        threads = [threading.Thread(target=prepare) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
