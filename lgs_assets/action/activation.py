"""Plan, review, apply: what a destination is to be told, told exactly so, and a receipt for each request.

A plan is the difference between who may be sent and whom the destination holds by our doing. To plan sends nothing; to
apply sends that plan and no other. What we did not put there is never removed.

Each batch is marked as being sent before it is; its receipt, its rows and what the destination then holds are written
in one transaction. What a killed process leaves marked is sent again, which does no harm: see `destinations`.
"""

import hmac
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from lgs_assets.action.audiences import Audience
from lgs_assets.action.contacts import REACH, REACH_FROM, expect_key
from lgs_assets.action.destinations import Answer, Batch, BatchError, BusyError, Change, Destination
from lgs_assets.action.experiments import IN_CONTROL
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.errors import GuardError, LgsError, UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_for_writing
from lgs_assets.warehouse.schema import Cursor, driver_cursor
from lgs_assets.wording import counted

EXPIRES_HOURS = 24
STALE_HOURS = 36
MAX_REMOVED_SHARE = 0.3
FREE_REMOVALS = 10
MAX_GROWTH = 3
FREE_ADDS = 100
ATTEMPTS = 6

URGENT = {"objected", "forgotten", "suppressed", "declined marketing"}
"""Why a customer must be removed whatever a guard says."""
REJECTED_BEFORE = "rejected before"
_GONE = "left the audience"
# A table whose blocking check failed is marked so: see `wiring.versions.mark_outdated`.
_FAILED = "0" * 64

Pause = Callable[[float], None]


class Planned(NamedTuple):
    """One change of a plan."""

    operation: str
    customer_id: int
    cause: str
    fields: dict[str, Any]
    payload: str


@dataclass(frozen=True)
class Plan:
    """A plan, as the ledger has it."""

    plan: int
    destination: str
    audience: str
    audience_version: str
    adds: int
    updates: int
    removes: int
    left_out: dict[str, int]
    held_before: int
    digest: str
    state: str
    refusal: str | None
    made_by: str
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Allowance:
    """What a person allows a plan to do beyond its guard: exactly so many, or nothing."""

    removals: int | None = None
    adds: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What applying a plan came to, in rows."""

    accepted: int
    rejected: dict[int, str]
    withheld: dict[int, str]


def make_plan(
    warehouse: Warehouse,
    audience: Audience,
    destination: Destination,
    *,
    key: str | None,
    allowance: Allowance = Allowance(),
) -> Plan | None:
    """Plans what a destination is to be told of an audience. Returns None if it holds just that already.

    A plan that waits for the same list is expired by the new one. Where a guard refuses, the plan holds the removals
    that must be made all the same, and says in `refusal` what was refused; without any, its state is refused.
    Raises LgsError if a plan of the list is applied in part, or the audience is not built.
    """
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_for_writing(cursor, f"activation of {destination.name}")
        _expire(cursor, destination.name, audience.name)
        publication, age = _publication(cursor)
        with as_activator(cursor):
            the_key = expect_key(cursor, key)
            wanted, left_out, rejected = _wanted(cursor, the_key, audience.name, destination.name)
            held = _held(cursor, audience.name, destination.name)
        changes = _difference(wanted, held, the_key, rejected)
        if not changes:
            return None
        cursor.execute(
            "select count(*), array_agg(distinct version) from audience_members where audience = %s", [audience.name]
        )
        ((members, versions),) = cursor.fetchall()
        refusal = _stale(publication, age, audience, set(versions or [])) or _guard(
            changes, members=members, held=len(held), allowance=allowance
        )
        if refusal:
            changes = [change for change in changes if change.operation == "remove" and change.cause in URGENT]
        return _store(
            cursor, audience, destination, changes,
            publication=publication, left_out=left_out, held=len(held), refusal=refusal,
        )  # fmt: skip


def plan_removals(warehouse: Warehouse, customer_id: int, *, batch_rows: int | None = None) -> list[int]:
    """Plans to remove a customer from every list that holds them. Returns the numbers of the plans."""
    plans = []
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(
            """
            select destination, audience, payload, coalesce(reason, 'suppressed')
            from destination_members
            left join marketing_exclusions using (customer_id)
            where customer_id = %s
            order by destination, audience
            """,
            [customer_id],
        )
        for destination, audience, payload, reason in cursor.fetchall():
            change = Planned("remove", customer_id, reason, {}, payload)
            plans.append(_insert(cursor, destination, audience, "", "", [change], {}, 1, None, batch_rows))
    return plans


def plan_numbered(warehouse: Warehouse, number: int) -> Plan:
    """A plan by its number. Raises LgsError if there is none."""
    with warehouse.transaction() as connection:
        return _plan(driver_cursor(connection), number)


def changes_of(warehouse: Warehouse, number: int) -> list[dict[str, Any]]:
    """The changes of a plan, removals first: customer, operation, cause, fields, state, answer."""
    query = """
        select customer_id, operation, cause, fields, state, answer
        from activation_changes
        where plan = :plan
        order by batch, customer_id
    """
    return [dict(row) for row in warehouse.rows(query, plan=number)]


def plans(warehouse: Warehouse, *, last: int = 20) -> list[Plan]:
    """The last plans, newest first."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(f"{_PLANS} order by plan desc limit %s".encode(), [last])
        return [Plan(*row) for row in cursor]


def apply_plan(
    warehouse: Warehouse,
    number: int,
    destination: Destination,
    *,
    key: str | None,
    version: str | None = None,
    pause: Pause = time.sleep,
) -> Outcome:
    """Sends what is left of a plan: exactly that, but for rows that may no longer be sent as they were planned.

    `version` is that of the audience now. Raises GuardError if the plan was applied, refused, has expired or is of
    another version of the audience, LgsError if it is being applied, AccessError if the destination does not let us in,
    and UnavailableError if it does not answer; after these two, applying it again goes on from there.
    """
    prepare_private(warehouse)
    with _alone(warehouse, destination.name):
        with warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            plan = _begin(cursor, number, destination, version)
            with as_activator(cursor):
                the_key = expect_key(cursor, key)
            cursor.execute(
                "select distinct batch from activation_changes where plan = %s and state in ('planned', 'sending') "
                "order by batch",
                [number],
            )
            batches = [batch for (batch,) in cursor]
        for batch in batches:
            _send_batch(warehouse, plan, batch, destination, the_key, pause)
        return _end(warehouse, plan)


_PLANS = """
select plan, destination, audience, audience_version, adds, updates, removes, left_out, held_before, digest, state,
    refusal, made_by, made_at, ended_at
from activation_plans
"""


def _plan(cursor: Cursor, number: int) -> Plan:
    cursor.execute(f"{_PLANS} where plan = %s".encode(), [number])
    if not (row := cursor.fetchone()):
        raise LgsError(f"There is no plan {number}: lgs activate list shows those that there are.")
    return Plan(*row)


def _expire(cursor: Cursor, destination: str, audience: str) -> None:
    """Ends a plan of the same list that waits, or was given up. Raises LgsError for one that is applied in part.

    Of one that was given up, what may have arrived counts as held, so that it is removed where it should not be.
    """
    abandoned = "state = 'applying' and made_at < now() - make_interval(hours => %s)"
    cursor.execute(
        f"""
        insert into destination_members
        select destination, audience, customer_id, payload, plan, now()
        from activation_changes
        inner join (select plan, destination, audience from activation_plans where {abandoned}) as given_up using (plan)
        where destination = %s and audience = %s and operation <> 'remove' and activation_changes.state = 'sending'
        on conflict do nothing
        """.encode(),
        [EXPIRES_HOURS, destination, audience],
    )
    cursor.execute(
        f"update activation_plans set state = 'expired', ended_at = now() "
        f"where {abandoned} and destination = %s and audience = %s".encode(),
        [EXPIRES_HOURS, destination, audience],
    )
    cursor.execute(
        "select plan from activation_plans where destination = %s and audience = %s and state = 'applying'",
        [destination, audience],
    )
    if row := cursor.fetchone():
        raise LgsError(f"Plan {row[0]} of this list is applied in part. Finish it first: lgs activate apply {row[0]}")
    cursor.execute(
        "update activation_plans set state = 'expired', ended_at = now() "
        "where destination = %s and audience = %s and state = 'planned'",
        [destination, audience],
    )


def _publication(cursor: Cursor) -> tuple[str, float]:
    """The version of the members, and how many hours ago they were found."""
    cursor.execute(
        "select version, extract(epoch from now() - published_at) / 3600 from publications "
        "where table_name = 'audience_members'"
    )
    if not (row := cursor.fetchone()):
        raise LgsError("There is no table audience_members yet: lgs run")
    return row[0], float(row[1])


def _wanted(
    cursor: Cursor, key: str, audience: str, destination: str
) -> tuple[dict[int, tuple[dict[str, Any], str]], Counter[str], set[int]]:
    """Who may be sent, with fields and payload; how many members may not, by reason; and whom it would reject again.

    As lgs_activator.
    """
    cursor.execute(
        """
        select customer_id, payload
        from lgs.activation_changes
        inner join lgs.activation_plans using (plan)
        where activation_plans.audience = %s and destination = %s and activation_changes.state = 'rejected'
        """,
        [audience, destination],
    )
    rejections = set(cursor.fetchall())
    in_control = IN_CONTROL.format(customer="members.customer_id", audience="members.audience")
    cursor.execute(
        f"""
        select members.customer_id, members.fields, contacts.email, coalesce(excluded.reason, {REACH}, {in_control})
        from lgs.audience_members as members
        left join lgs.marketing_exclusions as excluded on excluded.customer_id = members.customer_id
        {REACH_FROM.format(customer="members.customer_id")}
        where audience = %s
        order by members.customer_id
        """.encode(),
        [audience],
    )
    wanted: dict[int, tuple[dict[str, Any], str]] = {}
    left_out: Counter[str] = Counter()
    rejected: set[int] = set()
    for customer, fields, email, why_not in cursor:
        payload = "" if why_not else _payload(key, customer, email, fields)
        if why_not:
            left_out[why_not] += 1
        elif (customer, payload) in rejections:
            left_out[REJECTED_BEFORE] += 1
            rejected.add(customer)
        else:
            wanted[customer] = (fields, payload)
    return wanted, left_out, rejected


def _held(cursor: Cursor, audience: str, destination: str) -> dict[int, tuple[str, str]]:
    """Whom the destination holds, what it was told, and why they would be removed. As lgs_activator."""
    in_control = IN_CONTROL.format(customer="held.customer_id", audience="held.audience")
    cursor.execute(
        f"""
        select held.customer_id, held.payload, coalesce(excluded.reason, {REACH}, {in_control})
        from lgs.destination_members as held
        left join lgs.marketing_exclusions as excluded on excluded.customer_id = held.customer_id
        {REACH_FROM.format(customer="held.customer_id")}
        where held.audience = %s and held.destination = %s
        """.encode(),
        [audience, destination],
    )
    return {customer: (payload, why or _GONE) for customer, payload, why in cursor}


def _difference(
    wanted: dict[int, tuple[dict[str, Any], str]], held: dict[int, tuple[str, str]], key: str, rejected: set[int]
) -> list[Planned]:
    """Removals, adds and updates, each by customer. Nobody is removed because an update of theirs was rejected."""
    removes = [
        Planned("remove", customer, held[customer][1], {}, _payload(key, customer, None, {}))
        for customer in sorted(held.keys() - wanted.keys() - rejected)
    ]
    adds = [
        Planned("add", customer, "entered the audience", *wanted[customer])
        for customer in sorted(wanted.keys() - held.keys())
    ]
    updates = [
        Planned("update", customer, "fields or contact changed", *wanted[customer])
        for customer in sorted(wanted.keys() & held.keys())
        if wanted[customer][1] != held[customer][0]
    ]
    return removes + adds + updates


def _stale(publication: str, age: float, audience: Audience, versions: set[str]) -> str | None:
    """Why nothing can be built on the members as they are; None if they will do."""
    if publication == _FAILED:
        return "a blocking check of audience_members failed: lgs status"
    if age > STALE_HOURS:
        return f"the members were found {age:,.0f} hours ago, and {STALE_HOURS} are allowed: lgs run"
    if versions - {audience.version}:
        return f"the rule or the fields of {audience.name} have changed since its members were found: lgs run"
    return None


def _guard(changes: Sequence[Planned], *, members: int, held: int, allowance: Allowance) -> str | None:
    """What is larger than it should be, with the figures; None if nothing is."""
    if not held:
        return None  # the first list is reviewed as a whole
    removals = sum(change.operation == "remove" and change.cause not in URGENT for change in changes)
    adds = sum(change.operation == "add" for change in changes)
    if removals > max(FREE_REMOVALS, MAX_REMOVED_SHARE * held) and allowance.removals != removals:
        empty = "the audience is empty; " if not members else ""
        return (
            f"{empty}would remove {removals:,} of {held:,} ({removals / held:.0%}), and {MAX_REMOVED_SHARE:.0%} are "
            f"allowed. If that is right: --allow-removals {removals}"
        )
    if adds > MAX_GROWTH * held + FREE_ADDS and allowance.adds != adds:
        return (
            f"would add {adds:,} to the {held:,} held, and {MAX_GROWTH * held + FREE_ADDS:,} are allowed. "
            f"If that is right: --allow-adds {adds}"
        )
    return None


def _store(
    cursor: Cursor,
    audience: Audience,
    destination: Destination,
    changes: Sequence[Planned],
    *,
    publication: str,
    left_out: Counter[str],
    held: int,
    refusal: str | None,
) -> Plan:
    number = _insert(
        cursor, destination.name, audience.name, audience.version, publication, changes, dict(sorted(left_out.items())),
        held, refusal, destination.batch_rows,
    )  # fmt: skip
    return _plan(cursor, number)


def _insert(
    cursor: Cursor,
    destination: str,
    audience: str,
    version: str,
    publication: str,
    changes: Sequence[Planned],
    left_out: dict[str, int],
    held: int,
    refusal: str | None,
    batch_rows: int | None,
) -> int:
    operations = Counter(change.operation for change in changes)
    digest = sha256(f"{destination}/{audience}".encode())
    for change in changes:
        digest.update(json.dumps([change.operation, change.customer_id, change.payload]).encode())
    cursor.execute(
        """
        insert into activation_plans (
            destination, audience, audience_version, publication, adds, updates, removes, left_out, held_before, digest,
            state, refusal, made_by, made_at, ended_at
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, session_user, now(), case when %s then now() end)
        returning plan
        """,
        [
            *(destination, audience, version, publication),
            *(operations["add"], operations["update"], operations["remove"]),
            *(Jsonb(left_out), held, digest.hexdigest(), "planned" if changes else "refused", refusal, not changes),
        ],
    )
    ((number,),) = cursor.fetchall()
    with cursor.copy(
        "copy activation_changes (plan, customer_id, operation, cause, fields, payload, batch, state) from stdin"
    ) as copy:
        for batch, change in _batched(changes, batch_rows):
            fields = json.dumps(change.fields, sort_keys=True)
            told = (change.operation, change.cause, fields, change.payload)
            copy.write_row((number, change.customer_id, *told, batch, "planned"))
    return int(number)


def _batched(changes: Sequence[Planned], rows: int | None) -> Iterator[tuple[int, Planned]]:
    """Each change with the number of its batch. Removals, which come first, do not share one with others."""
    if rows is None:
        yield from ((1, change) for change in changes)
        return
    number = 0
    for _, group in groupby(changes, key=lambda change: change.operation == "remove"):
        for place, change in enumerate(group):
            number += place % rows == 0
            yield number, change


def _payload(key: str, customer_id: int, email: str | None, fields: dict[str, Any]) -> str:
    """What tells all that a destination is told of a customer from anything else, and gives nothing of it away."""
    content = json.dumps([customer_id, email, fields], sort_keys=True)
    return hmac.new(key.encode(), content.encode(), sha256).hexdigest()


@contextmanager
def _alone(warehouse: Warehouse, destination: str) -> Iterator[None]:
    """Holds the destination for the length of a block. Raises LgsError if somebody else holds it."""
    warehouse.prepare()
    with warehouse.engine.connect() as connection:
        name = f"lgs.applying to {destination}"
        (taken,) = connection.exec_driver_sql("select pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)).one()
        connection.commit()  # the lock is the session's: no transaction stays open meanwhile
        if not taken:
            raise LgsError(f"Another plan is being applied to {destination}. Wait until it is done.")
        try:
            yield
        finally:
            connection.invalidate()  # ends the session, and the lock with it, also if the server was restarted


def _begin(cursor: Cursor, number: int, destination: Destination, version: str | None) -> Plan:
    cursor.execute("select from activation_plans where plan = %s for update", [number])
    plan = _plan(cursor, number)
    if plan.destination != destination.name:
        raise LgsError(f"Plan {number} is for {plan.destination}, not for {destination.name}.")
    if plan.state in ("applied", "partial"):
        raise GuardError(f"Plan {number} was applied at {plan.ended_at:%Y-%m-%d %H:%M:%S} UTC. Nothing is sent.")
    if plan.state in ("refused", "expired"):
        raise GuardError(f"Plan {number} is {plan.state}. Nothing is sent: make another with lgs activate plan.")
    if plan.state == "planned":
        cursor.execute("select now() - %s > make_interval(hours => %s)", [plan.made_at, EXPIRES_HOURS])
        if cursor.fetchone() == (True,) and plan.audience_version:
            raise GuardError(f"Plan {number} is more than {EXPIRES_HOURS} hours old. Nothing is sent: make another.")
        if version is not None and plan.audience_version not in ("", version):
            raise GuardError(
                f"The rule or the fields of {plan.audience} have changed since plan {number} was made. Nothing is "
                "sent: make another."
            )
        cursor.execute("update activation_plans set state = 'applying' where plan = %s", [number])
    return plan


def _send_batch(
    warehouse: Warehouse, plan: Plan, number: int, destination: Destination, key: str, pause: Pause
) -> None:
    with warehouse.transaction() as connection:
        changes = _mark(driver_cursor(connection), plan, number, key)
    waiting = [changes] if changes else []
    while waiting:
        part = waiting.pop(0)
        content = json.dumps([change._asdict() for change in part], sort_keys=True)
        request = hmac.new(key.encode(), content.encode(), sha256).hexdigest()
        for tried in range(1, ATTEMPTS + 1):
            try:
                answer, receipt = _send_once(warehouse, destination, plan, number, part, request)
            except BatchError as error:
                if len(part) > 1:  # to the guilty row, in as many steps as it takes to halve the batch
                    half = len(part) // 2
                    waiting[:0] = [part[:half], part[half:]]
                else:
                    _settle(warehouse, plan, part, Answer(error.status, {part[0].customer_id: str(error)}))
                break
            except UnavailableError as error:
                if tried == ATTEMPTS:
                    raise UnavailableError(
                        f"{str(error).rstrip('.')}. Tried {ATTEMPTS} times; what was accepted stays. To go on: "
                        f"lgs activate apply {plan.plan}"
                    ) from None
                wait = error.wait if isinstance(error, BusyError) else None
                pause(wait if wait is not None else 2 ** (tried - 1) * random.uniform(0.75, 1.25))  # noqa: S311 (jitter)
            else:
                _settle(warehouse, plan, part, answer, receipt)
                break


def _mark(cursor: Cursor, plan: Plan, number: int, key: str) -> tuple[Change, ...]:
    """Marks what is left of a batch as being sent, and returns it; what may not be sent any more is withheld."""
    in_control = IN_CONTROL.format(customer="changes.customer_id", audience="plans.audience")
    with as_activator(cursor):
        cursor.execute(
            f"""
            select changes.customer_id, operation, fields, payload, changes.state, contacts.email,
                coalesce(excluded.reason, {REACH}, {in_control})
            from lgs.activation_changes as changes
            inner join lgs.activation_plans as plans on plans.plan = changes.plan
            left join lgs.marketing_exclusions as excluded on excluded.customer_id = changes.customer_id
            {REACH_FROM.format(customer="changes.customer_id")}
            where changes.plan = %s and batch = %s and changes.state in ('planned', 'sending')
            order by operation <> 'remove', operation, changes.customer_id
            """.encode(),
            [plan.plan, number],
        )
        rows = cursor.fetchall()
    changes = []
    for customer, operation, fields, payload, state, email, why_not in rows:
        if operation == "remove":
            changes.append(Change("remove", customer, None, {}))
            continue
        if not why_not and _payload(key, customer, email, fields) != payload:
            why_not = "the contact has changed"
        if not why_not:
            changes.append(Change(operation, customer, email, fields))
            continue
        cursor.execute(
            "update activation_changes set state = 'withheld', answer = %s, answered_at = now() "
            "where plan = %s and customer_id = %s",
            [why_not, plan.plan, customer],
        )
        if state == "sending":  # it may have arrived: the next plan takes it out
            _hold(cursor, plan, customer, payload)
    cursor.execute(
        "update activation_changes set state = 'sending' where plan = %s and customer_id = any (%s)",
        [plan.plan, [change.customer_id for change in changes]],
    )
    return tuple(changes)


class _Receipt(NamedTuple):
    """A request, as its receipt has it."""

    batch: Batch
    request: str

    def write(self, cursor: Cursor, status: int | None, outcome: str) -> None:
        """Keeps the receipt of what came of the request."""
        cursor.execute(
            """
            insert into activation_receipts (
                plan, batch, attempt, idempotency_key, request, row_count, sent_at, answered_at, status, outcome
            )
            values (
                %(plan)s, %(batch)s,
                (select count(*) + 1 from activation_receipts where plan = %(plan)s and batch = %(batch)s),
                %(key)s, %(request)s, %(rows)s, %(sent_at)s, now(), %(status)s, %(outcome)s
            )
            """,
            {
                "plan": self.batch.plan, "batch": self.batch.number, "key": self.batch.key, "request": self.request,
                "rows": len(self.batch.changes), "sent_at": self.batch.sent_at, "status": status, "outcome": outcome,
            },
        )  # fmt: skip


def _send_once(
    warehouse: Warehouse, destination: Destination, plan: Plan, number: int, changes: tuple[Change, ...], request: str
) -> tuple[Answer, _Receipt]:
    """Sends changes, and keeps a receipt of a failure; that of an answer is kept with what the answer changes."""
    with warehouse.transaction() as connection:  # the database's clock counts: that of this machine may be wrong
        sent_at = connection.exec_driver_sql("select now()").scalar_one()
    key = sha256(f"{destination.name}/{plan.plan}/{number}/{request}".encode()).hexdigest()
    batch = Batch(plan.audience, plan.plan, number, changes, key, sent_at)
    receipt = _Receipt(batch, request)
    try:
        return destination.send(batch), receipt
    except LgsError as error:
        status = error.status if isinstance(error, (BusyError, BatchError)) else None
        with warehouse.transaction() as connection:
            receipt.write(driver_cursor(connection), status, str(error))
        raise


def _settle(
    warehouse: Warehouse, plan: Plan, changes: Sequence[Change], answer: Answer, receipt: _Receipt | None = None
) -> None:
    """Writes down what became of changes, whom the destination holds now, and the receipt, in one transaction."""
    accepted = [change for change in changes if change.customer_id not in answer.rejected]
    removed = [change.customer_id for change in accepted if change.operation == "remove"]
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if receipt:
            receipt.write(cursor, answer.status, f"accepted {len(accepted):,}, rejected {len(answer.rejected):,}")
        cursor.execute(
            "update activation_changes set state = 'accepted', answered_at = now() "
            "where plan = %s and customer_id = any (%s)",
            [plan.plan, [change.customer_id for change in accepted]],
        )
        cursor.executemany(
            "update activation_changes set state = 'rejected', answer = %s, answered_at = now() "
            "where plan = %s and customer_id = %s",
            [(reason, plan.plan, customer) for customer, reason in answer.rejected.items()],
        )
        cursor.execute(
            "delete from destination_members where destination = %s and audience = %s and customer_id = any (%s)",
            [plan.destination, plan.audience, removed],
        )
        cursor.execute(
            """
            insert into destination_members
            select %s, %s, customer_id, payload, plan, now()
            from activation_changes
            where plan = %s and state = 'accepted' and operation <> 'remove' and customer_id = any (%s)
            on conflict (destination, audience, customer_id) do update
            set (payload, plan, confirmed_at) = (excluded.payload, excluded.plan, excluded.confirmed_at)
            """,
            [plan.destination, plan.audience, plan.plan, [change.customer_id for change in accepted]],
        )


def _hold(cursor: Cursor, plan: Plan, customer_id: int, payload: str) -> None:
    cursor.execute(
        "insert into destination_members values (%s, %s, %s, %s, %s, now()) on conflict do nothing",
        [plan.destination, plan.audience, customer_id, payload, plan.plan],
    )


def _end(warehouse: Warehouse, plan: Plan) -> Outcome:
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(
            "select customer_id, state, answer from activation_changes where plan = %s order by customer_id",
            [plan.plan],
        )
        rows = cursor.fetchall()
        answers = {
            state: {customer: answer for customer, found, answer in rows if found == state}
            for state in ("accepted", "rejected", "withheld")
        }
        state = "partial" if answers["rejected"] or answers["withheld"] else "applied"
        cursor.execute("update activation_plans set state = %s, ended_at = now() where plan = %s", [state, plan.plan])
    return Outcome(len(answers["accepted"]), answers["rejected"], answers["withheld"])


def summary(plan: Plan) -> str:
    """A plan in a sentence."""
    parts = [f"+ {plan.adds:,}", f"~ {plan.updates:,}", f"- {plan.removes:,}"]
    out = "; ".join(f"{reason} {number:,}" for reason, number in sorted(plan.left_out.items()))
    held = f"the destination held {counted(plan.held_before, 'customer')}"
    return f"Plan {plan.plan}: {', '.join(parts)}; {held}." + (f" Left out: {out}." if out else "")
