"""The deployment: what docker-compose.yml says, and its very commands, run here as processes on a real PostgreSQL."""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from lgs_assets import places
from lgs_assets.contracts.check import CHECKS
from lgs_assets.contracts.contract import RAW_INVOICES
from lgs_assets.dashboard.pages import segments
from lgs_assets.dashboard.queries import ALWAYS_READ
from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.warehouse.server import EmbeddedServer, program
from lgs_assets_tests.builders import FEW, Line, sources, write_dump

COMPOSE_FILE = places.ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
LONG_RUNNING = {"postgres", "code", "webserver", "daemon", "dashboard", "jupyter"}
PATIENCE_SECONDS = 300  # with anything that a service is waited for
PASSWORDS = (
    "POSTGRES_PASSWORD",
    "LGS_PIPELINE_PASSWORD",
    "LGS_ANALYST_PASSWORD",
    "LGS_DASHBOARD_PASSWORD",
    "DAGSTER_PASSWORD",
)
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<modifier>:[-?])?(?P<word>[^}]*)\}")
TABLES = FEW.union(*map(sources, {*segments.ALL.tables, *ALWAYS_READ}))
"""What is deployed here of the lineage: the segments and their page. Every table is published in one of two ways."""
# Every character that means something to a URL, a shell, SQL, YAML or a connection string.
AWKWARD = "p@ss/w:rd 'x' \"$y\" %41 \\ #&=é"


def commented_variables() -> dict[str, str]:
    """The variables of .env.example that have a comment above them, by name."""
    commented: dict[str, str] = {}
    above = ""
    for line in (places.ROOT / ".env.example").read_text().splitlines():
        if line.startswith("#") or not line:
            above = line
        elif above:
            name, _, value = line.partition("=")
            commented[name] = value
    return commented


def test_the_compose_file_is_valid() -> None:
    """It follows the JSON schema of the Compose specification, which is stricter than Docker itself."""
    check = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [check, "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_variable_is_explained_and_none_is_left_over() -> None:
    """.env.example holds exactly the variables that the compose file asks for, and no secret."""
    assert set(commented_variables()) == {match["name"] for match in VARIABLE.finditer(COMPOSE_FILE.read_text())}
    assert {value for name, value in commented_variables().items() if "PASSWORD" in name or "TOKEN" in name} == {""}


def test_no_secret_has_a_value_or_a_default() -> None:
    """Each comes from the environment, and nothing starts without it."""
    variables = {
        (service, name): str(value) for service, spec in SERVICES.items() for name, value in spec["environment"].items()
    }
    secret = [value for (_, name), value in variables.items() if re.search("PASSWORD|TOKEN|SECRET", name)]
    required = [re.fullmatch(r"\$\{(\w+):\?[^}]+\}", value) for value in secret]
    assert {match and match[1] for match in required} == {*PASSWORDS, "JUPYTER_TOKEN"}
    assert [value for value in variables.values() if "://" in value and urlsplit(value).password] == []


def test_ports_are_published_on_this_machine_only() -> None:
    """Nobody else on the network can reach a service until somebody decides otherwise."""
    ports = [port for spec in SERVICES.values() for port in spec.get("ports", [])]
    assert len(ports) == 4
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_long_running_services_are_watched_and_restarted() -> None:
    """Each has a health check and a restart policy; the one-shot has neither and ends before the others begin."""
    assert {name for name, spec in SERVICES.items() if "healthcheck" in spec} == LONG_RUNNING
    assert {name for name, spec in SERVICES.items() if spec["restart"] == "unless-stopped"} == LONG_RUNNING
    assert SERVICES["init"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("code", "dashboard", "jupyter"):
        assert SERVICES[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    for name in ("webserver", "daemon"):
        assert SERVICES[name]["depends_on"] == {"code": {"condition": "service_healthy"}}


def test_our_containers_have_no_privileges() -> None:
    """An ordinary user, no capabilities; and the one that runs code of analysts is apart from the code server."""
    ours = {name: spec for name, spec in SERVICES.items() if "build" in spec}
    assert set(ours) == set(SERVICES) - {"postgres"}
    stages = {
        match["name"]: match["body"]
        for match in re.finditer(
            r"^FROM \S+ AS (?P<name>\S+)\n(?P<body>.*?)(?=^FROM|\Z)",
            (places.ROOT / "Dockerfile").read_text(),
            re.M | re.S,
        )
    }
    for spec in ours.values():
        assert spec["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in spec["security_opt"]
        assert re.findall(r"^USER (\S+)", stages[spec["build"]["target"]], re.M)[-1] == "lgs"
    for apart in ("jupyter", "dashboard"):
        assert not set(SERVICES[apart]["networks"]) & set(SERVICES["code"]["networks"])
    assert SERVICES["dashboard"]["read_only"] is True


def test_the_images_hold_what_the_dockerfile_copies_and_no_secrets() -> None:
    """.dockerignore lets in exactly what is named there; what is copied exists."""
    ignore = (places.ROOT / ".dockerignore").read_text().split()
    assert "*" in ignore
    let_in = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert {name for name in let_in if not (places.ROOT / name).exists()} == set()
    assert {name.split("/")[0] for name in ("deploy/prepare.py", "sql", "lgs_assets", "requirements.lock")} <= let_in


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Deployment:
    """The services of the compose file as processes of this machine: other ports, other folders, the same commands."""

    folder: Path
    postgres_port: int
    secrets: dict[str, str]
    ports: dict[str, int] = field(default_factory=lambda: {port: free_port() for port in ("4000", "3000", "8050")})
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.home, self.inbox):
            folder.mkdir(parents=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            text = (places.ROOT / "deploy" / name).read_text()
            (self.home / name).write_text(self.here(text).replace("host: code", "host: 127.0.0.1"))

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    def here(self, text: str) -> str:
        """Text of the compose file with the addresses, paths and code location of this test."""
        for port, local in self.ports.items():
            text = re.sub(rf"\b{port}\b", str(local), text)
        text = text.replace("0.0.0.0", "127.0.0.1").replace("@postgres/", "@127.0.0.1/")
        text = text.replace("lgs_assets.definitions", "lgs_assets_tests.one_page_location")
        return text.replace("deploy/workspace.yaml", str(self.home / "workspace.yaml"))

    def environment(self, service: str) -> dict[str, str]:
        """What the container would have, and what a process of this machine needs besides."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LGS_", "DAGSTER_", "PG"))}
        programs = [Path(sys.executable).parent, program("psql").parent]
        kept["PATH"] = os.pathsep.join([*map(str, programs), kept["PATH"]])
        # As the Dockerfile sets them.
        kept |= {"DAGSTER_HOME": str(self.home), "LGS_HOME": str(self.folder / "lgs")}

        def value_of(match: re.Match[str]) -> str:
            if match["modifier"] == ":?":
                return self.secrets[match["name"]]
            return match["word"]

        given = {
            name: VARIABLE.sub(value_of, self.here(str(value)))
            for name, value in SERVICES[service]["environment"].items()
        }
        address = {"PGHOST": "127.0.0.1", "PGPORT": str(self.postgres_port), "LGS_INBOX": str(self.inbox)}
        return kept | given | address

    def command(self, service: str) -> list[str]:
        return [self.here(word) for word in SERVICES[service]["command"]]

    def log(self, service: str) -> Path:
        return self.folder / f"{service}.log"

    def run_once(self, service: str) -> None:
        with self.log(service).open("wb") as log:
            subprocess.run(
                self.command(service),
                env=self.environment(service),
                cwd=places.ROOT,  # where the Dockerfile works, too
                stdout=log,
                stderr=log,
                timeout=60,
                check=True,
            )

    def start(self, *services: str) -> None:
        for service in services:
            with self.log(service).open("ab") as log:
                self.processes[service] = subprocess.Popen(
                    self.command(service),
                    env=self.environment(service),
                    cwd=places.ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def is_healthy(self, service: str) -> bool:
        kind, *command = [self.here(word) for word in SERVICES[service]["healthcheck"]["test"]]
        assert kind == "CMD"
        done = subprocess.run(command, env=self.environment(service), capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    def wait_until(self, condition: Callable[[], Any], what: str, *, every: float = 1) -> Any:
        """What the condition returns once that is true. Fails with the logs if it does not come true in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if result := condition():
                return result
            dead = [name for name, process in self.processes.items() if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                pytest.fail(f"{', '.join(dead)} ended" if dead else f"Not within {PATIENCE_SECONDS} s: {what}")
            time.sleep(every)

    def wait_until_healthy(self, *services: str) -> None:
        for service in services:
            every = SERVICES[service]["healthcheck"]["start_interval"].removesuffix("s")
            self.wait_until(partial(self.is_healthy, service), f"{service} is healthy", every=float(every))

    def show_logs(self) -> None:
        for log in sorted(self.folder.glob("*.log")):
            print(f"\n--- the end of {log.name}\n{log.read_text(errors='replace')[-6000:]}")

    def stop(self) -> None:
        """Ends every service, then whatever is left of it."""
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)

    def connect(self, login: str) -> psycopg.Connection:
        """A connection to the warehouse."""
        password = self.secrets[f"{login.upper()}_PASSWORD"]
        return psycopg.connect(
            host="127.0.0.1", port=self.postgres_port, dbname="warehouse", user=login, password=password
        )

    def query(self, login: str, query: str) -> list[tuple[Any, ...]]:
        """What a login sees of the warehouse. Tables that are not there yet have no rows."""
        with suppress(psycopg.errors.UndefinedTable), self.connect(login) as connection:
            return connection.execute(query.encode()).fetchall()
        return []

    def built(self) -> set[str]:
        """The tables that a run has built."""
        return {name for (name,) in self.query("lgs_analyst", "select table_name from publications")}

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer of the webserver."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['3000']}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def runs(self) -> list[dict[str, Any]]:
        query = "{ runsOrError { ... on Runs { results { runId status } } } }"
        runs: list[dict[str, Any]] = self.graphql(query)["runsOrError"]["results"]
        return runs


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Everything up, on a PostgreSQL of its own; and the daemon has built its tables from a dump in the inbox."""
    folder = tmp_path_factory.mktemp("deployment")
    server = EmbeddedServer(folder / "postgres")
    passwords = {name: AWKWARD + secrets.token_hex(4) for name in PASSWORDS}
    with ExitStack() as cleanup:
        cleanup.callback(server.stop)
        make_administrator(server.url(), passwords["POSTGRES_PASSWORD"])
        deployment = Deployment(folder / "services", urlsplit(server.url()).port or 0, passwords)
        cleanup.callback(deployment.stop)
        failures = request.session.testsfailed
        cleanup.callback(lambda: deployment.show_logs() if request.session.testsfailed > failures else None)
        try:
            for _ in ("the first start", "every later one"):
                deployment.run_once("init")
            deployment.start("code")
            deployment.wait_until_healthy("code")
            deployment.start("webserver", "daemon", "dashboard")
            write_demo_dump(deployment.inbox / "retail.sql.gz", lines=2000)
            (deployment.inbox / "retail.sql.gz.done").touch()
            deployment.wait_until_healthy("webserver", "daemon", "dashboard")
            deployment.wait_until(lambda: deployment.built() == TABLES - {RAW_INVOICES}, "the last table is there")
            deployment.wait_until(lambda: {run["status"] for run in deployment.runs()} == {"SUCCESS"}, "all is done")
        except BaseException:
            deployment.show_logs()
            raise
        yield deployment


def make_administrator(url: str, password: str) -> None:
    """The login `postgres`, as the image of PostgreSQL makes it."""
    with psycopg.connect(url, autocommit=True) as connection:
        verifier = connection.pgconn.encrypt_password(password.encode(), b"postgres").decode()
        connection.execute(f"create role postgres superuser login password '{verifier}'".encode())


def test_the_dashboard_shows_the_segments_and_can_read_no_more_than_it_shows(deployment: Deployment) -> None:
    """Its login is that of its role, whose leave ends at the lines of dumps."""
    url = f"http://127.0.0.1:{deployment.ports['8050']}/segments"
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert "Champions" in answer.read().decode()
    for table in ("raw_invoices", "rejected_lines"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            deployment.query("lgs_dashboard", f"select from lgs.{table}")


def test_a_dump_in_the_inbox_becomes_segments_that_an_analyst_can_read(deployment: Deployment) -> None:
    """Sensor, queue, code server and automation together: no hand is laid on it."""
    ((customers,),) = deployment.query("lgs_analyst", "select count(*) from segments")
    assert [(customers,)] == deployment.query("lgs_analyst", "select count(*) from rfm_scores")
    assert customers > 0


def test_logins_may_do_no_more_than_they_must(deployment: Deployment) -> None:
    """Analysts cannot write, even if they try; nobody is in another's database, nor may administer anything."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        deployment.query("lgs_analyst", "set transaction read write; delete from segments")
    logins = deployment.query(
        "lgs_pipeline",
        """
        select rolname, rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls,
            has_database_privilege(oid, 'warehouse', 'connect'), has_database_privilege(oid, 'dagster', 'connect')
        from pg_roles where rolname in ('lgs_pipeline', 'lgs_analyst', 'lgs_dashboard', 'dagster') order by rolname
        """,
    )
    assert logins == [
        ("dagster", False, False, True),
        ("lgs_analyst", False, True, False),
        ("lgs_dashboard", False, True, False),
        ("lgs_pipeline", False, True, False),
    ]


def test_the_ui_is_guarded_against_other_sites(deployment: Deployment) -> None:
    """Nothing is changed by a link; and another site's page, or another name of the host, gets no answer."""
    ui = f"http://127.0.0.1:{deployment.ports['3000']}/graphql"
    asked = json.dumps({"query": "{ version }"}).encode()
    as_json = {"Content-Type": "application/json"}
    for url, body, headers in (
        (f"{ui}?query=mutation%7BreloadWorkspace%7B__typename%7D%7D", None, {}),
        (ui, asked, {"Content-Type": "text/plain; application/json"}),
        (ui, asked, as_json | {"Origin": "http://elsewhere.example"}),
        (ui, asked, as_json | {"Host": "elsewhere.example"}),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30)
        assert 400 <= refused.value.code < 500
        refused.value.close()
    assert deployment.graphql("{ version }")["version"]


def test_services_stay_healthy(deployment: Deployment) -> None:
    """The health checks of the file, after the work."""
    assert [service for service in deployment.processes if not deployment.is_healthy(service)] == []


def test_each_table_is_built_once_and_checked(deployment: Deployment) -> None:
    """Built tables do not build themselves again, and every check has been executed with its table."""
    time.sleep(15)  # at least one more tick of each sensor
    query = """{ assetNodes { assetKey { path } assetMaterializations { runId }
        assetChecksOrError { ... on AssetChecks { checks { executionForLatestMaterialization { status } } } } } }"""
    nodes = deployment.graphql(query)["assetNodes"]
    built = {node["assetKey"]["path"][-1]: len(node["assetMaterializations"]) for node in nodes}
    assert {table: times for table, times in built.items() if times} == dict.fromkeys(TABLES, 1)
    checks = [check for node in nodes for check in node["assetChecksOrError"].get("checks", [])]
    assert len(checks) == len([check for check in CHECKS if check.table in TABLES])
    statuses = {(check["executionForLatestMaterialization"] or {}).get("status") for check in checks}
    assert statuses <= {"SUCCEEDED", "FAILED"}  # the demo dump has what the warnings warn of


def test_a_load_that_dies_with_its_service_is_made_up_for(deployment: Deployment) -> None:
    """As in a power cut: the code service is gone in the midst of a load, and comes back; the dump is loaded, too.

    By Dagster's own retry, which it gives up if the service is not back yet, or by the sensor of the inbox.
    """
    before = {run["runId"] for run in deployment.runs()}

    def statuses() -> list[str]:
        return [run["status"] for run in deployment.runs() if run["runId"] not in before]

    with deployment.connect("lgs_pipeline") as other:
        other.execute("lock table lgs.raw_invoices in share mode")  # for as long as it is held, the load waits
        write_dump(deployment.inbox / "late.sql", [Line("999001")])
        (deployment.inbox / "late.sql.done").touch()
        deployment.wait_until(lambda: statuses() == ["STARTED"], "the load begins")
        code = deployment.processes.pop("code")
        os.killpg(code.pid, signal.SIGKILL)
        code.wait(10)
        deployment.start("code")
        deployment.wait_until(lambda: "FAILURE" in statuses(), "its loss is noticed")
    loaded = "select from lgs.dumps where dump = 'late.sql'"
    deployment.wait_until(lambda: deployment.query("lgs_pipeline", loaded), "it is made up for")
