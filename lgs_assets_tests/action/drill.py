"""The drill of applying: processes that are killed at each step, servers that fail, and what must hold in the end."""

import http.client
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import count
from typing import Any, Self

import sqlalchemy as sa

from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.lists import applying
from lgs_assets.action.lists.receipts import Receipt
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.action.lists import held, plan, set_members
from lgs_assets_tests.action.people import KEY

FAULTS = ["429", "500", "no answer", "done, answer lost", "HTML"]
STEPS = {
    "marked": (applying, "Batch", False),  # the batch is marked as being sent, and is not sent yet
    "asked": (http.client.HTTPConnection, "getresponse", False),  # a request is on its way
    "answered": (applying, "settle", False),  # the answer is here, and not written down
    "writing": (Receipt, "write", True),  # in the transaction that writes it down
    "settled": (applying, "settle", True),  # it is written down
}
"""Where a process kills itself: before a function, or after it."""
AT_RANDOM = "at random"
ROWS = 4


_ADVISORY_LOCKS = """
select from pg_locks
where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
"""


@dataclass
class Tally:
    """What a drill came to."""

    applies: int = 0
    """Processes that began to apply a plan."""
    kills: int = 0
    """Those of them that were killed."""
    ends: int = 0
    """Plans that were finished, and whose end was compared with what was planned."""
    wrong: list[str] = field(default_factory=list)
    """Ends that were not as they should be."""


def apply_killed_at(step: str, nth: int, url: str, number: int, destination: Destination) -> bool:
    """Applies a plan in a process that dies when it reaches a step for the nth time. Returns whether it did.

    PostgreSQL has noticed its death by then: until it does, the destination is held.
    """
    child = _apply_in_child(url, number, destination, prepare=lambda: _die_at(step, nth))
    was_killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    here = Warehouse(url)
    while here.rows(_ADVISORY_LOCKS):
        time.sleep(0.01)  # asks again soon
    here.engine.dispose()
    return was_killed


def by_a_wrong_clock(hours: float, work: Callable[[], None]) -> bool:
    """Does something in a process whose machine has the time wrong. Returns whether it ended well."""
    right = time.time

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=hours)

    def put_the_clock_wrong() -> None:
        setattr(time, "time", lambda: right() + hours * 3600)  # noqa: B010 (mypy knows that it is a function)
        for name, module in [*sys.modules.items()]:
            if name.startswith("lgs_assets.") and getattr(module, "datetime", None) is datetime:
                vars(module)["datetime"] = Wrong

    def do_by_that() -> None:
        put_the_clock_wrong()
        work()

    return os.waitstatus_to_exitcode(os.waitpid(_in_child(do_by_that), 0)[1]) == 0


def drill(
    warehouse: Warehouse,
    destination: Callable[[], Destination],
    listed: Callable[[], set[int]],
    fail: Callable[[list[str | None]], None],
    *,
    seed: int,
    most_kills: int = 4,
) -> Iterator[Tally]:
    """Plans a change of the list, applies it through kills and faults, compares; again and again. Yields the tally.

    `listed` is whom the list of the server holds, and `fail` takes the faults of its next answers.
    """
    chance = random.Random(seed)
    tally = Tally()
    while True:
        members = set(chance.sample(range(1, 41), chance.randint(5, 40)))
        before = held(warehouse)
        set_members(warehouse, members)
        made = plan(warehouse, destination(), removals=len(before - members), adds=len(members - before))
        if made is None:
            continue
        kills = 0
        while _state(warehouse, made.plan) != "applied":
            fail([chance.choice(FAULTS) if chance.random() < 0.4 else None for _ in range(60)])
            tally.applies += 1
            step = chance.choice([*STEPS, AT_RANDOM]) if kills < most_kills and chance.random() < 0.75 else None
            if step is None:
                child = _apply_in_child(warehouse.url, made.plan, destination())
                os.waitpid(child, 0)
            elif step == AT_RANDOM:
                child = _apply_in_child(warehouse.url, made.plan, destination())
                time.sleep(chance.uniform(0, 0.25))
                os.kill(child, signal.SIGKILL)
                was_killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
                kills, tally.kills = kills + was_killed, tally.kills + was_killed
            else:
                was_killed = apply_killed_at(step, chance.randint(1, 5), warehouse.url, made.plan, destination())
                kills, tally.kills = kills + was_killed, tally.kills + was_killed
        fail([])
        tally.ends += 1
        tally.wrong += what_is_wrong(warehouse, destination(), listed(), members)
        yield tally


def what_is_wrong(warehouse: Warehouse, destination: Destination, listed: set[int], members: set[int]) -> list[str]:
    """Why the end of a plan is not as it should be."""
    wrong = []
    if listed != members:
        wrong.append(f"the list lacks {members - listed}, and should not have {listed - members}")
    if held(warehouse) != members:
        wrong.append("the ledger is not the list")
    if warehouse.rows("select from activation_changes where state not in ('accepted', 'rejected', 'withheld')"):
        wrong.append("a change was left half sent")
    if plan(warehouse, destination) is not None:
        wrong.append("there is something left to plan")
    return wrong


def _state(warehouse: Warehouse, number: int) -> str:
    with warehouse.transaction() as connection:
        query = sa.text("select state from activation_plans where plan = :plan")
        return str(connection.execute(query, {"plan": number}).scalar_one())


def _apply_in_child(
    url: str, number: int, destination: Destination, *, prepare: Callable[[], None] = lambda: None
) -> int:
    """Applies a plan in a process of its own. Returns its number."""

    def work() -> None:
        prepare()
        applying.apply_plan(Warehouse(url), number, destination, key=KEY, pause=lambda _: None)

    return _in_child(work)


def _in_child(work: Callable[[], None]) -> int:
    """Does something in a process of its own. Returns its number."""
    if child := os.fork():
        return child
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


def _die_at(step: str, nth: int) -> None:
    """Makes this process kill itself when it reaches a step for the nth time."""
    owner, name, afterwards = STEPS[step]
    function, calls = getattr(owner, name), count(1)

    def deadly(*arguments: Any, **keywords: Any) -> Any:
        is_the_last = next(calls) == nth
        if is_the_last and not afterwards:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **keywords)
        if is_the_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
