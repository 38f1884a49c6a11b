"""Files of unit costs: what they may look like, and which lines are kept back, with which reason."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from lgs_assets.arrivals.costs import as_csv, read_costs
from lgs_assets.demo.costs import demo_costs
from lgs_assets.errors import DumpError
from lgs_assets.warehouse.costs import Cost

ROBIN = Cost("22041A", date(2011, 3, 1), Decimal("1.25"))


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "costs.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "stock_code,valid_from,unit_cost\n22041A,2011-03-01,1.25\n",
        "Valid From;StockCode;Unit cost (GBP);note\r\n2011-03-01; 22041a ;£1,25;dear\r\n\r\n",
        'code\tfrom\tcost\n"22041A"\t20110301\t1.2500\n',
        "\ufeffstock_code|valid_from|unit_cost\n22041A|2011-03-01|1.25",
        "stock_code,valid_from,unit_cost\n22041A,2011-03-01,1.25\n22041a,2011-03-01,1.250\n",
        "stock_code,valid_from,unit_cost,note\r22041A,2011-03-01,1.25,red\N{LINE SEPARATOR}or\vblue\for\x1dgreen\r",
    ],
    ids=[
        "plain",
        "another order, a semicolon and a comma",
        "tabs",
        "byte order mark",
        "twice the same",
        "characters that only look like line ends",
    ],
)
def test_a_file_is_read_however_it_is_written(text: str, tmp_path: Path) -> None:
    """One product has one spelling, and a cost is exact."""
    assert read_costs(written(tmp_path, text), reject_limit=0) == ([ROBIN], [])


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (",2011-03-01,1", "stock_code", "expected a stock code of 1 to 100 characters; found ''"),
        ("22041\x1bA,2011-03-01,1", "stock_code", "expected a stock code of 1 to 100 characters; found '22041\\x1bA'"),
        ("22042,2011-02-30,1", "valid_from", "expected a date such as 2011-03-01; found '2011-02-30'"),
        ("22042,1899-12-31,1", "valid_from", "expected a date from 1990-01-01 on; found '1899-12-31'"),
        ("22042,2011-03-01,-1", "unit_cost", "expected a cost of at least £0; found '-1'"),
        ("22042,2011-03-01,about 1", "unit_cost", "a cost: digits, with a point before the pence; found 'about 1'"),
        ("22042,2011-03-01,$1", "unit_cost", "found '$1'"),
        ("22041A,2011-03-01,9", "unit_cost", "expected one cost for 22041A from 2011-03-01 on; found '9'"),
        ("22042,2011-03-01", None, "expected at least 3 fields; found '2'"),
    ],
)
def test_a_line_that_is_no_cost_is_kept_back_alone(line: str, column: str | None, reason: str, tmp_path: Path) -> None:
    """The line, the column, what was expected and what was found; the good lines around it are read."""
    text = f"stock_code,valid_from,unit_cost\n22041A,2011-03-01,1.25\n{line}\n22043,2011-03-01,2\n"
    costs, (reject,) = read_costs(written(tmp_path, text), reject_limit=1)
    assert costs == [ROBIN, Cost("22043", date(2011, 3, 1), Decimal(2))]
    assert (reject.line, reject.text, reject.column) == (3, line, column)
    assert reason in reject.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "line 1: no column stock_code, valid_from, unit_cost. Found: none"),
        ("stock_code,unit_cost\n1,2\n", "line 1: no column valid_from. Found: stock_code, unit_cost"),
        (b"PK\x03\x04\0\0", "this is not text; expected CSV"),
    ],
)
def test_a_file_that_holds_no_costs_is_refused(content: str | bytes, reason: str, tmp_path: Path) -> None:
    """With the name of the file, and what it should have."""
    with pytest.raises(DumpError, match=reason):
        read_costs(written(tmp_path, content), reject_limit=1)


def test_a_file_with_too_many_bad_lines_is_refused(tmp_path: Path) -> None:
    """A limit is reached, not passed, by its own share; beyond it the good lines are not trusted either."""
    bad = "22042,never,1\n"
    path = written(tmp_path, f"stock_code,valid_from,unit_cost\n22041A,2011-03-01,1.25\n{bad}")
    assert read_costs(path, reject_limit=0.5)[0] == [ROBIN]
    with pytest.raises(
        DumpError, match=r"(?s)1 of 2 lines cannot be read, more than 49\.00%.*line 3, column valid_from"
    ):
        read_costs(path, reject_limit=0.49)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """No traceback for a mistyped name."""
    with pytest.raises(DumpError, match=r"nowhere\.csv"):
        read_costs(tmp_path / "nowhere.csv", reject_limit=1)


def test_the_costs_of_the_demo_shop_are_read_as_they_were_made(tmp_path: Path) -> None:
    """The same seed gives the same costs; most gifts have two, the later one dearer, and some none."""
    costs = demo_costs(seed=2009)
    assert costs == demo_costs(seed=2009) != demo_costs(seed=1)
    assert read_costs(written(tmp_path, "".join(as_csv(costs))), reject_limit=0) == (costs, [])
    assert 1_600 < len({cost.code for cost in costs}) < 1_800
    assert all(first.unit_cost <= second.unit_cost for first, second in zip(costs[::2], costs[1::2], strict=True))
