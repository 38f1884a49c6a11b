"""Databases that lines are pulled from: a real PostgreSQL and a real MariaDB, with the retailer's table in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from lgs_assets_tests.builders import Line

TYPES = {
    "postgresql": {"moment": "timestamp", "single": "real", "double": "double precision"},
    "mariadb": {"moment": "datetime(6)", "single": "float", "double": "double"},
}


@dataclass(frozen=True)
class Shop:
    """A database that is somebody else's."""

    url: str

    @property
    def kind(self) -> str:
        return sa.make_url(self.url).get_backend_name()

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        with sa.create_engine(self.url, poolclass=sa.NullPool).begin() as connection:
            yield connection

    def execute(self, statement: str, *parameters: dict[str, Any]) -> None:
        """Runs one statement, in which {moment}, {single} and {double} stand for the names of types here."""
        with self.connection() as connection:
            text = sa.text(statement.format(**TYPES[self.kind]))
            connection.execute(text, list(parameters) if parameters else None)

    def make_table(self, *, price: str = "{single}", customer: str = "{single}") -> None:
        """Makes the table `retail`, as empty as it is on the retailer's first day."""
        self.execute(
            "create table retail (invoice_no varchar(20), stock_code varchar(20), description varchar(500), "
            f"quantity integer, invoice_date {{moment}}, unit_price {price}, customer_id {customer}, "
            "country varchar(60))"
        )

    def sell(self, *lines: Line) -> None:
        """Adds lines to the table."""
        names = Line.__dataclass_fields__
        values = ", ".join(f":{name}" for name in names)
        self.execute(f"insert into retail ({', '.join(names)}) values ({values})", *(asdict(line) for line in lines))

    def sell_many(self, lines: int) -> None:
        """Adds this many lines, a minute apart, twenty to an invoice."""
        numbers = f"generate_series(1, {lines}) as seq" if self.kind == "postgresql" else f"seq_1_to_{lines}"
        minutes = "seq * interval '1 minute'" if self.kind == "postgresql" else "interval seq minute"
        self.execute(
            "insert into retail select 500000 + floor(seq / 20), concat('S', seq % 5000), concat('THING ', seq), "
            f"1 + seq % 12, timestamp '2009-01-01 00:00:00' + {minutes}, (seq % 700) * 0.01, 10000 + seq % 6000, "
            f"'United Kingdom' from {numbers}"
        )
