"""The configuration: defaults, limits, where each value comes from, and the error for one that cannot be used."""

import os
import re
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lgs_assets import configuration, places
from lgs_assets.configuration import Configuration, Settings, origin, unknown_variables
from lgs_assets.errors import ConfigurationError


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file `.env`, in a folder of the test's own."""
    file = tmp_path / ".env"
    monkeypatch.setattr(configuration, "ENV_FILE", file)
    return file


def test_defaults_are_the_published_rules() -> None:
    """Without any setting the published figures come out."""
    assert Settings().model_dump() == {
        "snapshot_date": "", "ties": "by_customer_id", "drop_repeats": False, "doubled_invoices": "twice",
        "pair_support": 100, "chart_cutoff": 0.85, "as_of": "", "discount_pct": 0,
    }  # fmt: skip


def test_every_setting_is_documented() -> None:
    """Its variable is in the table of docs/settings.md, where people look for what they can set."""
    documented = re.findall(r"`(LGS_\w+)`", (places.ROOT / "docs" / "settings.md").read_text())
    assert set(documented) | {"DAGSTER_HOME"} == {configuration.variable(name) for name in Configuration.model_fields}


def test_the_environment_gives_values(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    """Each has its variable, which outranks the file; an empty one counts as unset."""
    env_file.write_text("LGS_DROP_REPEATS=true\nLGS_CHART_CUTOFF=0.5\nPOSTGRES_PASSWORD=of the compose file\n")
    monkeypatch.setenv("LGS_SNAPSHOT_DATE", "2012-01-01")
    monkeypatch.setenv("LGS_TIES", "")
    monkeypatch.setenv("LGS_CHART_CUTOFF", "0.9")
    assert Configuration.read().settings.values() == {
        "snapshot_date": datetime(2012, 1, 1), "ties": "by_customer_id", "drop_repeats": True,
        "doubled_invoices": "twice", "pair_support": 100, "chart_cutoff": Decimal("0.9"), "as_of": None,
        "discount_pct": Decimal("0"),
    }  # fmt: skip
    assert [origin(name) for name in ("snapshot_date", "ties", "drop_repeats", "chart_cutoff")] == [
        "environment", "default", ".env", "environment"
    ]  # fmt: skip


def test_a_relative_place_is_below_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is the same from whatever folder a command is started; a URL stays as it is."""
    monkeypatch.setenv("LGS_INBOX", "dumps")
    monkeypatch.setenv("LGS_LAKE", "abfs://container/lake")
    assert Configuration.read().inbox_location == str(places.ROOT / "dumps")
    assert Configuration.read().lake_location == "abfs://container/lake"


@pytest.mark.parametrize(
    ("variable", "found", "expected"),
    [
        ("LGS_SNAPSHOT_DATE", "soon", "a date such as 2012-01-01"),
        ("LGS_SNAPSHOT_DATE", "2012-01-01T00:00:00+01:00", "a date without a time zone: invoices have none"),
        ("LGS_AS_OF", "soon", "a date such as 2012-01-01"),
        ("LGS_DISCOUNT_PCT", "101", "a number of at most 100.0"),
        ("LGS_TIES", "x", "'by_customer_id' or 'together'"),
        ("LGS_DROP_REPEATS", "perhaps", "true or false"),
        ("LGS_CHART_CUTOFF", "1", "a number below 1.0"),
        ("LGS_CHART_CUTOFF", "high", "a number"),
        ("LGS_REJECT_LIMIT", "2", "a number of at most 1.0"),
        ("LGS_DATE_ORDER", "both", "'shown', 'day first', 'month first' or 'year first'"),
        ("LGS_ENGINE", "sqlite", "'postgres', 'duckdb' or 'spark'"),
        ("LGS_RUN_RETENTION_DAYS", "0", "a number of at least 1"),
        ("LGS_SOURCE_OVERLAP_DAYS", "three", "a whole number"),
        ("LGS_SOURCE_CRON", "at night", "five fields as in a crontab, such as 0 2 * * *"),
        ("LGS_INBOX", "file://elsewhere/dumps", "a folder of this machine, such as file:///folder"),
    ],
)
def test_a_value_out_of_limits_is_named(
    variable: str, found: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line: the variable, what was expected and what was found."""
    monkeypatch.setenv(variable, found)
    with pytest.raises(ConfigurationError) as error:
        Configuration.read()
    assert str(error.value) == f"{variable}: expected {expected}; found {found!r}."


def test_a_key_that_is_too_short_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short one could be guessed."""
    monkeypatch.setenv("LGS_CONTACT_KEY", "too short")
    with pytest.raises(ConfigurationError) as refused:
        Configuration.read()
    assert str(refused.value) == ("LGS_CONTACT_KEY: expected at least 32 characters; found a value that is not shown.")


@pytest.mark.parametrize(
    "given", ["sftp://shop:s3cret@host/dumps", "ftp://shop:s3cret@host", "abfs://container/dumps?sig=s3cret"]
)
@pytest.mark.parametrize("variable", ["LGS_INBOX", "LGS_LAKE", "LGS_DROP"])
def test_a_place_that_holds_a_secret_is_refused_and_not_shown(
    given: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places are in messages, events and logs."""
    monkeypatch.setenv(variable, given)
    with pytest.raises(ConfigurationError, match="expected a URL without password") as refused:
        Configuration.read()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("given", ["file:///shop/the%20dumps", "file:/shop/the dumps", "local:///shop/the dumps"])
def test_a_folder_may_be_given_as_a_url(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As browsers and file managers copy it."""
    monkeypatch.setenv("LGS_INBOX", given)
    assert Configuration.read().inbox_location == "/shop/the dumps"


def test_a_value_that_was_given_goes_by_its_own_name() -> None:
    """The person who typed it has never heard of the variable."""
    with pytest.raises(ConfigurationError, match=r"^chart_cutoff: expected a number below 1\.0; found 7\.$"):
        Configuration.read(chart_cutoff=7)


def test_a_misspelt_variable_is_named_with_the_likely_one(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    """From both places; the passwords of the compose file, which shares `.env`, are nobody's mistake."""
    for name in [name for name in os.environ if name.startswith("LGS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LGS_DROP_REPEAT", "true")
    example = (places.ROOT / ".env.example").read_text()
    env_file.write_text(f"{example}\nLGS_DASHBORD_HOSTS=a.example\nLGS_PAINT=blue\nOTHER=1\n")
    assert unknown_variables() == {
        "LGS_DASHBORD_HOSTS": "LGS_DASHBOARD_HOSTS", "LGS_DROP_REPEAT": "LGS_DROP_REPEATS", "LGS_PAINT": None,
    }  # fmt: skip


def test_one_module_reads_the_environment() -> None:
    """Whoever wants a setting is handed the Configuration: what applies is then seen in one place."""
    readers = [
        path.relative_to(places.ROOT).as_posix()
        for path in (places.ROOT / "lgs_assets").rglob("*.py")
        if re.search(r"\benviron\b|\bgetenv\b", path.read_text().replace("`os.environ`", ""))
    ]
    assert readers == ["lgs_assets/configuration.py"]


def test_importing_the_platform_changes_no_environment() -> None:
    """Neither the command nor the definitions: whoever imports them has threads, locale and settings of their own."""
    program = (
        "import os; before = dict(os.environ); import lgs_assets.command.cli, lgs_assets.definitions; "
        "raise SystemExit(dict(os.environ) != before)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=places.ROOT).returncode == 0
