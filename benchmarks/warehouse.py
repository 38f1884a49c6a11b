"""A warehouse for the benchmarks that read one: everything that `lgs run` makes of a dump, built once and kept."""

import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import clean_environment
from benchmarks.workload import source_dump

WORK = Path(".benchmark")
_STEP = re.compile(r"✓ (.+?) +([\d.]+) s$", re.MULTILINE)


def state_folder(work: Path = WORK) -> Path:
    """The state folder of the platform, with every table of the real dump, or of a synthetic one of its size.

    `lgs run` builds what is not there or out of date: minutes, the first time. Raises CalledProcessError if it fails.
    """
    state = work.absolute() / "warehouse"
    state.mkdir(parents=True, exist_ok=True)
    real_data = os.environ.get("LGS_REAL_DATA")
    dump = source_dump(Path(real_data) if real_data else None, work)
    lgs = Path(sys.executable).with_name("lgs")
    command = [str(lgs), "run", str(dump.absolute())]
    printed = subprocess.run(command, env=environment(state), check=True, stdout=subprocess.PIPE, text=True).stdout
    if not _log(state).exists():
        _log(state).write_text(printed)
    return state


def environment(state: Path) -> dict[str, str]:
    """The environment of a process that uses the platform's state folder, and nothing else of who runs it."""
    return clean_environment() | {"LGS_HOME": str(state), "LGS_INBOX": str(state / "inbox")}


def seconds_of_steps(state: Path) -> dict[str, float]:
    """How long each step of the first run took, by the clock: tables by name, checks as `checks of` the table."""
    return {step: float(seconds) for step, seconds in _STEP.findall(_log(state).read_text())}


def _log(state: Path) -> Path:
    return state / "run.log"
