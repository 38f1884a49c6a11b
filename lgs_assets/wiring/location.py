"""The code location, under the name that workspace.yaml gives it, and the runs that belong to it.

The Dagster UI's timeline and jobs show the runs of the location. A run that Python executes by itself, as the command
does, belongs to none.
"""

import json
from typing import Any

import dagster as dg

NAME = "lgs_assets"
REPOSITORY = "__repository__"
"""Dagster's name for what a `Definitions` object holds."""
TAGS = {"dagster/code_location": NAME, ".dagster/repository": f"{REPOSITORY}@{NAME}"}
"""The tags of the runs of the location, by which the pages of its jobs find them."""


def add_to_location(instance: dg.DagsterInstance, run_id: str) -> None:
    """Makes a run one of the code location's, if it has ended.

    Not before: until then it is the command's alone, and nothing of the location may take it over.
    """
    if (run := instance.get_run_by_id(run_id)) and run.is_finished:
        # Dagster has no class for this in its public API; its serialized form is public, and kept as it is.
        origin = {
            "__class__": "ExternalPipelineOrigin",
            "external_repository_origin": {
                "__class__": "ExternalRepositoryOrigin",
                "repository_location_origin": {
                    "__class__": "RegisteredRepositoryLocationOrigin",
                    "location_name": NAME,
                },
                "repository_name": REPOSITORY,
            },
            "pipeline_name": run.job_name,
        }
        located: Any = dg.deserialize_value(json.dumps(origin))
        instance.run_storage.replace_job_origin(run, located)
