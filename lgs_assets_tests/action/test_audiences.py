"""The audiences: their files, who is in them, who entered and left, and what the command shows."""

import json
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from lgs_assets.action.audiences import Audience, Limits, exclude, members, record_members, unmatched
from lgs_assets.action.rules import judge
from lgs_assets.command.cli import app
from lgs_assets.errors import RuleError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets_tests.builders import Line, build_tables, load_lines, make_empty

TABLES = (
    "clean_invoices", "invoice_totals", "monthly_metrics", "rfm_history", "rfm_scores", "segments", "customer_profile",
    "audience_facts", "audiences", "audience_members", "audience_history",
)  # fmt: skip


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)


def written(folder: Path, content: str, *, name: str = "some") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(content)
    return file


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('where = "true"', "some.toml: description: Field required."),
        (
            'description = "d"\nwhere = "monetery > 1"',
            "some.toml: where: line 1, column 1: there is no column 'monetery'",
        ),
        ('description = "d"\nwhere = "true"\nwho = 1', "some.toml: who: Extra inputs are not permitted."),
        ('description = "d"\nwhere = "true"\n[fields]\nx = "email"', "some.toml: fields: there is no column 'email'."),
        ('description = "d"\nwhere = "true"\n[fields]\n"a b" = "segment"', "some.toml: fields.a b"),
        *(
            (
                f'description = "d"\nwhere = "true"\n[fields]\n{name} = "segment"',
                f"some.toml: fields: {name} is a name of the destinations' own: choose another, such as lgs_",
            )
            for name in ("email", "EMAIL", "operation", "customer_id", "hs_email_optout", "HS_marketable_status")
        ),
        ('description = "d"\nwhere = "true"\n[limits]\nat_least = -1', "some.toml: limits.at_least"),
        ('description = "d', "some.toml: Unterminated string"),
    ],
)
def test_a_file_that_states_no_audience_is_refused_by_name(tmp_path: Path, content: str, reason: str) -> None:
    """The file, and the key or the place in it."""
    with pytest.raises(RuleError) as refused:
        Audience.read(written(tmp_path, content))
    assert str(refused.value).startswith(reason)


def audience(where: str, **fields: str) -> Audience:
    return Audience("some", "Some.", where, fields, Limits())


def publish(warehouse: Warehouse, frame: pd.DataFrame, *, snapshot: str) -> None:
    """Makes these the members, as of another state of the data."""
    with warehouse.transaction() as connection:
        connection.execute(sa.text(f"update audience_facts set snapshot_date = '{snapshot}'"))
        connection.execute(sa.text("delete from audience_members"))
        for row in frame.itertuples():
            connection.execute(
                sa.text(
                    "insert into audience_members values (:audience, :customer_id, :version, cast(:fields as jsonb))"
                ),
                {
                    "audience": row.audience,
                    "customer_id": row.customer_id,
                    "version": row.version,
                    "fields": row.fields,
                },
            )


def test_members_are_those_of_the_rule_and_nothing_but_fields_leaves(built: Warehouse) -> None:
    """A text with quotes, braces and a percent sign is a text."""
    texts = audience("customer_id <= 103 and country <> '{a}%s:x'''", spent="monetary")
    found = members(built, [texts])
    assert list(found["customer_id"]) == [101, 102, 103]
    spent = {row.customer_id: row.monetary for row in built.rows("select customer_id, monetary from audience_facts")}
    assert found["fields"][0] == f'{{"spent": "{spent[101]}"}}'


def test_who_enters_and_leaves_is_kept_with_the_data_that_did_it(built: Warehouse) -> None:
    """A rebuild with the same members changes nothing; who comes back has another stay."""
    with built.transaction() as connection:
        connection.execute(sa.text("truncate audience_memberships"))
    few, more = audience("customer_id in (101, 102)"), audience("customer_id in (102, 103)")
    for each, snapshot, publication in (
        (few, "2011-07-01", "one"),
        (few, "2011-07-01", "one again"),
        (more, "2011-08-01", "two"),
        (few, "2011-09-01", "three"),
    ):
        publish(built, members(built, [each]), snapshot=snapshot)
        history = record_members(built, publication=publication)
    stays = built.rows(
        "select customer_id, entered_at::date::text as entered, entered_by, left_at::date::text as left, left_by "
        "from audience_memberships order by customer_id, entered_at"
    )
    assert [tuple(dict(stay).values()) for stay in stays] == [
        (101, "2011-07-01", "one", "2011-08-01", "two"),
        (101, "2011-09-01", "three", None, None),
        (102, "2011-07-01", "one", None, None),
        (103, "2011-08-01", "two", "2011-09-01", "three"),
    ]
    assert history[["entered", "left_since", "members"]].to_numpy().tolist() == [[2, 0, 2], [1, 1, 2], [1, 1, 2]]


def test_members_of_an_audience_without_a_file_leave(built: Warehouse) -> None:
    """By the data that found it gone; what was known of it stays."""
    with built.transaction() as connection:
        connection.execute(sa.text("truncate audience_memberships"))
    publish(built, members(built, [audience("customer_id in (101, 102)")]), snapshot="2011-07-01")
    record_members(built, publication="one")
    publish(built, members(built, []), snapshot="2011-08-01")
    history = record_members(built, publication="two")
    assert [row.left_by for row in built.rows("select left_by from audience_memberships")] == ["two", "two"]
    assert history[["audience", "entered", "left_since", "members"]].to_numpy().tolist() == [
        ["some", 2, 0, 2],
        ["some", 0, 2, 0],
    ]


def test_whoever_is_excluded_is_in_no_audience(built: Warehouse) -> None:
    """At once, and after a rebuild; the history ends with the members."""
    publish(built, members(built, [audience("true")]), snapshot="2011-07-01")
    record_members(built, publication="one")
    with built.transaction() as connection:
        exclude(driver_cursor(connection), [101], "forgotten")
        exclude(driver_cursor(connection), [101], "objected")
    now = "select count(*) as members from audience_members where audience = 'some'"
    ends = "select members from audience_history where audience = 'some' order by snapshot_date desc limit 1"
    assert built.rows(now) == built.rows(ends) == [{"members": 19}]
    assert 101 not in set(members(built, [audience("true")])["customer_id"])
    assert built.rows("select left_by from audience_memberships where audience = 'some' and left_at is not null") == [
        {"left_by": "forgotten"}
    ]
    assert built.rows("select reason from marketing_exclusions") == [{"reason": "forgotten"}]


def test_who_is_excluded_while_the_members_are_found_is_none_of_them(built: Warehouse) -> None:
    """Nor afterwards, until the next change of the data: the stay is not begun anew."""
    found = members(built, [audience("true")])
    with built.transaction() as connection:
        connection.execute(sa.text("truncate audience_memberships"))
        exclude(driver_cursor(connection), [101, 102], "objected")
    publish(built, found, snapshot="2011-07-01")
    history = record_members(built, publication="one")
    assert history["members"].tolist() == [18]
    assert {101, 102}.isdisjoint(row.customer_id for row in built.rows("select customer_id from audience_members"))


def test_a_misspelt_name_is_named_with_what_comes_near_it(built: Warehouse) -> None:
    """It is data, not syntax: the rule holds, and matches nobody."""
    remarks = unmatched(built, judge("segment in ('Cant Lose', 'Champions') or country = 'Untied Kingdom'"))
    assert remarks == [
        "no customer has segment 'Cant Lose'; there is Can't Lose",
        "no customer has country 'Untied Kingdom'; there is United Kingdom",
    ]


def test_the_facts_are_those_of_their_tables(warehouse: Warehouse, tmp_path: Path) -> None:
    """The gap between purchases, and how many of them have passed since the last one."""
    days = ["2011-03-01 10:00", "2011-03-11 10:00", "2011-03-21 10:00"]
    lines = [Line(str(number), customer_id=1, invoice_date=day) for number, day in enumerate(days)]
    load_lines(warehouse, tmp_path, [*lines, Line("9", customer_id=2, invoice_date="2011-03-30 10:00")])
    make_empty(warehouse, "customer_value", "churn_risk")
    build_tables(warehouse, *TABLES)
    facts = warehouse.rows(
        "select customer_id, recency_days, typical_gap_days, gaps_missed from audience_facts order by 1"
    )
    assert [tuple(map(float, list(dict(row).values())[:3])) for row in facts[:1]] == [(1, 10, 10)]
    assert (facts[0].gaps_missed, facts[1].gaps_missed) == (1, None)


def test_a_rule_may_ask_for_what_is_expected(built: Warehouse) -> None:
    """Value and risk are those of the predictions; of whom nothing is predicted, no rule on them finds anybody."""
    with built.transaction() as connection:
        connection.exec_driver_sql("truncate customer_value, churn_risk")
        connection.exec_driver_sql(
            "insert into customer_value select customer_id, days, '2011-06-01', 'm', null, 0, 1, 2, 0, customer_id, "
            "1000, 0, customer_id, 1, 1 from (values (101), (102), (103)) as c (customer_id), (values (182), (90)) as "
            "h (days)"
        )
        connection.exec_driver_sql(
            "insert into churn_risk select customer_id, '2011-06-01', '2011-08-30', 'm', 'At Risk', risk, band, 1, "
            "true, 'a', 'b', 'c', '2011-05-01', '2011-05-11', 20, 5, 1 "
            "from (values (102, 0.9, 'high'), (103, 0.1, 'low')) as c (customer_id, risk, band)"
        )
    build_tables(built, "audience_facts")
    frame = members(built, [audience("risk_band = 'high' and value > 101", due="expected_next_day", worth="value")])
    assert frame["customer_id"].tolist() == [102]
    assert json.loads(frame["fields"][0]) == {"due": "2011-05-11", "worth": "102"}
    assert members(built, [audience("value <= 103")])["customer_id"].tolist() == [101, 102, 103]
    assert unmatched(built, judge("risk_band = 'hihg'")) == ["no customer has risk_band 'hihg'; there is high"]


def test_the_command_shows_size_and_worth(built: Warehouse) -> None:
    """Of the audiences, of one of them, and of a rule that nobody has written down."""
    everything = lgs("audience", "list")
    assert everything.exit_code == 0, everything.output
    assert "call_list" in everything.output
    one = lgs("audience", "show", "call_list")
    assert "Rule: segment = 'Can''t Lose'" in one.output and "last_order = last_invoice_at" in one.output
    some = lgs("audience", "preview", "customer_id <= 104 and segment <> 'Cant Lose'")
    worth = built.rows("select sum(monetary) as sales from audience_facts where customer_id <= 104")[0].sales
    assert f"4 customers of 20 (20.0 %), worth £{worth:,.2f} before returns" in some.output
    assert "! no customer has segment 'Cant Lose'; there is Can't Lose" in some.output


def test_a_wrong_rule_is_wrong_usage(built: Warehouse) -> None:
    """Exit code 2, with the place and the columns that there are; nothing runs."""
    result = lgs("audience", "preview", "true and pg_sleep(1) is null")
    assert result.exit_code == 2
    assert "the function pg_sleep is not allowed" in result.stderr
    unknown = lgs("audience", "show", "nobody")
    assert unknown.exit_code == 1 and "The audiences: call_list" in unknown.stderr
