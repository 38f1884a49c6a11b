"""What a person does with dumps from a terminal: look into one, see its rejected lines, take one out again."""

import bz2
import csv
import io
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lgs_assets.command.cli import app
from lgs_assets.command.runner import Runner, Step
from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.builders import FEW, SHOP, Line, write_dump

pytestmark = pytest.mark.usefixtures("few_tables")


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)


def customers(first: int, last: int, *, month: int = 3) -> list[Line]:
    """A line for each customer, each with an invoice on a day and hour of its own."""
    return [
        Line(f"{month}-{c}", customer_id=c, invoice_date=f"2011-{month:02}-{1 + c % 28:02} {c % 24:02}:00")
        for c in range(first, last)
    ]


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    """A dump of 200 lines, one of them without a number where its quantity belongs."""
    return write_dump(tmp_path / "dumps" / "march.sql", [*customers(100, 299), Line(quantity="seven")])


def test_inspect_says_what_a_file_is_and_loads_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    """Format, packing, encoding, which column becomes which, how many lines, from when to when."""
    text = "Invoice;StockCode;Description;Quantity;InvoiceDate;Price;Customer ID;Country;Till\n"
    text += "1;22041;£ ROBIN;2;13/04/2011 10:00;1.50;17001;France;4\n"
    file = tmp_path / "dump"
    file.write_bytes(bz2.compress(text.encode("cp1252")))
    result = lgs("inspect", str(file))
    assert result.exit_code == 0, result.output
    told = " ".join(result.output.split())
    for fact in (
        "format CSV",
        "packing bzip2",
        "encoding cp1252",
        "delimiter semicolon",
        "Customer ID as customer_id",
        "columns left out Till",
        "dates day first",
        "good lines 1",
        "2011-04-13 10:00:00 to 2011-04-13 10:00:00",
    ):
        assert fact in told
    assert warehouse.rows("select * from dumps") == []


def test_inspect_follows_a_link(tmp_path: Path, flawed: Path) -> None:
    """A user who names a link means the file; in the inbox, where others may write, it is another matter."""
    (tmp_path / "latest.sql").symlink_to(flawed)
    result = lgs("inspect", str(tmp_path / "latest.sql"))
    assert result.exit_code == 3
    assert "found 'seven'" in " ".join(result.output.split())


def test_a_circle_of_links_is_no_file(tmp_path: Path) -> None:
    """It is said in a line, not in a traceback."""
    (tmp_path / "a.csv").symlink_to("b.csv")
    (tmp_path / "b.csv").symlink_to("a.csv")
    said = lgs("inspect", str(tmp_path / "a.csv"))
    assert (said.exit_code, isinstance(said.exception, SystemExit)) == (1, True)
    assert "symbolic links" in said.stderr


def test_inspect_shows_the_first_problems(flawed: Path) -> None:
    """A line that would be rejected is an exit code for scripts, and is shown with the reason."""
    result = lgs("inspect", str(flawed))
    assert result.exit_code == 3
    told = " ".join(result.output.split())
    assert "good lines 199" in told
    assert "rejected lines 1" in told
    assert "201 quantity expected a whole number" in told
    assert lgs("inspect", str(flawed.parent)).exit_code == 1


def test_rejected_lines_can_be_looked_at_and_corrected(warehouse: Warehouse, flawed: Path) -> None:
    """They are a table to look at and CSV to correct; the corrected dump has none."""
    run = lgs("run", str(flawed))
    assert run.exit_code == 0, run.output
    assert "1 line of march.sql is rejected: lgs rejects march.sql" in run.output
    assert "raw_invoices.no_line_is_rejected: 1 row\n" in run.output
    shown = lgs("rejects", "march.sql")
    assert shown.exit_code == 0, shown.output
    assert "seven" in shown.output
    assert "1 line of march.sql is rejected" in shown.output
    (reject,) = csv.DictReader(io.StringIO(lgs("rejects", "march.sql", "--csv").output))
    assert (reject["line"], reject["column"]) == ("201", "quantity")
    assert reject["text"].startswith("500001\t22041")
    write_dump(flawed, [*customers(100, 299), Line(quantity=7)])
    corrected = lgs("run", str(flawed))
    assert corrected.exit_code == 0, corrected.output
    assert "march.sql takes the place of the dump of this name: 199 lines" in corrected.output
    assert "No line of march.sql is rejected" in lgs("rejects", "march.sql").output
    unknown = lgs("rejects", "april.sql")
    assert unknown.exit_code == 1
    assert "There is no dump april.sql. Loaded: march.sql" in unknown.stderr


def test_a_rejected_line_can_neither_paint_the_terminal_nor_be_a_formula(warehouse: Warehouse, tmp_path: Path) -> None:
    """Its text is shown as it is, and in a spreadsheet it stays text."""
    hostile = Line('=HYPERLINK("x")', description="\x1b[31mred[bold]", quantity="\x1b]0;title")
    dump = write_dump(tmp_path / "\x1b[2Jmarch.sql", [*customers(100, 299), hostile])
    run = lgs("run", str(dump))
    assert run.exit_code == 1 and "is not the name of a file" not in run.output
    dump = dump.rename(tmp_path / "march.sql")
    outputs = [lgs("inspect", str(dump)).output, lgs("run", str(dump)).output, lgs("rejects", "march.sql").output]
    as_csv = lgs("rejects", "march.sql", "--csv").output
    assert all("\x1b" not in output for output in (run.output, *outputs, as_csv))
    assert "[bold]" in outputs[0] and "[bold]" in outputs[2]
    (reject,) = csv.DictReader(io.StringIO(as_csv))
    assert reject["text"].startswith("'=HYPERLINK(")


def test_tables_that_are_left_out_are_said_by_run(warehouse: Warehouse, tmp_path: Path) -> None:
    """A dump may hold others beside the invoice lines: nobody shall think that they are loaded."""
    dump = write_dump(tmp_path / "march.sql", customers(100, 299))
    dump.write_text(f"{dump.read_text()}\nINSERT INTO public.staff (name) VALUES ('ann');\n")
    run = lgs("run", str(dump))
    assert run.exit_code == 0, run.output
    assert "Tables of march.sql that are left out: " in run.output and "staff" in run.output


def test_prices_in_another_currency_are_said_by_run(warehouse: Warehouse, tmp_path: Path) -> None:
    """They are read, as another shop's may be; but they are added to pounds, and shown as such."""
    for name, price in (("march.sql", "1.25"), ("april.sql", "1.25 EUR")):
        dump = write_dump(tmp_path / name, [replace(line, unit_price=price) for line in customers(100, 299)])
        run = lgs("run", str(dump))
        said = " ".join(run.output.split())
        assert run.exit_code == 0, said
        is_told = ["Prices of april.sql are in €." in said, "prices_are_in_pounds: 1 row" in said]
        assert is_told == [name == "april.sql"] * 2


def test_a_dump_is_forgotten_downstream_too(warehouse: Warehouse, tmp_path: Path) -> None:
    """Its customers leave the segments, its file leaves the inbox, another run does not bring it back; nor the last."""
    inbox = Path(Configuration.read().inbox_location)
    for name, lines in (("march.sql", customers(100, 200)), ("april.sql", customers(150, 260, month=4))):
        write_dump(inbox / name, lines)
    assert lgs("run").exit_code == 0
    assert len(warehouse.rows("select * from segments")) == 160
    asked = lgs("forget", "april.sql")
    assert "Forget april.sql: take 110 lines of it out of the tables and move its file to" in asked.output
    assert asked.exit_code == 1
    assert len(warehouse.rows("select * from segments")) == 160
    result = lgs("forget", "april.sql", "--yes")
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert f"Took 110 lines of april.sql out; moved its file to {inbox}/forgotten; rebuilt " in said
    assert "Loaded" not in said
    assert len(warehouse.rows("select * from segments")) == 100
    assert [row.dump for row in warehouse.rows("select dump from dumps")] == ["march.sql"]
    assert sorted(path.name for path in inbox.iterdir()) == ["forgotten", "march.sql"]
    assert "Everything is up to date" in lgs("run").output
    again = lgs("forget", "april.sql", "--yes")
    assert again.exit_code == 1
    assert "There is no dump april.sql. Loaded: march.sql" in again.stderr
    last = lgs("forget", "march.sql", "--yes")  # no lines is a state like any other
    assert last.exit_code == 0, last.output
    assert warehouse.rows("select * from segments") == []


@pytest.mark.parametrize("name", ["", ".", "forgotten", "lost+found", ".hidden", "a\nb", "\x1b[2J"])
def test_what_cannot_be_the_name_of_a_dump_is_wrong_usage(warehouse: Warehouse, name: str) -> None:
    """Nothing of the inbox moves: neither all of it, nor a folder of it."""
    inbox = Path(Configuration.read().inbox_location)
    write_dump(inbox / "march.sql", [Line()])
    (inbox / "forgotten").mkdir()
    (inbox / "folder").mkdir()
    assert lgs("forget", name, "--yes").exit_code == 2
    assert lgs("forget", "folder", "--yes").exit_code == 1
    assert sorted(path.name for path in inbox.iterdir()) == ["folder", "forgotten", "march.sql"]


def test_the_same_content_is_loaded_once(built: Warehouse, tmp_path: Path) -> None:
    """Under another name and packed, it is recognised: no line more, and the next run has nothing to do."""
    before = built.rows("select * from dumps")
    packed = tmp_path / "march-again.sql.bz2"
    packed.write_bytes(bz2.compress((Path(Configuration.read().inbox_location) / "march.sql").read_bytes()))
    result = lgs("run", str(packed))
    assert result.exit_code == 0, result.output
    assert "march-again.sql.bz2 holds the same as march.sql" in result.output
    assert built.rows("select * from dumps") == before
    assert "Everything is up to date" in lgs("run").output


@pytest.mark.parametrize("killed_after", ["check_raw_invoices", "rfm_scores"])
def test_a_run_survives_the_death_of_the_database(tmp_path: Path, killed_after: str) -> None:
    """Killed in mid-run, the server is started again and the step tried again; the run ends well."""
    dump = write_dump(tmp_path / "march.sql", SHOP)
    server = EmbeddedServer(Configuration.read().state / "postgres")
    killed: list[int] = []

    def kill(step: Step) -> None:
        if step.name == killed_after and step.seconds is not None:
            killed.append(int((server.data / "postmaster.pid").read_text().split()[0]))
            os.kill(killed[0], signal.SIGKILL)

    with dagster_instance(Configuration.read()) as instance:
        outcome = Runner(Configuration.read(), instance, kill).bring_up_to_date(dump)
    assert len(killed) == 1
    assert {*outcome.rebuilt} == FEW - {"raw_invoices"}
    assert Warehouse(server.url()).rows("select sum(customers)::int as n from segment_summary") == [{"n": 20}]
