"""kill -9 at each step of applying, with servers that fail two times in five: in the end all is as it was planned."""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import pytest
from typer.testing import CliRunner, Result

from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.action.lists.plans import plans
from lgs_assets.command.cli import app
from lgs_assets.errors import UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.action.drill import (
    FAULTS,
    ROWS,
    STEPS,
    Tally,
    apply_killed_at,
    by_a_wrong_clock,
    drill,
    what_is_wrong,
)
from lgs_assets_tests.action.lists import apply, held, plan, set_members, sync
from lgs_assets_tests.action.receiver import SIGNING_KEY, Receiver, receiving
from lgs_assets_tests.action.tools import Tool

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.problems == []


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)


def in_small_batches(tool: Tool) -> Destination:
    tool.limits = ()  # a child's time is its own
    return replace(tool.destination(), batch_rows=ROWS)  # type: ignore[type-var]  # a protocol, whose every class is a dataclass


@pytest.mark.parametrize("step", STEPS)
def test_a_process_killed_at_a_step_is_finished_by_the_next(people: Warehouse, tool: Tool, step: str) -> None:
    """With removals, additions and updates; at the second time that it comes there."""
    destination = in_small_batches(tool)
    set_members(people, range(1, 13))
    sync(people, destination)
    set_members(people, range(5, 19), spent=2)
    made = plan(people, destination)
    assert made and (made.adds, made.updates, made.removes) == (6, 8, 4)
    assert apply_killed_at(step, 2, people.url, made.plan, destination)
    assert plans(people)[0].state == "applying"
    apply(people, made.plan, destination)
    assert what_is_wrong(people, destination, tool.held(), set(range(5, 19))) == []
    assert {str(value) for customer in range(5, 19) for value in tool.fields(customer).values()} == {"2"}


def test_an_emptied_list_is_finished_though_the_audience_is_gone(
    people: Warehouse, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is gone, the last removal is settled so that nobody is held, and the plan is not ended."""
    monkeypatch.setenv("LGS_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("LGS_WEBHOOK_KEY", SIGNING_KEY)
    destination = Webhook(receiver.url, SIGNING_KEY)
    set_members(people, range(1, 4))
    sync(people, destination)
    set_members(people, ())
    assert lgs("activate", "plan", "some", "webhook", "--allow-removals", "3").exit_code == 0
    number = plans(people)[0].plan
    assert apply_killed_at("settled", 1, people.url, number, destination)
    assert plans(people)[0].state == "applying" and held(people) == set()
    finished = lgs("activate", "apply", str(number))
    assert finished.exit_code == 0 and "3 changes accepted" in finished.output, finished.output
    again = lgs("activate", "apply", str(number))
    assert again.exit_code == 4 and "was applied at" in again.stderr
    assert "There is no audience ''" in lgs("activate", "plan", "", "webhook").stderr


@pytest.mark.parametrize("tool", ["mailchimp"], indirect=True)
def test_an_objection_is_kept_though_the_process_is_killed(people: Warehouse, tool: Tool) -> None:
    """It was told by the answer to a batch; the rest of the answer is not written down yet."""
    set_members(people, {1, 2})
    tool.unsubscribe("R2")
    made = plan(people, tool.destination())
    assert made and apply_killed_at("answered", 1, people.url, made.plan, tool.destination())
    assert apply(people, made.plan, tool.destination()).withheld == {2: "objected"}
    sync(people, tool.destination())
    assert tool.held() == {1} and plan(people, tool.destination()) is None


@pytest.mark.parametrize("hours", [2, -2, 24 * 365])
def test_a_clock_that_is_wrong_changes_nothing(people: Warehouse, receiver: Receiver, hours: int) -> None:
    """That of this machine: signatures, receipts and ages go by the database's, and so do the guards."""
    destination = Webhook(receiver.url, SIGNING_KEY)
    set_members(people, range(1, 4))
    states = []
    for age in (37, 35):
        with people.transaction() as connection:
            connection.exec_driver_sql(f"update publications set published_at = now() - interval '{age} hours'")
        assert by_a_wrong_clock(hours, lambda: _plan_anew(people.url, destination))
        states.append(plans(people)[0].state)
    assert states == ["refused", "planned"]
    for age, is_applied in ((25, False), (23, True)):
        with people.transaction() as connection:
            connection.exec_driver_sql(f"update activation_plans set made_at = now() - interval '{age} hours'")
        assert by_a_wrong_clock(hours, lambda: _apply_anew(people.url, destination)) == is_applied
    assert receiver.held.keys() == {1, 2, 3} and plans(people)[0].state == "applied"
    recent = "select sent_at > now() - interval '5 minutes' and sent_at < now() as is_recent from activation_receipts"
    assert [row.is_recent for row in people.rows(recent)] == [True]


def _plan_anew(url: str, destination: Destination) -> None:
    plan(Warehouse(url), destination)


def _apply_anew(url: str, destination: Destination) -> None:
    warehouse = Warehouse(url)
    apply(warehouse, plans(warehouse)[0].plan, destination)


def test_the_drill(people: Warehouse, receiver: Receiver) -> None:
    """Two rounds of each of twelve; `python -m benchmarks.activation` has the full count."""

    def fail(faults: list[str | None]) -> None:
        receiver.faults = faults

    def tally_of(seed: int) -> Tally:
        rounds = drill(
            people, lambda: Webhook(receiver.url, SIGNING_KEY, ROWS, 1), lambda: set(receiver.held), fail, seed=seed
        )
        return list(islice(rounds, 2))[-1]

    tallies = [tally_of(seed) for seed in range(12)]
    assert [wrong for tally in tallies for wrong in tally.wrong] == []
    assert sum(tally.kills for tally in tallies) >= 24, "the drill kills too little to show anything"


def test_the_faults_of_the_drill_are_such_as_pass(people: Warehouse, tool: Tool) -> None:
    """Two in five answers are wrong, at every tool: a patient apply gets through."""
    chance = random.Random(1)
    destination = in_small_batches(tool)
    set_members(people, range(1, 20))
    made = plan(people, destination)
    assert made
    while plans(people)[0].state != "applied":
        tool.faults = [chance.choice(FAULTS) if chance.random() < 0.4 else None for _ in range(200)]
        with suppress(UnavailableError):
            apply(people, made.plan, destination)
    tool.faults = []
    assert what_is_wrong(people, destination, tool.held(), set(range(1, 20))) == []
