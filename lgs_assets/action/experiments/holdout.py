"""Who is held out by a running experiment: of every plan, every list and every other experiment."""

from collections.abc import Collection

from psycopg import sql

from lgs_assets.action.experiments.declaration import CONTROL
from lgs_assets.models.judging import MISMATCH, mismatch_p
from lgs_assets.warehouse.schema import Cursor

CONTROL_GROUP = "control group"
"""Why a customer of a control group is left out of a plan."""
EVERYTHING = "everything"
"""The arm of a global holdout that is not left alone: its customers may be in other experiments as well."""


def busy_elsewhere(name: str, customer: sql.Composable) -> sql.Composed:
    """A condition on a customer: another running experiment has assigned them an arm that must stay as it is."""
    return sql.SQL(
        """exists (
            select
            from assignments
            inner join experiments on experiments.experiment = assignments.experiment
            where assignments.customer_id = {customer}
                and assignments.experiment <> {name}
                and assignments.arm <> {everything}
                and experiments.stopped_at is null
        )"""
    ).format(name=sql.Literal(name), everything=sql.Literal(EVERYTHING), customer=customer)


def is_uneven(*, sent: int, held_out: int, shares: dict[str, float]) -> bool:
    """Whether the treated who were sent are too few, or too many, for those who were held out.

    Something between the draw and the list treated the arms differently. Never where no list was sent.
    """
    delivered = {arm: held_out if arm == CONTROL else sent for arm in shares}
    return all(delivered.values()) and mismatch_p(delivered, shares) < MISMATCH


def record_held_out(cursor: Cursor, customers: Collection[int], plan: int) -> None:
    """Keeps whom a plan left out only because they are of a control group, to compare with those it sends."""
    cursor.execute(
        """
        insert into held_out
        select assignments.experiment, customer_id, %s
        from assignments
        inner join experiments on experiments.experiment = assignments.experiment
        where arm = 'control' and stopped_at is null and customer_id = any (%s)
        on conflict (experiment, customer_id) do update set plan = excluded.plan
        where not exists (
            select from activation_plans where plan = held_out.plan and state in ('applied', 'partial')
        )
        """,
        [plan, list(customers)],
    )
