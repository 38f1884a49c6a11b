"""What planning and applying a large list cost: the process that `benchmarks.activation` starts for it."""

import sys
import time
from pathlib import Path

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
    begun, used = time.perf_counter(), time.process_time()
    made = make_plan(warehouse, audience, drop, key=key)
    number, adds = (made.plan, made.adds) if made else (0, 0)
    print(
        f"plan of {adds:,}: {time.perf_counter() - begun:.1f} s, of which {time.process_time() - used:.1f} s here; "
        f"{_megabytes():.0f} MB at most, {before:.0f} before it began"
    )
    begun, used = time.perf_counter(), time.process_time()
    apply_plan(warehouse, number, drop, key=key)
    print(
        f"applied to a file: {time.perf_counter() - begun:.1f} s, of which {time.process_time() - used:.1f} s here; "
        f"{_megabytes():.0f} MB at most"
    )


def _megabytes() -> float:
    """The peak of this process's resident memory; getrusage would count that of the process that started it."""
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
