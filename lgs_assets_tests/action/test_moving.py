"""A destination that becomes another place: nothing is sent there unseen, and nobody is forgotten at the former one."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lgs_assets import places
from lgs_assets.action.audiences import removed_audiences
from lgs_assets.action.contacts import forget_contact, object_to_marketing
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.action.forgetting import forget
from lgs_assets.action.lists.applying import apply_plan
from lgs_assets.action.lists.drift import check_drift, strays
from lgs_assets.action.lists.moving import PlaceIs, left_behind, note_emptied
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.lists.plans import Plan, plan_numbered
from lgs_assets.action.nightly import sync_list
from lgs_assets.command.cli import app
from lgs_assets.errors import UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets_tests.action.lists import SOME, apply, held, plan, set_members, sync
from lgs_assets_tests.action.people import CANARY, KEY, address
from lgs_assets_tests.action.receiver import SIGNING_KEY, Receiver, receiving
from lgs_assets_tests.action.test_forgetting import plan_lists
from lgs_assets_tests.action.tools import HubSpotTool, Tool, serving


@pytest.fixture
def former() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def present() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def webhook(receiver: Receiver) -> Webhook:
    return Webhook(receiver.url, SIGNING_KEY, 500, 1)


def settled(warehouse: Warehouse, receiver: Receiver, place_is: PlaceIs) -> Plan | None:
    return make_plan(warehouse, SOME, webhook(receiver), key=KEY, place_is=place_is)


def test_a_list_goes_to_another_place_only_when_somebody_says_what_that_is(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """Whether a new URL leads to the same list cannot be known here."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    made = plan(people, webhook(present))
    assert made and made.state == "refused" and made.refusal
    assert made.refusal.startswith("10 customers of this list were sent to another place than webhook is now")
    assert plan(people, webhook(former)) is None, "at the former one all is as it was"


def test_a_new_place_is_planned_afresh_and_the_former_is_told(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """Everybody is added, under the guard of a first list; whoever is removed later is not taken for gone there."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    made = settled(people, present, "new")
    assert made and (made.adds, made.held_before, made.state) == (10, 0, "planned")
    apply(people, made.plan, webhook(present))
    assert present.held.keys() == held(people) == set(range(1, 11))
    (removal,) = object_to_marketing(people, 7).removals
    apply(people, removal, webhook(present))
    assert present.held.keys() == held(people) == set(range(1, 11)) - {7} and 7 in former.held
    (told,) = left_behind(people, destination="webhook", audience="some")
    assert told.startswith("some: 10 customers left behind at a former place of webhook, on 20")
    assert plan(people, webhook(present)) is None


def test_the_same_list_under_another_key_goes_on(people: Warehouse, former: Receiver, present: Receiver) -> None:
    """Nothing is sent twice; who objected in between was removed, and is not told as left behind any more."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    (removal,) = object_to_marketing(people, 7).removals
    apply(people, removal, webhook(present))
    assert left_behind(people, customer_id=7)
    set_members(people, range(1, 12))
    made = settled(people, present, "same")
    assert made and (made.adds, made.updates, made.removes, made.held_before) == (1, 0, 0, 9)
    assert left_behind(people) == []


def test_who_objects_before_anybody_has_said_so_is_removed_at_once(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """Where the destination is now, which may be the same list; that the former may still hold them is told."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    present.held = dict(former.held)
    (removal,) = object_to_marketing(people, 7).removals
    assert apply(people, removal, webhook(present)).accepted == 1
    assert 7 not in present.held and 7 not in held(people)
    (told,) = left_behind(people, customer_id=7)
    assert "1 customer left behind" in told and told.endswith("take 7 off it by hand")


def test_a_removal_takes_no_address_to_a_new_folder(people: Warehouse, tmp_path: Path) -> None:
    """It needs nobody's eyes, so the list that a drop writes along holds only whom that folder was sent."""
    before, after = Drop(str(tmp_path / "before")), Drop(str(tmp_path / "after"))
    set_members(people, range(1, 11))
    sync(people, before)
    (removal,) = object_to_marketing(people, 7).removals
    apply(people, removal, after)
    written = "".join(file.read_text() for file in (tmp_path / "after").iterdir())
    assert "remove,7," in written and CANARY not in written
    assert address(1) in (tmp_path / "before" / "some-plan-1-list.csv").read_text()


def test_whom_a_tool_rejected_is_asked_for_at_a_new_place(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """Another account may well have them."""
    set_members(people, range(1, 4))
    former.poison = {3}
    sync(people, webhook(former))
    made = settled(people, present, "new")
    assert made and (made.adds, made.left_out) == (3, {})


def test_what_another_account_holds_is_not_looked_for(people: Warehouse, tool: Tool) -> None:
    """Its names for people may be other people's here."""
    set_members(people, range(1, 11))
    sync(people, tool.destination())
    with people.transaction() as connection:
        connection.execute(sa.text("update destination_members set place = 'another' where customer_id > 4"))
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    assert drift and (drift.held, drift.not_ours, drift.missing, drift.elsewhere) == (4, 6, [], 6)
    assert str(drift).endswith(" 6 customers sent to another place: not looked for.")


def test_commands_tell_whom_a_former_place_holds(
    people: Warehouse, former: Receiver, present: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is left, and when one of them objects or is to be forgotten: then somebody must look there."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    monkeypatch.setattr("lgs_assets.action.audiences.planned_audience", lambda *_: SOME)
    monkeypatch.setenv("LGS_DATABASE_URL", people.url)
    monkeypatch.setenv("LGS_WEBHOOK_URL", present.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    refused = CliRunner().invoke(app, ["activate", "plan", "some", "webhook"])
    assert refused.exit_code == 4 and "--place new" in refused.output
    moved = CliRunner().invoke(app, ["activate", "plan", "some", "webhook", "--place", "new"])
    assert moved.exit_code == 0 and "10 customers left behind at a former place of webhook" in moved.output
    assert "take 5 off it by hand" in CliRunner().invoke(app, ["contacts", "object", "5"]).output
    forgotten = CliRunner().invoke(app, ["forget-customer", "6", "--yes"])
    assert forgotten.exit_code == 3 and "take 6 off it by hand" in forgotten.output


def test_a_warehouse_of_before_knows_the_places_of_its_plans(people: Warehouse, former: Receiver) -> None:
    """Whom an older plan was for, whose place is not known, counts as held at the present one."""
    set_members(people, range(1, 4))
    sync(people, webhook(former))
    steps = ("0020_lists_left_behind", "0022_what_was_left_behind")
    with people.transaction() as connection:
        connection.execute(sa.text("alter table destination_members drop column place; drop table left_behind"))
        connection.execute(sa.text("update destination_members set plan = 0 where customer_id = 3"))
        for step in steps:
            execute_script(driver_cursor(connection), (places.SQL / "migrations" / f"{step}.sql").read_text())
    assert [row.place is None for row in people.rows("select * from destination_members order by customer_id")] == [
        False, False, True,
    ]  # fmt: skip
    assert plan(people, webhook(former)) is None
    assert plan(people, replace(webhook(former), url=f"{former.url}&other"))


def test_a_removal_of_before_is_applied_where_the_destination_is(people: Warehouse, former: Receiver) -> None:
    """A plan by which customers leave has no place of its own."""
    set_members(people, range(1, 4))
    sync(people, webhook(former))
    (removal,) = object_to_marketing(people, 2).removals
    assert apply_plan(people, removal, webhook(former), key=KEY).accepted == 1
    assert left_behind(people) == [] and former.held.keys() == {1, 3}


def test_a_list_that_is_the_present_one_again_goes_on(people: Warehouse, former: Receiver, present: Receiver) -> None:
    """As when --place new was a mistake: who was left behind there is held again, and who objected leaves it."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    settled(people, present, "new")
    object_to_marketing(people, 7)
    sync(people, webhook(former))
    assert former.held.keys() == held(people) == set(range(1, 11)) - {7}
    assert left_behind(people) == [] and plan(people, webhook(former)) is None


def test_who_was_removed_at_a_wrong_place_is_removed_at_the_right_one(
    people: Warehouse, former: Receiver, present: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night at another URL, which takes any removal, does not keep the objector on the list for good."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    (removal,) = object_to_marketing(people, 7).removals
    apply(people, removal, webhook(present))
    assert 7 in former.held and 7 not in held(people)
    assert plan_lists(monkeypatch, webhook(former)).success
    assert former.held.keys() == held(people) == set(range(1, 11)) - {7} and left_behind(people) == []


def test_both_lists_are_known_when_the_former_place_is_back(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """The ledger follows the place: what the other one holds meanwhile is left behind there."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    made = settled(people, present, "new")
    assert made
    apply(people, made.plan, webhook(present))
    sync(people, webhook(former))
    assert held(people) == former.held.keys() == set(range(1, 11))
    with receiving() as third:
        third.held = dict(former.held)
        made = settled(people, third, "same")
    assert made is None
    (told,) = left_behind(people)
    assert told.startswith("some: 10 customers left behind"), "those at the second place, which was left for good"


def test_who_was_sent_before_places_were_known_is_left_behind_too(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """At a place that has no name: it is told, and is never the present one again."""
    set_members(people, range(1, 4))
    sync(people, webhook(former))
    with people.transaction() as connection:
        connection.execute(sa.text("update destination_members set place = null"))
        connection.execute(sa.text("update activation_plans set place = null"))
    made = settled(people, present, "new")
    assert made and (made.adds, made.held_before) == (3, 0)
    assert left_behind(people)[0].startswith("some: 3 customers left behind")


def test_the_first_plan_says_where_those_of_before_are(people: Warehouse, former: Receiver, present: Receiver) -> None:
    """Where the destination is then: another place after that is another, for them as for everybody."""
    set_members(people, range(1, 4))
    sync(people, webhook(former))
    with people.transaction() as connection:
        connection.execute(sa.text("update destination_members set place = null"))
    assert plan(people, webhook(former)) is None
    made = plan(people, webhook(present))
    assert made and made.refusal and made.refusal.startswith("3 customers of this list were sent to another place")


def test_another_form_of_the_addresses_is_sent_to_the_same_list(people: Warehouse, tmp_path: Path) -> None:
    """A list of hashes under --place same: everybody in it is told again, in the new form."""
    clear = Drop(str(tmp_path))
    set_members(people, {1, 2})
    sync(people, clear)
    made = make_plan(people, SOME, replace(clear, hashes_emails=True), key=KEY, place_is="same")
    assert made and (made.adds, made.updates, made.removes) == (0, 2, 0)


def test_the_night_gives_up_what_was_begun_at_another_place(
    people: Warehouse, former: Receiver, present: Receiver
) -> None:
    """It can never be finished there, and must not fail every night."""
    automatic = replace(SOME, destinations=("webhook",), is_automatic=True)
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    set_members(people, range(1, 13))
    made = plan(people, webhook(former))
    assert made
    former.faults = ["500"] * 6
    with pytest.raises(UnavailableError):
        apply(people, made.plan, webhook(former))
    night = sync_list(people, automatic, webhook(present), key=KEY)
    assert night.plan and night.plan.refusal and "--place new" in night.plan.refusal
    assert plan_numbered(people, made.plan).state == "expired"


def test_a_former_list_that_was_emptied_is_told_no_more(
    people: Warehouse, former: Receiver, present: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has said so, which is kept. Back at that place nobody is held, and left again it is told again."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    settled(people, present, "new")
    monkeypatch.setenv("LGS_DATABASE_URL", people.url)
    said = CliRunner().invoke(app, ["activate", "emptied", "some", "webhook"])
    assert said.exit_code == 0 and "10 customers" in said.output
    assert left_behind(people) == []
    (row,) = people.rows("select distinct emptied_by, emptied_at is null as is_open from left_behind")
    assert row.emptied_by and not row.is_open
    made = plan(people, webhook(former))
    assert made and (made.adds, made.held_before) == (10, 0)
    apply(people, made.plan, webhook(former))
    settled(people, present, "new")
    assert left_behind(people)[0].startswith("some: 10 customers left behind")
    assert "No customer of other" in CliRunner().invoke(app, ["activate", "emptied", "other", "webhook"]).output


def test_a_list_that_is_gone_from_the_tool_is_let_go(people: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audience's file is gone, too: else each night would look for the list, and fail."""
    with serving(HubSpotTool()) as hubspot:
        hubspot.know(*range(1, 11))
        set_members(people, range(1, 11))
        sync(people, hubspot.destination())
        object_to_marketing(people, 7)
        monkeypatch.setenv("LGS_DATABASE_URL", people.url)
        assert removed_audiences(people) == [("some", "hubspot", 10)]
        CliRunner().invoke(app, ["activate", "emptied", "some", "hubspot"])
        assert held(people) == set(range(1, 11)), "it is the former lists that were emptied"
        emptied = partial(CliRunner(env={"COLUMNS": "300"}).invoke, app)
        asked = emptied(["activate", "emptied", "some", "hubspot", "--gone"], input="n\n")
        assert asked.exit_code == 1 and "counts as holding 10 customers of some" in asked.output
        assert held(people) == set(range(1, 11))
        mistyped = emptied(["activate", "emptied", "some", "hubsport", "--gone", "--yes"])
        assert mistyped.exit_code == 2 and "There are: drop, webhook" in mistyped.output
        said = emptied(["activate", "emptied", "some", "hubspot", "--gone", "--yes"])
        assert said.exit_code == 0 and "10 customers" in said.output
        assert removed_audiences(people) == [] and held(people) == set() and left_behind(people) == []
        requests = len(hubspot.requests)
        assert plan_lists(monkeypatch, hubspot.destination()).success and len(hubspot.requests) == requests


def test_a_list_that_is_gone_is_not_to_be_read_back(people: Warehouse) -> None:
    """Whatever its last reading found, and whatever was sent to it without an answer."""
    check = (places.SQL / "checks" / "audience_members" / "lists_read_back_may_be_written_to.sql").read_text()
    with serving(HubSpotTool()) as hubspot:
        hubspot.know(1, 2, 3)
        hubspot.lists["some"].add("R3")
        set_members(people, {1})
        sync(people, hubspot.destination())
        object_to_marketing(people, 3)
        check_drift(people, "some", hubspot.destination(), key=KEY)
        set_members(people, {1, 2})
        made = plan(people, hubspot.destination())
        hubspot.faults = [None, None, None, None, *["500"] * 6]
        with pytest.raises(UnavailableError):
            apply(people, made.plan if made else 0, hubspot.destination())
        forget_contact(people, 2)
        assert [row.barred for row in people.rows(check)] == [1] and len(strays(people)) == 1
        note_emptied(people, "hubspot", "some", is_gone=True)
        assert people.rows(check) == [] and strays(people) == []


def test_the_night_tells_what_was_left_behind(
    people: Warehouse, former: Receiver, present: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In what the run says that it did."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    settled(people, present, "new")
    night = plan_lists(monkeypatch, webhook(present))
    (output,) = [event for event in night.all_node_events if event.is_successful_output]
    assert "10 customers left behind" in str(output.step_output_data.metadata["left behind"].value)


def test_the_check_finds_who_objected_at_a_former_place(people: Warehouse, former: Receiver, present: Receiver) -> None:
    """Until that list is emptied: nothing else looks there any more."""
    set_members(people, range(1, 11))
    sync(people, webhook(former))
    settled(people, present, "new")
    object_to_marketing(people, 7)
    check = (places.SQL / "checks" / "audience_members" / "held_may_be_written_to.sql").read_text()
    assert [(row.customer_id, row.place, row.reason) for row in people.rows(check)] == [(7, "former", "objected")]
    note_emptied(people, "webhook", "some")
    assert people.rows(check) == []


def test_an_urgent_removal_replaces_no_list_that_is_elsewhere(people: Warehouse, tmp_path: Path) -> None:
    """A folder that was moved to another name: the whole list is not known there, so none is written."""
    before, after = Drop(str(tmp_path / "before")), Drop(str(tmp_path / "after"))
    set_members(people, range(1, 11))
    sync(people, before)
    (removal,) = object_to_marketing(people, 7).removals
    apply(people, removal, after)
    assert {file.name for file in (tmp_path / "after").iterdir()} == {"some-plan-2.csv", "some-plan-2.csv.done"}


@pytest.fixture
def accounts() -> Iterator[tuple[HubSpotTool, HubSpotTool]]:
    """Two accounts at HubSpot. In the second, R2 is a stranger, and customer 2 another contact."""
    first, second = HubSpotTool(), HubSpotTool()
    with serving(first), serving(second):
        first.know(1, 2, 3)
        second.know(1, 3)
        second.contacts["R2"] = {"email": "stranger@example.test", "customer": 902, "fields": {}}
        second.contacts["R22"] = {"email": address(2), "customer": 2, "fields": {}}
        second.lists["some"] |= {"R2", "R22"}
        yield first, second


def test_nobody_is_deleted_by_what_another_account_called_them(
    people: Warehouse, accounts: tuple[HubSpotTool, HubSpotTool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a stranger's name. The command says where else to look; back at the account, the night asks it."""
    first, second = accounts
    set_members(people, {1, 2, 3})
    sync(people, first.destination())
    done = forget(people, 2, [second.destination()], key=KEY)
    assert done.answers == {} and "former" in done.failures["hubspot"] and "R2" in second.contacts
    assert plan_lists(monkeypatch, first.destination()).success
    assert "R2" not in first.contacts and forget(people, 2, [first.destination()], key=KEY).failures == {}


def test_a_deletion_at_a_new_account_settles_nothing_at_the_former(
    people: Warehouse, accounts: tuple[HubSpotTool, HubSpotTool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of who was on a list there long ago, which no list remembers."""
    first, second = accounts
    set_members(people, {1, 2, 3})
    sync(people, first.destination())
    set_members(people, {1, 3})
    sync(people, first.destination())
    set_members(people, {1, 2, 3})
    made = make_plan(people, SOME, second.destination(), key=KEY, place_is="new")
    assert made
    apply(people, made.plan, second.destination())
    done = forget(people, 2, [second.destination()], key=KEY)
    assert "R22" not in second.contacts and done.answers.keys() == {"hubspot"}
    assert "former" in done.failures["hubspot"] and {"R2"} <= first.contacts.keys() & second.contacts.keys()
    assert plan_lists(monkeypatch, second.destination()).success
    assert plan_lists(monkeypatch, first.destination()).success and "R2" not in first.contacts


def test_a_deletion_that_waits_is_for_its_account_alone(
    people: Warehouse, accounts: tuple[HubSpotTool, HubSpotTool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was cut short waits until the destination is that account again, and fails no night till then."""
    first, second = accounts
    set_members(people, {1, 2, 3})
    sync(people, first.destination())
    first.faults = ["401"]
    assert forget(people, 2, [first.destination()], key=KEY).failures
    assert plan_lists(monkeypatch, second.destination()).success and "R2" in second.contacts
    assert plan_lists(monkeypatch, first.destination()).success and "R2" not in first.contacts


def test_the_same_account_under_another_key_is_asked_to_delete(
    people: Warehouse, accounts: tuple[HubSpotTool, HubSpotTool]
) -> None:
    """Once somebody has said that it is the same, what it called people holds."""
    first, _ = accounts
    set_members(people, {1, 2, 3})
    sync(people, replace(first.destination(), subscription=None, key="former"))
    make_plan(people, SOME, first.destination(), key=KEY, place_is="same")
    done = forget(people, 2, [first.destination()], key=KEY)
    assert done.failures == {} and "R2" not in first.contacts


def test_nobody_is_removed_by_what_another_account_called_them(
    people: Warehouse, accounts: tuple[HubSpotTool, HubSpotTool]
) -> None:
    """Before anybody has said what the place is, who must leave is found by their address there."""
    first, second = accounts
    set_members(people, {1, 2, 3})
    sync(people, first.destination())
    (removal,) = object_to_marketing(people, 2).removals
    apply(people, removal, second.destination())
    assert second.lists["some"] == {"R2"}
