"""An audience and its lists: the steps that tests of planning and applying are made of."""

from collections.abc import Iterable

import sqlalchemy as sa

from lgs_assets.action.audiences import Audience, Limits
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.lists.applying import Outcome, apply_plan
from lgs_assets.action.lists.guards import Allowance
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.lists.plans import Plan
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.action.people import KEY

SOME = Audience("some", "Some.", "true", {"spent": "monetary"}, Limits())


def set_members(warehouse: Warehouse, customers: Iterable[int], *, spent: int = 1, version: str = SOME.version) -> None:
    """Makes these the members of the audience."""
    with warehouse.transaction() as connection:
        connection.execute(sa.text("delete from audience_members"))
        connection.execute(
            sa.text(
                "insert into audience_members select 'some', number, :version, jsonb_build_object('spent', :spent) "
                "from unnest(cast(:customers as integer[])) as number"
            ),
            {"version": version, "spent": spent, "customers": list(customers)},
        )


def plan(warehouse: Warehouse, destination: Destination, **allowed: int) -> Plan | None:
    """Plans the list of the audience."""
    return make_plan(warehouse, SOME, destination, key=KEY, allowance=Allowance(**allowed))


def apply(warehouse: Warehouse, number: int, destination: Destination, *, waits: list[float] | None = None) -> Outcome:
    """Applies a plan, noting how long it would have waited."""
    waits = [] if waits is None else waits
    return apply_plan(warehouse, number, destination, key=KEY, version=SOME.version, pause=waits.append)


def sync(warehouse: Warehouse, destination: Destination, **allowed: int) -> Outcome | None:
    """Plans and applies."""
    made = plan(warehouse, destination, **allowed)
    return apply(warehouse, made.plan, destination) if made else None


def held(warehouse: Warehouse) -> set[int]:
    """Whom destinations hold, as the ledger has it."""
    return {row.customer_id for row in warehouse.rows("select customer_id from destination_members")}


def receipts(warehouse: Warehouse) -> list[tuple[int | None, str]]:
    """Status and outcome of each request."""
    return [(row.status, row.outcome) for row in warehouse.rows("select * from activation_receipts order by receipt")]
