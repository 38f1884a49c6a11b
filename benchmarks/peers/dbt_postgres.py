"""dbt: a project with the platform's SELECTs as models, generated for the run. psql loads what dbt transforms."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from benchmarks.peers import psql
from benchmarks.peers.common import PLAYBOOK, done, selects


def make_project(folder: Path) -> None:
    """Writes the project: every model a table, the playbook a seed."""
    project = {"name": "lgs", "profile": "lgs", "models": {"+materialized": "table"}}
    url = urlsplit(os.environ["DATABASE_URL"])
    target = {
        "type": "postgres", "host": url.hostname, "port": url.port, "user": url.username, "password": url.password,
        "dbname": url.path.lstrip("/"), "schema": "public", "threads": os.cpu_count(),
    }  # fmt: skip
    # JSON is also YAML.
    (folder / "dbt_project.yml").write_text(json.dumps(project))
    (folder / "profiles.yml").write_text(json.dumps({"lgs": {"target": "here", "outputs": {"here": target}}}))
    (folder / "seeds").mkdir()
    shutil.copy(PLAYBOOK, folder / "seeds")
    (folder / "models").mkdir()
    models = selects()
    tables = "|".join([*models, PLAYBOOK.stem])
    for table, select in models.items():
        referring = re.sub(rf"\b(from|join) ({tables})\b", r"\1 {{ ref('\2') }}", select)
        (folder / "models" / f"{table}.sql").write_text(referring)


def build(folder: Path) -> None:
    """Runs `dbt build`. Raises RuntimeError if a model fails."""
    options = ["--project-dir", str(folder), "--profiles-dir", str(folder), "--quiet"]
    result = dbtRunner(callbacks=[_report]).invoke(["build", *options])
    if not result.success:
        raise RuntimeError(f"dbt build failed: {result.exception}")


def _report(event: EventMsg) -> None:
    if event.info.name == "NodeFinished":
        done(event.data.node_info.node_name)


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        os.environ |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_LOG_PATH": name}
        make_project(Path(name))
        psql.run(psql.load(Path(sys.argv[1])) + "analyze raw_invoices;")
        build(Path(name))
