"""The settings: defaults, limits, and where they come from."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from lgs_assets.configuration import Settings


def test_defaults_are_the_published_rules() -> None:
    """Without any setting the published figures come out."""
    assert Settings().model_dump() == {
        "snapshot_date": None, "ties": "by_customer_id", "drop_repeats": False, "chart_cutoff": 0.85
    }  # fmt: skip


def test_the_environment_gives_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting has its variable; an empty one counts as unset."""
    for name, value in (
        ("SNAPSHOT_DATE", "2012-01-01"),
        ("TIES", ""),
        ("DROP_REPEATS", "true"),
        ("CHART_CUTOFF", "0.9"),
    ):
        monkeypatch.setenv(f"LGS_{name}", value)
    settings = Settings.from_environment()
    assert (settings.snapshot, settings.ties) == (datetime(2012, 1, 1), "by_customer_id")
    assert (settings.drop_repeats, settings.cutoff) == (True, Decimal("0.9"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"snapshot_date": "soon"}, {"snapshot_date": "2012-01-01T00:00:00+01:00"}, {"ties": "x"}, {"chart_cutoff": 1},
        {"chart_cutoff": 0}, {"drop_repeats": "perhaps"},
    ],
)  # fmt: skip
def test_a_value_out_of_limits_is_named(wrong: dict[str, Any]) -> None:
    """The error says which setting it is."""
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Settings(**wrong)
