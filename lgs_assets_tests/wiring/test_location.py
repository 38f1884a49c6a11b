"""The runs of the command: that the Dagster UI counts them among those of the code location."""

import dagster as dg
import pytest
import yaml

from lgs_assets import places
from lgs_assets.configuration import Configuration
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.location import NAME, REPOSITORY, TAGS, add_to_location


@pytest.mark.parametrize("workspace", ["workspace.yaml", "deploy/workspace.yaml"])
def test_the_location_has_the_name_that_the_workspace_gives_it(workspace: str) -> None:
    """Under another name the timeline would show nothing."""
    ((kind, location),) = yaml.safe_load((places.ROOT / workspace).read_text())["load_from"][0].items()
    assert location["location_name"] == NAME, kind


@pytest.mark.usefixtures("built")
def test_runs_of_the_command_belong_to_the_location() -> None:
    """So the home page, the timeline and the pages of the jobs show them, and nothing starts them again."""
    with dagster_instance(Configuration.read()) as instance:
        runs = instance.get_runs()
        assert {run.job_name for run in runs} == {"ingest", "refresh"}
        for run in runs:
            assert run.remote_job_origin
            repository = run.remote_job_origin.repository_origin
            assert (repository.repository_name, run.remote_job_origin.location_name) == (REPOSITORY, NAME)
            assert run.remote_job_origin.job_name == run.job_name
        labelled = dg.RunsFilter(tags=TAGS | {"dagster/max_retries": "0"})
        assert instance.get_runs_count(labelled) == len(runs)


def test_a_run_belongs_to_the_location_only_when_it_has_ended() -> None:
    """Until then it is the command's alone."""

    @dg.job
    def nothing() -> None:
        """A job without a step."""

    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(nothing)
        add_to_location(instance, run.run_id)
        add_to_location(instance, "no-such-run")
        unchanged = instance.get_run_by_id(run.run_id)
    assert unchanged and unchanged.remote_job_origin is None
