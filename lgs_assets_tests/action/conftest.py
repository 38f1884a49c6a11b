"""A warehouse with customers and the tables of audiences, without the lines that they come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lgs_assets.action.contacts import import_contacts
from lgs_assets.contracts.contract import contract
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor, execute_script
from lgs_assets_tests.action.people import KEY, contacts_file, line
from lgs_assets_tests.action.tools import TOOLS, Tool, serving

CUSTOMERS = 40
TABLES = (
    *("audience_facts", "audiences", "audience_members", "audience_history"),
    *("customer_profile", "segment_playbook"),
)


@pytest.fixture
def customers(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Forty customers. Nobody has a contact."""
    monkeypatch.setenv("LGS_CONTACT_KEY", KEY)
    make_customers(warehouse)
    return warehouse


@pytest.fixture
def people(customers: Warehouse, tmp_path: Path) -> Warehouse:
    """The customers, all with a contact."""
    file = contacts_file(tmp_path, [line(customer) for customer in range(1, 41)])
    import_contacts(customers, file, key=KEY, reject_limit=0)
    return customers


@pytest.fixture(params=TOOLS)
def tool(request: pytest.FixtureRequest) -> Iterator[Tool]:
    """Each of the tools that lists go to, which has contacts of customers 1 to 40."""
    kind: type[Tool] = TOOLS[request.param]
    with serving(kind()) as tool:
        tool.know(*range(1, CUSTOMERS + 1))
        yield tool
        assert tool.problems == []


def make_customers(warehouse: Warehouse, number: int = CUSTOMERS) -> None:
    """So many customers, numbered from 1: the odd ones Champions, the even ones At Risk."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        for table in TABLES:
            execute_script(cursor, contract(table))
            cursor.execute(
                "insert into publications values (%s, repeat('a', 64), repeat('b', 64), null, '{}', 1, now(), null)",
                [table],
            )
        connection.execute(
            sa.text(
                """
                insert into audience_facts
                select number, '2012-01-01', case number % 2 when 1 then 'Champions' else 'At Risk' end, '555', 5, 5, 5,
                    number, 5, 100 + number, 90 + number, 90, 'United Kingdom', '2011-01-01', '2011-12-01', 3, 20, 10, 1
                from generate_series(1, :customers) as number
                """
            ),
            {"customers": number},
        )
        connection.execute(
            sa.text(
                """
                insert into customer_profile
                select customer_id, first_sale_at, last_invoice_at, '2011-01-01', true, country, 5, 1, null, monetary,
                    0, net_revenue, 90, 20, null
                from audience_facts
                """
            )
        )
