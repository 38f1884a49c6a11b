"""Marked addresses go through everything, and then are looked for wherever something is kept, written or shown."""

import subprocess
import zipfile
from hashlib import md5, sha256
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.dashboard.app import PAGES
from lgs_assets.dashboard.serve import tables_of
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer, program
from lgs_assets_tests.action.people import CANARY, KEY, address, contacts_file, line, tables_outside
from lgs_assets_tests.action.receiver import SIGNING_KEY, receiving
from lgs_assets_tests.builders import SHOP
from lgs_assets_tests.dashboard.conftest import Site, serve

CUSTOMERS = sorted({int(each.customer_id or 0) for each in SHOP})
HASHED = {make(address(each).encode()).hexdigest() for each in CUSTOMERS for make in (sha256, md5)}
MARKS = {CANARY, CANARY.encode().hex(), KEY, SIGNING_KEY, *HASHED}
"""What may turn up nowhere; bytes are dumped in hexadecimal, and a plain hash of an address can be guessed."""


def marks_in(text: str) -> set[str]:
    """Those that a text has, in whatever case."""
    in_lower_case = text.lower()
    return {mark for mark in MARKS if mark.lower() in in_lower_case}


def marked_files(folder: Path) -> list[Path]:
    """The files that have one, also packed ones, such as workbooks."""

    def texts(file: Path) -> list[bytes]:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as packed:
                return [packed.read(name) for name in packed.namelist()]
        return [file.read_bytes()]

    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and any(marks_in(text.decode(errors="replace")) for text in texts(file))
    ]


def every_page(site: Site, audience: str) -> str:
    """The dashboard's pages, one of each kind, and the files of the campaigns."""
    items = {
        "/segments": "champions", "/customers": str(CUSTOMERS[0]), "/invoices": SHOP[0].invoice_no,
        "/report": "champions", "/data": "audience_members", "/campaigns": audience,
    }  # fmt: skip
    paths = [page.path.replace("{item}", items.get(page.path.partition("/{")[0], "none")) for page in PAGES]
    paths += [f"/campaigns/{name}.csv" for name in ("audiences", "plans", "receipts", "left_out")]
    paths += [f"/campaigns/{audience}/{name}" for name in ("members.csv", "members.xlsx", "held.csv")]
    answers = {path: site.get(path) for path in paths}
    assert sum(answer.status == 200 for answer in answers.values()) > 0.8 * len(paths)
    assert answers["/campaigns"].status == answers[f"/campaigns/{audience}"].status == 200
    return "".join(answer.body.decode(errors="replace") for answer in answers.values())


def test_canaries_turn_up_nowhere(
    built: Warehouse,
    server: EmbeddedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Import, refusals, a full rebuild with its checks, lists to two destinations, objections, reports and pages."""
    said = []
    with psycopg.connect(built.url, autocommit=True) as connection:  # a server that logs every query
        name = connection.info.dbname
        connection.execute(f"alter database {name} set log_min_duration_statement = 0".encode())
        connection.execute(f"alter database {name} set log_parameter_max_length_on_error = -1".encode())
        connection.execute(f"alter database {name} set session_preload_libraries = 'auto_explain'".encode())
        connection.execute(f"alter database {name} set auto_explain.log_min_duration = 0".encode())
    built.engine.dispose()  # its sessions began before

    def lgs(*arguments: str, code: int = 0) -> str:
        result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
        assert result.exit_code == code, (arguments, result.output)
        said.append(result.output + str(result.exception))
        return result.output

    with receiving() as receiver:
        monkeypatch.setenv("LGS_CONTACT_KEY", KEY)
        monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
        monkeypatch.setenv("LGS_DROP", str(tmp_path / "drop"))
        wrong = [line("canary@example.test"), line(CUSTOMERS[0], email="canary at home"), line(source="canary@b.test")]
        lgs("contacts", "import", str(contacts_file(tmp_path, [line(CUSTOMERS[0]), *wrong])), code=2)
        monkeypatch.setenv("LGS_REJECT_LIMIT", "0.2")
        file = str(contacts_file(tmp_path, [*map(line, CUSTOMERS), wrong[0]]))
        lgs("contacts", "import", file, code=3)
        monkeypatch.delenv("LGS_REJECT_LIMIT")
        lgs("contacts", "status")

        ((audience, member),) = [
            (row.audience, row.customer_id)
            for row in built.rows("select audience, customer_id from audience_members order by audience, customer_id")
        ][:1]
        receiver.poison = {member}  # the answer quotes the address
        for destination, code in (("webhook", 3), ("drop", 0)):
            lgs("activate", "plan", audience, destination)
            number = str(built.rows("select max(plan) as last from activation_plans")[0].last)
            lgs("activate", "show", number)
            lgs("activate", "apply", number, code=code)
        lgs("activate", "list")
        lgs("activate", "drift", audience, "webhook")
        lgs("contacts", "object", str(CUSTOMERS[1]))
        lgs("forget-customer", str(member), "--yes")
        lgs("audience", "list")
        lgs("audience", "show", audience)
        lgs("run", "--force")
        lgs("status")
        lgs("cards", str(tmp_path / "shown" / "cards"))
        lgs("config")
        lgs("report", "-o", str(tmp_path / "shown" / "shop.html"))
        lgs("report", "champions", "-o", str(tmp_path / "shown" / "champions.html"))
        lgs("export", str(tmp_path / "shown" / "lists"))
    tables = tables_of(Configuration.read())
    said += [every_page(site, audience) for site in serve(tables)]
    tables.engine.dispose()
    said += [caplog.text, *capfd.readouterr()]

    private = [str(program("pg_dump")), "--dbname", built.url, "--schema", "lgs_private", "--data-only"]
    assert CANARY in subprocess.run(private, check=True, capture_output=True, text=True).stdout
    assert marked_files(tmp_path / "drop"), "what is not found where it must be would not be found elsewhere"
    assert [marks_in(text) for text in said if marks_in(text)] == []
    assert marks_in(tables_outside(built.url)) == set()
    assert marked_files(Configuration.read().state) == []
    assert marked_files(tmp_path / "shown") == []
    log = server.log.read_text(errors="replace")
    assert "insert into lgs_private.contacts" in log and "Query Text: " in log and marks_in(log) == set()
