"""The night's work: what is applied without a person, and what never is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from lgs_assets.action import nightly
from lgs_assets.action.audiences import Audience, planned_audience, without_file
from lgs_assets.action.contacts import forget_contact, import_contacts, object_to_marketing
from lgs_assets.action.destinations import configured
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.action.lists.applying import cancel_plan
from lgs_assets.action.lists.guards import STALE_HOURS
from lgs_assets.action.lists.leaving import plan_removals
from lgs_assets.action.lists.moving import note_emptied
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.lists.plans import RESUMES_HOURS, leaving_plans, plans
from lgs_assets.action.nightly import Night, sync_list
from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.definitions import build_definitions
from lgs_assets.errors import LgsError, RuleError, UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.action.lists import SOME, apply, held, plan, set_members, sync
from lgs_assets_tests.action.people import KEY, contacts_file, line
from lgs_assets_tests.action.receiver import SIGNING_KEY, Receiver, receiving
from lgs_assets_tests.action.tools import KlaviyoTool, Tool, serving

AUTOMATIC = replace(SOME, destinations=("webhook",), is_automatic=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.problems == []


def webhook(receiver: Receiver) -> Webhook:
    return Webhook(receiver.url, SIGNING_KEY, 4, 1)


def night(warehouse: Warehouse, receiver: Receiver, audience: Audience = AUTOMATIC) -> Night:
    return sync_list(warehouse, audience, webhook(receiver), key=KEY, pause=lambda _: None)


def test_a_plan_within_its_guard_is_applied(people: Warehouse, receiver: Receiver) -> None:
    """Where the audience says so."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    set_members(people, range(3, 25))
    done = night(people, receiver)
    assert done.outcome and done.outcome.accepted == 6
    assert receiver.held.keys() == held(people) == set(range(3, 25))
    assert night(people, receiver) == Night(None, None, None)


def test_the_night_comes_once_when_the_clocks_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """At an hour that no day repeats or skips; in the longest, a plan that was cut short may still be finished."""
    monkeypatch.setenv("LGS_CONTACT_KEY", KEY)
    schedule = build_definitions(Configuration.read()).resolve_schedule_def("nightly_plans")
    minute, hour, *rest = str(schedule.cron_schedule).split()
    assert rest == ["*", "*", "*"]
    begun = datetime(2026, 1, 1, int(hour), int(minute), tzinfo=ZoneInfo(str(schedule.execution_timezone)))
    nights = [begun + timedelta(days=day) for day in range(366)]
    assert all(night.utcoffset() == night.replace(fold=1).utcoffset() for night in nights)
    hours = {(after.timestamp() - before.timestamp()) / 3600 for before, after in pairwise(nights)}
    assert hours == {23, 24, 25} and max(hours) < STALE_HOURS < RESUMES_HOURS


def test_otherwise_it_waits(people: Warehouse, receiver: Receiver) -> None:
    """It is off unless it is written."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    set_members(people, range(3, 25))
    done = night(people, receiver, replace(AUTOMATIC, is_automatic=False))
    assert done.plan and done.plan.state == "planned" and done.outcome is None
    assert receiver.held.keys() == set(range(1, 21))


def test_a_first_list_waits_for_a_person(people: Warehouse, receiver: Receiver) -> None:
    """It has no guard but the eyes of somebody."""
    set_members(people, range(1, 21))
    done = night(people, receiver)
    assert done.plan and done.plan.adds == 20 and done.outcome is None
    assert receiver.requests == []


@pytest.mark.parametrize("fault", ["401", "done, answer lost"])
@pytest.mark.parametrize("is_begun", [False, True])
def test_a_first_list_that_was_broken_off_waits_for_a_person_as_well(
    people: Warehouse, receiver: Receiver, fault: str, is_begun: bool
) -> None:
    """Whatever arrived of it: the night neither goes on with it nor applies the rest as a plan of its own."""
    set_members(people, range(1, 21))
    made = plan(people, webhook(receiver))
    assert made
    receiver.faults = [*([None] if is_begun else []), *[fault] * 6]
    with pytest.raises(LgsError):
        apply(people, made.plan, webhook(receiver))
    arrived, receiver.faults = set(receiver.held), []
    with pytest.raises(LgsError, match=f"Finish it first: .* lgs activate cancel {made.plan}"):
        night(people, receiver)
    with people.transaction() as connection:
        connection.execute(sa.text("update activation_plans set made_at = now() - interval '49 hours'"))
    done = night(people, receiver)
    assert done.plan and done.plan.state == "planned" and done.outcome is None
    assert receiver.held.keys() == arrived
    apply(people, done.plan.plan, webhook(receiver))
    set_members(people, range(1, 22))
    assert night(people, receiver).outcome


def test_a_list_that_is_begun_afresh_is_a_first_list_again(people: Warehouse, receiver: Receiver) -> None:
    """Whatever was applied before it was gone."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    note_emptied(people, "webhook", "some", is_gone=True)
    made = plan(people, webhook(receiver))
    assert made and made.held_before == 0
    receiver.faults = [None, *["500"] * 6]
    with pytest.raises(UnavailableError):
        apply(people, made.plan, webhook(receiver))
    cancel_plan(people, made.plan)
    done = night(people, receiver)
    assert done.plan and done.plan.held_before == 4 and done.plan.state == "planned" and done.outcome is None


def test_what_a_guard_refuses_waits_but_for_those_who_objected(people: Warehouse, receiver: Receiver) -> None:
    """An audience that a bad dump emptied."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    object_to_marketing(people, 7)
    set_members(people, range(0))
    done = night(people, receiver)
    assert done.plan and done.plan.refusal and done.outcome and done.outcome.accepted == 1
    assert receiver.held.keys() == set(range(1, 21)) - {7}


def test_a_night_that_was_cut_short_is_finished_by_the_next(people: Warehouse, receiver: Receiver) -> None:
    """The plan that it began goes first."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    set_members(people, range(3, 25))
    receiver.faults = [None, *["500"] * 6]
    with pytest.raises(UnavailableError):
        night(people, receiver)
    assert plans(people)[0].state == "applying"
    set_members(people, range(3, 26))
    done = night(people, receiver)
    assert done.outcome and done.outcome.accepted == 1
    assert receiver.held.keys() == held(people) == set(range(3, 26))


def test_a_night_that_was_cut_short_long_ago_is_not_finished(people: Warehouse, receiver: Receiver) -> None:
    """What it would send is of another day: it is given up, and planned again within the guards."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    set_members(people, range(3, 31))
    receiver.faults = [None, *["500"] * 6]
    with pytest.raises(UnavailableError):
        night(people, receiver)
    with people.transaction() as connection:
        connection.execute(sa.text("update activation_plans set made_at = now() - interval '49 hours'"))
    set_members(people, range(2, 22))
    done = night(people, receiver)
    assert done.outcome and [each.state for each in plans(people)][:2] == ["applied", "expired"]
    assert receiver.held.keys() == held(people) == set(range(2, 22))


def test_a_night_that_was_cut_short_is_not_finished_by_another_rule(people: Warehouse, receiver: Receiver) -> None:
    """What the former rule found is given up; the list is planned by the present one, at once."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    set_members(people, range(3, 25))
    receiver.faults = [None, *["500"] * 6]
    with pytest.raises(UnavailableError):
        night(people, receiver)
    changed = replace(AUTOMATIC, fields={})
    set_members(people, range(4, 22), version=changed.version)
    assert night(people, receiver, changed).outcome
    assert [each.state for each in plans(people)][:2] == ["applied", "expired"]
    assert receiver.held.keys() == held(people) == set(range(4, 22))


def test_an_objection_at_the_tool_is_a_removal_of_the_same_night(people: Warehouse, tool: Tool) -> None:
    """The list is read back before it is planned."""
    set_members(people, range(1, 11))
    made = plan(people, tool.destination())
    assert made
    apply(people, made.plan, tool.destination())
    tool.unsubscribe("R5")
    done = sync_list(people, AUTOMATIC, tool.destination(), key=KEY)
    assert done.drift and done.drift.objected == [5]
    assert tool.held() == held(people) == {1, 2, 3, 4, 6, 7, 8, 9, 10}


def plan_lists(monkeypatch: pytest.MonkeyPatch, audiences: list[Audience], *destinations: Destination) -> bool:
    """Runs the night's job. Returns whether it succeeded."""
    named = {each.name: each for each in destinations}
    monkeypatch.setattr("lgs_assets.action.nightly.read_audiences", lambda: audiences)
    monkeypatch.setattr("lgs_assets.action.nightly.removed_audiences", lambda _: [])
    monkeypatch.setattr("lgs_assets.action.destinations.configured.destination_named", lambda _, name: named[name])
    with dagster_instance(Configuration.read()) as instance:
        job = build_definitions(Configuration.read()).resolve_job_def("plan_lists")
        return job.execute_in_process(instance=instance, raise_on_error=False).success


def test_nobody_stays_on_a_list_who_may_not_be_written_to(
    people: Warehouse, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Declined by a file, or excluded by whatever was cut short; even if there is no such audience any more."""
    set_members(people, range(1, 9))
    sync(people, webhook(receiver))
    file = contacts_file(tmp_path, [line(2, ok="no"), line(3, ok="no")])
    (number,) = import_contacts(people, file, key=KEY, reject_limit=0).removals
    assert [(each.plan, each.audience_version, each.removes) for each in leaving_plans(people)] == [(number, "", 2)]
    with people.transaction() as connection:
        connection.execute(sa.text("insert into marketing_exclusions values (4, 'objected', now())"))
    assert plan_lists(monkeypatch, [], webhook(receiver))
    assert receiver.held.keys() == held(people) == {1, 5, 6, 7, 8} and leaving_plans(people) == []
    assert plan_removals(people) == []


def test_who_objects_at_one_tool_leaves_every_list_that_night(
    people: Warehouse, tool: Tool, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists planned by hand, too, and without auto: a removal that must be needs nobody's eyes."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    sync(people, tool.destination())
    tool.unsubscribe("R5")
    tool.unsubscribe("R4")
    read = replace(SOME, destinations=(tool.destination().name,))
    assert plan_lists(monkeypatch, [read], webhook(receiver), tool.destination())
    assert receiver.held.keys() == tool.held() == held(people) == {1, 2, 3}
    assert len([each for each in plans(people) if not each.audience_version and each.state == "applied"]) == 2


def test_a_list_that_cannot_be_reached_is_told_every_night(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it holds somebody who may not be on it."""
    set_members(people, range(1, 6))
    sync(people, webhook(receiver))
    object_to_marketing(people, 5)
    receiver.faults = ["401"] * 2
    for _ in range(2):
        assert not plan_lists(monkeypatch, [], webhook(receiver))
    assert receiver.faults == [] and plan_lists(monkeypatch, [], webhook(receiver))
    assert receiver.held.keys() == held(people) == {1, 2, 3, 4}


def test_a_destination_that_is_set_wrongly_keeps_no_other_from_deleting(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are: both are told, each once; the third deletes whom it must, and a list is rid of who objected."""
    with serving(KlaviyoTool()) as tool:
        tool.know(*range(1, 6))
        set_members(people, range(1, 6))
        sync(people, tool.destination())
        sync(people, webhook(receiver))
        forget_contact(people, 4)
        object_to_marketing(people, 5)
        given = {"klaviyo": tool.destination(), "webhook": webhook(receiver)}
        monkeypatch.setattr(configured, "_configured", partial(_or_wrong, configured._configured, given))
        monkeypatch.setenv("LGS_MAILCHIMP_KEY", "no key")
        monkeypatch.setenv("LGS_MAILCHIMP_LIST", "abc")
        monkeypatch.setenv("LGS_HUBSPOT_KEY", "two words")
        monkeypatch.setattr(nightly, "read_audiences", list)
        monkeypatch.setattr(nightly, "removed_audiences", lambda _: [])
        with dagster_instance(Configuration.read()) as instance:
            job = build_definitions(Configuration.read()).resolve_job_def("plan_lists")
            run = job.execute_in_process(instance=instance, raise_on_error=False)
        assert tool.problems == [] and "R4" not in tool.contacts and tool.held() == {1, 2, 3}
    (failure,) = [event for event in run.all_node_events if event.is_step_failure]
    told = failure.step_failure_data.error_display_string.partition("Stack Trace")[0]
    assert told.count("LGS_MAILCHIMP_KEY: expected") == told.count("LGS_HUBSPOT_KEY: expected") == 1
    assert receiver.held.keys() == {1, 2, 3} and leaving_plans(people) == []


def _or_wrong(
    real: Callable[[Configuration, str], Destination | None],
    given: dict[str, Destination],
    configuration: Configuration,
    name: str,
) -> Destination | None:
    return given.get(name) or real(configuration, name)


def test_a_list_whose_audience_has_no_file_is_planned_empty(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each night, by the guards of any plan: it waits for somebody. The file of another says nothing of it."""
    set_members(people, range(1, 21))
    sync(people, webhook(receiver))
    early = make_plan(people, without_file("some"), webhook(receiver), key=KEY)
    assert early and early.refusal and early.refusal.endswith("since its members were found: lgs run")
    set_members(people, [])
    monkeypatch.setattr(nightly, "read_audiences", list)
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    with dagster_instance(Configuration.read()) as instance:
        job = build_definitions(Configuration.read()).resolve_job_def("plan_lists")
        assert job.execute_in_process(instance=instance).success
    made = plans(people)[0]
    assert (made.audience, made.state) == ("some", "refused") and "would remove 20 of 20 (100%)" in (made.refusal or "")
    lgs = partial(CliRunner(env={"COLUMNS": "200"}).invoke, app)
    told = lgs(["audience", "list"]).output
    assert "some: its file is gone, and webhook still holds 20 customers of it" in told
    assert "lgs activate plan some webhook" in told
    assert lgs(["activate", "plan", "some", "webhook"]).exit_code == 4
    agreed = lgs(["activate", "plan", "some", "webhook", "--allow-removals", "20"])
    assert agreed.exit_code == 0, agreed.output
    assert lgs(["activate", "apply", str(plans(people)[0].plan)]).exit_code == 0
    assert receiver.held == {} and held(people) == set()
    assert "its file is gone" not in lgs(["audience", "list"]).output
    unknown = lgs(["activate", "plan", "some", "webhook"])
    assert unknown.exit_code == 1 and "There is no audience 'some'" in unknown.output + unknown.stderr


def test_a_broken_file_of_a_list_is_not_taken_for_a_gone_one(
    people: Warehouse, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt column must not take everybody off the list."""
    set_members(people, {1, 2})
    sync(people, webhook(receiver))
    file = tmp_path / "some.toml"
    file.write_text('description = "Some."\nwhere = "monetery > 1"\n')
    monkeypatch.setattr("lgs_assets.action.audiences.FILES", (file,))
    with pytest.raises(RuleError, match="monetery"):
        planned_audience(people, "some")
    monkeypatch.setattr("lgs_assets.action.audiences.FILES", ())
    assert planned_audience(people, "some") == without_file("some")


@pytest.mark.parametrize(("setting", "wrong"), [("auto = true", "expected destinations"), ('auto = "yes"', "auto: ")])
def test_what_auto_cannot_mean_is_refused(tmp_path: Path, setting: str, wrong: str) -> None:
    """With the file and the key."""
    file = tmp_path / "some.toml"
    file.write_text(f'description = "Some."\nwhere = "monetary > 1"\n{setting}\n')
    with pytest.raises(RuleError, match=f"some.toml: {wrong}|some.toml: auto: {wrong}"):
        Audience.read(file)
    file.write_text('description = "Some."\nwhere = "monetary > 1"\ndestinations = ["webhook"]\nauto = true\n')
    assert Audience.read(file).is_automatic
