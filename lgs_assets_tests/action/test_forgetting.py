"""Forgetting a customer: here at once, and at every tool that had them from us, whatever happens on the way."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lgs_assets.action.contacts import contact_status, forget_contact, import_contacts, object_to_marketing
from lgs_assets.action.destinations import configured
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.action.forgetting import Forgotten, forget
from lgs_assets.action.lists import leaving
from lgs_assets.action.lists.leaving import plan_removals
from lgs_assets.action.lists.moving import present_places
from lgs_assets.action.lists.plans import insert_plan, leaving_plans, plans
from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.action.drill import STEPS, apply_killed_at
from lgs_assets_tests.action.lists import apply, held, plan, receipts, set_members, sync
from lgs_assets_tests.action.people import CANARY, KEY, address, contacts_file, line, tables_outside
from lgs_assets_tests.action.receiver import SIGNING_KEY, receiving
from lgs_assets_tests.action.tools import TOOLS, HubSpotTool, KlaviyoTool, MailchimpTool, Tool, serving

SAID = {
    "klaviyo": "took the request, and deletes the profile in its own time",
    "mailchimp": "deleted the contact for good",
    "hubspot": "deleted the contact",
}


@pytest.fixture
def klaviyo() -> Iterator[KlaviyoTool]:
    tool = KlaviyoTool()
    with serving(tool):
        yield tool
        assert tool.problems == []


def forget_at(warehouse: Warehouse, customer: int, *tools: Tool, permanently: bool = True) -> Forgotten:
    destinations = [tool.destination() for tool in tools]
    return forget(warehouse, customer, destinations, key=KEY, permanently=permanently, pause=lambda _: None)


def deletions(tool: Tool) -> int:
    return sum("delet" in path and method == "POST" for method, path, _ in tool.requests)


def test_a_tool_deletes_whom_it_had_from_us(people: Warehouse, tool: Tool) -> None:
    """With a receipt of what it said; done again, nothing is asked again. No address is anywhere."""
    set_members(people, {1, 2, 3})
    sync(people, tool.destination())
    name = tool.destination().name
    done = forget_at(people, 2, tool)
    assert done.had_contact and done.failures == {} and done.removals == [] and done.keeping == []
    assert done.answers[name].startswith(f"{SAID[name]} (plan 2, 20")
    assert "R2" not in tool.contacts and tool.held() == held(people) == {1, 3}
    status, outcome = receipts(people)[-1]
    assert (status, outcome) == (202 if name == "klaviyo" else 204, f"accepted 1, rejected 0: {SAID[name]}")
    again = forget_at(people, 2, tool)
    assert not again.had_contact and again.answers == done.answers
    assert deletions(tool) == 1 and len(plans(people)) == 2
    assert CANARY not in tables_outside(people.url)


def test_who_left_the_list_long_ago_is_deleted_too(people: Warehouse, tool: Tool) -> None:
    """A profile stays when it leaves a list; what the tool called them is in the ledger."""
    set_members(people, {1, 2})
    sync(people, tool.destination())
    set_members(people, {1})
    sync(people, tool.destination())
    assert held(people) == {1} and "R2" in tool.contacts
    forget_at(people, 2, tool)
    assert "R2" not in tool.contacts and "R1" in tool.contacts


def test_a_tool_that_never_had_them_is_not_asked(people: Warehouse, tool: Tool) -> None:
    """Nor is anybody else deleted there."""
    done = forget_at(people, 2, tool)
    assert done == Forgotten(True, {}, {}, [], [])
    assert tool.requests == [] and plans(people) == []


@pytest.mark.parametrize("step", STEPS)
def test_a_deletion_that_was_killed_is_finished_by_forgetting_again(people: Warehouse, tool: Tool, step: str) -> None:
    """kill -9 at each step: the tool may be asked twice, which does no harm, and the ledger is right."""
    set_members(people, {1, 2})
    sync(people, tool.destination())
    name = tool.destination().name
    erasing = present_places(people, [tool.destination()], key=KEY)
    (number,) = forget_contact(people, 2, erasing=erasing).erasures[name]
    assert apply_killed_at(step, 1, people.url, number, tool.destination())
    assert [each.plan for each in leaving_plans(people)] == [number]
    done = forget_at(people, 2, tool)
    assert done.failures == {} and len(done.answers) == 1
    assert "R2" not in tool.contacts and held(people) == {1}
    assert leaving_plans(people) == [] and plans(people)[0].state == "applied"


@pytest.mark.parametrize(
    "fault", ["500", "429", "hang", "HTML", "401", "redirect", "done, answer lost", "invalid JSON"]
)
def test_a_tool_that_fails_holds_up_nothing_here(people: Warehouse, tool: Tool, fault: str) -> None:
    """The contact is gone, the reason is told without an address, and the next time it is done."""
    set_members(people, {1, 2})
    sync(people, tool.destination())
    tool.faults = [fault] * 6
    destination = tool.destination(seconds=0.2)
    done = forget(people, 2, [destination], key=KEY, permanently=True, pause=lambda _: None)
    assert done.had_contact and done.answers == {} and done.failures.keys() == {destination.name}
    assert contact_status(people).suppressed == {"forgotten": 1} and done.removals == []
    tool.faults = []
    assert forget_at(people, 2, tool).failures == {} and "R2" not in tool.contacts
    assert CANARY not in tables_outside(people.url) and CANARY not in str(done)


def test_mailchimp_deletes_only_if_asked_to(people: Warehouse) -> None:
    """For it never takes the address again; until then the contact leaves the list by a plan."""
    with serving(MailchimpTool()) as mailchimp:
        mailchimp.know(1, 2)
        set_members(people, {1, 2})
        sync(people, mailchimp.destination())
        done = forget_at(people, 2, mailchimp, permanently=False)
        assert done.keeping == ["mailchimp"] and done.answers == {}
        assert forget_at(people, 2, mailchimp, permanently=False).removals == done.removals == [2]
        apply(people, 2, mailchimp.destination())
        assert mailchimp.held() == {1} and "R2" in mailchimp.contacts
        done = forget_at(people, 2, mailchimp)
        assert done.answers.keys() == {"mailchimp"} and done.keeping == [] and "R2" not in mailchimp.contacts


@pytest.fixture
def move(people: Warehouse, tmp_path: Path) -> Callable[..., None]:
    """Imports another address of a customer."""

    def moved(customer: int, email: str) -> None:
        file = contacts_file(tmp_path, [line(customer, email=email)])
        import_contacts(people, file, key=KEY, reject_limit=0)

    return moved


def told(warehouse: Warehouse, tool: Tool, *members: int) -> None:
    """Makes these the members, and tells the tool."""
    set_members(warehouse, members)
    sync(warehouse, tool.destination())


@pytest.mark.parametrize("was_sent", [True, False], ids=["sent, and gone since", "never sent"])
@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_nobody_else_is_deleted(people: Warehouse, tool: Tool, move: Callable[..., None], was_sent: bool) -> None:
    """Whose address became another customer's: the contact is left to a person, whether or not a list holds it now."""
    told(people, tool, 1)
    move(1, f"{CANARY}-elsewhere@example.test")
    told(people, tool, 1)
    move(2, address(1))
    if was_sent:
        told(people, tool, 1, 2)
        told(people, tool, 1)
        move(2, address(2))
    done = forget_at(people, 1, tool)
    name = tool.destination().name
    assert "is or was another customer's, too: look there by hand" in done.failures[name] and done.answers == {}
    assert "R1" in tool.contacts and deletions(tool) == 0
    assert CANARY not in tables_outside(people.url)


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_whom_a_tool_never_named_is_left_to_a_person(people: Warehouse, tool: Tool) -> None:
    """Without an address, nobody can tell which contact it is."""
    told(people, tool, 1)
    with people.transaction() as connection:
        connection.execute(sa.text("update destination_members set remote_id = null"))
        connection.execute(sa.text("update activation_changes set remote_id = null"))
    done = forget_at(people, 1, tool)
    assert "never said which contact this is" in done.failures[tool.destination().name]
    assert "R1" in tool.contacts and deletions(tool) == 0


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_every_contact_of_a_customer_is_deleted(people: Warehouse, tool: Tool, move: Callable[..., None]) -> None:
    """Each address they had was another contact. The answer says how many; done again, nothing is asked again."""
    tool.know(50)
    told(people, tool, 1)
    move(1, address(50))
    told(people, tool, 1)
    assert "R1" in tool.contacts
    done = forget_at(people, 1, tool)
    name = tool.destination().name
    assert done.failures == {} and done.answers[name].endswith(": 2 of 2 contacts")
    assert not {"R1", "R50"} & tool.contacts.keys() and held(people) == set()
    assert forget_at(people, 1, tool).answers == done.answers and deletions(tool) == 2
    assert leaving_plans(people) == []


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_a_contact_that_was_passed_on_keeps_no_other(people: Warehouse, tool: Tool, move: Callable[..., None]) -> None:
    """The others are deleted, and the customer stays on no list but that of the contact that could not be."""
    tool.know(50)
    told(people, tool, 1)
    move(1, address(50))
    told(people, tool, 1)
    move(2, address(1))
    done = forget_at(people, 1, tool)
    name = tool.destination().name
    assert "look there by hand" in done.failures[name] and done.answers[name].endswith(": 1 of 2 contacts")
    assert "R1" in tool.contacts and "R50" not in tool.contacts and held(people) == set()


def test_a_request_without_an_answer_may_have_reached_another_contact(people: Warehouse) -> None:
    """So a deletion of the one that is known does not say that all is done."""
    with serving(HubSpotTool()) as hubspot:
        hubspot.know(1)
        told(people, hubspot, 1)
        set_members(people, {1}, spent=2)
        made = plan(people, hubspot.destination())
        assert made
        hubspot.faults = ["done, answer lost"] * 6
        with pytest.raises(LgsError):
            apply(people, made.plan, hubspot.destination())
        hubspot.faults = []
        done = forget_at(people, 1, hubspot)
        assert "never said which contact this is" in done.failures["hubspot"]
        assert done.answers["hubspot"].endswith(": 1 of 2 contacts") and "R1" not in hubspot.contacts


def lose_answers(people: Warehouse, hubspot: Tool) -> int:
    """Sends what is due, which arrives; the answer is lost, so nobody knows. Returns the plan."""
    made = plan(people, hubspot.destination())
    assert made
    hubspot.faults = ["done, answer lost"] * 6
    with pytest.raises(LgsError):
        apply(people, made.plan, hubspot.destination())
    hubspot.faults = []
    return made.plan


def test_what_may_have_arrived_before_it_was_withheld_is_asked_about(people: Warehouse) -> None:
    """Sent without an answer, then objected to and taken off the list: the tool may have them all the same."""
    with serving(HubSpotTool()) as hubspot:
        hubspot.know(1, 2)
        set_members(people, {1, 2})
        begun = lose_answers(people, hubspot)
        object_to_marketing(people, 2, source="a call")
        apply(people, begun, hubspot.destination())
        with suppress(LgsError):
            sync(people, hubspot.destination())
        assert "never said which contact this is" in forget_at(people, 2, hubspot).failures["hubspot"]


def test_an_answer_of_another_contact_settles_no_lost_one(people: Warehouse, move: Callable[..., None]) -> None:
    """The address has changed in between: the contact of the former one may be there as well."""
    with serving(HubSpotTool()) as hubspot:
        hubspot.know(1)
        set_members(people, {1})
        lose_answers(people, hubspot)
        with people.transaction() as connection:  # too long ago to be finished: the next plan gives it up
            connection.execute(sa.text("update activation_plans set made_at = made_at - interval '3 days'"))
        move(1, f"{CANARY}-moved@example.test")
        hubspot.contacts["R9"] = hubspot.contacts["R1"] | {"email": f"{CANARY}-moved@example.test"}
        sync(people, hubspot.destination())
        done = forget_at(people, 1, hubspot)
        assert "never said which contact this is" in done.failures["hubspot"]


def test_a_destination_that_deletes_nobody_is_named_while_it_holds_them(people: Warehouse) -> None:
    """Once the customer is off the list, a webhook that was dismantled is no reason to look again and again."""
    set_members(people, {1, 2})
    with receiving() as receiver:
        webhook = Webhook(receiver.url, SIGNING_KEY, 500)
        sync(people, webhook)
        assert "set LGS_WEBHOOK_URL" in forget_at(people, 2).failures["webhook"]
        set_members(people, {1})
        sync(people, webhook)
    assert forget_at(people, 2).failures == {}


def test_a_destination_that_is_not_configured_is_named(people: Warehouse, tool: Tool) -> None:
    """It has the customer from us, and cannot be asked; once it has deleted them, it is named no more."""
    told(people, tool, 2)
    name = tool.destination().name
    assert forget_at(people, 2).failures[name].startswith(f"it is not configured: set LGS_{name.upper()}_KEY")
    assert forget_at(people, 2, tool).failures == {}
    assert forget_at(people, 2).failures == {}


def test_two_at_once_plan_one_removal(people: Warehouse, klaviyo: KlaviyoTool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits, and finds the plan of the first."""
    told(people, klaviyo, 2)
    meeting = threading.Barrier(2)

    def slowly(*arguments: Any, **keywords: Any) -> int:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(1)  # as long as the other may take to come as far
        return insert_plan(*arguments, **keywords)

    with people.transaction() as connection:
        connection.execute(sa.text("insert into marketing_exclusions values (2, 'objected', now())"))
    monkeypatch.setattr(leaving, "insert_plan", slowly)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: plan_removals(people), range(2))) == [[2], [2]]


def test_other_destinations_get_a_removal(people: Warehouse, klaviyo: KlaviyoTool) -> None:
    """Which waits, once; a deletion elsewhere does not wait for it."""
    set_members(people, {1, 2})
    klaviyo.know(1, 2)
    with receiving() as receiver:
        webhook = Webhook(receiver.url, SIGNING_KEY)
        sync(people, webhook)
        sync(people, klaviyo.destination())
        destinations: list[Destination] = [webhook, klaviyo.destination()]
        done = forget(people, 2, destinations, key=KEY, pause=lambda _: None)
        assert done.answers.keys() == {"klaviyo"} and done.removals == [4]
        assert forget(people, 2, destinations, key=KEY).removals == plan_removals(people) == [4]
        apply(people, 4, webhook)
        assert receiver.held.keys() == {1} and klaviyo.held() == {1}


def plan_lists(monkeypatch: pytest.MonkeyPatch, *destinations: Destination) -> dg.ExecuteInProcessResult:
    """A run of the night's job that finds no audience."""
    monkeypatch.setattr("lgs_assets.action.nightly.read_audiences", list)
    monkeypatch.setattr("lgs_assets.action.nightly.removed_audiences", lambda _: [])
    named = {each.name: each for each in destinations}
    monkeypatch.setattr(configured, "destination_named", lambda _, name: named[name])
    monkeypatch.setattr(configured, "configured_destinations", lambda _: (list(destinations), {}))
    with dagster_instance(Configuration.read()) as instance:
        job = build_definitions(Configuration.read()).resolve_job_def("plan_lists")
        return job.execute_in_process(instance=instance, raise_on_error=False)


def test_the_night_finishes_what_was_cut_short(
    people: Warehouse, klaviyo: KlaviyoTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not an audience names the destination."""
    klaviyo.know(2)
    set_members(people, {2})
    sync(people, klaviyo.destination())
    klaviyo.faults = ["401"]
    assert forget_at(people, 2, klaviyo).failures
    night = plan_lists(monkeypatch, klaviyo.destination())
    assert night.success
    (output,) = [event for event in night.all_node_events if event.is_successful_output]
    (said,) = output.step_output_data.metadata.values()
    assert SAID["klaviyo"] in str(said.value)
    assert "R2" not in klaviyo.contacts and leaving_plans(people) == []
    stored = b"".join(path.read_bytes() for path in Configuration.read().state.rglob("*") if path.is_file())
    assert CANARY.encode() not in stored and KEY.encode() not in stored


@pytest.mark.parametrize("killed", ["before any is asked", "at the first"])
def test_the_night_knows_all_that_a_killed_command_had_to_ask(
    people: Warehouse, klaviyo: KlaviyoTool, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    """Two tools that delete and a list that is only told: all is planned with the suppression, or nothing is."""
    set_members(people, {1, 2})
    klaviyo.know(1, 2)
    with serving(HubSpotTool()) as hubspot, receiving() as receiver:
        hubspot.know(1, 2)
        destinations = [klaviyo.destination(), hubspot.destination(), Webhook(receiver.url, SIGNING_KEY)]
        for destination in destinations:
            sync(people, destination)
        with monkeypatch.context() as patched:
            at = "erase" if killed == "at the first" else "having"
            patched.setattr(f"lgs_assets.action.forgetting.{at}", lambda *_, **__: exit(137))
            asked = destinations if killed == "at the first" else destinations[2:]
            with pytest.raises(SystemExit):
                forget(people, 2, asked, key=KEY)
        assert plan_lists(monkeypatch, *destinations).success
        assert "R2" not in klaviyo.contacts and "R2" not in hubspot.contacts
        assert receiver.held.keys() == held(people) == {1}
        requests = len(klaviyo.requests), len(hubspot.requests), len(receiver.requests)
        assert plan_lists(monkeypatch, *destinations).success
        assert requests == (len(klaviyo.requests), len(hubspot.requests), len(receiver.requests))


def test_a_deletion_that_is_rejected_at_night_fails_the_run(people: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason: nobody reads the ledger of a run that is green."""
    with serving(HubSpotTool()) as hubspot:
        hubspot.know(2, 3)
        told(people, hubspot, 2, 3)
        hubspot.faults = ["401"]
        assert forget_at(people, 2, hubspot).failures
        with people.transaction() as connection:
            connection.execute(sa.text("update activation_changes set remote_id = 'R2' where customer_id = 3"))
        night = plan_lists(monkeypatch, hubspot.destination())
        (failure,) = [event for event in night.all_node_events if event.is_step_failure]
        reason = "deletion at hubspot, plan 2: that contact at HubSpot is or was another"
        assert reason in str(failure.event_specific_data)
        assert "R2" in hubspot.contacts and [each.audience for each in leaving_plans(people)] == ["some"]


def test_whom_nobody_knows_is_not_forgotten(people: Warehouse, klaviyo: KlaviyoTool) -> None:
    """And nothing is asked of anybody."""
    with pytest.raises(LgsError, match="There is no customer 999"):
        forget_at(people, 999, klaviyo)
    assert klaviyo.requests == []


@pytest.mark.parametrize("name", TOOLS)
def test_the_command_says_what_each_destination_answered(
    people: Warehouse, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends with 3 where one did not do it; the same command then goes on."""
    with serving(TOOLS[name]()) as tool:
        tool.know(1, 2)
        found = "lgs_assets.action.destinations.configured.configured_destinations"
        monkeypatch.setattr(found, lambda _: ([tool.destination()], {}))
        set_members(people, {1, 2})
        sync(people, tool.destination())
        command = ["forget-customer", "2", "--yes", "--permanently"]
        tool.faults = ["401"]
        failed = CliRunner(env={"COLUMNS": "120"}).invoke(app, command)
        assert failed.exit_code == 3 and f"Not deleted at {name}: {name}: answered 401" in failed.stderr
        assert "contact deleted, address suppressed" in failed.output and "run the same command" in failed.stderr
        done = CliRunner(env={"COLUMNS": "120"}).invoke(app, command)
        assert done.exit_code == 0 and f"{name} {SAID[name]} (plan 2, " in done.output, done.output
        assert CANARY not in failed.output + failed.stderr + done.output
