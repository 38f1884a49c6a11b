"""The report of a benchmark: a page in Markdown, a picture for each size, and one of how seconds grow with it."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from benchmarks.peers import (
    DAY,
    DAY_AND_ALL,
    HISTORY,
    HISTORY_OF_A_DAY,
    LINEAGE,
    OURS_OF_HISTORY,
    PEERS,
    PLATFORM,
    Peer,
)
from benchmarks.results import Results
from lgs_assets.charts import style

_PEERS = {peer.name: peer for peer in PEERS}
_OURS = _PEERS[PLATFORM].title
_LINES = ("raw_invoices", "clean_invoices")
_HISTORY = {peer.title for peer in (*HISTORY, HISTORY_OF_A_DAY)}
_NONE = "–"
# From this size on, the fixed costs of a run weigh little.
LARGE = 10
_LABEL_HEIGHT = 0.055
_MB = 1e6


def write(results: Results, folder: Path) -> None:
    """Writes report.md, seconds-1x.png (10x …) and, of several sizes, growth.png into the folder."""
    (folder / "report.md").write_text(page(results))
    sizes = [size for size in results.sizes if _jobs(results, size)]
    pictures = {f"seconds-{size}x": partial(picture, results, size) for size in sizes}
    if len(sizes) > 1:
        pictures["growth"] = partial(growth, results)
    for name, draw in pictures.items():
        with style.style():
            draw().savefig(folder / f"{name}.png", metadata={"Software": None})


def page(results: Results) -> str:
    """The report in Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    loads = ", ".join(f"{load:g}" for load in results.load)
    sections = [
        f"# Benchmark of {results.began}\n",
        f"Source: {results.source}. Machine: {results.machine}. {versions}.\n",
        f"Load average before each round: {loads}. Above the number of cores, other processes were at work as well.\n",
        *(_section(results, size) for size in results.sizes if set(results.titles(size)) - _HISTORY),
        *(_history(results, size) for size in results.sizes if results.of(size, OURS_OF_HISTORY.title)),
        "## Targets\n",
        _table(["what", "target", "measured", ""], [list(target) for target in targets(results)]),
    ]
    return "\n".join(sections)


def _section(results: Results, size: int) -> str:
    head = [
        "", "runs", "seconds", "from", "to", "× ours", "start", *_LINES, "the others",
        "client MB", "server MB", "written MB", "WAL MB", "tables",
    ]  # fmt: skip
    titles = [title for title in results.titles(size) if title not in _HISTORY]
    return f"## {size}×\n\n" + _table(head, [_row(results, size, title) for title in titles])


def _history(results: Results, size: int) -> str:
    """What happened: a row for each peer, then the seconds of each table by each peer."""
    titles = [title for title in results.titles(size) if title in _HISTORY and results.of(size, title)]
    head = ["", "runs", "seconds", "from", "to", "start", "× ours, same tables", "client MB", "server MB", "tables"]
    stages = {title: [name for name in results.of(size, title)[0].stages if name != "start"] for title in titles}
    by_table = [
        [table, *(_number(results.seconds(size, title, table) if table in stages[title] else None) for title in titles)]
        for table in dict.fromkeys(name for title in titles for name in stages[title])
    ]
    rows = [_history_row(results, size, title, stages[title]) for title in titles]
    return f"## What happened, {size}×\n\n{_table(head, rows)}\n{_table(['seconds', *titles], by_table)}"


def _history_row(results: Results, size: int, title: str, tables: list[str]) -> list[str]:
    seconds = [run.seconds for run in results.of(size, title)]
    theirs, ours = (results.seconds(size, whose, *tables) for whose in (title, OURS_OF_HISTORY.title))
    memory = [results.median(size, title, name) for name in ("client_bytes", "server_bytes")]
    return [
        *(title, f"{len(seconds)}", _number(median(seconds)), _number(min(seconds)), _number(max(seconds))),
        _number(results.seconds(size, title, "start")),
        _number(theirs / ours if theirs and ours else None),
        *(_number(value / _MB if value is not None else None, 0) for value in memory),
        judged(results, size, title),
    ]


def _row(results: Results, size: int, title: str) -> list[str]:
    runs = results.of(size, title)
    if not runs:
        return [title, "0", *[_NONE] * 12, results.error(size, title)]
    seconds = [run.seconds for run in runs]
    ours, theirs = results.seconds(size, _OURS), results.seconds(size, title)
    is_job = f"{size}x {title}" in results.verdicts
    stages = [results.seconds(size, title, stage) if is_job else None for stage in ("start", *_LINES)]
    others = theirs - sum(stage or 0 for stage in stages) if theirs and is_job else None
    memory = [results.median(size, title, name) for name in ("client_bytes", "server_bytes")]
    bytes_written = [results.median(size, title, name) for name in ("written_bytes", "wal_bytes")]
    return [
        title,
        f"{len(runs)}",
        _number(theirs),
        _number(min(seconds)),
        _number(max(seconds)),
        _number(theirs / ours if theirs and ours and is_job else None),
        *(_number(stage) for stage in stages),
        _number(others),
        *(_number(value / _MB if value is not None else None, 0) for value in [*memory, *bytes_written]),
        judged(results, size, title),
    ]


def judged(results: Results, size: int, title: str) -> str:
    """The result of the comparison with our tables, in words."""
    verdicts = results.verdicts.get(f"{size}x {title}")
    if not verdicts:
        return _NONE
    if faults := results.faults(size, title):
        return "**does not count**: " + "; ".join(f"{fault.table}: {fault.wrong}" for fault in faults)
    inexact = sum(verdict.inexact for verdict in verdicts)
    largest = max(verdict.largest for verdict in verdicts)
    return f"inexact: {inexact:,} numbers, by up to {float(largest):.0e}" if inexact else "the same"


def targets(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """The targets, as ratios in the same run: the target, what was measured, and whether it is met.

    Only those for which the results suffice.
    """
    first, last = results.sizes[0], results.sizes[-1]

    def seconds(peer: Peer | str, size: int, *stages: str) -> float | None:
        return results.seconds(size, peer if isinstance(peer, str) else peer.title, *stages)

    for size in results.sizes:
        ours = seconds(_OURS, size)
        if ours is None:
            continue
        floors = [_PEERS[name].title for name in ("psql", "psql_contracts")]  # with a target of their own
        rivals = {
            title: taken
            for title in _jobs(results, size)
            if not any(peer.is_ours and peer.title == title for peer in (*PEERS, DAY, DAY_AND_ALL))
            and title not in floors
            and results.counts(size, title)
            and (taken := seconds(title, size)) is not None
        }
        if rivals:
            fastest = min(rivals, key=lambda title: rivals[title])
            yield _target(f"{size}×: whole job, against the fastest ({fastest})", 1.0, ours / rivals[fastest])
        for title in floors:
            if (floor := seconds(title, size)) is not None:
                yield _target(f"{size}×: whole job, against {title}", 1.5 if size < LARGE else 1.3, ours / floor)
        notebook = _PEERS["notebook"].title
        if (slow := seconds(notebook, size)) is not None:
            yield _target(f"{size}×: times faster than the notebook way", 15, slow / ours, at_least=True)
            little, much = (results.median(size, title, "client_bytes") for title in (_OURS, notebook))
            yield _target(f"{size}×: share of its memory", 0.2, (little or 0) / (much or 1))
        lineage = _PEERS[LINEAGE]
        if (whole := seconds(lineage, size)) is not None:
            charts = seconds(lineage, size, "charts", "check_charts") or 0
            yield _target(f"{size}×: orchestration on top, without charts", 3, whole - charts - ours, unit=" s")
        if (warm := seconds(_PEERS["warm_run"], size)) is not None:
            yield _target(f"{size}×: lgs run with nothing to do", 3, warm, unit=" s")
        for title in (_OURS, lineage.title):
            if (memory := results.median(size, title, "client_bytes")) is not None:
                yield _target(f"{size}×: memory of Python, {title}", 300, memory / _MB, unit=" MB", decimals=0)
        day, everything = seconds(DAY, size), seconds(DAY_AND_ALL, size)
        if day and everything:
            yield _target(f"{size}×: a day's dump on top, share of all from nothing", 0.15, day / everything)
        frame, read_sql = (seconds(_PEERS[name], size, "clean_invoices") for name in ("read_frame", "read_sql"))
        if frame and read_sql:
            yield _target(f"{size}×: clean_invoices into pandas, against read_sql", 3, read_sql / frame, at_least=True)
        if (small := seconds(_PEERS["read_frame"], size, "rfm_scores")) is not None:
            yield _target(f"{size}×: rfm_scores into pandas", 0.1, small, unit=" s", decimals=3)
    start, end = seconds(_OURS, first), seconds(_OURS, last)
    if first != last and start and end:
        exponent = math.log(end / start) / math.log(last / first)
        yield _target(f"{first}× to {last}×: seconds grow with the power", 1.1, exponent)
    yield from _history_targets(results)


def _history_targets(results: Results) -> Iterator[tuple[str, str, str, str]]:
    """The targets of what happened."""
    title, taken = OURS_OF_HISTORY.title, dict[int, float]()
    for size in results.sizes:
        if (whole := results.seconds(size, title)) is None:
            continue
        taken[size] = whole
        day = results.seconds(size, HISTORY_OF_A_DAY.title)
        if size == 1:
            pairs, memory = results.seconds(size, title, "product_pairs"), results.median(size, title, "client_bytes")
            yield _target(f"{size}×: {title}", 12, whole, unit=" s")
            yield _target(f"{size}×: {title}, memory of Python", 300, (memory or 0) / _MB, unit=" MB", decimals=0)
            yield _target(f"{size}×: product_pairs", 6, pairs or 0, unit=" s")
            if day is not None:
                yield _target(f"{size}×: {HISTORY_OF_A_DAY.title}", 3, day, unit=" s")
        elif day is not None:
            yield _target(f"{size}×: {HISTORY_OF_A_DAY.title}, share of all of it", 0.15, day / whole)
    if len(taken) > 1:
        first, last = min(taken), max(taken)
        exponent = math.log(taken[last] / taken[first]) / math.log(last / first)
        yield _target(f"{first}× to {last}×: seconds of what happened grow with the power", 1.1, exponent)


def _jobs(results: Results, size: int) -> list[str]:
    """The whole jobs whose tables were compared with ours."""
    beside = _HISTORY | {DAY.title}
    return [title for title in results.titles(size) if f"{size}x {title}" in results.verdicts and title not in beside]


def picture(results: Results, size: int) -> Figure:
    """Seconds and memory of the whole jobs at a size, fastest first. A point is a run, a bar their median."""
    titles = _jobs(results, size)
    titles.sort(key=lambda title: results.seconds(size, title) or 0)
    figure = style.sheet(f"{results.machine}, {results.began}. Source: {results.source}")
    grid = style.grid(figure, columns=2, left=0.29, wspace=0.1, bottom=0.19)
    left, right = (figure.add_subplot(grid[0, column]) for column in range(2))
    ours = {peer.title for peer in PEERS if peer.is_ours}
    colours = [style.BLUE if title in ours else style.SKY for title in titles]
    seconds = [[run.seconds for run in results.of(size, title)] for title in titles]
    _bars(left, seconds, colours, lambda value: f"{value:.1f} s")
    for place, runs in enumerate(seconds):
        left.plot(runs, [place] * len(runs), "|", color=style.INK, markersize=7)
    memory = [[run.client_bytes / _MB for run in results.of(size, title)] for title in titles]
    _bars(right, memory, colours, lambda value: f"{value:,.0f} MB")
    left.set_yticks(range(len(titles)), [_marked(results, size, title) for title in titles])
    right.set_yticks([])
    left.set_xlabel("Seconds, median; a stroke is a run")
    right.set_xlabel("Peak memory of the client's processes, MB")
    style.note(figure, "* some numbers differ in the last digits of a float   ** some tables are wrong: does not count")
    load = f"Load average before the rounds: {min(results.load):g} to {max(results.load):g}" if results.load else ""
    style.head_and_foot(figure, f"From a dump to all tables in PostgreSQL: {size}× the lines", load)
    return figure


def growth(results: Results) -> Figure:
    """Seconds of the whole jobs by size, on logarithmic axes: what grows with the lines is a diagonal."""
    ours = {peer.title for peer in PEERS if peer.is_ours}
    jobs = {title for size in results.sizes for title in _jobs(results, size)}
    figure = style.sheet(f"{results.machine}, {results.began}. Source: {results.source}")
    axes = figure.add_subplot(style.grid(figure, right=0.65)[0])
    ends: list[tuple[float, str]] = []
    for title in sorted(jobs):
        points = {size: taken for size in results.sizes if (taken := results.seconds(size, title)) is not None}
        if len(points) > 1:
            colour = style.BLUE if title in ours else style.SKY
            axes.plot(list(points), list(points.values()), "o-", color=colour, markersize=4)
            ends.append((points[max(points)], f"{points[max(points)]:,.0f} s at {max(points)}×: {title}"))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(results.sizes, [f"{size}×" for size in results.sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel("Lines, as a multiple of the source")
    axes.set_ylabel("Seconds, median")
    place = math.inf
    for end, label in sorted(ends, reverse=True):
        _, height = axes.transAxes.inverted().transform(axes.transData.transform((1, end)))
        place = min(height, place - _LABEL_HEIGHT)  # as far down as it has to be to cross none above
        axes.annotate(label, (1.02, place), xycoords="axes fraction", va="center", size=style.SMALL)
    style.head_and_foot(figure, "From a dump to all tables in PostgreSQL: growth", "Dark: LGS. Light: the others.")
    return figure


def _bars(axes: Axes, runs: list[list[float]], colours: list[str], written: Callable[[float], str]) -> None:
    """A bar for each median, with its value beyond the highest of its runs."""
    axes.barh(range(len(runs)), [median(values) for values in runs], 0.62, color=colours)
    for place, values in enumerate(runs):
        axes.annotate(
            written(median(values)), (max(values), place), (7, 0), textcoords="offset points", va="center",
            size=style.SMALL, bbox=style.UNCROSSED,
        )  # fmt: skip
    axes.set_xlim(0, 1.22 * max(max(values) for values in runs))
    axes.invert_yaxis()
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _marked(results: Results, size: int, title: str) -> str:
    mark = "" if judged(results, size, title) == "the same" else " *"
    return f"{title}{mark if results.counts(size, title) else ' **'}"


def _target(
    what: str, target: float, measured: float, *, at_least: bool = False, unit: str = "", decimals: int = 2
) -> tuple[str, str, str, str]:
    is_met = measured >= target if at_least else measured <= target
    aim = f"{'≥' if at_least else '≤'} {target:g}{unit}"
    return what, aim, f"{measured:.{decimals}f}{unit}", "met" if is_met else "**missed**"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float | None, decimals: int = 2) -> str:
    return _NONE if value is None else f"{value:,.{decimals}f}"
