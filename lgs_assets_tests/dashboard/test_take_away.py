"""What leaves the pages as files: lists by segment, and the printed report."""

import csv
import io
import json
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from lgs_assets.command.cli import app
from lgs_assets.dashboard.export import export
from lgs_assets.dashboard.report import month_end, render, write
from lgs_assets.errors import LgsError
from lgs_assets.warehouse import report_archive
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.dashboard.conftest import CUSTOMERS, Site
from lgs_assets_tests.dashboard.test_pages import PATHS


def test_every_customer_is_in_the_list_of_their_segment(site: Site, market: Warehouse, tmp_path: Path) -> None:
    files = export(site.tables, tmp_path / "out", [])
    found = [
        row
        for file in files
        if file.suffix == ".csv"
        for row in csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
    ]
    known = market.rows("select customer_id, segment, monetary, net_revenue from segments")
    assert len(found) == CUSTOMERS
    assert {
        (int(r["customer_id"]), r["segment"], Decimal(r["sales_before_returns"]), Decimal(r["net_revenue"]))
        for r in found
    } == {(r["customer_id"], r["segment"], r["monetary"], r["net_revenue"]) for r in known}


def test_the_manifest_says_what_the_lists_are_of(site: Site, tmp_path: Path) -> None:
    export(site.tables, tmp_path, ["champions", "Can't Lose"])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["snapshot"].startswith("2011-08-01")
    assert manifest["synthetic"] is False
    assert set(manifest["customers"]) == {"Champions", "Can't Lose"}
    assert manifest["settings"]["ties"]
    assert "Nothing is predicted of customers yet" in manifest["expected"]
    assert {"value", "risk_band", "expected_next_day"} <= set(manifest["columns"])


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet_of(body: bytes) -> list[list[str]]:
    """The cells of the first sheet of a workbook, as a CSV file has them: dates by their format."""
    with ZipFile(io.BytesIO(body)) as book:
        root, styles = (ElementTree.fromstring(book.read(f"xl/{name}.xml")) for name in ("worksheets/sheet1", "styles"))
        shared = [
            "".join(text.itertext())
            for text in ElementTree.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{SHEET}si")
        ]
    codes = {node.get("numFmtId"): node.get("formatCode", "") for node in styles.iter(f"{SHEET}numFmt")}
    looks = [codes.get(node.get("numFmtId"), "") for node in styles.find(f"{SHEET}cellXfs") or ()]
    rows = []
    for row in root.iter(f"{SHEET}row"):
        cells: dict[int, str] = {}
        for cell in row.iter(f"{SHEET}c"):
            letters = re.sub(r"\d", "", cell.get("r", ""))
            place = sum((ord(letter) - 64) * 26**power for power, letter in enumerate(reversed(letters))) - 1
            text, look = cell.findtext(f"{SHEET}v") or "", looks[int(cell.get("s", 0))]
            if cell.get("t") == "s":
                cells[place] = shared[int(text)]
            elif "yyyy" in look:
                cells[place] = (
                    f"{datetime(1899, 12, 30) + timedelta(seconds=round(float(text) * 86400)):%Y-%m-%d %H:%M}"
                )
            else:
                cells[place] = text
        rows.append([cells.get(place, "") for place in range(max(cells, default=-1) + 1)])
    return rows


def is_same(cell: str, known: str) -> bool:
    """Whether a cell of a workbook has the value of one of a CSV file, which has more digits, or an hour less."""
    if cell == known or (re.match(r"\d{4}-\d\d-\d\d", known) and cell.startswith(known[:16])):
        return True
    try:
        return float(cell) == pytest.approx(float(known), rel=1e-12)
    except ValueError:
        return False


@pytest.mark.parametrize("path", PATHS)
def test_a_workbook_says_what_the_csv_file_does(site: Site, path: str) -> None:
    """Of every list and figure of a page: text as text, numbers and dates as such, none twice under one heading."""
    links = [unescape(found) for found in re.findall(r'href="([^"]+\.xlsx[^"]*)"', site.get(path).text)]
    assert links or path.startswith("/report")
    for link in links:
        book, text = site.get(link), site.get(link.replace(".xlsx", ".csv"))
        assert (book.status, text.status) == (200, 200), link
        (heads, *found), (names, *known) = sheet_of(book.body), list(csv.reader(io.StringIO(text.text)))
        assert len({*heads}) == len(heads) == len(names), (link, heads)
        named = dict(zip(heads, names, strict=True))
        # A distribution is by sales: its heading is that of ranges.
        assert named.get("Sales before returns", "from") in ("sales_before_returns", "from"), link
        assert named.get("Net of returns", "net_revenue") == "net_revenue", link
        assert not {"to", "and", "with"} & {*heads}, link
        assert len(found) == len(known), link
        for row, expected in zip(found, known, strict=True):
            row += [""] * (len(expected) - len(row))
            assert all(map(is_same, row, expected)), (link, row, expected)


def test_a_workbook_holds_no_formula(site: Site) -> None:
    with ZipFile(io.BytesIO(site.get("/customers/17000/products.xlsx").body)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert sheets
    assert not any("<f>" in sheet for sheet in sheets)


def test_an_unknown_segment_is_named_with_the_known_ones(site: Site, tmp_path: Path) -> None:
    with pytest.raises(LgsError, match=r"no segment kings.*Champions"):
        export(site.tables, tmp_path, ["kings"])


def test_a_report_needs_nothing_but_its_file(site: Site, tmp_path: Path) -> None:
    html = write(site.tables, ["Champions"], tmp_path / "report.html").read_text()
    assert "<style>" in html
    assert "<link" not in html
    assert "settings:" in html


def test_the_report_of_a_month_has_the_shop_and_each_segment(site: Site) -> None:
    made = month_end(site.tables)
    assert made.month == date(2011, 6, 1)
    assert made.html.count('<section class="sheet"') == 11
    assert "end of Jun 2011" in made.html
    assert made.headline[0][0] == "Net sales, Jun 2011"


def test_the_last_report_of_each_month_is_kept(own_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is made again takes the place of that of its month; those of other months stay, word by word."""
    warehouse = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    made = month_end(own_site.tables)
    for month, html in ((date(2011, 5, 1), "that of May"), (made.month, "an earlier one"), (made.month, made.html)):
        report_archive.keep(warehouse, month=month, data_until=made.data_until, build=made.build, html=html)
    assert report_archive.held(warehouse)["month"].dt.date.tolist() == [date(2011, 5, 1), date(2011, 6, 1)]
    assert report_archive.kept(warehouse, date(2011, 5, 1)) == "that of May"
    monkeypatch.setenv("LGS_DATABASE_URL", warehouse.url)
    file = tmp_path / "june.html"
    done = CliRunner().invoke(app, ["report", "--month", "2011-06", "-o", str(file)])
    assert done.exit_code == 0, done.output
    assert file.read_text() == made.html
    missing = CliRunner().invoke(app, ["report", "--month", "2011-01", "-o", str(file)])
    assert missing.exit_code == 1
    assert "No report of 2011-01 is kept. Kept: 2011-05, 2011-06." in missing.stderr
    warehouse.engine.dispose()


def test_a_report_is_two_pages_a_segment(site: Site, tmp_path: Path) -> None:
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        pytest.skip("NOT PROVEN AS A PDF: install the extra report, and Pango")
    assert len(HTML(string=render(site.tables, ["champions", "hibernating"])).render().pages) == 4
    assert write(site.tables, [], tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
