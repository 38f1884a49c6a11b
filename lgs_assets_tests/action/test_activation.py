"""Plan, review, apply: what is sent is what was planned, once, whatever happens on the way."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import md5, sha256
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from lgs_assets.action.audiences import Limits, audience_named
from lgs_assets.action.contacts import forget_contact, import_contacts, object_to_marketing
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.destinations.protocol import Answer, Batch, BusyError, Destination
from lgs_assets.action.destinations.web import redacted, without
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.action.lists import guards
from lgs_assets.action.lists.applying import Outcome, TakenError, alone, apply_plan, cancel_plan
from lgs_assets.action.lists.leaving import plan_removals
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.lists.plans import account, changes_of, decisions, lock_planning, plan_numbered, plans, summary
from lgs_assets.action.private import as_activator
from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.errors import GuardError, LgsError, ServerError, UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets.wiring import activation
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.action.conftest import make_customers
from lgs_assets_tests.action.lists import SOME, apply, held, plan, receipts, set_members, sync
from lgs_assets_tests.action.people import CANARY, KEY, address, contacts_file, line, tables_outside
from lgs_assets_tests.action.receiver import SIGNING_KEY, Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.problems == []


def webhook(receiver: Receiver, *, rows: int = 500, seconds: float = 1) -> Webhook:
    return Webhook(receiver.url, SIGNING_KEY, rows, seconds)


def test_what_is_planned_is_sent_once(people: Warehouse, receiver: Receiver) -> None:
    """To plan sends nothing; then the receiver holds just the members, and there is nothing to plan any more."""
    set_members(people, range(1, 11))
    made = plan(people, webhook(receiver))
    assert made and (made.adds, made.updates, made.removes, made.state) == (10, 0, 0, "planned")
    assert receiver.requests == []
    assert apply(people, made.plan, webhook(receiver)) == Outcome(10, {}, {})
    assert receiver.held == {customer: {"email": address(customer), "spent": 1} for customer in range(1, 11)}
    assert plan(people, webhook(receiver)) is None
    with pytest.raises(GuardError, match=f"Plan {made.plan} was applied at .* UTC. Nothing is sent"):
        apply(people, made.plan, webhook(receiver))
    assert len(receiver.requests) == 1
    assert receipts(people) == [(200, "accepted 10, rejected 0")]


def test_a_change_is_sent_as_what_it_is(people: Warehouse, receiver: Receiver, tmp_path: Path) -> None:
    """Who left is removed first, who entered is added, and whose fields or address changed is updated."""
    set_members(people, range(1, 11))
    sync(people, webhook(receiver))
    set_members(people, range(2, 12))
    file = contacts_file(tmp_path, [line(5, email="other@example.test")])
    import_contacts(people, file, key=KEY, reject_limit=0)
    made = plan(people, webhook(receiver))
    assert made
    changes = [
        (change["operation"], change["customer_id"], change["cause"]) for change in changes_of(people, made.plan)
    ]
    assert sorted(changes) == [
        ("add", 11, "entered the audience"),
        ("remove", 1, "left the audience"),
        ("update", 5, "fields or contact changed"),
    ]
    apply(people, made.plan, webhook(receiver, rows=1))
    assert receiver.requests[1]["changes"][0]["operation"] == "remove"
    assert receiver.held.keys() == set(range(2, 12)) and receiver.held[5]["email"] == "other@example.test"


def test_who_may_not_be_sent_is_left_out_with_the_reason(
    customers: Warehouse, tmp_path: Path, receiver: Receiver
) -> None:
    """No contact, declined marketing, objected."""
    import_contacts(customers, contacts_file(tmp_path, [line(1), line(2, ok="no"), line(3)]), key=KEY, reject_limit=0)
    object_to_marketing(customers, 3)
    set_members(customers, range(1, 6))
    made = plan(customers, webhook(receiver))
    assert made and made.adds == 1
    assert made.left_out == {"declined marketing": 1, "no contact": 2, "objected": 1}


GUARDED = {
    "removals": (
        range(1, 11),
        {},
        r"would remove 30 of 40 \(75%\), and 30% are allowed\. .* --allow-removals 30",
    ),
    "another number": (range(1, 11), {"removals": 29}, r"would remove 30 of 40"),
    "emptied": (range(0), {}, r"the audience is empty; would remove 40 of 40 \(100%\)"),
}


@pytest.mark.parametrize("case", GUARDED)
def test_a_guard_refuses_with_the_figures(people: Warehouse, receiver: Receiver, case: str) -> None:
    """Nothing of it can be sent; whoever means it names the number."""
    members, allowed, refusal = GUARDED[case]
    set_members(people, range(1, 41))
    sync(people, webhook(receiver))
    set_members(people, members)
    made = plan(people, webhook(receiver), **allowed)
    assert made and made.state == "refused" and made.refusal
    assert re.search(refusal, made.refusal)
    with pytest.raises(GuardError, match=r"is refused\. Nothing is sent"):
        apply(people, made.plan, webhook(receiver))
    assert len(receiver.held) == 40
    sync(people, webhook(receiver), removals=40 - len(members))
    assert receiver.held.keys() == set(members)


def test_more_additions_than_three_times_what_is_held_are_refused(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that suddenly finds everybody; the first list is reviewed as a whole instead."""
    set_members(people, {1})
    sync(people, webhook(receiver))
    set_members(people, range(1, 41))
    monkeypatch.setattr(guards, "FREE_ADDS", 10)
    made = plan(people, webhook(receiver))
    assert made and made.refusal == "would add 39 to the 1 held, and 13 are allowed. If that is right: --allow-adds 39"
    assert sync(people, webhook(receiver), adds=39) == Outcome(39, {}, {})


@pytest.mark.parametrize(("members", "found"), [(2, "has 2 members, and its file allows 3 to 5"), (7, "has 7 members")])
def test_an_audience_outside_its_limits_reaches_nobody(
    people: Warehouse, receiver: Receiver, members: int, found: str
) -> None:
    """Not even by a first list; who is held and objected is removed all the same."""
    limited = replace(SOME, limits=Limits(at_least=3, at_most=5))
    set_members(people, range(1, members + 1))
    first = make_plan(people, limited, webhook(receiver), key=KEY)
    assert first and first.state == "refused" and found in (first.refusal or "")
    sync(people, webhook(receiver))
    object_to_marketing(people, 1)
    made = make_plan(people, limited, webhook(receiver), key=KEY)
    assert made and made.refusal and (made.adds, made.removes, made.state) == (0, 1, "planned")


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "update publications set published_at = now() - interval '37 hours'",
            "found 37 hours ago, and 36 are allowed",
        ),
        ("update publications set version = repeat('0', 64)", "a blocking check of audience_members failed"),
        ("update audience_members set version = 'another'", "have changed since its members were found"),
    ],
)
def test_nothing_is_built_on_members_that_will_not_do(
    people: Warehouse, receiver: Receiver, statement: str, reason: str
) -> None:
    """Stale, failed by a check, or found by another rule than the one that is written."""
    set_members(people, range(1, 6))
    with people.transaction() as connection:
        connection.execute(sa.text(statement))
    made = plan(people, webhook(receiver))
    assert made and made.state == "refused" and reason in (made.refusal or "")


def test_a_suppression_goes_through_whatever_is_refused(people: Warehouse, receiver: Receiver) -> None:
    """An audience that a bad dump emptied, and in it one who objected: that one is removed, nobody else."""
    set_members(people, range(1, 41))
    sync(people, webhook(receiver))
    object_to_marketing(people, 7)
    set_members(people, range(0))
    made = plan(people, webhook(receiver))
    assert made and made.refusal and (made.removes, made.state) == (1, "planned")
    apply(people, made.plan, webhook(receiver))
    assert receiver.held.keys() == set(range(1, 41)) - {7}


def test_what_changes_between_plan_and_apply_is_withheld(people: Warehouse, receiver: Receiver, tmp_path: Path) -> None:
    """Objected, forgotten, another address: none of them is sent, and the others are."""
    set_members(people, range(1, 6))
    made = plan(people, webhook(receiver))
    assert made
    object_to_marketing(people, 1)
    forget_contact(people, 2)
    file = contacts_file(tmp_path, [line(3, email="other@example.test")])
    import_contacts(people, file, key=KEY, reject_limit=0)
    outcome = apply(people, made.plan, webhook(receiver))
    assert outcome.withheld == {1: "objected", 2: "forgotten", 3: "the contact has changed"}
    assert receiver.held.keys() == held(people) == {4, 5}
    assert plans(people)[0].state == "partial"


@dataclass(frozen=True)
class Meanwhile(Webhook):
    """The webhook; while its first request is under way, something happens."""

    happens: Callable[[], object] = field(default=lambda: None)
    done: list[object] = field(default_factory=list)

    def send(self, batch: Batch) -> Answer:
        if not self.done:
            self.done.append(self.happens())
        return super().send(batch)


@pytest.mark.parametrize("fault", ["429 with Retry-After", "done, answer lost", "400 if poisoned"])
def test_who_objects_before_an_attempt_is_not_in_it(people: Warehouse, receiver: Receiver, fault: str) -> None:
    """Nor in a half of a batch: what was withheld is removed, if it may have arrived."""
    set_members(people, range(1, 5))
    receiver.poison, receiver.faults = {1}, [fault]
    made = plan(people, webhook(receiver))
    assert made
    objecting = Meanwhile(receiver.url, SIGNING_KEY, happens=lambda: object_to_marketing(people, 3))
    outcome = apply(people, made.plan, objecting)
    assert outcome.withheld == {3: "objected"} and outcome.accepted == 2
    assert [change["customer_id"] for change in receiver.requests[-1]["changes"] if change["customer_id"] == 3] == []
    (number,) = outcome.removals
    apply(people, number, webhook(receiver))
    assert receiver.held.keys() == held(people) == {2, 4}


def test_who_objects_while_they_are_accepted_is_removed(people: Warehouse, receiver: Receiver) -> None:
    """The request was under way: applying ends with a plan that takes them off."""
    set_members(people, range(1, 5))
    made = plan(people, webhook(receiver))
    assert made
    outcome = apply(
        people, made.plan, Meanwhile(receiver.url, SIGNING_KEY, happens=lambda: object_to_marketing(people, 3))
    )
    assert receiver.held.keys() == {1, 2, 3, 4} and outcome.accepted == 4
    (number,) = outcome.removals
    apply(people, number, webhook(receiver))
    assert receiver.held.keys() == held(people) == {1, 2, 4}


def test_who_objects_after_a_kill_is_removed(people: Warehouse, receiver: Receiver) -> None:
    """No list holds them as far as is known, but the request may have arrived: they are taken off, once."""
    set_members(people, range(1, 5))
    made = plan(people, webhook(receiver))
    assert made
    receiver.faults = ["done, answer lost"] * 6
    with pytest.raises(UnavailableError):
        apply(people, made.plan, webhook(receiver))
    assert receiver.held.keys() == {1, 2, 3, 4} and held(people) == set()
    (number,) = object_to_marketing(people, 3).removals
    apply(people, number, webhook(receiver))
    assert receiver.held.keys() == {1, 2, 4}
    assert plan_removals(people) == []


def test_a_plan_is_of_its_day_and_of_its_audience(people: Warehouse, receiver: Receiver) -> None:
    """It expires, is replaced by a newer one, and is void when the rule changes."""
    set_members(people, range(1, 6))
    first, second = plan(people, webhook(receiver)), plan(people, webhook(receiver))
    assert first and second and first.digest == second.digest
    with pytest.raises(GuardError, match=f"Plan {first.plan} is expired"):
        apply(people, first.plan, webhook(receiver))
    with pytest.raises(GuardError, match="have changed since plan"):
        apply_plan(people, second.plan, webhook(receiver), key=KEY, version="another")
    with people.transaction() as connection:
        connection.execute(sa.text("update activation_plans set made_at = now() - interval '25 hours'"))
    with pytest.raises(GuardError, match="more than 24 hours old"):
        apply(people, second.plan, webhook(receiver))
    assert receiver.requests == []


def test_a_plan_is_for_its_place_alone(people: Warehouse, receiver: Receiver, tmp_path: Path) -> None:
    """What was reviewed for one receiver, account or folder is not sent to another, nor in clear if it was hashed."""
    set_members(people, range(1, 6))
    hashed, clear = Drop(str(tmp_path / "drop"), hashes_emails=True), Drop(str(tmp_path / "drop"))
    here = webhook(receiver)
    for destination, other in ((here, replace(here, url=f"{receiver.url}&other")), (hashed, clear), (clear, hashed)):
        made = plan(people, destination)
        assert made
        with pytest.raises(GuardError, match="made for another account, list, URL or folder"):
            apply(people, made.plan, other)
        assert receiver.requests == [] and not (tmp_path / "drop").exists()
    made = plan(people, here)
    assert made
    receiver.faults = ["401"]
    with pytest.raises(LgsError, match="does not let us in"):
        apply(people, made.plan, here)
    assert plan(people, replace(here, url=f"{receiver.url}&other"))  # that of the former place is given up
    made = plan(people, hashed)
    assert made and "Addresses leave hashed." in summary(made)
    apply(people, made.plan, hashed)
    assert receipts(people)[-1] == (200, "accepted 5, rejected 0, addresses hashed")


@pytest.mark.parametrize("turned", ["back", "forward"])
@pytest.mark.parametrize(("age", "is_applied"), [("23 hours 30 minutes", True), ("24 hours 30 minutes", False)])
def test_a_day_has_24_hours_when_the_clocks_change(
    people: Warehouse, receiver: Receiver, turned: str, age: str, is_applied: bool
) -> None:
    """The night may be an hour longer or shorter where the database is: a plan expires by hours, not by the clock."""
    set_members(people, {1})
    with psycopg.connect(people.url, autocommit=True) as connection:
        # A zone in which the clocks were changed about six hours ago; a day of the year, counted from 0, and an hour.
        (changed, other) = [
            "{}/{}".format(*row)
            for row in connection.execute(
                "select extract(doy from moment)::int - 1, extract(hour from moment)::int "
                "from (values (now() - interval '6 hours'), (now() + interval '100 days')) as given (moment)"
            )
        ]
        summer = f"{changed},{other}" if turned == "forward" else f"{other},{changed}"
        connection.execute(f"alter database {connection.info.dbname} set timezone = 'WIN0SUM,{summer}'".encode())
    made = plan(people, webhook(receiver))
    assert made
    people.engine.dispose()  # its sessions began before
    with people.transaction() as connection:
        assert connection.exec_driver_sql("show timezone").scalar_one() == "UTC"
        connection.exec_driver_sql(f"update activation_plans set made_at = now() - interval '{age}'")
    if is_applied:
        assert apply(people, made.plan, webhook(receiver)).accepted == 1
    else:
        with pytest.raises(GuardError, match="more than 24 hours old"):
            apply(people, made.plan, webhook(receiver))


PASSING = [
    *("429 with Retry-After", "429", "500", "no answer", "done, answer lost"),
    *("hang", "HTML", "invalid JSON", "10 MB", "drip"),
]


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_tried_again(people: Warehouse, receiver: Receiver, fault: str) -> None:
    """After as long as the receiver asks, else after a second, then two; a receipt for each attempt."""
    set_members(people, range(1, 4))
    receiver.faults = [fault, fault]
    made = plan(people, webhook(receiver))
    assert made
    waits: list[float] = []
    assert apply(people, made.plan, webhook(receiver, seconds=0.7), waits=waits) == Outcome(3, {}, {})
    assert receiver.held.keys() == held(people) == {1, 2, 3}
    assert len(receipts(people)) == 3
    if fault == "429 with Retry-After":
        assert waits == [7, 7]
    else:
        assert 0.7 < waits[0] < 1.3 < waits[1] < 2.6


def test_a_receiver_that_is_gone_leaves_the_plan_to_be_finished(people: Warehouse) -> None:
    """After six attempts; what was accepted stays, and the same command goes on from there."""
    set_members(people, range(1, 11))
    with receiving() as gone:
        made = plan(people, webhook(gone, rows=4))
        assert made
        gone.faults = [None, *["500"] * 6]
        with pytest.raises(UnavailableError, match=f"Tried 6 times; .* lgs activate apply {made.plan}"):
            apply(people, made.plan, webhook(gone, rows=4))
        assert held(people) == {1, 2, 3, 4}
        with pytest.raises(LgsError, match=f"Plan {made.plan} of this list is applied in part"):
            plan(people, webhook(gone))
    with pytest.raises(UnavailableError, match="ConnectionRefusedError"):
        apply(people, made.plan, webhook(gone, rows=4))
    with receiving(urlsplit(gone.url).port or 0) as back:
        apply(people, made.plan, webhook(back, rows=4))
    assert held(people) == set(range(1, 11))


def test_a_plan_applied_in_part_is_finished_within_two_days(people: Warehouse, receiver: Receiver) -> None:
    """Not later: who is in the audience, and what is said of them, is then of another day."""
    set_members(people, range(1, 11))
    made = plan(people, webhook(receiver, rows=4))
    assert made
    for age, fault in (("0", "500"), ("47", "500"), ("49", None)):
        receiver.faults = [fault] * 6
        with people.transaction() as connection:
            connection.execute(sa.text(f"update activation_plans set made_at = now() - interval '{age} hours'"))
        with pytest.raises(UnavailableError if fault else GuardError, match="500" if fault else "than 48 hours old"):
            apply(people, made.plan, webhook(receiver, rows=4))
    assert len(receiver.requests) == 12 and held(people) == set()


def test_a_plan_applied_in_part_is_not_finished_by_another_rule(people: Warehouse, receiver: Receiver) -> None:
    """Somebody changed it for a reason. The next plan begins with what may have arrived, and blocks on nothing."""
    set_members(people, range(1, 11))
    made = plan(people, webhook(receiver, rows=4))
    assert made
    receiver.faults = [None, *["done, answer lost"] * 6]
    with pytest.raises(UnavailableError):
        apply(people, made.plan, webhook(receiver, rows=4))
    changed = replace(SOME, fields={})
    with pytest.raises(GuardError, match="What was accepted stays, and nothing more is sent"):
        apply_plan(people, made.plan, webhook(receiver), key=KEY, version=changed.version)
    set_members(people, {1, 2, 9}, version=changed.version)
    again = make_plan(people, changed, webhook(receiver), key=KEY)
    assert again and [each.state for each in plans(people)] == ["planned", "expired"]
    apply_plan(people, again.plan, webhook(receiver), key=KEY, version=changed.version)
    assert receiver.held.keys() == held(people) == {1, 2, 9}


def test_a_plan_is_not_given_up_while_it_is_being_applied(people: Warehouse, receiver: Receiver) -> None:
    """By somebody who began before the rule changed."""
    set_members(people, range(1, 4))
    made = plan(people, webhook(receiver))
    assert made

    class Curious(Webhook):
        def send(self, batch: Batch) -> Answer:
            with pytest.raises(LgsError, match="Another plan is being applied to webhook"):
                make_plan(people, replace(SOME, fields={}), webhook(receiver), key=KEY)
            return super().send(batch)

    assert apply(people, made.plan, Curious(receiver.url, SIGNING_KEY)).accepted == 3


def test_who_may_have_arrived_and_is_withheld_is_added_again(people: Warehouse, tmp_path: Path) -> None:
    """Not updated, which would put nobody on a list: whether they arrived is not known."""
    set_members(people, {1})
    with receiving() as receiver:
        made = plan(people, webhook(receiver))
        assert made
        receiver.faults = ["500"] * 6
        with pytest.raises(UnavailableError):
            apply(people, made.plan, webhook(receiver))
        moved = contacts_file(tmp_path, [line(1, email="moved@example.test")])
        import_contacts(people, moved, key=KEY, reject_limit=0)
        assert apply(people, made.plan, webhook(receiver)).withheld == {1: "the contact has changed"}
        again = plan(people, webhook(receiver))
        assert again and (again.adds, again.updates) == (1, 0)
        apply(people, again.plan, webhook(receiver))
        assert receiver.held.keys() == held(people) == {1}
        assert plan(people, webhook(receiver)) is None


def test_a_plan_that_was_given_up_blocks_no_other(people: Warehouse) -> None:
    """After a day; what may have arrived by it counts as held, and is removed if it is not to be there."""
    set_members(people, range(1, 5))
    with receiving() as receiver:
        made = plan(people, webhook(receiver, rows=2))
        assert made
        receiver.faults = [None, *["done, answer lost"] * 6]
        with pytest.raises(UnavailableError):
            apply(people, made.plan, webhook(receiver, rows=2))
        with people.transaction() as connection:
            connection.execute(sa.text("update activation_plans set made_at = now() - interval '25 hours'"))
        set_members(people, {1, 2})
        sync(people, webhook(receiver))
        assert receiver.held.keys() == held(people) == {1, 2}


@pytest.mark.parametrize(("fault", "reason"), [("401", "Check LGS_WEBHOOK_KEY"), ("redirect", "Check LGS_WEBHOOK_URL")])
def test_where_we_are_not_let_in_nothing_more_is_sent(
    people: Warehouse, receiver: Receiver, fault: str, reason: str
) -> None:
    """No second attempt, no other batch, and no redirect is followed."""
    set_members(people, range(1, 11))
    receiver.faults = [fault]
    made = plan(people, webhook(receiver, rows=2))
    assert made
    with pytest.raises(LgsError, match=reason):
        apply(people, made.plan, webhook(receiver, rows=2))
    assert len(receiver.requests) == 1
    assert held(people) == set() and states(people, made.plan) == {"planned": 10}


def test_what_was_refused_before_it_was_read_never_counts_as_held(people: Warehouse, receiver: Receiver) -> None:
    """However long ago; but what an earlier attempt may have brought there does."""
    set_members(people, range(1, 11))
    receiver.faults = ["500", "401"]
    made = plan(people, webhook(receiver, rows=4))
    assert made
    with pytest.raises(LgsError, match="does not let us in"):
        apply(people, made.plan, webhook(receiver, rows=4))
    assert states(people, made.plan) == {"sending": 4, "planned": 6}
    make_older(people, hours=49)
    again = plan(people, webhook(receiver))
    assert again and again.held_before == 0 and held(people) == {1, 2, 3, 4}


def states(warehouse: Warehouse, number: int) -> Counter[str]:
    return Counter(change["state"] for change in changes_of(warehouse, number))


def make_older(warehouse: Warehouse, *, hours: int) -> None:
    with warehouse.transaction() as connection:
        connection.execute(sa.text(f"update activation_plans set made_at = made_at - interval '{hours} hours'"))


@pytest.mark.parametrize("is_begun", [False, True])
def test_to_plan_a_list_keeps_no_removal_waiting(people: Warehouse, receiver: Receiver, is_begun: bool) -> None:
    """Who objected leaves by the plan that was named to somebody, whatever was planned since; it ends with them."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    (number,) = object_to_marketing(people, 3).removals
    if is_begun:
        receiver.faults = ["500"] * 6
        with pytest.raises(UnavailableError):
            apply(people, number, webhook(receiver))
    ordinary = plan(people, webhook(receiver))
    make_older(people, hours=25)
    assert plan(people, webhook(receiver))
    assert ordinary and apply(people, number, webhook(receiver)).accepted == 1
    assert receiver.held.keys() == held(people) == {1, 2, 4, 5}
    (other,) = object_to_marketing(people, 4).removals
    made = plan(people, webhook(receiver))
    assert made and apply(people, made.plan, webhook(receiver)).accepted == 1
    plan(people, webhook(receiver))
    assert plan_numbered(people, other).state == "expired"


def test_who_has_consented_again_is_not_removed(people: Warehouse, receiver: Receiver, tmp_path: Path) -> None:
    """A plan of those who leave ends without them, and they stay on the list; the others leave."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    declined = [line(3, ok="no"), line(4, ok="no")]
    import_contacts(people, contacts_file(tmp_path, declined), key=KEY, reject_limit=0)
    (number,) = plan_removals(people)
    with people.transaction() as connection, as_activator(cursor := driver_cursor(connection)):
        cursor.execute("update lgs_private.contacts set imported_at = imported_at - interval '2 days'")
    consented = line(3, basis_at=f"{datetime.now(UTC):%Y-%m-%d}")
    import_contacts(people, contacts_file(tmp_path, [consented]), key=KEY, reject_limit=0)
    assert apply(people, number, webhook(receiver)) == Outcome(1, {}, {3: "need not leave any more"})
    assert receiver.held.keys() == held(people) == {1, 2, 3, 5} and plan(people, webhook(receiver)) is None


def test_a_removal_is_not_made_twice(people: Warehouse, receiver: Receiver) -> None:
    """Another plan did it: whoever is on the list by now was put there by somebody else."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    set_members(people, range(2, 6))
    made = plan(people, webhook(receiver))
    (number,) = forget_contact(people, 1).removals
    apply(people, number, webhook(receiver))
    requests = len(receiver.requests)
    assert made and apply(people, made.plan, webhook(receiver)).withheld == {1: "not on the list any more"}
    assert len(receiver.requests) == requests


def test_a_list_that_has_begun_can_be_stopped(people: Warehouse, receiver: Receiver) -> None:
    """Nothing more of it is sent; what may have arrived is removed where it must be, and else counts as held."""
    set_members(people, range(1, 11))
    made = plan(people, webhook(receiver, rows=4))
    assert made
    receiver.faults = [None, *["done, answer lost"] * 6]
    with pytest.raises(UnavailableError):
        apply(people, made.plan, webhook(receiver, rows=4))
    (removal,) = object_to_marketing(people, 6).removals
    assert cancel_plan(people, made.plan) == (4, 4, [removal])
    with pytest.raises(GuardError, match="is expired"):
        apply(people, made.plan, webhook(receiver))
    with pytest.raises(GuardError, match="there is nothing to cancel"):
        cancel_plan(people, made.plan)
    with pytest.raises(GuardError, match="those who must leave"):
        cancel_plan(people, removal)
    apply(people, removal, webhook(receiver))
    assert receiver.held.keys() == held(people) == {1, 2, 3, 4, 5, 7, 8}
    again = plan(people, webhook(receiver))
    assert again and (again.adds, again.held_before) == (5, 4)
    assert cancel_plan(people, again.plan) == (0, 0, [])


def test_a_plan_is_not_cancelled_while_it_is_being_applied(people: Warehouse, receiver: Receiver) -> None:
    """Whoever applies it is to be stopped first."""
    set_members(people, range(1, 4))
    made = plan(people, webhook(receiver))
    assert made

    class Hasty(Webhook):
        def send(self, batch: Batch) -> Answer:
            with pytest.raises(LgsError, match="Another plan is being applied to webhook"):
                cancel_plan(people, batch.plan)
            return super().send(batch)

    assert apply(people, made.plan, Hasty(receiver.url, SIGNING_KEY)).accepted == 3


def test_a_plan_begins_only_when_no_other_of_its_destination_is_being_made(
    people: Warehouse, receiver: Receiver
) -> None:
    """Else two plans of one list would live: the other was made before this one had begun."""
    set_members(people, range(1, 4))
    made = plan(people, webhook(receiver))
    assert made
    with ThreadPoolExecutor() as threads:
        with people.transaction() as connection:
            lock_planning(driver_cursor(connection), "webhook")
            applying = threads.submit(apply, people, made.plan, webhook(receiver))
            with pytest.raises(TimeoutError):
                applying.result(timeout=1)
            assert receiver.requests == [] and plan_numbered(people, made.plan).state == "planned"
        assert applying.result(timeout=30).accepted == 3


def test_a_plan_tells_who_decided_what(people: Warehouse, receiver: Receiver) -> None:
    """What it was allowed beyond its guards, who made it, and who began to apply it."""
    set_members(people, range(1, 41))
    sync(people, webhook(receiver))
    set_members(people, range(1, 11))
    made = plan(people, webhook(receiver), removals=30)
    assert made and made.allowed == {"removals": 30} and made.applied_by is None
    apply(people, made.plan, webhook(receiver))
    done = plan_numbered(people, made.plan)
    assert done.made_by == done.applied_by and str(done.applied_by).startswith(f"{account()} as ")
    assert done.applied_at and done.applied_at >= done.made_at
    assert "Allowed: removals 30. Applied by" in decisions(done)


def test_a_ledger_that_was_changed_is_not_sent(people: Warehouse, receiver: Receiver) -> None:
    """A removal has nothing else that would tell it from one that somebody reviewed."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    set_members(people, range(2, 6))
    made = plan(people, webhook(receiver))
    assert made
    with people.transaction() as connection:
        connection.execute(
            sa.text(
                "insert into activation_changes (plan, customer_id, operation, cause, fields, payload, batch, state) "
                "select plan, 2, operation, cause, fields, payload, batch, state from activation_changes "
                "where plan = :plan"
            ),
            {"plan": made.plan},
        )
    with pytest.raises(GuardError, match="are not those that were planned"):
        apply(people, made.plan, webhook(receiver))
    assert receiver.held.keys() == {1, 2, 3, 4, 5}


def test_rejected_rows_are_kept_aside_and_not_sent_again(people: Warehouse, receiver: Receiver) -> None:
    """Until their fields or their contact change; what the receiver says of them is told without the address."""
    set_members(people, range(1, 6))
    receiver.poison = {3}
    receiver.faults = ["207"]
    outcome = sync(people, webhook(receiver))
    assert outcome == Outcome(4, {3: "mailbox … is full"}, {})
    assert plan(people, webhook(receiver)) is None
    receiver.poison = set()
    set_members(people, range(1, 6), spent=2)
    sync(people, webhook(receiver))
    assert receiver.held.keys() == {1, 2, 3, 4, 5}


def test_whose_update_is_rejected_stays_as_they_are(people: Warehouse, receiver: Receiver) -> None:
    """They are members still: it would be wrong to remove them, and useless to send the same again."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    receiver.poison = {3}
    set_members(people, range(1, 6), spent=2)
    assert sync(people, webhook(receiver)) == Outcome(4, {3: "mailbox … is full"}, {})
    assert plan(people, webhook(receiver)) is None
    assert receiver.held[3]["spent"] == 1 and held(people) == {1, 2, 3, 4, 5}


def test_whose_other_address_is_rejected_leaves_by_the_next_plan(
    people: Warehouse, receiver: Receiver, tmp_path: Path
) -> None:
    """The receiver has the former one, which may be a stranger's: it is not theirs any more, whatever was rejected."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    receiver.poison = {2, 3}
    import_contacts(people, contacts_file(tmp_path, [line(3, email="a@b.test")]), key=KEY, reject_limit=0)
    set_members(people, range(1, 6), spent=2)
    outcome = sync(people, webhook(receiver))
    assert outcome and outcome.rejected.keys() == {2, 3}
    receiver.poison = set()
    made = plan(people, webhook(receiver))
    assert made and [(each["customer_id"], each["cause"]) for each in changes_of(people, made.plan)] == [
        (3, "another address by now, which was rejected")
    ]
    apply(people, made.plan, webhook(receiver))
    assert receiver.held.keys() == held(people) == {1, 2, 4, 5}
    assert plan(people, webhook(receiver)) is None


def test_a_poisoned_row_in_a_thousand_is_found_by_halving(
    warehouse: Warehouse, receiver: Receiver, tmp_path: Path
) -> None:
    """A receiver that refuses the whole batch for one row: that one is rejected, and the others arrive."""
    make_customers(warehouse, 1000)
    import_contacts(warehouse, contacts_file(tmp_path, map(line, range(1, 1001))), key=KEY, reject_limit=0)
    set_members(warehouse, range(1, 1001))
    receiver.poison, receiver.faults = {613}, ["400 if poisoned"]
    outcome = sync(warehouse, webhook(receiver, rows=1000, seconds=10))
    assert outcome and outcome.accepted == 999 and list(outcome.rejected) == [613]
    assert CANARY not in outcome.rejected[613]
    assert receiver.held.keys() == set(range(1, 1001)) - {613}
    assert len(receiver.requests) <= 21  # the whole, and two halves ten times


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(1, 41)))
def test_the_order_of_rows_makes_no_difference(people: Warehouse, order: list[int]) -> None:
    """The same members give the same plan, change by change."""
    plans_made = []
    for members in (range(1, 41), order):
        set_members(people, members)
        made = plan(people, Memory(0))
        assert made
        plans_made.append((made.digest, changes_of(people, made.plan)))
    assert plans_made[0] == plans_made[1]


def test_a_restart_of_postgresql_between_batches_loses_nothing(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the command gets over it or has to be run again."""
    server = EmbeddedServer(tmp_path / "lgs" / "postgres")
    people = Warehouse(server.url)
    make_customers(people)
    import_contacts(people, contacts_file(tmp_path, map(line, range(1, 41))), key=KEY, reject_limit=0)
    set_members(people, range(1, 13))
    made = plan(people, webhook(receiver, rows=4))
    assert made

    class Restarting(Webhook):
        def send(self, batch: Batch) -> Answer:
            answer = super().send(batch)
            if batch.number == 2:
                server.stop()
            return answer

    for _ in range(3):
        try:
            apply(people, made.plan, Restarting(receiver.url, SIGNING_KEY, 4))
        except (ServerError, TakenError, sa.exc.OperationalError):
            continue
        break
    assert plans(people)[0].state == "applied"
    assert receiver.held.keys() == held(people) == set(range(1, 13))
    people.engine.dispose()


def test_plans_are_made_every_night_and_none_is_applied(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the destinations that an audience names, whatever is wrong with another's; by a schedule of its own."""
    set_members(people, range(1, 4))
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    nightly = replace(SOME, destinations=("webhook",))
    broken = replace(SOME, name="another", destinations=("nowhere",))
    monkeypatch.setattr("lgs_assets.action.nightly.read_audiences", lambda: [broken, nightly, SOME])
    definitions = build_definitions(Configuration.read())
    assert definitions.resolve_schedule_def("nightly_plans").job_name == "plan_lists"
    with dagster_instance(Configuration.read()) as instance:
        run = definitions.resolve_job_def("plan_lists").execute_in_process(instance=instance, raise_on_error=False)
    assert not run.success
    assert [(each.audience, each.adds, each.state) for each in plans(people)] == [("some", 3, "planned")]
    assert receiver.requests == []


def test_two_cannot_apply_to_a_destination_at_once(people: Warehouse, receiver: Receiver) -> None:
    """The second is told so, and sends nothing."""
    set_members(people, range(1, 4))
    made = plan(people, webhook(receiver))
    assert made

    class Curious(Webhook):
        def send(self, batch: Batch) -> Answer:
            with pytest.raises(LgsError, match="Another plan is being applied to webhook"):
                apply(people, batch.plan, webhook(receiver))
            return super().send(batch)

    apply(people, made.plan, Curious(receiver.url, SIGNING_KEY))
    assert len(receiver.requests) == 1


def test_a_destination_is_free_as_soon_as_it_is_let_go(people: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night holds it several times in a row, and PostgreSQL takes a moment to end a session and its locks."""
    ending: list[sa.Connection] = []
    monkeypatch.setattr(sa.Connection, "invalidate", lambda connection: ending.append(connection))
    monkeypatch.setattr(sa.Connection, "close", lambda _: None)
    with alone(people, "webhook"):
        pass
    monkeypatch.undo()
    with alone(Warehouse(people.url), "webhook"):
        assert len(ending) == 1
    ending[0].close()


def test_a_lost_hold_on_a_destination_stops_applying(people: Warehouse, receiver: Receiver) -> None:
    """A restart of the server takes it: somebody else may apply by then. The same command goes on."""
    set_members(people, range(1, 5))
    made = plan(people, webhook(receiver, rows=2))
    assert made

    def end_the_session() -> None:
        with psycopg.connect(people.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_locks "
                "where locktype = 'advisory' and database = (select oid from pg_database where datname = %s)",
                [connection.info.dbname],
            )

    with pytest.raises(TakenError, match="The lock on webhook was lost"):
        apply(people, made.plan, Meanwhile(receiver.url, SIGNING_KEY, 2, happens=end_the_session))
    assert len(receiver.requests) == 1 and held(people) == {1, 2}
    assert apply(people, made.plan, webhook(receiver, rows=2)) == Outcome(4, {}, {})


def test_a_run_waits_its_turn_at_a_destination(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster starts it again, a moment later, where another plan is being applied."""
    set_members(people, range(1, 4))
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    monkeypatch.setattr("lgs_assets.wiring.activation._SECONDS_BETWEEN_TURNS", 0)
    made = plan(people, webhook(receiver))
    assert made
    config = {"ops": {"send_plan": {"config": {"plan": made.plan}}}}
    waited: list[str] = []
    with dagster_instance(Configuration.read()) as instance, ExitStack() as taken:
        taken.enter_context(alone(people, "webhook"))

        def passing(name: str) -> str:
            if waited:
                taken.close()
            waited.append(name)
            return SOME.version

        monkeypatch.setattr("lgs_assets.wiring.activation.version_now", passing)
        job = build_definitions(Configuration.read()).resolve_job_def("apply_plan")
        assert job.execute_in_process(instance=instance, run_config=config).success
    assert len(waited) == 2 and receiver.held.keys() == {1, 2, 3}


def test_a_run_does_not_wait_for_ever(people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails with the reason, after a few minutes: meanwhile other runs want its place."""
    assert activation._TURNS * activation._SECONDS_BETWEEN_TURNS <= 300
    set_members(people, range(1, 4))
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    monkeypatch.setattr(activation, "_TURNS", 1)
    monkeypatch.setattr(activation, "_SECONDS_BETWEEN_TURNS", 0)
    monkeypatch.setattr(activation, "version_now", lambda _: SOME.version)
    made = plan(people, webhook(receiver))
    assert made
    config = {"ops": {"send_plan": {"config": {"plan": made.plan}}}}
    with dagster_instance(Configuration.read()) as instance, alone(people, "webhook"):
        job = build_definitions(Configuration.read()).resolve_job_def("apply_plan")
        run = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
    (failure,) = [event for event in run.all_node_events if event.is_step_failure]
    assert "Another plan is being applied to webhook" in str(failure.event_specific_data)
    assert receiver.requests == []


class Memory(Destination):
    """A destination that holds customers in memory, and fails by chance."""

    name = "memory"
    batch_rows = 3
    place = "here"

    def __init__(self, seed: int) -> None:
        self.held: dict[int, str | None] = {}
        self.chance = random.Random(seed)

    def send(self, batch: Batch) -> Answer:
        if self.chance.random() < 0.2:
            raise BusyError("busy", status=503)
        for change in batch.changes:
            if change.operation == "remove":
                self.held.pop(change.customer_id, None)
            else:
                self.held[change.customer_id] = change.email
        if self.chance.random() < 0.2:
            raise BusyError("done, but nobody knows", status=502)
        return Answer(200)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sets(st.integers(1, 40), max_size=40), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_after_apply_there_is_nothing_to_plan(people: Warehouse, steps: list[set[int]], seed: int) -> None:
    """Whatever the members were before and are now: the destination holds just them, and so does the ledger."""
    with people.transaction() as connection:
        connection.execute(sa.text("truncate destination_members, activation_plans, activation_changes"))
    destination = Memory(seed)
    for members in steps:
        set_members(people, members)
        before = held(people)
        made = plan(people, destination, removals=len(before - members), adds=len(members - before))
        if made:
            assert made.refusal is None
            while plans(people)[0].state != "applied":
                with suppress(UnavailableError):  # six failures in a row happen by chance, too
                    apply(people, made.plan, destination)
        assert destination.held == {customer: address(customer) for customer in members}
        assert held(people) == members
        assert plan(people, destination) is None


@pytest.mark.parametrize(
    "statement", ["update activation_receipts set status = 200", "delete from activation_receipts"]
)
def test_receipts_are_only_ever_added_to(people: Warehouse, statement: str) -> None:
    """Not even the platform itself may change one."""
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), people.transaction() as connection:
        connection.execute(sa.text(statement))


def test_a_forgotten_customer_is_removed_where_they_are_held(people: Warehouse, receiver: Receiver) -> None:
    """By a plan of their own, which a guard does not stop; it tells the receiver nothing but whom."""
    set_members(people, range(1, 4))
    sync(people, webhook(receiver))
    (number,) = forget_contact(people, 2).removals
    apply(people, number, webhook(receiver))
    assert receiver.held.keys() == held(people) == {1, 3}
    assert receiver.requests[-1]["changes"] == [{"operation": "remove", "customer_id": 2, "email": None, "fields": {}}]


def test_a_plan_is_applied_by_a_run(people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was applied fails with the reason. No address is in Dagster's storage."""
    set_members(people, range(1, 4))
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    monkeypatch.setattr("lgs_assets.wiring.activation.version_now", lambda _: SOME.version)
    receiver.poison = {3}
    made = plan(people, webhook(receiver))
    assert made
    config = {"ops": {"send_plan": {"config": {"plan": made.plan}}}}
    with dagster_instance(Configuration.read()) as instance:
        job = build_definitions(Configuration.read()).resolve_job_def("apply_plan")
        assert job.execute_in_process(instance=instance, run_config=config).success
        again = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        assert not again.success
    assert receiver.held.keys() == {1, 2}
    stored = b"".join(path.read_bytes() for path in Configuration.read().state.rglob("*") if path.is_file())
    assert f"Plan {made.plan} was applied at".encode() in stored
    assert CANARY.encode() not in stored and KEY.encode() not in stored and SIGNING_KEY.encode() not in stored


@pytest.mark.parametrize(
    "text",
    [
        *("mailbox a@b.test full", "a%40b.test", r"a\u0040b.test", "x <a@b.test>", "a&#64;b.test", "jane.doe @ b.test"),
        *("jane.doe\uff20b.test", "jane.doe&#064;b.test", "jane.doe (at) b.test", "jane.doe%2540b.test"),
        *("jane.doe=40b.test", "jane.doe at b.test", "jane.doe&amp;#64;b.test", "jane.doe @", "jane.doe\n@\nb.test"),
        *("jane.doe at b dot test", "jane.doe at b (dot) test", "jane.doe at b.test"),
        *(r"\u006aane.doe\u0040b\u002Etest", r"jane.doe\u0020\u0040 b.test", r"jane.doe\uff20b.test"),
    ],
)
def test_what_a_receiver_says_is_kept_without_addresses(text: str) -> None:
    """It may quote what it was sent."""
    assert "b.test" not in redacted(text) and "jane.doe" not in redacted(text)


@pytest.mark.parametrize("number", ["+44 7700 900123", "07700 900123", "+44 (0)20 7946 0958", "0161-496-0000"])
def test_what_a_receiver_says_is_kept_without_telephone_numbers(number: str) -> None:
    """But with the numbers of its own records, and with dates."""
    assert redacted(f"of {number}, not record 4500123456 of 2026-03-01") == "of …, not record 4500123456 of 2026-03-01"


FORMS = [
    "{0}",
    "<{0}>",
    "mailto:{0}",
    "{1} at {2}",
    "{1}%40{2}",
    "{1}&#64;{2}",
    "{1} (at) {2}",
    "'{1}'",
    "user={1};",
    "{1}",
    r"refused\n{1}\n",
]
LOCALS = st.from_regex(r"[a-z0-9][a-z0-9.!#$%&'+*/=?^_`{|}~-]{0,20}", fullmatch=True)
AROUND = st.text(max_size=120)


@settings(max_examples=300, deadline=None)
@given(AROUND, st.sampled_from(FORMS), LOCALS, AROUND, st.sampled_from(' ,;:\n"()'), st.booleans())
def test_no_address_that_was_sent_survives(
    before: str, form: str, local: str, after: str, gap: str, loud: bool
) -> None:
    """However it is quoted, and wherever the text is cut: neither as a whole nor what precedes its sign."""
    email = f"{local}@example.test"
    quoted = form.format(email, local, "example.test")
    text = f"{before}{gap}{quoted.upper() if loud else quoted}{gap}{after}"
    told = without(redacted(text), [email]).lower()
    given_away = rf"(?:(?<![^\W_])|(?<=\\[bfnrt])){re.escape(local)}(?![^\W_])"
    assert email not in told and not re.search(given_away, told)
    assert len(told) <= 200


@pytest.mark.parametrize("escape", ["\\\\", "\\u005c"])
@pytest.mark.parametrize("nested", [1, 2, 3])
@pytest.mark.parametrize("escaped", [".+", "+janedo."])
def test_an_address_that_json_escapes_does_not_survive(escaped: str, nested: int, escape: str) -> None:
    """Some signs or every letter, also in a text that was made JSON more than once, whichever way that is written."""
    email = "jane.doe+gifts@example.test"
    for quoted in (email, "jane.doe+gifts"):
        text = "".join(f"\\u{ord(letter):04x}" if letter in escaped else letter for letter in quoted)
        for _ in range(nested - 1):
            text = text.replace("\\", escape)
        assert without(redacted(f"refused: {text} twice"), [email]) == "refused: … twice"


@pytest.mark.parametrize("text", ["no information about the list", "annual planning of the manner", "reinfo infos"])
def test_a_word_that_merely_has_a_name_in_it_stays(text: str) -> None:
    """What a tool says must remain readable: the names of info@ and ann@ are words of their own."""
    emails = ["info@example.test", "ann@example.test"]
    assert without(text, emails) == text
    assert without(f"{text} of Info, ann's 'info'", emails) == f"{text} of … … …"


def test_nothing_of_an_address_that_was_sent_comes_back(people: Warehouse, receiver: Receiver) -> None:
    """Neither what precedes the sign nor a hash of the address, by which anybody who has it would know it."""
    set_members(people, {1})
    email = address(1)
    said = f"user {CANARY}1, also {CANARY}1: {md5(email.encode()).hexdigest()} {sha256(email.encode()).hexdigest()}"

    class Quoting(Webhook):
        def send(self, batch: Batch) -> Answer:
            return Answer(200, {1: said})

    outcome = sync(people, Quoting(receiver.url, SIGNING_KEY))
    assert outcome == Outcome(0, {1: "user … also … … …"}, {})


def test_an_update_without_an_answer_is_made_again(people: Warehouse, receiver: Receiver) -> None:
    """Even if what is wished by then is what was confirmed before: the receiver may have the other."""
    set_members(people, {1, 2})
    sync(people, webhook(receiver))
    set_members(people, {1, 2}, spent=2)
    made = plan(people, webhook(receiver))
    assert made
    receiver.faults = ["done, answer lost"] * 6
    with pytest.raises(UnavailableError):
        apply(people, made.plan, webhook(receiver))
    with people.transaction() as connection:
        connection.execute(sa.text("update activation_plans set made_at = now() - interval '25 hours'"))
    set_members(people, {1, 2})
    again = plan(people, webhook(receiver))
    assert again and (again.adds, again.updates) == (0, 2)
    apply(people, again.plan, webhook(receiver))
    assert {each["spent"] for each in receiver.held.values()} == {1}
    assert plan(people, webhook(receiver)) is None


@pytest.mark.parametrize(("fault", "reason"), [("410", "answered 410"), ("400", "400 to each of 11 rows")])
def test_a_receiver_that_refuses_everything_has_rejected_nobody(
    people: Warehouse, receiver: Receiver, fault: str, reason: str
) -> None:
    """It is out of order: once it is not, the same plan goes on."""
    set_members(people, range(1, 12))
    made = plan(people, webhook(receiver))
    assert made
    receiver.faults = [fault] * 99
    with pytest.raises(LgsError, match=reason):
        apply(people, made.plan, webhook(receiver))
    receiver.faults = []
    assert apply(people, made.plan, webhook(receiver)) == Outcome(11, {}, {})


def test_who_was_accepted_since_is_rejected_no_more(people: Warehouse, receiver: Receiver) -> None:
    """The latest answer counts: to leave and to return makes nobody unwelcome."""
    set_members(people, range(1, 4))
    receiver.poison = {3}
    sync(people, webhook(receiver))
    receiver.poison = set()
    again = make_plan(people, SOME, webhook(receiver), key=KEY, retry=True)
    assert again and apply(people, again.plan, webhook(receiver)) == Outcome(1, {}, {})
    set_members(people, {1, 2})
    sync(people, webhook(receiver))
    set_members(people, {1, 2, 3})
    assert sync(people, webhook(receiver)) == Outcome(1, {}, {})


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)


def test_the_command_plans_shows_and_applies(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a person does it; no address and no key is shown, or left in a table outside lgs_private."""
    champions = audience_named("first_to_see")
    with people.transaction() as connection:
        connection.execute(
            sa.text(
                "insert into audience_members select 'first_to_see', customer_id, :version, "
                "jsonb_build_object('lgs_segment', segment) from audience_facts where segment = 'Champions'"
            ),
            {"version": champions.version},
        )
    assert lgs("activate", "plan", "first_to_see", "webhook").exit_code == 2
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    planned = lgs("activate", "plan", "first_to_see", "webhook")
    assert planned.exit_code == 0, planned.output
    assert "Plan 1: + 20, ~ 0, - 0" in planned.output and "lgs activate apply 1" in planned.output
    shown = lgs("activate", "show", "1")
    assert "entered the audience" in shown.output and "lgs_segment Champions" in shown.output
    applied = lgs("activate", "apply", "1")
    assert applied.exit_code == 0 and "20 changes accepted" in applied.output, applied.output
    again = lgs("activate", "apply", "1")
    assert again.exit_code == 4 and "Nothing is sent" in again.stderr
    forgotten = lgs("forget-customer", "1", "--yes")
    assert "lgs activate apply 2" in forgotten.output
    with people.transaction() as connection:  # as another plan leaves it that has removed them
        connection.execute(sa.text("delete from destination_members where customer_id = 1"))
    already = lgs("activate", "apply", "2")
    assert already.exit_code == 0 and "Already off the list: 1." in already.output, already.output
    assert len(receiver.held) == 20
    listed = lgs("activate", "list")
    said = "".join(each.output for each in (planned, shown, applied, again, forgotten, listed, lgs("config")))
    assert CANARY not in said and SIGNING_KEY not in said and "of-the-receiver" not in said
    assert CANARY not in tables_outside(people.url)
    assert lgs("activate", "plan", "first_to_see", "nowhere").exit_code == 2
    object_to_marketing(people, 3)
    cancelled = lgs("activate", "cancel", str(plans(people)[0].plan))
    assert cancelled.exit_code == 4 and "those who must leave" in cancelled.stderr
    assert lgs("activate", "apply", str(plans(people)[0].plan)).exit_code == 0
    with people.transaction() as connection:
        connection.execute(
            sa.text("insert into audience_members values (:name, 3, :version, '{}')"),
            {"name": "first_to_see", "version": champions.version},
        )
    nothing = lgs("activate", "plan", "first_to_see", "webhook")
    assert "Nothing to do. Left out: objected 1." in nothing.output
