"""Experiments: what a file declares, who is drawn into which arm, and that the control group is left alone."""

import csv
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from math import erfc, floor, sqrt
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from lgs_assets import places
from lgs_assets.action.audiences import Audience, Limits, size
from lgs_assets.action.contacts import forget_contact, import_contacts
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.experiments.conduct import RAN, REJECTED, STOPPED, UNDRAWN
from lgs_assets.action.experiments.declaration import CONTROL, FOLDER, LATE_DAYS, MONEY, Declaration
from lgs_assets.action.experiments.exposures import exposed
from lgs_assets.action.experiments.holdout import CONTROL_GROUP, EVERYTHING
from lgs_assets.action.experiments.starting import Started, amend, start, stop
from lgs_assets.action.experiments.state import state, states
from lgs_assets.action.experiments.treated import treated
from lgs_assets.action.lists.applying import Outcome, apply_plan
from lgs_assets.action.lists.guards import Allowance
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.rules import judge
from lgs_assets.command.cli import app
from lgs_assets.contracts.contract import contract
from lgs_assets.errors import GuardError, LgsError, UsageError
from lgs_assets.models.judging import MISMATCH
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets_tests.action.people import KEY, contacts_file, line

SOME = Audience("some", "Some.", "true", {}, Limits())
FILE = """
hypothesis = "A call helps."
owner = "me"
audience = "some"
block_by = ["segment", "monetary"]
block_size = 4
secondary = ["net_revenue"]
mde = "10 points"

[arms]
control = 0.5
call = 0.5

[primary]
metric = "bought_within"
days = 90
"""
DECLARED = Declaration.parse("calls", FILE)


@pytest.fixture
def shop(customers: Warehouse) -> Warehouse:
    """Forty customers, all members, and invoices up to the end of 2011."""
    with customers.transaction() as connection:
        execute_script(driver_cursor(connection), contract("invoice_totals"))
        connection.exec_driver_sql(
            "insert into invoice_totals values ('1', 1, 'd', '2011-12-01', '2011-12-30', 1, 'EIRE', false, 1, 5, "
            "'2011-12-30 10:00', 0, 0, null, null, 0, 0, 0, 0)"
        )
    enter(customers, range(1, 41))
    return customers


def enter(warehouse: Warehouse, customers: range) -> None:
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text("insert into audience_members values ('some', :customer, :version, '{}')"),
            [{"customer": customer, "version": SOME.version} for customer in customers],
        )


def arms(warehouse: Warehouse, name: str = "calls") -> dict[int, str]:
    rows = warehouse.rows("select * from assignments where experiment = :name order by customer_id", name=name)
    return {row.customer_id: row.arm for row in rows}


def held(warehouse: Warehouse) -> set[int]:
    return {row.customer_id for row in warehouse.rows("select customer_id from destination_members")}


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, ["experiment", *arguments])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('owner = "me"', "", "calls.toml: owner: required, but missing."),
        ("days = 90", 'days = "90"', "calls.toml: primary.days: expected a valid integer; found '90'."),
        ("days = 90", "days = 90\nwhen = 1", "calls.toml: primary.when: unknown key. The keys: metric, days."),
        ('"bought_within"', '"visits"', "calls.toml: primary.metric: expected 'bought_within', 'net_revenue'"),
        ("control = 0.5", "kontrol = 0.5", "calls.toml: arms: expected control and one other; found call, kontrol."),
        ("call = 0.5", "call = 0.6", "calls.toml: arms: expected shares above 0 that add up to 1; found control"),
        ('"10 points"', '"10 %"', 'calls.toml: mde: expected a change such as "10 points", as bought_within is'),
        ('["segment", "monetary"]', '["segment"]', "calls.toml: block_by: expected one number, such as monetary"),
        ('["segment", "monetary"]', '["sgment"]', "calls.toml: block_by: there is no column 'sgment'."),
        ('["net_revenue"]', '["bought_within"]', "calls.toml: secondary: expected metrics other than bought_within"),
        ("block_size = 4", "block_size = 1", "calls.toml: block_size: expected greater than or equal to 2; found 1."),
        ("block_size = 4", "block_size = 4\nlooks = [60, 30]", "calls.toml: looks: expected days of the window before"),
        ("block_size = 4", "block_size = 4\nlooks = [90]", "calls.toml: looks: expected days of the window before its"),
        ("control = 0.5", "control = nan", "calls.toml: arms: expected shares above 0 that add up to 1; found control"),
        ("control = 0.5", "control = -inf", "calls.toml: arms: expected shares above 0 that add up to 1; found"),
        ('"10 points"', '"500 points"', "calls.toml: mde: expected fewer than 100 points, as a share has no more"),
        ('"10 points"', '"0.0 points"', 'calls.toml: mde: expected a change such as "10 points"'),
        ('["segment", "monetary"]', '["segment", "segment", "monetary"]', "calls.toml: block_by: expected one number"),
        ('mde = "10 points"', "mde = ", "calls.toml: Invalid value (at line 8, column 7)."),
    ],
)
def test_a_file_that_declares_no_experiment_is_refused_by_name(old: str, new: str, reason: str) -> None:
    """The file, the key or the line, what was found and what is expected."""
    with pytest.raises(UsageError) as refused:
        Declaration.parse("calls", FILE.replace(old, new, 1))
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=str)
def test_the_files_of_the_repository_declare_experiments(file: Path) -> None:
    """Of audiences that there are."""
    declaration = Declaration.read(file)
    assert (FOLDER.parent / "audiences" / f"{declaration.audience}.toml").exists()


def test_arms_are_drawn_within_blocks(shop: Warehouse) -> None:
    """Four of a segment with like spend, two in each arm; anybody who has the salt can draw them again."""
    done = start(shop, DECLARED, SOME)
    assert (done.wave, done.arms, done.busy) == (1, {"call": 20, "control": 20}, 0)
    rows = shop.rows("select * from assignments inner join audience_facts using (customer_id)")
    blocks: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda row: -row.monetary):
        blocks.setdefault(row.block, []).append(row.customer_id)
    assert blocks["1/Champions/0"] == [39, 37, 35, 33]
    salt = state(shop, "calls").salt
    for members in blocks.values():
        lots = sorted(members, key=lambda customer: sha256(f"{salt}:{customer}".encode()).digest())
        assert {customer for customer in members if arms(shop)[customer] == "call"} == set(lots[:2])


@pytest.mark.parametrize("check", ["arms_are_as_drawn", "are_of_what_was_declared"])
def test_what_was_frozen_and_drawn_is_checked(shop: Warehouse, check: str) -> None:
    """What start keeps passes, also with shares that do not divide a block; two arms exchanged, or an edit, do not."""
    start(shop, replace(DECLARED, share=Decimal("0.3"), block_size=5), SOME)
    query = (places.SQL / "checks" / "experiment_results" / f"{check}.sql").read_text()
    assert shop.rows(query.replace("::", r"\:\:")) == []
    with shop.transaction() as connection:
        connection.exec_driver_sql("update assignments set arm = case arm when 'call' then 'control' else 'call' end")
        connection.exec_driver_sql("update experiments set declaration = replace(declaration, '90', '30')")
    assert shop.rows(query.replace("::", r"\:\:"))


@pytest.mark.parametrize("share", ["0.5", "0.3"])
def test_what_a_block_does_not_divide_is_drawn_by_its_hash(shop: Warehouse, share: str) -> None:
    """No arm of a block is off its share by a customer, whatever the share and the block."""
    declared = replace(DECLARED, share=Decimal(share), block_size=5)
    start(shop, declared, SOME)
    salt = state(shop, "calls").salt
    for row in shop.rows(
        "select block, count(*) as size, count(*) filter (where arm = 'call') as treated from assignments group by 1"
    ):
        expected = row.size * Decimal(share)
        lot = int(sha256(f"{salt}:{row.block}".encode()).hexdigest()[:12], 16) / Decimal(2**48)
        assert row.treated == floor(expected) + (lot < expected - floor(expected))


@pytest.mark.parametrize(("members", "first_block"), [(40, [39, 37, 35, 33]), (36, [35, 33]), (37, [37, 35, 33, 31])])
def test_the_two_largest_of_what_is_left_over_are_a_pair(shop: Warehouse, members: int, first_block: list[int]) -> None:
    """Of eighteen, two are more than full blocks: the largest. Of nineteen, three do not halve: the smallest."""
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id > :last"), {"last": members})
    start(shop, DECLARED, SOME)
    rows = shop.rows("select customer_id from assignments where block = '1/Champions/0' order by 1 desc")
    assert [row.customer_id for row in rows] == first_block


def test_customers_without_a_value_are_drawn_too(shop: Warehouse) -> None:
    """Nobody is lost for a column of `block_by` that is NULL, and no arm of a block is off its share by a customer."""
    declared = Declaration.parse("calls", FILE.replace('["segment", "monetary"]', '["risk_band", "value"]'))
    with shop.transaction() as connection:
        connection.exec_driver_sql(
            "update audience_facts set value = case when customer_id > 10 then customer_id end, "
            "risk_band = case when customer_id > 20 then 'low' end"
        )
    assert start(shop, declared, SOME).arms == {"call": 20, "control": 20}
    rows = shop.rows(
        "select count(*) as size, count(*) filter (where arm = 'call') as treated from assignments group by block"
    )
    assert all(row.treated * 2 == row.size for row in rows)
    assert sum(row.size for row in rows) == 40


def test_started_twice_nobody_is_drawn_again(shop: Warehouse) -> None:
    """The same arms, also of who left the audience; who entered it is not enrolled in an experiment of one wave."""
    start(shop, DECLARED, SOME)
    before = arms(shop)
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id < 9"))
    assert start(shop, DECLARED, SOME) == Started(0, {"call": 20, "control": 20}, 0)
    assert arms(shop) == before


def test_in_waves_new_members_join(shop: Warehouse) -> None:
    """They are blocks of their own; nobody of the first wave changes arms."""
    declared = Declaration.parse("calls", FILE.replace('owner = "me"', 'owner = "me"\nenrol = "waves"'))
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id > 20"))
    assert start(shop, declared, SOME).arms == {"call": 10, "control": 10}
    before = arms(shop)
    enter(shop, range(21, 41))
    done = start(shop, declared, SOME)
    assert (done.wave, sum(done.arms.values())) == (2, 40)
    assert {customer: arm for customer, arm in arms(shop).items() if customer <= 20} == before
    assert start(shop, declared, SOME).wave == 0


@pytest.mark.parametrize("metric", ["bought_within", "orders"])
@pytest.mark.parametrize("audience", [SOME, replace(SOME, name="others")], ids=lambda audience: audience.name)
def test_a_customer_is_in_one_running_experiment(shop: Warehouse, metric: str, audience: Audience) -> None:
    """Whatever another asks, and of whom: it would disturb the control group of the first. After a stop, it may."""
    start(shop, DECLARED, SOME)
    with shop.transaction() as connection:
        connection.exec_driver_sql("insert into audience_members select 'others', customer_id, version, '{}' "
                                   "from audience_members")  # fmt: skip
    text = FILE.replace('"bought_within"', f'"{metric}"').replace('audience = "some"', f'audience = "{audience.name}"')
    text = text if metric == "bought_within" else text.replace("10 points", "10 %")
    second = Declaration.parse("letters", text)
    with pytest.raises(LgsError, match="too few customers to fill both arms: 0 could be enrolled"):
        start(shop, second, audience)
    stop(shop, "calls", because="enough")
    assert sum(start(shop, second, audience).arms.values()) == 40


def test_a_global_holdout_leaves_the_others_to_experiments(shop: Warehouse) -> None:
    """Whoever is held out is in no other experiment; of the others, all may be."""
    text = FILE.replace("control = 0.5", "control = 0.05").replace("call = 0.5", "everything = 0.95")
    held_out = Declaration.parse("holdout", text.replace("block_size = 4", "block_size = 20"))
    assert start(shop, held_out, SOME).arms == {"control": 2, "everything": 38}
    assert sum(start(shop, DECLARED, SOME).arms.values()) == 38
    assert not {customer for customer, arm in arms(shop, "holdout").items() if arm == "control"} & arms(shop).keys()


@pytest.mark.parametrize("arm", ["everything", "call"])
def test_the_name_that_makes_a_global_holdout_is_said(
    shop: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arm: str
) -> None:
    """At the start, as it lets other experiments have its customers; of another name nothing is said.

    Whom a list of the audience had reached by then is said of any.
    """
    tell(shop, 1, [("add", "2011-12-05"), ("remove", "2011-12-20")])
    file = tmp_path / "calls.toml"
    file.write_text(FILE.replace("call = 0.5", f"{arm} = 0.5"))
    monkeypatch.setattr("lgs_assets.action.audiences.audience_named", lambda name: SOME)
    monkeypatch.setattr("lgs_assets.action.experiments.detectable.foreseen", lambda *asked: (None, "It is unknown."))
    done = lgs("start", str(file), "--underpowered", "to see")
    assert done.exit_code == 0, done.output
    assert ("it is a global holdout" in done.output) == (arm == "everything")
    early = [int(arms(shop)[1] == drawn) for drawn in (arm, "control")]
    assert f"through a list of some before they were drawn: {early[0]} {arm}, {early[1]} control." in done.output


def test_whoever_has_seen_the_result_enrols_nobody(shop: Warehouse) -> None:
    """A wave is drawn while the result of the others is not due, and none after that."""
    waves = Declaration.parse("calls", FILE.replace('owner = "me"', 'owner = "me"\nenrol = "waves"'))
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id > 20"))
    start(shop, waves, SOME, counts_from=date(2011, 12, 31))
    enter(shop, range(21, 31))
    data_until(shop, "2012-01-20")
    assert start(shop, waves, SOME, counts_from=date(2012, 1, 21)).wave == 2
    enter(shop, range(31, 41))
    data_until(shop, "2012-04-20")
    with pytest.raises(GuardError, match="calls has been due since 2012-04-20: anyone who has seen its result may not"):
        start(shop, waves, SOME, counts_from=date(2012, 4, 21))


def test_whoever_may_have_seen_a_look_enrols_nobody(shop: Warehouse) -> None:
    """A later wave would move the look, and a second look with the whole of its level would be another one."""
    waves = Declaration.parse("calls", FILE.replace('owner = "me"', 'owner = "me"\nenrol = "waves"\nlooks = [30, 60]'))
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id > 20"))
    start(shop, waves, SOME, counts_from=date(2011, 12, 31))
    enter(shop, range(21, 31))
    data_until(shop, "2012-01-29")
    assert start(shop, waves, SOME, counts_from=date(2012, 1, 30)).wave == 2
    enter(shop, range(31, 41))
    data_until(shop, "2012-02-29")
    with pytest.raises(GuardError, match="due since 2012-02-29: anyone who has seen the look after 30 days may not"):
        start(shop, waves, SOME, counts_from=date(2012, 3, 1))


def data_until(warehouse: Warehouse, day: str) -> None:
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                "update invoice_totals set invoice_month = date_trunc('month', cast(:at as timestamp)), "
                "invoice_day = cast(:at as timestamp), last_invoice_at = cast(:at as timestamp)"
            ),
            {"at": f"{day} 10:00"},
        )


@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_doubt_takes_a_reason(shop: Warehouse, blank: str | None) -> None:
    """An experiment that can hardly answer is refused without one, whoever asks; a blank one is none."""
    with pytest.raises(GuardError, match=r"Refused: It is too small\. To start it all the same: --underpowered"):
        start(shop, DECLARED, SOME, doubt="It is too small.", underpowered=blank)
    assert states(shop) == []
    start(shop, DECLARED, SOME, doubt="It is too small.", underpowered=" to learn ")
    assert state(shop, "calls").underpowered == "to learn"
    with pytest.raises(UsageError, match="--because: expected a reason"):
        stop(shop, "calls", because=blank or "")


def test_what_was_accepted_at_the_start_is_read_whatever_the_rules_are_now(
    shop: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that is renamed afterwards, or a name that may not be given any more, stops no command."""
    start(shop, DECLARED, SOME)
    monkeypatch.setattr("lgs_assets.action.experiments.declaration.fact_kinds", lambda: {"worth": "number"})
    with pytest.raises(UsageError):
        Declaration.parse("calls", FILE)
    assert state(shop, "calls").declaration.block_by == ("segment", "monetary")
    assert lgs("status").exit_code == 0
    stop(shop, "calls", because="the end")


def test_results_are_out_of_date_once_one_is_started_or_stopped(shop: Warehouse) -> None:
    """The next run analyses it, though no table of the lineage has changed; so it does once one is amended."""
    with shop.transaction() as connection:
        connection.exec_driver_sql(
            "insert into publications values "
            "('experiment_results', repeat('a', 64), repeat('b', 64), null, '{}', 1, now(), null)"
        )

    def version() -> str:
        return str(shop.rows("select version from publications where table_name = 'experiment_results'")[0].version)

    start(shop, DECLARED, SOME)
    assert version() == "0" * 64
    for change in (partial(amend, what="another agency calls"), stop):
        with shop.transaction() as connection:
            connection.exec_driver_sql("update publications set version = repeat('a', 64)")
        change(shop, "calls", because="the end")
        assert version() == "0" * 64


def test_an_edited_file_is_refused_with_the_difference(shop: Warehouse) -> None:
    """What was asked at the start is what is answered."""
    start(shop, DECLARED, SOME)
    with pytest.raises(GuardError) as refused:
        start(shop, Declaration.parse("calls", FILE.replace("days = 90", "days = 30")), SOME)
    assert "-days = 90\n+days = 30" in str(refused.value)
    assert "to record what differed: lgs experiment amend calls WHAT --because WHY" in str(refused.value)
    assert state(shop, "calls").declaration == DECLARED


def test_what_comes_to_be_otherwise_is_a_row_beside_the_declaration(shop: Warehouse) -> None:
    """Who, when, what and why, for good, and told by status; the declaration stays, and so do the arms."""
    start(shop, DECLARED, SOME)
    before = arms(shop)
    done = lgs("amend", "calls", "Another [b]agency[/b] calls.", "--because", "the first one\nleft")
    assert done.exit_code == 0 and "the declaration stays as it was" in done.output
    assert lgs("amend", "calls", "They call in the evening", "--because", "nobody answers").exit_code == 0
    first, second = state(shop, "calls").amendments
    assert (first.what, first.because, first.by) == (
        "Another [b]agency[/b] calls.",
        "the first one\nleft",
        state(shop, "calls").started_by,
    )
    assert second.at >= first.at >= state(shop, "calls").started_at
    told = " ".join(lgs("status").output.split())
    assert f"by {first.by}: Another [b]agency[/b] calls, because: the first one left." in told
    assert "They call in the evening, because: nobody answers." in told
    assert start(shop, DECLARED, SOME).wave == 0
    assert (state(shop, "calls").declaration, arms(shop)) == (DECLARED, before)


@pytest.mark.parametrize(
    ("name", "what", "because", "code", "said"),
    [
        ("calls", " ", "x", 2, "what is otherwise: expected a text, which the report tells; found nothing."),
        ("calls", "x", "\n", 2, "--because: expected a text, which the report tells; found nothing."),
        ("cals", "x", "y", 1, "No experiment 'cals' was started. Started: calls."),
    ],
)
def test_an_amendment_says_what_and_why(
    shop: Warehouse, name: str, what: str, because: str, code: int, said: str
) -> None:
    """Of an experiment that was started."""
    start(shop, DECLARED, SOME)
    done = lgs("amend", name, what, "--because", because)
    assert done.exit_code == code and said in done.output
    assert state(shop, "calls").amendments == ()


def test_an_experiment_is_declared_before_its_data_is_known(shop: Warehouse) -> None:
    """Purchases that are known already cannot count."""
    with pytest.raises(GuardError, match="until 2011-12-30 10:00 are known already"):
        start(shop, DECLARED, SOME, counts_from=date(2011, 12, 30))
    start(shop, DECLARED, SOME, counts_from=date(2011, 12, 31))
    assert state(shop, "calls").due == date(2012, 3, 30)


def test_members_of_another_rule_are_not_enrolled(shop: Warehouse) -> None:
    """The audience is what its file says now, or nobody is drawn."""
    with pytest.raises(GuardError, match="have changed since its members were found: lgs run"):
        start(shop, DECLARED, replace(SOME, where="monetary > 1"))
    assert states(shop) == []


def test_a_wave_is_of_the_audience_of_the_start(shop: Warehouse) -> None:
    """Members of an edited rule are other customers; with the rule as it was, the wave is drawn."""
    waves = Declaration.parse("calls", FILE.replace('owner = "me"', 'owner = "me"\nenrol = "waves"'))
    edited = replace(SOME, where="monetary > 1")
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id > 20"))
    start(shop, waves, SOME)
    enter(shop, range(21, 41))
    with shop.transaction() as connection:
        connection.execute(sa.text("update audience_members set version = :version"), {"version": edited.version})
    with pytest.raises(GuardError, match="The rule or the fields of some have changed since calls was started"):
        start(shop, waves, edited)
    assert len(arms(shop)) == 20
    with shop.transaction() as connection:
        connection.execute(sa.text("update audience_members set version = :version"), {"version": SOME.version})
    assert start(shop, waves, SOME).wave == 2


def test_the_control_group_is_left_out_of_every_plan(shop: Warehouse, tmp_path: Path) -> None:
    """Of a new list they are not part, from one that holds them they are taken, and a stop lets them in again."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    lists = Drop(str(tmp_path / "lists"))

    def sync(**allowed: int) -> Outcome | None:
        made = make_plan(shop, SOME, lists, key=KEY, allowance=Allowance(**allowed))
        return apply_plan(shop, made.plan, lists, key=KEY, version=SOME.version) if made else None

    sync()
    start(shop, DECLARED, SOME)
    control = {customer for customer, arm in arms(shop).items() if arm == "control"}
    assert state(shop, "calls").reached == {"call": 20, "control": 20}
    refused = make_plan(shop, SOME, lists, key=KEY)
    assert refused and refused.left_out == {"control group": 20}
    assert refused.refusal and "--allow-removals 20" in refused.refusal
    assert state(shop, "calls").held_out == 0  # until a plan is applied
    sync(removals=20)
    assert held(shop) == set(arms(shop)) - control
    assert state(shop, "calls").reached == {"call": 20, "control": 0}
    assert (state(shop, "calls").held_out, state(shop, "calls").is_unevenly_delivered) == (20, False)
    assert sync() is None
    stop(shop, "calls", because="the end")
    sync()
    assert held(shop) == set(arms(shop))


def test_who_may_be_drawn_yet_is_left_out_of_every_plan(shop: Warehouse, tmp_path: Path) -> None:
    """A member who enters between two waves waits for the draw: sent before it, the control group would be treated."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    lists = Drop(str(tmp_path / "lists"))
    waves = Declaration.parse("calls", FILE.replace('owner = "me"', 'owner = "me"\nenrol = "waves"'))
    with shop.transaction() as connection:
        connection.execute(sa.text("delete from audience_members where customer_id > 20"))
    start(shop, waves, SOME)
    first = make_plan(shop, SOME, lists, key=KEY)
    assert first and first.left_out == {"control group": list(arms(shop).values()).count("control")}
    enter(shop, range(21, 31))
    apply_plan(shop, first.plan, lists, key=KEY, version=SOME.version)
    assert make_plan(shop, SOME, lists, key=KEY) is None
    start(shop, waves, SOME)
    second = make_plan(shop, SOME, lists, key=KEY)
    assert second and second.left_out == {"control group": list(arms(shop).values()).count("control")}
    apply_plan(shop, second.plan, lists, key=KEY, version=SOME.version)
    assert held(shop) == {customer for customer, arm in arms(shop).items() if arm == "call"}
    assert state(shop, "calls").reached_undrawn == {"call": 0, "control": 0}
    enter(shop, range(31, 41))
    stop(shop, "calls", because="the end")
    last = make_plan(shop, SOME, lists, key=KEY)
    assert last and last.left_out == {}


def test_whom_another_experiment_treats_waits_for_no_draw(shop: Warehouse, tmp_path: Path) -> None:
    """Nobody of them is drawn while it runs, and its campaign must reach them."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    text = FILE.replace('owner = "me"', "owner = 'me'\nenrol = 'waves'").replace('"some"', '"others"')
    others = replace(SOME, name="others")
    with shop.transaction() as connection:
        connection.exec_driver_sql("insert into audience_members select 'others', customer_id, version, '{}' "
                                   "from audience_members where customer_id > 20")  # fmt: skip
        connection.exec_driver_sql("delete from audience_members where audience = 'some' and customer_id > 30")
    start(shop, DECLARED, SOME)
    assert sum(start(shop, Declaration.parse("letters", text), others).arms.values()) == 10
    made = make_plan(shop, SOME, Drop(str(tmp_path / "lists")), key=KEY)
    assert made and made.left_out == {"control group": list(arms(shop).values()).count("control")}


def test_who_was_on_the_list_before_the_draw_is_told(shop: Warehouse) -> None:
    """Of both arms, though their removal was applied before the purchases count; not of another audience."""
    tell(shop, 1, [("add", "2011-12-05"), ("remove", "2011-12-20")])
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    found = state(shop, "calls")
    assert found.reached_undrawn == {"call": 0, "control": 0} | {arms(shop)[1]: 1}
    assert sum(found.reached.values()) == 0
    told = " ".join(lgs("status").output.split())
    assert "Some were on a list of the audience before the arms were drawn: " in told and f"{arms(shop)[1]} 1" in told


@pytest.mark.parametrize(("writable", "is_uneven"), [(2, True), (16, False)])
def test_what_was_delivered_is_of_the_sizes_that_were_drawn(
    shop: Warehouse, tmp_path: Path, writable: int, is_uneven: bool
) -> None:
    """The treated who are reached, against those of the control group who would have been: few less are chance."""
    start(shop, DECLARED, SOME)
    of_arm = {arm: [customer for customer, drawn in arms(shop).items() if drawn == arm] for arm in ("call", "control")}
    some = [line(customer) for customer in of_arm["control"] + of_arm["call"][:writable]]
    import_contacts(shop, contacts_file(tmp_path, some), key=KEY, reject_limit=0)
    lists = Drop(str(tmp_path / "lists"))
    made = make_plan(shop, SOME, lists, key=KEY)
    assert made
    apply_plan(shop, made.plan, lists, key=KEY, version=SOME.version)
    assert (state(shop, "calls").held_out, state(shop, "calls").is_unevenly_delivered) == (20, is_uneven)
    said = "2 of the treated were sent to a destination, and 20 of the control group would have"
    assert (said in lgs("status").output.replace("\n", " ")) == is_uneven


def test_a_list_for_a_network_is_not_called_uneven(shop: Warehouse, tmp_path: Path) -> None:
    """Without the consent to be matched neither arm is sent: held out are those who would have been."""
    import_contacts(shop, contacts_file(tmp_path, [
        line(n, basis="consent" if n % 10 == 0 else "soft_opt_in") for n in range(1, 41)
    ]), key=KEY, reject_limit=0)  # fmt: skip
    start(shop, DECLARED, SOME)
    hashed = Drop(str(tmp_path / "hashed"), hashes_emails=True)
    made = make_plan(shop, SOME, hashed, key=KEY)
    control = sum(arms(shop)[n] == "control" for n in (10, 20, 30, 40))
    assert made and Counter(made.left_out) == Counter({"no consent to be matched": 36, "control group": control})
    apply_plan(shop, made.plan, hashed, key=KEY, version=SOME.version)
    found = state(shop, "calls")
    assert (found.sent, found.held_out, found.is_unevenly_delivered) == (4 - control, control, False)


def test_whom_a_tool_rejects_was_sent(shop: Warehouse, tmp_path: Path) -> None:
    """Nobody of the control group can be rejected, so a reject makes no arm smaller than the other."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    start(shop, DECLARED, SOME)
    lists = Drop(str(tmp_path / "lists"))
    made = make_plan(shop, SOME, lists, key=KEY)
    assert made
    apply_plan(shop, made.plan, lists, key=KEY, version=SOME.version)
    with shop.transaction() as connection:
        connection.exec_driver_sql("update activation_changes set state = 'rejected' where customer_id > 2")
        connection.exec_driver_sql("delete from destination_members where customer_id > 2")
    found = state(shop, "calls")
    assert (found.reached["call"] <= 2, found.sent, found.held_out) == (True, 20, 20)
    assert not found.is_unevenly_delivered


def test_a_list_that_is_sent_after_the_windows_compares_nothing(shop: Warehouse, tmp_path: Path) -> None:
    """Only whom a plan left out by then is held against whom lists reached by then."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    for customer in [customer for customer, arm in arms(shop).items() if arm == "call"][:2]:
        tell(shop, customer, [("add", "2012-01-05")])
    lists = Drop(str(tmp_path / "lists"))
    made = make_plan(shop, SOME, lists, key=KEY)  # a newsletter, years later: the experiment was never stopped
    assert made and made.left_out == {"control group": 20}
    apply_plan(shop, made.plan, lists, key=KEY, version=SOME.version)
    found = state(shop, "calls")
    assert (found.sent, found.held_out, found.is_unevenly_delivered) == (2, 0, False)
    with shop.transaction() as connection:
        connection.exec_driver_sql("update activation_plans set ended_at = '2012-02-01'")
    found = state(shop, "calls")
    assert (found.sent, found.held_out, found.is_unevenly_delivered) == (2, 20, True), "were it sent within them"


def test_exposures_are_out_of_date_once_a_list_is_sent(shop: Warehouse, tmp_path: Path) -> None:
    """And not once it is planned. The next run finds who was reached by then."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    start(shop, DECLARED, SOME)
    with shop.transaction() as connection:
        connection.exec_driver_sql(
            "insert into publications "
            "values ('exposures', repeat('a', 64), repeat('b', 64), null, '{}', 1, now(), null)"
        )
    lists = Drop(str(tmp_path / "lists"))
    version = "select version from publications where table_name = 'exposures'"
    made = make_plan(shop, SOME, lists, key=KEY)
    assert made and [row.version for row in shop.rows(version)] == ["a" * 64]
    apply_plan(shop, made.plan, lists, key=KEY, version=SOME.version)
    assert [row.version for row in shop.rows(version)] == ["0" * 64]
    assert dict(exposed(shop)["arm"].value_counts()) == {"call": 20}
    with shop.transaction() as connection:
        connection.exec_driver_sql("update publications set version = repeat('a', 64)")
    make_plan(shop, SOME, Drop(str(tmp_path / "others")), key=KEY, place_is="new")
    assert [row.version for row in shop.rows(version)] == ["0" * 64], "nor once a list is left behind"


def test_another_audience_does_not_reach_the_control_group(shop: Warehouse, tmp_path: Path) -> None:
    """One audience may hold the members of another: whom it held before is contamination, and told by its name."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    others = replace(SOME, name="others")
    with shop.transaction() as connection:
        connection.exec_driver_sql("insert into audience_members select 'others', customer_id, version, '{}' "
                                   "from audience_members")  # fmt: skip
    lists = Drop(str(tmp_path / "lists"))
    first = make_plan(shop, others, lists, key=KEY)
    assert first
    apply_plan(shop, first.plan, lists, key=KEY, version=others.version)
    start(shop, DECLARED, SOME)
    assert state(shop, "calls").reached_through == {"others": {"call": 20, "control": 20}}
    second = make_plan(shop, others, lists, key=KEY, allowance=Allowance(removals=20))
    assert second and second.left_out == {"control group": 20}
    apply_plan(shop, second.plan, lists, key=KEY, version=others.version)
    assert state(shop, "calls").reached == {"call": 20, "control": 0}


@pytest.mark.parametrize(
    ("told", "reached"),
    [
        ([("add", "2012-01-05")], True),
        ([("add", "2011-12-05")], True),  # and still there
        ([("add", "2011-12-05"), ("remove", "2012-01-20")], True),  # not forgotten once it is over
        ([("add", "2012-01-05"), ("remove", "2012-01-06")], True),
        ([("add", "2011-12-05"), ("remove", "2011-12-20")], False),
        ([("add", "2011-12-05"), ("remove", "2011-12-20"), ("add", "2012-03-30")], True),
        ([("add", "2012-03-31")], False),  # after the window
        ([("add", "2011-12-05"), ("update", "2011-12-06"), ("remove", "2011-12-20")], False),
        ([("add", "2011-12-05"), ("erase", "2011-12-20")], False),  # from every list
        ([("add", "2012-01-05"), ("erase", "2012-01-06")], True),
    ],
)
def test_reached_is_who_was_held_while_purchases_counted(
    shop: Warehouse, told: list[tuple[str, str]], reached: bool
) -> None:
    """Of the ninety days from 1 January 2012."""
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    customer = next(customer for customer, arm in arms(shop).items() if arm == "control")
    tell(shop, customer, told)
    assert state(shop, "calls").reached == {"call": 0, "control": int(reached)}
    rows = exposed(shop).query("period == 'while it ran'").to_dict("records")
    assert [(row["customer_id"], row["arm"], row["audience"]) for row in rows] == [
        (customer, "control", "some")
    ] * reached


@pytest.mark.parametrize(
    ("told", "reached"),
    [
        ([("add", "2011-11-05"), ("remove", "2011-12-01")], False),  # taken off on the day of the draw
        ([("add", "2011-11-05"), ("remove", "2011-12-20")], True),  # weeks later
        ([("add", "2011-12-05"), ("remove", "2011-12-20")], True),
        ([("add", "2011-12-01"), ("remove", "2011-12-01")], True),
    ],
)
def test_reached_is_also_who_was_held_between_the_draw_and_the_first_purchase_that_counts(
    shop: Warehouse, told: list[tuple[str, str]], reached: bool
) -> None:
    """Whom a list held for a month before `--from` was treated in it; whoever was on one when drawn has a day."""
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    with shop.transaction() as connection:
        connection.exec_driver_sql("update assignments set assigned_at = '2011-12-01 09:00+00'")
    customer = next(customer for customer, arm in arms(shop).items() if arm == "control")
    tell(shop, customer, told)
    assert state(shop, "calls").reached == {"call": 0, "control": int(reached)}


@pytest.mark.parametrize(("emptied", "reached"), [("null", 1), ("'2011-12-30'", 0)])
def test_a_list_that_was_left_behind_still_reaches(shop: Warehouse, emptied: str, reached: int) -> None:
    """A removal that another place accepted took nobody off it; only who emptied it did."""
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    customer = next(customer for customer, arm in arms(shop).items() if arm == "control")
    tell(shop, customer, [("add", "2011-12-05"), ("remove", "2011-12-20")])
    with shop.transaction() as connection:
        connection.exec_driver_sql(
            f"insert into left_behind values ('drop', 'some', {customer}, 'p', '2011-12-20', 1, '2011-12-05', null, "
            f"{emptied})"
        )
    assert state(shop, "calls").reached["control"] == reached


def test_whom_a_destination_held_after_the_stop_is_no_contamination(shop: Warehouse) -> None:
    """From then on the control group may be written to."""
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    stop(shop, "calls", because="the end")
    with shop.transaction() as connection:
        connection.exec_driver_sql("update experiments set stopped_at = '2012-02-01'")
    tell(shop, 1, [("add", "2012-02-02")])
    assert sum(state(shop, "calls").reached.values()) == 0
    assert sum(state(shop, "calls").reached_later.values()) == 1
    assert "after the stop" in set(exposed(shop)["period"])
    tell(shop, 2, [("add", "2012-03-31")])  # after the window
    assert sum(state(shop, "calls").reached_later.values()) == 1


def tell(warehouse: Warehouse, customer: int, changes: list[tuple[str, str]]) -> None:
    """What a destination accepted of a customer, and when."""
    with warehouse.transaction() as connection:
        for operation, day in changes:
            connection.execute(
                sa.text(
                    """
                    with planned as (
                        insert into activation_plans (
                            destination, audience, audience_version, publication, adds, updates, removes, left_out,
                            held_before, digest, state, made_by, made_at
                        )
                        values ('drop', :audience, '', '', 0, 0, 0, '{}', 0, repeat('0', 64), 'applied', 'me', :day)
                        returning plan
                    )

                    insert into activation_changes
                    select plan, :customer, :operation, '', '{}', '', 1, 'accepted', null, :day
                    from planned
                    """
                ),
                {
                    "customer": customer,
                    "operation": operation,
                    "day": f"{day} 12:00+00",
                    "audience": "" if operation == "erase" else "some",
                },
            )


def test_a_plan_from_before_the_start_sends_nothing_to_the_control_group(shop: Warehouse, tmp_path: Path) -> None:
    """What was planned for them is withheld when it is applied."""
    import_contacts(shop, contacts_file(tmp_path, [line(n) for n in range(1, 41)]), key=KEY, reject_limit=0)
    lists = Drop(str(tmp_path / "lists"))
    made = make_plan(shop, SOME, lists, key=KEY)
    start(shop, DECLARED, SOME)
    assert made
    done = apply_plan(shop, made.plan, lists, key=KEY, version=SOME.version)
    assert (done.accepted, Counter(done.withheld.values())) == (20, {"control group": 20})
    assert all(arms(shop)[customer] == "control" for customer in done.withheld)


def test_who_is_to_be_called_is_listed(shop: Warehouse, tmp_path: Path) -> None:
    """The treated, with an address or without, and nobody who declined or is of the control group."""
    start(shop, DECLARED, SOME)
    called = [customer for customer, arm in arms(shop).items() if arm == "call"]
    declined = line(called[1], ok="no")
    import_contacts(shop, contacts_file(tmp_path, [line(called[0]), declined]), key=KEY, reject_limit=0)
    forget_contact(shop, called[2])
    done = lgs("list", "calls")
    assert done.exit_code == 0
    listed = list(csv.DictReader(done.stdout.splitlines()))
    assert [int(row["customer_id"]) for row in listed] == [called[0], *called[3:]]
    assert {row["arm"] for row in listed} == {"call"}
    assert "Left out: 1 declined marketing, 1 forgotten. They are compared as assigned." in done.stderr
    assert lgs("list", "cals").exit_code == 1
    stop(shop, "calls", because="the end")
    assert "nobody is treated any more" in lgs("list", "calls").output


def test_whom_another_experiment_holds_back_is_on_no_list(shop: Warehouse) -> None:
    """Beside a global holdout everybody else is treated: less whom other experiments hold back, while these run."""
    others = (
        "insert into audience_members select 'others', customer_id, version, '{}' from audience_members "
        "where customer_id between %s and %s"
    )
    text = FILE.replace("control = 0.5", "control = 0.05").replace("call = 0.5", "everything = 0.95")
    start(shop, Declaration.parse("holdout", text.replace("block_size = 4", "block_size = 20")), SOME)
    everything = {customer for customer, arm in arms(shop, "holdout").items() if arm == "everything"}
    text = FILE.replace('"some"', '"others"').replace('owner = "me"', 'owner = "me"\nenrol = "waves"')
    with shop.transaction() as connection:
        connection.exec_driver_sql(others, (1, 20))
    start(shop, Declaration.parse("letters", text), replace(SOME, name="others"))
    with shop.transaction() as connection:
        connection.exec_driver_sql(others, (21, 30))
    control = {customer for customer, arm in arms(shop, "letters").items() if arm == "control"}
    waiting = everything & set(range(21, 31))
    listed, left_out = treated(shop, "holdout")
    assert {each.customer_id for each in listed} == everything - control - waiting
    assert left_out == {"control group": len(control), "waits for its draw": len(waiting)}
    assert control and waiting
    stop(shop, "letters", because="the end")
    assert {each.customer_id for each in treated(shop, "holdout")[0]} == everything


def test_whoever_is_forgotten_still_counts_as_assigned(shop: Warehouse) -> None:
    """Who was drawn is compared, not who could be written to; how many are not is told."""
    start(shop, DECLARED, SOME)
    forget_contact(shop, 7)
    found = state(shop, "calls")
    of_arm = {arm: int(arm == arms(shop)[7]) for arm in ("call", "control")}
    assert (sum(found.arms.values()), found.excluded) == (40, of_arm)
    assert "1 customer objected to marketing or asked to be forgotten" in lgs("status").output.replace("\n", " ")


def test_status_and_stop_by_command(shop: Warehouse) -> None:
    """The arms and when the result is due; a stop needs its reason, and is not done twice."""
    assert "No experiment was started yet" in lgs("status").output
    start(shop, DECLARED, SOME, counts_from=date(2012, 1, 1))
    shown = lgs("status").output
    assert "2012-03-31" in shown and "running" in shown
    assert lgs("stop", "calls").exit_code == 2
    assert lgs("stop", "calls", "--because", "the offer ended").exit_code == 0
    assert "stopped" in lgs("status").output
    assert lgs("stop", "calls", "--because", " ").exit_code == 2
    again = lgs("stop", "calls", "--because", "again")
    assert again.exit_code == 1 and "was already stopped at" in again.output
    assert "No experiment 'cals' was started. Started: calls." in lgs("stop", "cals", "--because", "x").output
    with pytest.raises(GuardError, match="Nobody is enrolled any more"):
        start(shop, DECLARED, SOME)


def test_a_rule_with_braces_finds_what_it_says(shop: Warehouse) -> None:
    """They are part of a text, and no placeholder."""
    with shop.transaction() as connection:
        connection.execute(sa.text("update audience_facts set country = 'a{b}' where customer_id = 1"))
    assert size(shop, judge("country = 'a{b}'")).customers == 1


def test_what_sql_writes_out_is_what_python_says() -> None:
    """The names of arms and periods, the level of a mismatch, the time zone and the days of late returns."""
    files = [*places.SQL.glob("*.sql"), *places.SQL.glob("checks/ex*/*.sql")]
    text = "".join(file.read_text() for file in files)
    assert f"arm = '{CONTROL}'" in text and f"arm <> '{EVERYTHING}'" in text and f"'{CONTROL_GROUP}'" in text
    assert all(f"'{period}'" in text for period in (UNDRAWN, RAN, REJECTED, STOPPED))
    assert set(re.findall(r"time zone '(.+?)'", text)) == {places.TIME_ZONE}
    (beyond,) = {float(found) for found in re.findall(r"> (\d+\.\d+) \*", text)}
    assert erfc(sqrt(beyond / 2)) == pytest.approx(MISMATCH, rel=1e-3)
    (late,) = re.findall(r"in \((.+?)\) then interval '(\d+) days'", text)
    assert {metric.strip("' ") for metric in late[0].split(",")} == set(MONEY) and int(late[1]) == LATE_DAYS
