"""The language of rules: what it accepts always runs, and what it does not is refused with its place."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.action.audiences import read_audiences
from lgs_assets.action.rule_words import in_words
from lgs_assets.action.rules import FACTS, MAX_CHARACTERS, Comparison, fact_kinds, judge
from lgs_assets.contracts.contract import contract
from lgs_assets.errors import RuleError
from lgs_assets_tests.builders import MakeDatabase

HOSTILE = {
    "true; drop table lgs.segments": "found 2 statements",
    "": "found nothing",
    "-- nothing": "found nothing",
    "segment in (select segment from lgs.segments)": "a subquery is not allowed",
    "exists (select from lgs.dumps)": "not allowed",
    "(select true)": "not allowed",
    "true union select true": "not allowed",
    "pg_sleep(10) is null": "the function pg_sleep is not allowed",
    "pg_read_file('/etc/passwd') = 'root'": "the function pg_read_file is not allowed",
    "set_config('role', 'none', false) = 'x'": "the function set_config is not allowed",
    "current_user = 'lgs_owner'": "the function current_user is not allowed",
    "monetary::regclass = 1": "line 1, column 1: cannot cast to REGCLASS",
    "'lgs.dumps'::regclass is not null": "cannot cast to REGCLASS",
    "monetary::numeric(3, 1) = 1": "cannot cast to",
    "segment::integer = 1": "expected a literal to cast to integer",
    "'one'::integer = 1": "expected a number to cast to integer; found 'one'",
    "monetery >= 500": "there is no column 'monetery'. The columns: customer_id, snapshot_date, segment",
    "segments.monetary >= 500": "expected a column without a table",
    "monetary >= '500'": "cannot compare a number with a text",
    "monetary": "expected a condition; found a number",
    "monetary >= 1e999999": "expected a number such as 500",
    "last_invoice_at > '2011-02-30'": "expected a date such as 2011-12-01; found '2011-02-30'",
    "country like 'U%'": "like is not allowed",
    "segment = any (array['a'])": "not allowed",
    "segment = E'a'": "not allowed",
    "segment = :segment": "not allowed",
    "monetary / 0 > 1": "not allowed",
    "case when true then true end": "not allowed",
    "monetary between symmetric 5 and 1": "symmetric is not allowed",
    "segment = 'a": "cannot be read",
    "monetary >= 500 and": "line 1, column",
    "country = 'a'\nand monetery = 1": "line 2, column 5: there is no column",
    "(" * 3000 + "true" + ")" * 900: "",
    "true or " * 600 + "true": f"at most {MAX_CHARACTERS:,} characters",
    "segment = 'a\x00b'": "printable",
}


@pytest.mark.parametrize("rule", HOSTILE, ids=lambda rule: rule[:40])
def test_a_hostile_or_wrong_rule_is_refused_with_the_reason(rule: str) -> None:
    """Each of them would read, run or break something that is not the customer's row."""
    with pytest.raises(RuleError) as refused:
        judge(rule)
    assert HOSTILE[rule] in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("monetary >= 500", "MONETARY  >= 500 -- in pounds"),
        ("segment in ('At Risk', 'Champions')", "(segment IN ('Champions', 'At Risk', 'At Risk'))"),
        ("last_invoice_at < date '2011-12-01'", "last_invoice_at < '2011-12-01'"),
        ("segment <> 'At Risk'", "segment != 'At Risk'"),
    ],
)
def test_spelling_makes_no_difference_to_the_version(one: str, other: str) -> None:
    """Comments, case, parentheses and the order of a list: a plan made before is still a plan of this audience."""
    assert judge(one).version({}) == judge(other).version({})


def test_what_a_rule_finds_or_lets_out_is_in_the_version() -> None:
    """Another condition, or another field, is another audience."""
    rule = judge("monetary >= 500")
    versions = {rule.version({}), rule.version({"spent": "monetary"}), judge("monetary > 500").version({})}
    assert len(versions) == 3


def test_the_files_of_the_project_are_judged() -> None:
    """Those that the playbook calls for, each of one segment of it."""
    assert len(read_audiences()) == 7
    assert all(each.rule.comparisons[0].column == "segment" for each in read_audiences())


ATOMS = st.sampled_from(
    [
        *fact_kinds(), "'a'", "'Can''t Lose'", "'2011-12-01'", "1", "-2.5", "null", "true", "date '2011-01-01'",
        "monetary::text", "last_invoice_at::date", "'7'::integer", "{", "}", "'{a}'", "'%s'", "':x'",
        "'2011-W01-1'", "'20110101T10'",
    ]
)  # fmt: skip
OPERATORS = st.sampled_from(["=", "<>", "<", ">=", "and", "or", "is", "is not", "+", "||", "in", "like", "~", "::"])


@st.composite
def words(draw: st.DrawFn, depth: int = 3) -> str:
    """Texts that look like rules: most of them are none."""
    shape = draw(st.integers(0, 6)) if depth else 0
    if shape < 2:
        return draw(ATOMS)
    inner = words(depth - 1)
    if shape < 4:
        return f"{draw(inner)} {draw(OPERATORS)} {draw(inner)}"
    if shape == 4:
        return f"not ({draw(inner)})"
    if shape == 5:
        return f"{draw(ATOMS)} between {draw(ATOMS)} and {draw(ATOMS)}"
    return f"{draw(ATOMS)} in ({', '.join(draw(st.lists(ATOMS, min_size=1, max_size=3)))})"


@pytest.fixture(scope="module")
def facts(make_database: MakeDatabase) -> Iterator[psycopg.Connection]:
    """A table of facts with one row, in a database of its own."""
    connection = psycopg.connect(make_database(), autocommit=True)
    connection.execute(contract(FACTS).encode())
    connection.execute(
        "insert into audience_facts values (1, '2012-01-01', 'Champions', '555', 5, 5, 5, 1, 9, 10, 10, 100, 'EIRE', "
        "'2011-01-01', '2011-12-31', 5, 2, null, null)"
    )
    yield connection
    connection.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=st.one_of(words(), st.text(max_size=60)))
def test_what_is_accepted_runs(facts: psycopg.Connection, rule: str) -> None:
    """No accepted rule can fail, so none can stop a run."""
    try:
        judged = judge(rule)
    except RuleError:
        return
    with facts.cursor() as cursor:
        cursor.execute(f"select {judged.sql} from audience_facts".encode())
    assert in_words(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "'2011-W01-1' in (last_invoice_at)",
        "'20110101T10' in ('2011-01-02', last_invoice_at)",
        "'2011-W01-1' between last_invoice_at and expected_next_day",
        "last_invoice_at between '2011-W01-1' and '20110101T10'",
        "last_invoice_at in ('2011-W01-1')",
    ],
)
def test_a_date_is_read_the_same_wherever_it_stands(facts: psycopg.Connection, rule: str) -> None:
    """PostgreSQL takes fewer spellings than we do: it is told ours."""
    facts.execute(f"select {judge(rule).sql} from audience_facts".encode())


def test_a_literal_is_not_a_text_and_a_date_at_once() -> None:
    """Beside columns of two kinds."""
    for rule in ("'a' in (country, last_invoice_at)", "'2011-01-01' between country and last_invoice_at"):
        with pytest.raises(RuleError, match=r"cannot compare|expected a date"):
            judge(rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("segment in ('At Risk', 'Can''t Lose')", "segment is At Risk or Can't Lose"),
        ("500 <= monetary and country <> 'EIRE'", "sales before returns at least £500 and country is not EIRE"),
        ("(r_score = 5 or f_score > 3) and m_score is null",
         "(R score exactly 5 or F score above 3) and M score is not known"),
        ("first_sale_at >= '2011-12-01' and not (frequency between 2 and 3)",
         "first order on or after 1 Dec 2011 and not (orders between 2 and 3)"),
        ("risk_band = 'high' and value > 1000",
         "risk of staying away is high and sales expected in 182 days above £1,000"),
        ("true", "everybody"),
        ("SEGMENT = 'x' and Country = 'y'", "segment is x and country is y"),
        ("last_invoice_at > '2011-12-01'", "last order after the start of 1 Dec 2011"),
        ("last_invoice_at <= '2011-12-01' or last_invoice_at < '2011-11-01'",
         "last order up to the start of 1 Dec 2011 or last order before 1 Nov 2011"),
        ("last_invoice_at = '2011-12-01 10:30'", "last order at 1 Dec 2011 10:30"),
        ("last_invoice_at between '2011-12-01' and '2011-12-31 23:59:59'",
         "last order between the start of 1 Dec 2011 and 31 Dec 2011 23:59:59"),
        ("last_invoice_at::date = '2011-12-01'", "last order on 1 Dec 2011"),
        ("expected_next_day > '2011-12-01'", "next order due after 1 Dec 2011"),
        ("last_invoice_at > date '2011-12-01 10:00'", "last order after the start of 1 Dec 2011"),
        ("cast(last_invoice_at as text) = 'abc'", "last order is abc"),
        ("date '2011-12-01' < date '2011-12-02'", "1 Dec 2011 before 2 Dec 2011"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_sentence(rule: str, words: str) -> None:
    """For people who do not read SQL: amounts in pounds, dates as dates."""
    assert in_words(rule) == words


@pytest.mark.parametrize("rule", ["segment::text = 'Cant Lose'", "segment = 'Cant Lose'::text"])
def test_a_text_behind_a_cast_is_compared_all_the_same(rule: str) -> None:
    """So that one that no customer has is named."""
    assert judge(rule).comparisons == (Comparison("segment", "Cant Lose"),)


def test_a_date_that_is_cast_has_no_time(facts: psycopg.Connection) -> None:
    """As in PostgreSQL: what a rule finds is what its words say."""
    rule = judge("first_sale_at = date '2011-01-01 10:00'")
    assert facts.execute(f"select {rule.sql} from audience_facts".encode()).fetchone() == (True,)
    assert judge("first_sale_at = date '2011-01-01'").version({}) == rule.version({})


def test_whatever_is_accepted_has_words() -> None:
    """However many terms it has, or however deeply it is nested: an accepted rule stops no run."""
    accepted = 0
    for length in range(25, 400, 75):
        for rule in (" or ".join(["m_score = 1"] * length), "(" * length + "true" + ")" * length):
            try:
                judge(rule)
            except RuleError:
                continue
            accepted += 1
            assert in_words(rule)
    assert accepted >= 3


def test_damaged_rules_are_refused_or_run(facts: psycopg.Connection) -> None:
    """The hostile ones, each damaged in ten ways: 300 texts, none of which reaches PostgreSQL as an error."""
    chance = random.Random(13)
    accepted = 0
    for rule in [rule for rule in HOSTILE if 0 < len(rule) < 200] * 10:
        place = chance.randrange(len(rule))
        damaged = rule[:place] + chance.choice(["", "'", ")", "(", ";", " ", "--", "/*", '"', "\\"]) + rule[place + 1 :]
        try:
            judged = judge(damaged)
        except RuleError:
            continue
        accepted += 1
        facts.execute(f"select {judged.sql} from audience_facts".encode())
    assert accepted > 0
