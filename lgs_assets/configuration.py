"""What a run can be told: the settings that change figures, each with its default and its limits."""

import os
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import dagster as dg
from pydantic import Field, field_validator


class Settings(dg.ConfigurableResource):
    """The settings of a run: in the launchpad under `resources: settings`, by environment, or on the command line."""

    snapshot_date: str | None = Field(
        default=None,
        description="The moment that recency looks back from, ISO 8601, such as 2012-01-01. "
        "Unset: the first day of the month after the last invoice.",
    )
    ties: Literal["by_customer_id", "together"] = Field(
        default="by_customer_id",
        description="How customers with the same frequency are scored. by_customer_id: ranked by their id, so that "
        "quintiles are equally large (the retailer's published rule). together: all the same.",
    )
    drop_repeats: bool = Field(
        default=False,
        description="Leave out lines that repeat an earlier line of their dump in every column.",
    )
    chart_cutoff: float = Field(
        default=0.85,
        gt=0,
        lt=1,
        description="The quantile of the invoice amounts at which the distribution charts are cut.",
    )

    @field_validator("snapshot_date", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return value.isoformat() if isinstance(value, date) else value

    @field_validator("snapshot_date")
    @classmethod
    def _is_a_date(cls, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"snapshot_date: expected a date such as 2012-01-01, found {value!r}") from error
        if moment.tzinfo:
            raise ValueError(f"snapshot_date: invoices have no time zone, so it has none either; found {value!r}")
        return value

    @property
    def snapshot(self) -> datetime | None:
        """The snapshot date as a timestamp, None where it is unset."""
        return datetime.fromisoformat(self.snapshot_date) if self.snapshot_date else None

    @property
    def cutoff(self) -> Decimal:
        """The chart cut-off exactly as it was written."""
        return Decimal(str(self.chart_cutoff))

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings that LGS_SNAPSHOT_DATE, LGS_TIES, LGS_DROP_REPEATS and LGS_CHART_CUTOFF give; else the defaults.

        Raises pydantic.ValidationError, which names the setting, for a value that is out of its limits.
        """
        given: dict[str, Any] = {name: os.environ.get(f"LGS_{name.upper()}") for name in cls.model_fields}
        return cls(**{name: value for name, value in given.items() if value})
