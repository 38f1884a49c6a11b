"""Receipts: what came of each request, its rows, and whom the destination then holds, written in one transaction."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.types.json import Jsonb

from lgs_assets.action.destinations.protocol import Answer, Batch, Change
from lgs_assets.action.lists.plans import LEAVE_BEHIND, MAY_HAVE_CHANGED, Plan
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.publish import mark_outdated
from lgs_assets.warehouse.schema import Cursor, driver_cursor


class Receipt(NamedTuple):
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


def settle(
    warehouse: Warehouse, plan: Plan, changes: Sequence[Change], answer: Answer, receipt: Receipt | None = None
) -> None:
    """Writes down what became of changes, whom the destination holds now, and the receipt, in one transaction."""
    accepted = [change for change in changes if change.customer_id not in answer.rejected]
    removed = [change.customer_id for change in accepted if change.operation in ("remove", "erase")]
    removed += answer.left
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if receipt:
            said = f": {answer.said}" if answer.said and accepted else ""
            counts = f"accepted {len(accepted):,}, rejected {len(answer.rejected):,}"
            counts += ", addresses hashed" if plan.hashes_emails else ""
            receipt.write(cursor, answer.status, counts + said)
        cursor.execute(
            "update activation_changes set state = 'accepted', answered_at = now(), answer = %s, "
            "remote_id = coalesce(%s::jsonb ->> customer_id::text, remote_id) "
            "where plan = %s and customer_id = any (%s)",
            [answer.said or None, Jsonb(answer.remote_ids), plan.plan, [change.customer_id for change in accepted]],
        )
        cursor.executemany(
            "update activation_changes set state = 'rejected', answer = %s, answered_at = now() "
            "where plan = %s and customer_id = %s",
            [(reason, plan.plan, customer) for customer, reason in answer.rejected.items()],
        )
        cursor.execute(
            f"""
            with removed as (
                delete from destination_members as held
                using activation_changes as changes
                where held.destination = %s and changes.plan = %s and changes.customer_id = any (%s)
                    and changes.customer_id = held.customer_id
                    and (
                        held.audience = %s
                        or operation = 'erase' and held.remote_id is not distinct from changes.remote_id
                    )
                returning held.*
            ),
            gone as ( -- the place that did this is not the one that was sent the customer
                select * from removed where place <> %s
            )
            {LEAVE_BEHIND}
            """.encode(),
            [plan.destination, plan.plan, removed, plan.audience, plan.place],
        )
        cursor.execute(
            """
            insert into destination_members
            select %s, %s, customer_id, payload, plan, now(), remote_id, %s
            from activation_changes
            where plan = %s and state = 'accepted' and operation in ('add', 'update') and customer_id = any (%s)
            on conflict (destination, audience, customer_id) do update
            set (payload, plan, confirmed_at, remote_id, place)
                = (excluded.payload, excluded.plan, excluded.confirmed_at, excluded.remote_id, excluded.place)
            """,
            [
                *(plan.destination, plan.audience, plan.place, plan.plan),
                [change.customer_id for change in accepted],
            ],
        )
        mark_outdated(connection, "exposures")


def hold(cursor: Cursor, plan: Plan, customer_id: int) -> None:
    """Counts a customer as held who may be: what was sent may have arrived. The payload is then not known."""
    cursor.execute(
        f"insert into destination_members values (%s, %s, %s, '', %s, now(), null, %s) {MAY_HAVE_CHANGED}".encode(),
        [plan.destination, plan.audience, customer_id, plan.plan, plan.place],
    )
