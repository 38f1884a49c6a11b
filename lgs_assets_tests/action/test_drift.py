"""Lists in the tools: planned, applied and read back, with people who change them by hand."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lgs_assets.action.contacts import contact_status, forget_contact, import_contacts, object_to_marketing
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.lists import drift as drift_module
from lgs_assets.action.lists.applying import cancel_plan
from lgs_assets.action.lists.drift import Drift, check_drift, strays
from lgs_assets.action.lists.leaving import having
from lgs_assets.action.lists.moving import present_places
from lgs_assets.action.lists.planning import left_out, make_plan
from lgs_assets.action.lists.plans import changes_of
from lgs_assets.command.cli import app
from lgs_assets.errors import LgsError, UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.action.lists import SOME, apply, held, plan, set_members, sync
from lgs_assets_tests.action.misbehaving import Reply
from lgs_assets_tests.action.people import CANARY, KEY, address, contacts_file, line, tables_outside
from lgs_assets_tests.action.tools import KlaviyoTool, MailchimpTool, Tool


def test_a_list_edited_by_hand_is_told_and_left_alone(people: Warehouse, tool: Tool) -> None:
    """One taken off, one put there by others, one who unsubscribed: only the last counts here, and is then removed."""
    set_members(people, range(1, 11))
    sync(people, tool.destination())
    tool.lists["some"] -= {"R3"}
    tool.lists["some"] |= {"R40"}
    tool.unsubscribe("R5")
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    found = 9 if isinstance(tool, KlaviyoTool) else 10  # which takes off who unsubscribes
    assert drift == Drift(held=10, found=found, missing=[3], not_ours=1, objected=[5], unknown=0, removals=[2])
    assert str(drift) == f"{found} members found, 10 put there by us; missing 1, not ours 1, objected there 1."
    assert contact_status(people).suppressed == {"objected": 1}
    made = plan(people, tool.destination())
    assert made and [(each["customer_id"], each["cause"]) for each in changes_of(people, made.plan)] == [
        (5, "objected")
    ]
    apply(people, made.plan, tool.destination())
    assert tool.held() == {1, 2, 4, 6, 7, 8, 9, 10, 40}
    assert plan(people, tool.destination()) is None
    (kept,) = people.rows("select held, found, missing, not_ours, objected from list_drift")
    assert dict(kept) == {"held": 10, "found": found, "missing": 1, "not_ours": 1, "objected": 1}
    assert CANARY not in tables_outside(people.url)


def test_a_number_is_a_customer_only_where_the_tool_calls_them_so(people: Warehouse, tool: Tool) -> None:
    """Elsewhere it may be anybody's: whose name there is not known is told, and nobody is suppressed for another."""
    set_members(people, {1, 2})
    sync(people, tool.destination())
    with people.transaction() as connection:
        connection.execute(sa.text("update destination_members set remote_id = null where customer_id = 2"))
    tool.contacts["2"] = {"email": "somebody@example.test", "customer": 77, "fields": {}}
    tool.lists["some"].add("2")
    tool.contacts["2"] |= {"consent": "UNSUBSCRIBED", "state": "unsubscribed", "optout": "true"}
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    unknown, not_ours = (0, 1) if isinstance(tool, KlaviyoTool) else (1, 2)
    assert drift == Drift(held=2, found=3, missing=[], not_ours=not_ours, objected=[], unknown=unknown)
    assert str(drift).endswith("unknown there 1." if unknown else "objected there 0.")
    assert [row.unknown for row in people.rows("select unknown from list_drift")] == [unknown]


@pytest.mark.parametrize("rows", [1, 100])
def test_addresses_change_hands(people: Warehouse, tool: Tool, tmp_path: Path, rows: int) -> None:
    """In a circle: all stay on the list, whether the changes are sent at once or one by one."""
    destination = replace(tool.destination(), batch_rows=rows)  # type: ignore[type-var]  # a protocol, whose every class is a dataclass
    set_members(people, {1, 2, 3})
    sync(people, destination)
    give_addresses(people, tmp_path, {1: address(2), 2: address(3), 3: address(1)})
    sync(people, destination)
    assert tool.held() == held(people) == {1, 2, 3}
    if destination.has_own_ids:
        assert names(people) == {1: "R2", 2: "R3", 3: "R1"}
    set_members(people, {1, 2})
    sync(people, destination)
    assert tool.held() == ({1, 2} if not destination.has_own_ids else {2, 3})
    assert plan(people, destination) is None


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_an_objection_counts_though_another_was_once_called_so(people: Warehouse, tool: Tool, tmp_path: Path) -> None:
    """Whose update was rejected, and whose former name is the present one of somebody else, who stays."""
    set_members(people, {1})
    sync(people, tool.destination())
    give_addresses(people, tmp_path, {1: "nowhere@example.test", 2: address(1)})
    set_members(people, {1, 2})
    outcome = sync(people, tool.destination())
    assert outcome and outcome.rejected.keys() == {1} and names(people) == {2: "R1"}
    assert tool.lists["some"] == {"R1"}
    tool.unsubscribe("R1")
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    assert drift and drift.objected == [2] and drift.unknown == 0
    sync(people, tool.destination())
    assert tool.lists["some"] == set() and held(people) == set()


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_a_corrected_address_leaves_the_wrong_one_on_no_list(people: Warehouse, tool: Tool, tmp_path: Path) -> None:
    """Also where the tool has no contact of the right one: the wrong one may be a stranger's."""
    set_members(people, {1, 2})
    sync(people, tool.destination())
    give_addresses(people, tmp_path, {1: "right@example.test"})
    outcome = sync(people, tool.destination())
    assert outcome and "has no such contact" in outcome.rejected[1]
    assert tool.held() == held(people) == {2}
    assert plan(people, tool.destination()) is None
    assert left_out(people, SOME, tool.destination(), key=KEY) == {"rejected before": 1}
    tool.know(41)
    tool.contacts["R41"]["email"] = "right@example.test"
    again = make_plan(people, SOME, tool.destination(), key=KEY, retry=True)
    assert again and again.adds == 1 and apply(people, again.plan, tool.destination()).accepted == 1
    assert tool.lists["some"] == {"R2", "R41"}


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_whose_address_was_corrected_in_the_tool_stays(people: Warehouse, tool: Tool) -> None:
    """The shop has the same as ever: that an update of their fields was rejected removes nobody."""
    set_members(people, {1, 2})
    sync(people, tool.destination())
    tool.contacts["R1"]["email"] = "corrected@example.test"
    set_members(people, {1, 2}, spent=2)
    outcome = sync(people, tool.destination())
    assert outcome and "has no such contact" in outcome.rejected[1]
    assert tool.held() == held(people) == {1, 2} and plan(people, tool.destination()) is None


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_a_former_address_whose_request_was_not_answered_is_told(
    people: Warehouse, tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be on the list, where no removal reaches it: once its owner objects, that is said until it is off."""
    set_members(people, {1, 2})
    made = plan(people, tool.destination())
    assert made
    changing = "members_to_add" if isinstance(tool, MailchimpTool) else "recordIdsToAdd"
    monkeypatch.setattr(tool, "obey", partial(_lost_after, tool, tool.obey, changing))
    with pytest.raises(UnavailableError):
        apply(people, made.plan, tool.destination())
    monkeypatch.undo()
    tool.know(41)
    tool.contacts["R41"]["email"] = "later@example.test"
    give_addresses(people, tmp_path, {1: "later@example.test"})
    outcome = apply(people, made.plan, tool.destination())
    assert outcome.withheld[1].startswith("the contact has changed, and their former address may be on the list")
    sync(people, tool.destination())
    assert tool.lists["some"] == {"R1", "R2", "R41"}
    (told,) = strays(people, destination=tool.destination().name)
    assert told.startswith("some: 1 customer may be on the list of") and not strays(people, customer_id=2)
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    assert drift and (drift.not_ours, drift.barred) == (1, 0) and strays(people) == []
    (removal,) = object_to_marketing(people, 1).removals
    assert strays(people, customer_id=1)
    apply(people, removal, tool.destination())
    assert tool.lists["some"] == {"R1", "R2"}
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    assert drift and (drift.not_ours, drift.barred) == (1, 1) and strays(people) == []
    assert "Of those not ours, 1 may not be written to: take them off by hand." in str(drift)
    assert [row.barred for row in people.rows("select barred from list_drift order by checked_at")] == [0, 1]
    assert CANARY not in tables_outside(people.url)


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_whose_fields_a_tool_took_before_it_let_us_in_no_further_is_known_to_it(
    people: Warehouse, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as by a key that may write contacts, and not lists: once they are forgotten, the tool is named."""
    set_members(people, {1, 2}, spent=7)
    made = plan(people, tool.destination())
    assert made
    changing = "members_to_add" if isinstance(tool, MailchimpTool) else "recordIdsToAdd"
    obey = tool.obey
    monkeypatch.setattr(tool, "obey", lambda *request: (403, {}) if changing in str(request[-1]) else obey(*request))
    with pytest.raises(LgsError, match="does not let us in"):
        apply(people, made.plan, tool.destination())
    assert "7" in map(str, tool.fields(1).values()) and tool.held() == set()
    assert [each["state"] for each in changes_of(people, made.plan)] == ["sending", "sending"]
    cancel_plan(people, made.plan)
    forget_contact(people, 1)
    present = present_places(people, [tool.destination()], key=KEY)
    assert having(people, 1, deleting=present, present=present) == {tool.destination().name}


def _lost_after(tool: Tool, obey: Callable[..., Reply], what: str, *request: Any) -> Reply:
    """Obeys; the answers to requests with this in their content are lost."""
    reply = obey(*request)
    return (500, {}) if what in str(request[-1]) else reply


def test_who_declined_and_is_on_a_list_by_others_is_counted(people: Warehouse, tool: Tool, tmp_path: Path) -> None:
    """By any address that is not to be written to; the others whom somebody put there are not."""
    set_members(people, {1})
    sync(people, tool.destination())
    import_contacts(people, contacts_file(tmp_path, [line(2, ok="no")]), key=KEY, reject_limit=0)
    object_to_marketing(people, 3)
    for number in (2, 3, 4):
        tool.contacts[f"R{number}"].pop("external_id", None)
        tool.lists["some"].add(f"R{number}")
    drift = check_drift(people, "some", tool.destination(), key=KEY)
    assert drift and (drift.not_ours, drift.barred) == (3, 2)


def test_a_list_without_end_is_not_read(people: Warehouse, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would fill the memory; what is as long as it may be is."""
    set_members(people, range(1, 11))
    sync(people, tool.destination())
    monkeypatch.setattr(drift_module, "_MOST_FOR_EACH", 0)
    for most in (10, 9):
        monkeypatch.setattr(drift_module, "_MOST", most)
        with pytest.raises(LgsError, match="more than 9 members") if most < 10 else nullcontext():
            assert check_drift(people, "some", tool.destination(), key=KEY)


def names(warehouse: Warehouse) -> dict[int, str]:
    return {row.customer_id: row.remote_id for row in warehouse.rows("select * from destination_members")}


def give_addresses(warehouse: Warehouse, folder: Path, addresses: dict[int, str]) -> None:
    """Imports other addresses for some: the former are given up first, since no two customers may have one."""
    for given in ({customer: f"moved{customer}@example.test" for customer in addresses}, addresses):
        file = contacts_file(folder, [line(customer, email=email) for customer, email in given.items()])
        import_contacts(warehouse, file, key=KEY, reject_limit=0)


def test_the_forgotten_leave_the_list_though_their_address_is_gone(people: Warehouse, tool: Tool) -> None:
    """The tool knows them by what it called them when they entered."""
    set_members(people, range(1, 4))
    sync(people, tool.destination())
    (number,) = forget_contact(people, 2).removals
    apply(people, number, tool.destination())
    assert tool.held() == held(people) == {1, 3}


def test_a_poisoned_row_does_not_hold_up_the_others(people: Warehouse, tool: Tool) -> None:
    """Also where the tool does not say which it is; it is tried again only when somebody asks for it."""
    set_members(people, range(1, 31))
    tool.poison = {13}
    if isinstance(tool, KlaviyoTool):
        tool.names_culprits = False
    outcome = sync(people, tool.destination())
    assert outcome and outcome.accepted == 29 and list(outcome.rejected) == [13]
    assert tool.held() == held(people) == set(range(1, 31)) - {13}
    assert plan(people, tool.destination()) is None
    tool.poison = set()
    made = make_plan(people, SOME, tool.destination(), key=KEY, retry=True)
    assert made and made.adds == 1
    apply(people, made.plan, tool.destination())
    assert tool.held() == held(people) == set(range(1, 31))


@pytest.mark.parametrize("tool", ["mailchimp"], indirect=True)
def test_whom_a_tool_refuses_for_good_is_suppressed_here(people: Warehouse, tool: Tool) -> None:
    """They objected there: nothing is sent to them any more, anywhere, and where they are held they are removed."""
    set_members(people, range(1, 6))
    sync(people, tool.destination())
    tool.unsubscribe("R2")
    tool.contacts["R3"]["refusal"] = "Member In Compliance State"
    set_members(people, range(1, 6), spent=2)
    outcome = sync(people, tool.destination())
    assert outcome and outcome.accepted == 3 and outcome.rejected.keys() == {2, 3}
    assert contact_status(people).suppressed == {"objected": 2}
    sync(people, tool.destination())
    assert tool.held() == held(people) == {1, 4, 5} and plan(people, tool.destination()) is None
    assert CANARY not in tables_outside(people.url)


def test_a_list_that_cannot_be_read_changes_nothing(people: Warehouse, tool: Tool) -> None:
    """It is tried as often as a batch is; then nothing is known, and so nothing is kept."""
    waits: list[float] = []
    tool.faults = ["429 with Retry-After"] * 6
    with pytest.raises(UnavailableError, match="Tried 6 times; nothing was changed"):
        check_drift(people, "some", tool.destination(), key=KEY, pause=waits.append)
    assert waits == [7] * 5
    tool.faults = ["500", "HTML"]
    drift = check_drift(people, "some", tool.destination(), key=KEY, pause=waits.append)
    assert drift and drift.found == 0
    assert len(people.rows("select from list_drift")) == 1


def test_a_destination_that_is_only_told_has_no_drift(people: Warehouse, tmp_path: Path) -> None:
    """A file, or a webhook: nobody is asked for a key to find that out."""
    assert check_drift(people, "some", Drop(str(tmp_path)), key=None) is None


def test_the_command_tells_what_differs(people: Warehouse, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By customers' numbers."""
    monkeypatch.setattr("lgs_assets.action.destinations.configured.destination_named", lambda *_: tool.destination())
    monkeypatch.setattr("lgs_assets.action.audiences.audience_named", lambda _: SOME)
    set_members(people, range(1, 4))
    sync(people, tool.destination())
    tool.lists["some"] -= {"R3"}
    said = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["activate", "drift", "some", tool.destination().name])
    assert said.exit_code == 0, said.output
    assert "2 members found, 3 put there by us; missing 1" in said.output
    assert "Missing: 3. Somebody took them off; they are not put back." in said.output
