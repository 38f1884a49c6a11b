"""Charts rendered side by side, in a process for each core: matplotlib itself uses only one."""

import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pandas as pd

from lgs_assets.charts.declaration import Chart
from lgs_assets.charts.report import render
from lgs_assets.charts.style import load_matplotlib
from lgs_assets.configuration import default_variable

NICENESS = 5
"""A picture can wait; what is computed meanwhile, others wait for."""
# What the server of the processes imports, so that none of them has to: figures alone take as long as a chart.
_LOADED = [
    render.__module__,
    "lgs_assets.charts.image",
    "matplotlib.style",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
]


def rendered(charts: Sequence[Chart], tables: Mapping[str, pd.DataFrame], *, origin: str, cache: Path) -> pd.DataFrame:
    """What `render` makes of the charts, to the byte. `cache` is where matplotlib keeps its list of fonts."""
    workers = min(len(charts), _cores())
    if workers > 1:
        try:
            with default_variable("MPLCONFIGDIR", str(cache)):
                return _in_processes(workers, charts, tables, origin)
        except BrokenProcessPool:  # one was killed, for want of memory say: one at a time takes less
            pass
    load_matplotlib(cache)
    return render(charts, tables, origin=origin)


def _in_processes(
    workers: int, charts: Sequence[Chart], tables: Mapping[str, pd.DataFrame], origin: str
) -> pd.DataFrame:
    # A fork of this process would inherit its threads' locks, and a new one would spend half a second on imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    needed = [{table: tables[table] for table in chart.drawn_from} for chart in charts]
    with ProcessPoolExecutor(workers, context, initializer=_give_way) as pool:
        each = pool.map(partial(render, origin=origin), [[chart] for chart in charts], needed)
        return pd.concat(each, ignore_index=True).assign(position=range(1, len(charts) + 1))


def _give_way() -> None:
    """Lets others have the cores first, and ends this process when the one that asked for it is killed."""
    os.nice(NICENESS)

    def watch(parent: multiprocessing.process.BaseProcess) -> None:
        parent.join()
        os._exit(1)

    if parent := multiprocessing.parent_process():
        threading.Thread(target=watch, args=(parent,), daemon=True).start()


def _cores() -> int:
    """As many as this process may use; macOS does not tell, and gives all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
