"""The processes that draw charts: none outlives what it works for, and one that is killed takes no chart with it."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from lgs_assets.charts.declaration import Chart
from lgs_assets.charts.side_by_side import rendered
from lgs_assets.charts.style import sheet

WAITING = """
import os, sys, time
from pathlib import Path
import pandas as pd
from lgs_assets.charts.declaration import Chart
from lgs_assets.charts.side_by_side import rendered

FOLDER = Path(sys.argv[1])

def waits():
    (FOLDER / str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    day = pd.to_datetime(["2011-01-01"])
    months = pd.DataFrame({"invoice_month": day, "last_invoice_at": day, "is_partial": False})
    charts = [Chart(f"chart {number}", "A title", waits, {}, False, False) for number in range(2)]
    rendered(charts, {"monthly_metrics": months}, origin="", cache=FOLDER / "cache")
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one core, charts are drawn in one process")
def test_no_process_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    """Kill -9 while charts are drawn: what draws them, and the server of these processes, end as well."""
    (tmp_path / "script.py").write_text(WAITING)
    folder = tmp_path / "drawing"
    folder.mkdir()
    run = subprocess.Popen([sys.executable, tmp_path / "script.py", folder])
    drawing: list[int] = []
    end = time.monotonic() + 60
    while len(drawing) < 2 and time.monotonic() < end:
        time.sleep(0.1)  # they say that they are there by a file each
        drawing = [int(file.name) for file in folder.iterdir() if file.name.isdigit()]
    family = [*map(psutil.Process, drawing), *psutil.Process(run.pid).children()]
    run.kill()
    run.wait()
    assert len(family) == 2 + 2  # with the server of the processes, and what watches over its resources
    assert not psutil.wait_procs(family, timeout=30)[1]


def dies_elsewhere() -> object:
    if multiprocessing.parent_process():
        os._exit(9)
    return sheet("drawn here")


def test_charts_are_drawn_here_if_a_process_dies(tmp_path: Path) -> None:
    """For want of memory, say: one at a time takes less."""
    day = pd.to_datetime(["2011-01-01"])
    months = pd.DataFrame({"invoice_month": day, "last_invoice_at": day, "is_partial": False})
    charts = [Chart(name, "A title", dies_elsewhere, {}, False, False) for name in ("a", "b")]  # type: ignore[arg-type]
    made = rendered(charts, {"monthly_metrics": months}, origin="", cache=tmp_path)
    assert list(made["name"]) == ["a", "b"]
    assert made["svg"].str.contains("</svg>").all()
