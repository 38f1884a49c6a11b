"""What planning and applying a large list cost: the process that `benchmarks.activation` starts for it."""

import sys
import time
from pathlib import Path

import psutil

from lgs_assets.action.applying import apply_plan
from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.planning import make_plan
from lgs_assets.warehouse.database import Warehouse


def main(url: str, folder: str, key: str) -> None:
    """Prints seconds, and the peak of memory."""
    warehouse, drop = Warehouse(url), Drop(folder)
    audience = Audience("some", "Some.", "true", {"spent": "monetary"}, Limits())
    warehouse.prepare()
    before = _megabytes()
    begun = _clocks(warehouse)
    made = make_plan(warehouse, audience, drop, key=key)
    number, adds = (made.plan, made.adds) if made else (0, 0)
    planned = f"{_since(begun, warehouse)}; {_megabytes():.0f} MB at most, {before:.0f} before it began"
    print(f"plan of {adds:,}: {planned}")
    begun = _clocks(warehouse)
    apply_plan(warehouse, number, drop, key=key)
    print(f"applied to a file: {_since(begun, warehouse)}; {_megabytes():.0f} MB at most")


def _clocks(warehouse: Warehouse) -> tuple[float, float, float]:
    """Seconds by the clock, and of work by this process and by the server."""
    (row,) = warehouse.rows("select pg_backend_pid() as pid")
    postmaster = psutil.Process(row.pid).parent()
    backends = postmaster.children() if postmaster else []
    return time.perf_counter(), time.process_time(), sum(map(_work, backends))


def _work(process: psutil.Process) -> float:
    """Seconds of work; none of a process that has ended since it was listed."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0


def _since(begun: tuple[float, float, float], warehouse: Warehouse) -> str:
    clock, here, server = (now - then for now, then in zip(_clocks(warehouse), begun, strict=True))
    return f"{clock:.1f} s by the clock, {here:.1f} s of work here and {server:.1f} s in the server"


def _megabytes() -> float:
    """The peak of this process's resident memory; getrusage would count that of the process that started it."""
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
