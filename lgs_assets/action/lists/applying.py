"""Applying: exactly what a plan says is sent, once, and each request leaves a receipt.

Each attempt marks what it sends before it does, and leaves out who may not be written to by then; what became of it is
written in one transaction. What a killed process leaves marked is sent again, which does no harm: see `destinations`.
"""

import hmac
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from lgs_assets.action.contacts import expect_key, is_contact, object_to_marketing
from lgs_assets.action.destinations.protocol import (
    AccessError,
    Answer,
    Batch,
    BatchError,
    BusyError,
    Change,
    Destination,
)
from lgs_assets.action.destinations.web import in_parts, without
from lgs_assets.action.lists.leaving import insert_removals
from lgs_assets.action.lists.plans import (
    EVERY_LIST,
    EXPIRES_HOURS,
    RESUMES_HOURS,
    WAITING,
    Plan,
    account,
    fingerprint,
    give_up,
    is_another,
    is_as_planned,
    lock_name,
    lock_planning,
    pseudonym_of,
    read_plan,
)
from lgs_assets.action.lists.receipts import Receipt, hold, settle
from lgs_assets.action.lists.whole_list import list_after
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.action.recipients import NOT_MATCHED, URGENT, recipients, why_not
from lgs_assets.errors import GuardError, LgsError, UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import Cursor, driver_cursor

ATTEMPTS = 6
FEW = 10
"""So many rows of a batch may all be refused; if more are, the destination itself is at fault."""

NOT_LISTED = "not on the list any more"
_MAY_STAY = "need not leave any more"
_LOCK = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "select pg_advisory_unlock(hashtextextended(%s, 0))"

Pause = Callable[[float], None]
Result = TypeVar("Result")


class TakenError(LgsError):
    """Something else is being done at a destination."""


@dataclass(frozen=True)
class Outcome:
    """What applying a plan came to, in rows."""

    accepted: int
    rejected: dict[int, str]
    withheld: dict[int, str]
    removals: list[int] = field(default_factory=list)
    """The plans by which those leave their lists who may not be written to by now, such as who objected meanwhile."""


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

    `version` is that of the audience now. Raises GuardError if the plan was applied, refused, has expired or
    its audience has changed since, even if part of it was sent; TakenError if the destination is taken, AccessError if
    it does not let us in, and UnavailableError if it does not answer; after these three, applying it again goes on from
    there.
    """
    prepare_private(warehouse)
    with alone(warehouse, destination.name) as expect_alone:
        with warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            with as_activator(cursor):
                the_key = expect_key(cursor, key)
            plan = _begin(cursor, number, destination, version, the_key)
            cursor.execute(
                "select distinct batch from activation_changes where plan = %s and state in ('planned', 'sending') "
                "order by batch",
                [number],
            )
            batches = [batch for (batch,) in cursor]
        for batch in batches:
            expect_alone()
            _send_batch(warehouse, plan, batch, destination, the_key, pause)
        return _end(warehouse, plan)


class Cancelled(NamedTuple):
    """What a plan had come to when it was cancelled, in rows."""

    accepted: int
    may_have_arrived: int
    """Sent without an answer: they count as held."""
    removals: list[int]
    """As in `Outcome`."""


def cancel_plan(warehouse: Warehouse, number: int) -> Cancelled:
    """Ends a plan, of which nothing more is sent. What was accepted stays.

    Raises GuardError if it has ended or if customers must leave by it, and LgsError while it is being applied.
    """
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        plan = read_plan(cursor, number)
        lock_planning(cursor, plan.destination)
        plan = read_plan(cursor, number)
        if plan.is_leaving:
            raise GuardError(f"Plan {number} is of those who must leave {plan.destination}: it cannot be cancelled.")
        if plan.state not in WAITING:
            raise GuardError(f"Plan {number} is {plan.state}: there is nothing to cancel.")
        give_up(cursor, number, plan.destination)
        cursor.execute(
            "select count(*) filter (where state = 'accepted'), count(*) filter (where state = 'sending') "
            "from activation_changes where plan = %s",
            [number],
        )
        ((accepted, sending),) = cursor.fetchall()
        return Cancelled(accepted, sending, insert_removals(cursor))


@contextmanager
def alone(warehouse: Warehouse, destination: str) -> Iterator[Callable[[], None]]:
    """Locks the destination for the length of a block. Raises TakenError if somebody else has.

    What it yields raises TakenError if the lock is lost, such as by a restart of the server.
    """
    warehouse.prepare()
    with warehouse.engine.connect() as connection:
        (taken,) = connection.exec_driver_sql(_LOCK, (lock_name(destination),)).one()
        connection.commit()  # the lock is the session's: no transaction stays open meanwhile
        if not taken:
            raise TakenError(f"Another plan is being applied to {destination}. Wait until it is done.")

        def expect_alone() -> None:
            try:
                connection.exec_driver_sql("select")
                connection.commit()
            except sa.exc.DBAPIError:
                raise TakenError(
                    f"The lock on {destination} was lost: the server was restarted. What was accepted stays."
                ) from None

        try:
            yield expect_alone
        finally:
            with suppress(sa.exc.SQLAlchemyError):  # at once: the server takes a moment to end a session
                connection.exec_driver_sql(_UNLOCK, (lock_name(destination),))
            connection.invalidate()  # ends the session, also if the server was restarted


def _begin(cursor: Cursor, number: int, destination: Destination, version: str | None, key: str) -> Plan:
    lock_planning(cursor, destination.name)  # else a plan that is being made would not see that this one has begun
    cursor.execute("select from activation_plans where plan = %s for update", [number])
    plan = read_plan(cursor, number)
    if plan.destination != destination.name:
        raise LgsError(f"Plan {number} is for {plan.destination}, not for {destination.name}.")
    if plan.state in ("applied", "partial"):
        raise GuardError(f"Plan {number} was applied at {plan.ended_at:%Y-%m-%d %H:%M:%S} UTC. Nothing is sent.")
    if plan.state in ("refused", "expired"):
        raise GuardError(f"Plan {number} is {plan.state}. Nothing is sent: make another with lgs activate plan.")
    place = pseudonym_of(key, destination.place)
    if plan.place not in (None, place):
        raise GuardError(
            f"Plan {number} was made for another account, list, URL or folder of {destination.name}, or for another "
            "form of the addresses. Nothing is sent: make another."
        )
    hours = EXPIRES_HOURS if plan.state == "planned" else RESUMES_HOURS
    cursor.execute("select now() - %s > make_interval(hours => %s)", [plan.made_at, hours])
    if cursor.fetchone() == (True,) and not plan.is_leaving:
        raise GuardError(f"Plan {number} is more than {hours} hours old. Nothing is sent: make another.")
    if version not in (None, plan.audience_version) and not plan.is_leaving:
        nothing = "Nothing" if plan.state == "planned" else "What was accepted stays, and nothing more"
        raise GuardError(
            f"The rule or the fields of {plan.audience} have changed since plan {number} was made. {nothing} is sent: "
            "make another."
        )
    if not plan.is_leaving and not is_as_planned(cursor, plan):
        raise GuardError(
            f"The changes of plan {number} are not those that were planned. Nothing is sent: make another."
        )
    if plan.state == "planned":
        cursor.execute(
            "update activation_plans "
            "set state = 'applying', applied_by = concat(%s::text, ' as ', session_user), applied_at = now() "
            "where plan = %s",
            [account(), number],
        )
    # A plan of those who leave goes to any place, in the form that addresses have there.
    return replace(plan, place=place, hashes_emails=destination.hashes_emails)


def _send_batch(
    warehouse: Warehouse, plan: Plan, number: int, destination: Destination, key: str, pause: Pause
) -> None:
    rows = warehouse.rows(
        "select customer_id from activation_changes "
        "where plan = :plan and batch = :batch and state in ('planned', 'sending') "
        "order by operation <> 'remove', operation, customer_id",
        plan=plan.plan, batch=number,
    )  # fmt: skip
    customers = [row.customer_id for row in rows]
    waiting = list(in_parts(customers, destination.batch_rows or len(customers)))
    refused: dict[int, BatchError] = {}
    was_answered = False
    while waiting:
        part = waiting.pop(0)
        try:
            sent = with_retries(
                partial(_send_once, warehouse, destination, plan, number, part, key),
                pause=pause, then=f"what was accepted stays. To go on: lgs activate apply {plan.plan}",
            )  # fmt: skip
        except BatchError as error:
            if len(part) > 1:  # to the guilty row, in as many steps as it takes to halve the batch
                half = len(part) // 2
                waiting[:0] = [part[:half], part[half:]]
            else:
                refused[part[0]] = error
        else:
            if sent:
                was_answered = True
                receipt, answer = sent
                if answer.objected:  # first: if this is cut short, what was sent is sent again
                    object_to_marketing(warehouse, *answer.objected, source=destination.name)
                settle(warehouse, plan, receipt.batch.changes, answer, receipt)
    statuses = {error.status for error in refused.values()}
    if not was_answered and len(refused) > FEW and len(statuses) == 1:  # no row is to blame
        raise AccessError(
            f"{destination.name}: answered {statuses.pop()} to each of {len(refused):,} rows. None of them is rejected."
        )
    if refused:
        settle(warehouse, plan, [], Answer(0, {customer: str(error) for customer, error in refused.items()}))


def with_retries(attempt: Callable[[], Result], *, pause: Pause, then: str) -> Result:
    """What an attempt returns, made again where a destination may be there in a moment: after as long as it asks.

    Raises UnavailableError after so many attempts, which says what to do `then`.
    """
    for tried in range(1, ATTEMPTS):
        try:
            return attempt()
        except UnavailableError as error:
            wait = error.wait if isinstance(error, BusyError) else None
            pause(wait if wait is not None else 2 ** (tried - 1) * random.uniform(0.75, 1.25))  # noqa: S311 (jitter)
    try:
        return attempt()
    except UnavailableError as error:
        raise UnavailableError(f"{str(error).rstrip('.')}. Tried {ATTEMPTS} times; {then}") from None


def _mark(
    cursor: Cursor, plan: Plan, customers: Sequence[int], key: str, *, has_own_ids: bool
) -> tuple[tuple[Change, ...], list[int]]:
    """Marks changes as being sent. Returns them, and who is added and was not sent before.

    What may not be sent any more is withheld.
    """
    with as_activator(cursor):
        cursor.execute(
            f"""
            select changes.customer_id, changes.operation, changes.cause, changes.fields, changes.payload,
                changes.state, contacts.email,
                coalesce(
                    case when held.place is null or held.place = %s then held.remote_id end, changes.remote_id
                ), -- at another place the same name may be somebody else's
                held.payload, told.fields, {why_not(hashed=plan.hashes_emails)},
                changes.operation = 'remove' and held.customer_id is null and not exists (
                    select
                    from lgs.activation_changes as others
                    inner join lgs.activation_plans as under_way on under_way.plan = others.plan
                    where others.customer_id = changes.customer_id and others.operation in ('add', 'update')
                        and others.state = 'sending' and under_way.state = 'applying'
                        and (under_way.destination, under_way.audience) = (plans.destination, plans.audience)
                )
            from lgs.activation_changes as changes
            inner join lgs.activation_plans as plans on plans.plan = changes.plan
            left join lgs.destination_members as held
                on (held.destination, held.audience, held.customer_id)
                    = (plans.destination, plans.audience, changes.customer_id)
            left join lgs.activation_changes as told on (told.plan, told.customer_id) = (held.plan, held.customer_id)
            {recipients("changes.customer_id")}
            where changes.plan = %s and changes.customer_id = any (%s) and changes.state in ('planned', 'sending')
            order by changes.operation <> 'remove', changes.operation, changes.customer_id
            """.encode(),
            [plan.place, plan.plan, customers],
        )
        rows = cursor.fetchall()
    changes, fresh = [], []
    for customer, operation, cause, fields, payload, state, email, remote_id, held, told, reason, is_off in rows:
        is_leaving = operation in ("remove", "erase")
        if is_leaving:  # another plan may have removed them since; what was sent is sent again until it is answered
            must_leave = reason in URGENT or (cause == NOT_MATCHED and not plan.hashes_emails)  # then it is not asked
            may_stay = plan.is_leaving and operation == "remove" and not must_leave
            reason = (NOT_LISTED if is_off else _MAY_STAY if may_stay else None) if state == "planned" else None
        elif not reason and fingerprint(key, customer, email, fields) != payload:
            reason = "the contact has changed"
            if state == "sending" and has_own_ids:
                reason += ", and their former address may be on the list; to check: lgs activate drift"
        if not reason:
            is_moved = is_another(key, customer, email, held=held, told=told)
            changes.append(Change(operation, customer, email, {} if is_leaving else fields, remote_id, is_moved))
            fresh += [customer] if (operation, state) == ("add", "planned") else []
            continue
        cursor.execute(
            "update activation_changes "
            "set state = 'withheld', may_have_arrived = state = 'sending', answer = %s, answered_at = now() "
            "where plan = %s and customer_id = %s",
            [reason, plan.plan, customer],
        )
        if state == "sending":  # it may have arrived: the next plan takes it out
            hold(cursor, plan, customer)
    cursor.execute(
        "update activation_changes set state = 'sending' where plan = %s and customer_id = any (%s)",
        [plan.plan, [change.customer_id for change in changes]],
    )
    return tuple(changes), fresh


def _send_once(
    warehouse: Warehouse, destination: Destination, plan: Plan, number: int, customers: Sequence[int], contact_key: str
) -> tuple[Receipt, Answer] | None:
    """Sends what may be sent at this moment; None if nothing may.

    Keeps a receipt of a failure; that of an answer is kept with what the answer changes.
    """
    with warehouse.transaction() as connection:  # the database's clock counts: that of this machine may be wrong
        cursor = driver_cursor(connection)
        changes, fresh = _mark(cursor, plan, customers, contact_key, has_own_ids=destination.has_own_ids)
        if not changes:
            return None
        sent_at = connection.exec_driver_sql("select now()").scalar_one()
        passed_on = _passed_on(cursor, plan, changes)
    content = json.dumps([plan.hashes_emails, *(change._asdict() for change in changes)], sort_keys=True)
    request = hmac.digest(contact_key.encode(), content.encode(), "sha256").hex()
    key = sha256(f"{destination.name}/{plan.plan}/{number}/{request}".encode()).hexdigest()
    is_ours = partial(is_contact, warehouse, key=contact_key)
    whole_list = partial(list_after, warehouse, plan, changes)
    batch = Batch(plan.audience, plan.plan, number, changes, key, sent_at, passed_on, is_ours, whole_list)
    receipt = Receipt(batch, request)
    try:
        answer = destination.send(batch)
        emails = [change.email for change in changes] if answer.rejected else []
        said = {customer: without(reason, emails) for customer, reason in answer.rejected.items()}
        return receipt, replace(answer, rejected=said)
    except LgsError as given:
        error = given
        if isinstance(given, BatchError):  # it quotes the answer
            error = BatchError(without(str(given), [change.email for change in changes]), status=given.status)
        status = error.status if isinstance(error, (BusyError, BatchError)) else None
        with warehouse.transaction() as connection:
            cursor = driver_cursor(connection)
            receipt.write(cursor, status, str(error))
            if isinstance(error, AccessError) and not error.may_have_arrived:  # it was refused before it was read
                cursor.execute(
                    "update activation_changes set state = 'planned' where plan = %s and customer_id = any (%s)",
                    [plan.plan, fresh],
                )
        raise error from None


def _passed_on(cursor: Cursor, plan: Plan, changes: tuple[Change, ...]) -> frozenset[str]:
    """What the destination called these customers, and later called others on the list.

    For a deletion, also what it called others on any list at any time: a contact stays when it leaves a list.
    """
    called = [change for change in changes if change.remote_id]
    if not called:
        return frozenset()
    cursor.execute(
        """
        select present.remote_id
        from unnest(%(customers)s::integer[], %(remote_ids)s::text[]) as former (customer_id, remote_id)
        inner join destination_members as present
            on present.remote_id = former.remote_id and present.customer_id <> former.customer_id
        left join destination_members as own
            on own.destination = present.destination and own.audience = present.audience
            and own.customer_id = former.customer_id
        where present.destination = %(destination)s
            and (%(is_of_every_list)s or present.audience = %(audience)s and present.confirmed_at > own.confirmed_at)
        union
        select others.remote_id
        from unnest(%(customers)s::integer[], %(remote_ids)s::text[]) as former (customer_id, remote_id)
        inner join activation_changes as others
            on others.remote_id = former.remote_id and others.customer_id <> former.customer_id
        inner join activation_plans using (plan)
        where %(is_of_every_list)s and destination = %(destination)s and operation in ('add', 'update')
            and (others.state in ('sending', 'accepted') or others.may_have_arrived)
        """,
        {
            "customers": [change.customer_id for change in called],
            "remote_ids": [change.remote_id for change in called],
            "destination": plan.destination,
            "audience": plan.audience,
            "is_of_every_list": plan.audience == EVERY_LIST,
        },
    )
    return frozenset(remote_id for (remote_id,) in cursor)


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
        removals = insert_removals(cursor)
    return Outcome(len(answers["accepted"]), answers["rejected"], answers["withheld"], removals)
