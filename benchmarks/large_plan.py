"""What planning and applying a large list cost: the process that `benchmarks.activation` starts for it.

Planning has limits, of seconds and of memory. The seconds are those of work, by this process and by the server for it:
what the clock shows on a machine that does nothing else.
"""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.lists.applying import apply_plan
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.warehouse.database import Warehouse

PLAN_SECONDS = 3
PLAN_MEGABYTES = 200


class Spent(NamedTuple):
    """Seconds by the clock, and of work here and in the server."""

    clock: float
    here: float
    server: float

    def __sub__(self, before: "Spent") -> "Spent":
        """What was spent since."""
        return Spent(*(now - then for now, then in zip(self, before, strict=True)))

    def __str__(self) -> str:
        """In words."""
        return f"{self.clock:.1f} s by the clock, {self.here:.1f} s of work here and {self.server:.1f} s in the server"


def main(url: str, folder: str, key: str) -> None:
    """Prints seconds, and the peak of memory. Ends with 1 if planning takes more than its limits."""
    warehouse, drop = Warehouse(url), Drop(folder)
    audience = Audience("some", "Some.", "true", {"spent": "monetary"}, Limits())
    warehouse.prepare()
    before = _megabytes()
    begun = _spent(warehouse)
    made = make_plan(warehouse, audience, drop, key=key)
    planning, peak = _spent(warehouse) - begun, _megabytes()
    number, adds = (made.plan, made.adds) if made else (0, 0)
    print(f"plan of {adds:,}: {planning}; {peak:.0f} MB at most, {before:.0f} before it began")
    begun = _spent(warehouse)
    apply_plan(warehouse, number, drop, key=key)
    print(f"applied to files: {_spent(warehouse) - begun}; {_megabytes():.0f} MB at most")
    if planning.here + planning.server > PLAN_SECONDS or peak > PLAN_MEGABYTES:
        sys.exit(f"planning takes more than {PLAN_SECONDS} s of work, or {PLAN_MEGABYTES} MB")


def _spent(warehouse: Warehouse) -> Spent:
    """Until now."""
    (row,) = warehouse.rows("select pg_backend_pid() as pid")
    postmaster = psutil.Process(row.pid).parent()
    backends = postmaster.children() if postmaster else []
    return Spent(time.perf_counter(), time.process_time(), sum(map(_work, backends)))


def _work(process: psutil.Process) -> float:
    """Seconds of work; none of a process that has ended since it was listed."""
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return 0.0


def _megabytes() -> float:
    """The peak of this process's resident memory; getrusage would count that of the process that started it."""
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
