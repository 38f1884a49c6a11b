"""The results of a benchmark: every run and every verdict, where and when; as JSON, and back."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.compare import Verdict
from benchmarks.measure import Measurement


@dataclass(frozen=True)
class Run:
    """One run of one peer."""

    size: int
    """How many times the lines of the source."""
    title: str
    measurement: Measurement


@dataclass
class Results:
    """All of one benchmark."""

    source: str
    """The dump that was replicated, and how many lines it has."""
    versions: dict[str, str]
    began: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    machine: str = field(default_factory=lambda: machine())
    load: list[float] = field(default_factory=list)
    """The load average before each round: above the number of cores, other processes were at work as well."""
    runs: list[Run] = field(default_factory=list)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    """By size and title, as `10x title`."""

    @property
    def sizes(self) -> list[int]:
        """The sizes that were run, small to large."""
        return sorted({run.size for run in self.runs})

    def titles(self, size: int) -> list[str]:
        """What was run at a size, in the order of the first round."""
        return list(dict.fromkeys(run.title for run in self.runs if run.size == size))

    def of(self, size: int, title: str) -> list[Measurement]:
        """The successful runs."""
        found = [run.measurement for run in self.runs if (run.size, run.title) == (size, title)]
        return [measurement for measurement in found if not measurement.error]

    def error(self, size: int, title: str) -> str:
        """Why a run failed, if one did."""
        errors = [run.measurement.error for run in self.runs if (run.size, run.title) == (size, title)]
        return next(filter(None, errors), "")

    def seconds(self, size: int, title: str, *stages: str) -> float | None:
        """The median of the seconds of the runs, or of these stages of them. None if there were none."""
        runs = self.of(size, title)
        if not runs:
            return None
        return median(sum(run.stages.get(name, 0) for name in stages) if stages else run.seconds for run in runs)

    def median(self, size: int, title: str, what: str) -> float | None:
        """The median of an attribute of the measurements."""
        values = [value for run in self.of(size, title) if (value := getattr(run, what)) is not None]
        return median(values) if values else None

    def faults(self, size: int, title: str) -> list[Verdict]:
        """The tables that differ from ours."""
        return [verdict for verdict in self.verdicts.get(f"{size}x {title}", []) if verdict.wrong]

    def counts(self, size: int, title: str) -> bool:
        """Whether it did the job, and its tables are ours."""
        return bool(self.verdicts.get(f"{size}x {title}")) and not self.faults(size, title)


def machine() -> str:
    """This machine, in one line."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def save(results: Results, path: Path) -> None:
    """Writes the results as JSON."""
    path.write_text(json.dumps(asdict(results), indent=1, default=str) + "\n")


def load(path: Path) -> Results:
    """Reads them again."""
    content: dict[str, Any] = json.loads(path.read_text())
    content["runs"] = [Run(**run | {"measurement": Measurement(**run["measurement"])}) for run in content["runs"]]
    content["verdicts"] = {
        of: [Verdict(**verdict | {"largest": Decimal(verdict["largest"])}) for verdict in verdicts]
        for of, verdicts in content["verdicts"].items()
    }
    return Results(**content)
