"""The platform as it is used: the lineage in one Dagster process, with its checks, metadata and charts."""

import sys
from pathlib import Path

from benchmarks.peers.common import done
from lgs_assets.command.runner import Runner, Step
from lgs_assets.configuration import Configuration
from lgs_assets.wiring.instance import dagster_instance


def report(step: Step) -> None:
    """Tells the benchmark about finished steps."""
    if step.seconds is not None:
        done(step.name)


if __name__ == "__main__":
    configuration = Configuration.read()
    with dagster_instance(configuration) as instance:
        done("start")
        Runner(configuration, instance, report).bring_up_to_date(Path(sys.argv[1]))
