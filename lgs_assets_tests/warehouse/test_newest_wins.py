"""Overlapping, partial and out-of-order dumps: which one counts for an invoice does not depend on how they came.

Of each invoice the lines of one dump count, as a whole: of the one that was written last among those that hold it. So
- dumps that were written at different times give the same `clean_invoices` in any order of arrival, whatever they hold;
- dumps whose time is unknown do if they agree on the invoices that they share, as extracts of one history do. Where
  they do not, the later arrival counts (see test_clean_invoices.py): nothing in them says which is right;
- an invoice that is cut in two by the border between dumps is the newer dump's part of it. Dumps that follow on each
  other have to end between invoices, or to overlap.
"""

import gzip
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lgs_assets.demo.dump import write_demo_dump
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.ledger import loaded_dumps
from lgs_assets.warehouse.loading import DumpFile, forget_dump, load_dump
from lgs_assets_tests.builders import Line, build_tables, values, write_dump
from lgs_assets_tests.warehouse.evidence import COLUMNS, debris

UNKNOWN: Mapping[Path, datetime] = {}
MONTHS = 25
FILES = 6
COPY = f"COPY public.retail ({COLUMNS}) FROM stdin;\n".encode()
INVOICES = st.dictionaries(st.sampled_from("ABCDE"), st.lists(st.integers(1, 3), min_size=1, max_size=3))


def clean_lines(warehouse: Warehouse) -> str:
    """What clean_invoices comes to, as a hash: its lines without the dump and the line number, whatever their order."""
    query = (
        "select count(*) || ' lines, ' || sum(hashtextextended(cast(to_jsonb(c) - 'dump' - 'line_number' as text), 0)) "
        "as hash from clean_invoices as c"
    )
    return str(warehouse.rows(query)[0].hash)


def clean_after(warehouse: Warehouse, files: Iterable[Path], written_at: Mapping[Path, datetime] = UNKNOWN) -> str:
    """Loads these dumps and no others, one after another, and builds clean_invoices."""
    for dump in loaded_dumps(warehouse):
        forget_dump(warehouse, dump.dump)
    for file in files:
        load_dump(warehouse, DumpFile(file, file.name, written_at=written_at.get(file)))
    assert debris(warehouse) == []
    build_tables(warehouse, "clean_invoices")
    return clean_lines(warehouse)


def test_dumps_written_at_different_times_count_alike_in_any_order(warehouse: Warehouse, tmp_path: Path) -> None:
    """Whatever each says of an invoice, with some of them loaded twice, it is what the one that was written last says.

    When its last invoice was does not matter: a date too late, even after the file was written, or a line too many,
    gives an old dump no advantage.
    """

    @settings(derandomize=True, deadline=None, max_examples=25)
    @given(st.lists(INVOICES, min_size=2, max_size=4), st.data())
    def check(contents: list[dict[str, list[int]]], data: st.DataObject) -> None:
        newest: dict[str, tuple[str, list[int]]] = {}
        written_at = {}
        for day, invoices in enumerate(contents, start=1):
            lines = [Line(invoice, quantity=n) for invoice, quantities in invoices.items() for n in quantities]
            year, month = data.draw(st.sampled_from([2011, 2012])), data.draw(st.integers(1, 12))
            last = Line(f"last of {day}", invoice_date=f"{year}-{month:02}-01 10:00:00")
            file = write_dump(tmp_path / f"{day}.sql", [*lines, last])
            written_at[file] = datetime(2012, 1, day, tzinfo=UTC)
            newest |= {invoice: (f"{day}.sql", quantities) for invoice, quantities in invoices.items()}
            newest[last.invoice_no] = (f"{day}.sql", [1])
        files = list(written_at)
        order = [*data.draw(st.permutations(files)), *data.draw(st.lists(st.sampled_from(files), max_size=2))]
        clean_after(warehouse, order, written_at)
        rows = warehouse.rows("select invoice_no, dump, quantity from clean_invoices")
        assert sorted((row.invoice_no, row.dump, row.quantity) for row in rows) == sorted(
            (invoice, dump, quantity) for invoice, (dump, quantities) in newest.items() for quantity in quantities
        )

    check()


def dealt_out(months: Sequence[Sequence[bytes]], folder: Path, chance: random.Random) -> list[Path]:
    """Files with random months each: many months are in several files, and each is in at least one."""
    hands = [set(chance.sample(range(len(months)), chance.randint(1, len(months) // 2))) for _ in range(FILES)]
    for month in range(len(months)):
        chance.choice(hands).add(month)
    files = []
    for number, hand in enumerate(hands):
        files.append(folder / f"{number}.sql")
        lines = [line for month in sorted(hand) for line in months[month]]
        files[-1].write_bytes(COPY + b"".join(lines) + b"\\.\n")
    return files


def test_months_dealt_out_to_overlapping_files_come_to_the_whole(warehouse: Warehouse, tmp_path: Path) -> None:
    """Random extracts of one history, which often end together, in random orders: the same as the history at once."""
    history = tmp_path / "history.sql"
    write_demo_dump(history, lines=20_000)
    by_month = defaultdict(list)
    for line in history.read_bytes().split(b"\n"):
        if line.count(b"\t") == COLUMNS.count(","):
            by_month[line.split(b"\t")[4][:7]].append(line + b"\n")
    months = [by_month[month] for month in sorted(by_month)]
    assert len(months) == MONTHS
    whole = clean_after(warehouse, [history])
    chance = random.Random(9)
    for _ in range(4):
        files = dealt_out(months, tmp_path, chance)
        for _ in range(2):
            chance.shuffle(files)
            assert clean_after(warehouse, files) == whole


def test_an_invoice_cut_in_two_is_the_newer_part(warehouse: Warehouse, tmp_path: Path) -> None:
    """A dump ends in the middle of an invoice and the next begins there: only an overlap keeps it whole."""
    lines = [Line("1", quantity=1), Line("1", quantity=2), Line("2", invoice_date="2011-03-05 10:00:00")]
    first, second = write_dump(tmp_path / "1.sql", lines[:1]), write_dump(tmp_path / "2.sql", lines[1:])
    written_at = {first: datetime(2011, 3, 4, 20, tzinfo=UTC), second: datetime(2011, 3, 5, 20, tzinfo=UTC)}
    clean_after(warehouse, [second, first], written_at)
    rows = warehouse.rows("select invoice_no, quantity from clean_invoices order by 1, 2")
    assert [values(row) for row in rows] == [("1", 2), ("2", 1)]
    overlapping = write_dump(tmp_path / "2.sql", lines)
    one, other = [first, overlapping], [overlapping, first]
    assert clean_after(warehouse, one, written_at) == clean_after(warehouse, other, written_at)
    assert warehouse.rows("select count(*) as lines from clean_invoices")[0].lines == len(lines)


@pytest.fixture
def sheets(real_data: Path, tmp_path: Path) -> list[Path]:
    """The real data as it was published: two sheets, which both hold the first days of December 2010."""
    header, _, rest = gzip.decompress((real_data / "retail.sql.gz").read_bytes()).partition(b"FROM stdin;\n")
    lines = rest.partition(b"\\.\n")[0].splitlines(keepends=True)
    dates = [line.split(b"\t")[4] for line in lines]
    ((border),) = [at for at in range(1, len(lines)) if dates[at] < dates[at - 1]]
    files = [tmp_path / "Year 2009-2010.sql", tmp_path / "Year 2010-2011.sql"]
    for file, part in zip(files, (lines[:border], lines[border:]), strict=True):
        file.write_bytes(header + b"FROM stdin;\n" + b"".join(part) + b"\\.\n")
    return files


def test_the_two_sheets_of_the_real_data_count_alike_in_either_order(warehouse: Warehouse, sheets: list[Path]) -> None:
    """What both hold counts once: the lines of the two sheets, less those of the days that they share."""
    in_order = clean_after(warehouse, sheets)
    assert in_order.startswith("1044848 lines, ")
    assert clean_after(warehouse, reversed(sheets)) == in_order
