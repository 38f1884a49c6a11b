"""Whom a campaign may treat that no destination carries out, such as calls: the treated, and nobody else."""

from collections import Counter
from typing import NamedTuple

from lgs_assets.action.experiments.state import read_state
from lgs_assets.action.private import as_activator, prepare_private
from lgs_assets.action.recipients import NO_CONTACT, recipients, why_not
from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor


class Treated(NamedTuple):
    """A customer to be treated, by number."""

    customer_id: int
    segment: str
    wave: int
    arm: str


def treated(warehouse: Warehouse, name: str) -> tuple[list[Treated], Counter[str]]:
    """The treated of a running experiment, and how many of them may not be contacted, by reason.

    Without an e-mail address they are on the list all the same. Raises LgsError if there is no such experiment or it
    was stopped, PermanentError if the login may not see who declined.
    """
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        found = read_state(cursor, name)
        if found.stopped_at:
            raise LgsError(f"{name} was stopped at {found.stopped_at:%Y-%m-%d %H:%M} UTC: nobody is treated any more.")
        customer = "assignments.customer_id"
        with as_activator(cursor):
            cursor.execute(  # first whom another experiment holds back: a missing address keeps nobody off this list
                f"""
                select {customer}, segment, wave, arm,
                    coalesce(do_not_contact.reason, {why_not()})
                from lgs.assignments
                {recipients(customer)}
                where experiment = %s and arm = %s
                order by {customer}
                """.encode(),
                [name, found.declaration.treatment],
            )
            rows = cursor.fetchall()
    listed = [Treated(*row) for *row, reason in rows if reason in (None, NO_CONTACT)]
    return listed, Counter(reason for *_, reason in rows if reason not in (None, NO_CONTACT))
