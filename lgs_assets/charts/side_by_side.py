"""Charts rendered side by side, in a process for each core: matplotlib itself uses only one."""

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from lgs_assets.charts.declaration import Chart
from lgs_assets.charts.report import render
from lgs_assets.charts.style import load_matplotlib
from lgs_assets.configuration import default_variable

# What the server of the processes imports, so that none of them has to.
_LOADED = [
    render.__module__,
    "lgs_assets.charts.image",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
]


def rendered(charts: Sequence[Chart], tables: Mapping[str, pd.DataFrame], *, origin: str, cache: Path) -> pd.DataFrame:
    """What `render` makes of the charts, to the byte. `cache` is where matplotlib keeps its list of fonts."""
    workers = min(len(charts), len(os.sched_getaffinity(0)))
    if workers < 2:
        load_matplotlib(cache)
        return render(charts, tables, origin=origin)
    # A fork of this process would inherit its threads' locks, and a new one would spend half a second on imports.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    needed = [{table: tables[table] for table in chart.drawn_from} for chart in charts]
    with default_variable("MPLCONFIGDIR", str(cache)), ProcessPoolExecutor(workers, context) as pool:
        each = pool.map(partial(render, origin=origin), [[chart] for chart in charts], needed)
        return pd.concat(each, ignore_index=True).assign(position=range(1, len(charts) + 1))
