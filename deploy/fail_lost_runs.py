"""Fails the runs that died with the last container of the code service, such as when the machine lost its power.

Dagster cannot see their death: to it they run on, hold their places in the queue, and keep what they were building
from being built. Started beside the code server, it waits until that answers, because then Dagster can start what
failed once more (run_retries in dagster.yaml).
"""

import subprocess
import sys
import time

import dagster as dg

PATIENCE_SECONDS = 600


def main(port: str) -> None:
    """Fails every run that began before this process did: no run outlives the container that it began in."""
    began = time.time()
    wait_for_code_server(port)
    with dg.DagsterInstance.get() as instance:
        in_progress = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        for record in instance.get_run_records(filters=in_progress):
            if record.start_time and record.start_time < began:
                run = record.dagster_run
                instance.report_run_failed(run, "The code service ended while this run was in progress.")
                print(f"Failed the lost run {run.run_id} ({run.job_name})", flush=True)


def wait_for_code_server(port: str) -> None:
    """Returns when the server answers. Gives up when it does not: then its container ends and starts again."""
    check = ["dagster", "api", "grpc-health-check", "--port", port]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while subprocess.run(check, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            sys.exit(f"The code server did not answer within {PATIENCE_SECONDS} s")
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1])
