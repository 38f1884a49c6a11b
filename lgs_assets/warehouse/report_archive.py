"""The archive of printable reports: the last one of each month."""

from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from lgs_assets.errors import LgsError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.frames import frame_of_rows

_HELD = "select month, data_until, build, length(html) as characters, made_at from report_archive order by month"


def keep(warehouse: Warehouse, *, month: date, data_until: datetime, build: str, html: str) -> None:
    """Keeps the report of a month, in place of an earlier one of that month."""
    with warehouse.transaction() as connection:
        connection.execute(
            sa.text(
                """
                insert into report_archive values (:month, :data_until, :build, :html, now())
                on conflict (month) do update
                set (data_until, build, html, made_at)
                    = (excluded.data_until, excluded.build, excluded.html, excluded.made_at)
                """
            ),
            {"month": month, "data_until": data_until, "build": build, "html": html},
        )


def held(warehouse: Warehouse) -> pd.DataFrame:
    """What the archive holds: one row a month."""
    return frame_of_rows("monthly_reports", warehouse.rows(_HELD))


def kept(warehouse: Warehouse, month: date) -> str:
    """The report of a month, as HTML. Raises LgsError if none is kept, and names the months that are."""
    found = warehouse.rows("select html from report_archive where month = :month", month=month)
    if not found:
        months = ", ".join(f"{row.month:%Y-%m}" for row in warehouse.rows(_HELD))
        raise LgsError(f"No report of {month:%Y-%m} is kept. Kept: {months or 'none yet; lgs run keeps one a month'}.")
    return str(found[0].html)
