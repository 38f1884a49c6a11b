"""The platform as it is used: the lineage in one Dagster process, with its checks, metadata and charts."""

import sys
from pathlib import Path

from benchmarks.peers.common import done
from lgs_assets.command.runner import Step, bring_up_to_date
from lgs_assets.configuration import Settings
from lgs_assets.wiring.instance import dagster_instance


def report(step: Step) -> None:
    """Tells the benchmark of the steps that end."""
    if step.seconds is not None:
        done(step.name)


if __name__ == "__main__":
    with dagster_instance() as instance:
        done("start")
        bring_up_to_date(instance, dump=Path(sys.argv[1]), settings=Settings(), progress=report)
