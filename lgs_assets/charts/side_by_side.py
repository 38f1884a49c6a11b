"""Charts rendered side by side, in a process for each core: matplotlib itself uses only one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd

from lgs_assets.charts.declaration import Chart
from lgs_assets.charts.report import render
from lgs_assets.charts.style import load_matplotlib
from lgs_assets.configuration import default_variable

_NICENESS = 5
"""Pictures can wait: others wait for the tables that are computed meanwhile."""
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
    if min(len(charts), cores()) > 1:
        try:
            with processes(cache) as pool:
                return rendered_by(pool, charts, tables, origin=origin)
        except BrokenProcessPool:  # one was killed, for want of memory say: one at a time takes less
            pass
    load_matplotlib(cache)
    return render(charts, tables, origin=origin)


def rendered_by(
    pool: Executor, charts: Sequence[Chart], tables: Mapping[str, pd.DataFrame], *, origin: str
) -> pd.DataFrame:
    """What `render` makes of the charts, to the byte. Raises BrokenProcessPool if a process was killed."""
    needed = [{table: tables[table] for table in chart.drawn_from} for chart in charts]
    each = pool.map(partial(render, origin=origin), [[chart] for chart in charts], needed)
    return pd.concat(each, ignore_index=True).assign(position=range(1, len(charts) + 1))


@contextmanager
def processes(cache: Path) -> Iterator[Executor]:
    """Processes that draw, one a core, until the block ends. `cache` is where matplotlib keeps its list of fonts."""
    # A fork of this process would inherit its threads' locks, and a new one would spend half a second on imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    with ProcessPoolExecutor(cores(), context, initializer=_prepare) as pool:
        with default_variable("MPLCONFIGDIR", str(cache)):
            pool.submit(os.getpid).result()  # their server is there now, and hands the variable on to all of them
        yield pool


def _prepare() -> None:
    """Lets others have the cores first, and ends this process with the one that asked for it, not at Ctrl-C."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch(parent: multiprocessing.process.BaseProcess) -> None:
        parent.join()
        os._exit(1)

    if parent := multiprocessing.parent_process():
        threading.Thread(target=watch, args=(parent,), daemon=True).start()


def cores() -> int:
    """As many as this process may use; macOS does not tell, and gives all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
