"""Everything that can be set, and the one reader of the environment.

A `Configuration` is read once, where a process begins, and handed on from there: nothing else looks at `os.environ`.
Values come from the environment, else from the file `.env` of the checkout, else they are defaults. An empty value
counts as unset.
"""

import os
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from lgs_assets import places
from lgs_assets.errors import ConfigurationError

ENV_FILE = places.ROOT / ".env"
PREFIX = "LGS_"
# libpq sends these to the server after the options of a connection, so that they would win.
LAST_WORDS = ("PGDATESTYLE", "PGTZ", "PGGEQO")
_NOT_OURS = ("LGS_PIPELINE_PASSWORD", "LGS_ANALYST_PASSWORD", "LGS_DASHBOARD_PASSWORD", "LGS_REAL_DATA")
"""Variables of docker-compose.yml, which share the file `.env`, and of the tests."""

# In plainer words than pydantic's.
_EXPECTED = {
    "bool_parsing": "true or false",
    "float_parsing": "a number",
    "int_parsing": "a whole number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "too_short": "at least {min_length} characters",
}

Engine = Literal["postgres", "duckdb", "spark"]
_UNSHOWN = "not_to_be_shown"


def _place(given: str) -> str:
    """A folder, also one given as a URL of a file, or the URL of a bucket, which holds no secret."""
    if "://" not in given and not given.startswith("file:"):
        return given
    url = urlsplit(given)
    if url.password or url.query:
        raise PydanticCustomError(
            _UNSHOWN, "expected a URL without password and parameters: messages show it, and drivers have variables"
        )
    if url.scheme not in ("file", "local"):
        return given
    if url.netloc not in ("", "localhost") or url.fragment:
        raise ValueError("expected a folder of this machine, such as file:///folder")
    return unquote(url.path)


def _crontab(given: str) -> str:
    """When, as in a crontab: what its fields say is judged by Dagster."""
    if len(given.split()) != 5 and not given.startswith("@"):
        raise ValueError("expected five fields as in a crontab, such as 0 2 * * *")
    return given


Place = Annotated[str, AfterValidator(_place)]


class Settings(BaseModel):
    """The settings of the analysis: those that change figures. Each model binds the ones that it reads, by name."""

    model_config = ConfigDict(frozen=True, validate_default=True)  # a default has the type that a given value has

    snapshot_date: str = Field(
        default="",  # not None: Dagster's launchpad offers no value that is null
        description="The moment that recency looks back from, ISO 8601, such as 2012-01-01. Empty: the first day of "
        "the month after the last invoice.",
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
    doubled_invoices: Literal["twice", "once"] = Field(
        default="twice",
        description="How to count invoices that a dump holds twice in full. twice: as they are (the published "
        "figures). once: without their second copies.",
    )
    pair_support: int = Field(
        default=100,
        ge=1,
        le=2**31 - 1,
        description="In how many baskets two products must be together to count as a pair.",
    )
    chart_cutoff: float = Field(
        default=0.85,
        gt=0,
        lt=1,
        description="The quantile of the invoice amounts at which the distribution charts are cut.",
    )
    as_of: str = Field(
        default="",
        description="The day that predictions are made from, such as 2011-09-01: only lines strictly before it count. "
        "Empty: the day of the snapshot date.",
    )
    discount_pct: float = Field(
        default=0,
        ge=0,
        le=100,
        description="The yearly rate at which expected sales are discounted, in percent.",
    )

    @field_validator("snapshot_date", "as_of", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return value.isoformat() if isinstance(value, date) else value or ""

    @field_validator("snapshot_date", "as_of")
    @classmethod
    def _is_a_date(cls, value: str) -> str:
        if not value:
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError("expected a date such as 2012-01-01") from error
        if moment.tzinfo:
            raise ValueError("expected a date without a time zone: invoices have none")
        return value

    def values(self) -> dict[str, Any]:
        """The settings by name, as SQL takes them: dates as timestamps, decimals exactly as they were written."""
        return {
            "snapshot_date": datetime.fromisoformat(self.snapshot_date) if self.snapshot_date else None,
            "ties": self.ties,
            "drop_repeats": self.drop_repeats,
            "doubled_invoices": self.doubled_invoices,
            "pair_support": self.pair_support,
            "chart_cutoff": Decimal(str(self.chart_cutoff)),
            "as_of": datetime.fromisoformat(self.as_of) if self.as_of else None,
            "discount_pct": Decimal(str(self.discount_pct)),
        }


class Acceptance(BaseModel):
    """How dumps are accepted: what may be wrong with them, and how to read what they leave open."""

    model_config = ConfigDict(frozen=True)

    reject_limit: float = Field(
        default=0.01, ge=0, le=1, description="The share of lines that may be rejected, of a dump or other file."
    )
    date_order: Literal["shown", "day first", "month first", "year first"] = Field(
        default="shown",
        description="How to read dates that may begin with the day, the month or a year of two digits, whatever a dump "
        "shows. shown: as the dump shows; one that does not is refused.",
    )

    @property
    def dates(self) -> Literal["day first", "month first", "year first"] | None:
        """The order of dates where a dump does not show it; None to refuse such a dump."""
        return None if self.date_order == "shown" else self.date_order


class Configuration(Settings, Acceptance, BaseSettings):
    """Everything that can be set, as one frozen value. A field `name` is the variable `LGS_NAME`."""

    model_config = SettingsConfigDict(frozen=True, env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    home: Path = Field(default=Path(".lgs"), description="Where the platform keeps its state.")
    dagster_home: Path | None = Field(
        default=None, validation_alias="DAGSTER_HOME", description="Where Dagster keeps its own. Unset: in LGS_HOME."
    )
    database_url: SecretStr | None = Field(
        default=None, description="The database, PostgreSQL 16 or later. Unset: the embedded PostgreSQL."
    )
    inbox: Place | None = Field(
        default=None, description="Where dumps arrive: a folder, or the URL of a bucket. Unset: inbox in LGS_HOME."
    )
    source_url: SecretStr | None = Field(default=None, description="The database to pull lines from. Unset: none.")
    source_table: str = Field(default="retail", description="Its table or view, as schema.table if need be.")
    source_cron: Annotated[str, AfterValidator(_crontab)] = Field(
        default="0 2 * * *", description="When to pull, as in a crontab, by the time in London."
    )
    source_overlap_days: int = Field(
        default=3, ge=0, description="How many days before the last loaded line a pull begins."
    )
    source_timeout_seconds: int = Field(default=900, ge=1, description="How long a statement there may take.")
    engine: Engine = Field(
        default="postgres", description="What runs the models: postgres; or duckdb or spark, on a lake."
    )
    lake: Place | None = Field(
        default=None, description="Where the lake is: a folder, or the URL of a bucket. Unset: lake in LGS_HOME."
    )
    spark_master: str | None = Field(
        default=None, description="The master of the Spark cluster, such as spark://host:7077."
    )
    contact_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="The key of the pseudonyms of addresses, at least 32 characters. Unset: no contacts.",
    )
    drop: Place | None = Field(
        default=None,
        description="Where lists are put as files: the full path of a folder, sftp://USER@HOST/FOLDER, or the URL of a "
        "bucket. Unset: nowhere.",
    )
    drop_emails: Literal["plain", "sha256"] = Field(
        default="plain",
        description="How addresses are written there. plain: as they are. sha256: hashed, as advertising networks "
        "compare them; whoever has an address can tell its hash.",
    )
    webhook_url: SecretStr | None = Field(default=None, description="The URL that takes lists as JSON. Unset: none.")
    webhook_key: SecretStr | None = Field(
        default=None, min_length=16, description="The key that signs them, at least 16 characters."
    )
    webhook_rows: int = Field(default=500, ge=1, le=10_000, description="How many customers a request to it holds.")
    klaviyo_key: SecretStr | None = Field(default=None, description="A private key of Klaviyo's. Unset: none.")
    mailchimp_key: SecretStr | None = Field(default=None, description="A key of Mailchimp's. Unset: none.")
    mailchimp_list: str | None = Field(default=None, description="The id of the Mailchimp audience that holds all.")
    hubspot_key: SecretStr | None = Field(default=None, description="The token of a private app of HubSpot's.")
    hubspot_subscription: str | None = Field(
        default=None,
        pattern=r"^\d{1,20}$",
        description="The id of the HubSpot subscription type whose mails go to the lists. Unset: none in particular.",
    )
    ui_origins: str = Field(
        default="",
        description="Further addresses of the Dagster UI, such as https://dagster.example.com of a proxy before it, "
        "with spaces between them.",
    )
    dashboard_hosts: str = Field(
        default="",
        description="Further names by which the dashboard is asked, such as customers.example.com of a proxy before "
        "it, with spaces between them.",
    )
    dashboard_public: bool = Field(
        default=False,
        description="A proxy that asks people who they are is before the dashboard: it may listen on other addresses "
        "than those of this machine alone.",
    )
    run_retention_days: int = Field(
        default=90, ge=1, description="For how many days Dagster keeps runs and their events, where its daemon runs."
    )

    @classmethod
    def read(cls, **given: Any) -> Self:
        """The configuration of the environment and the file `.env`; values that are given outrank both.

        Raises ConfigurationError for a value that cannot be used: it names the variable, what was found and what is
        expected, and shows no secret.
        """
        try:
            return cls(_env_file=ENV_FILE, **given)
        except ValidationError as error:
            reasons = [_reason(detail, given) for detail in error.errors()]
            raise ConfigurationError("\n".join(reasons)) from None  # pydantic's own text holds the values

    @property
    def settings(self) -> Settings:
        """The settings of the analysis alone."""
        return Settings(**{name: getattr(self, name) for name in Settings.model_fields})

    @property
    def acceptance(self) -> Acceptance:
        """How dumps are accepted, alone."""
        return Acceptance(reject_limit=self.reject_limit, date_order=self.date_order)

    @property
    def state(self) -> Path:
        """The folder of everything that the platform makes; a relative one is below the checkout."""
        return places.ROOT / self.home

    @property
    def dagster_state(self) -> Path:
        """The folder of Dagster's own state."""
        return self.dagster_home or self.state / "dagster"

    @property
    def inbox_location(self) -> str:
        """The folder or the URL where dumps arrive; a relative folder is below the checkout."""
        return self._location(self.inbox, "inbox")

    @property
    def lake_location(self) -> str:
        """The folder or the URL where an engine other than PostgreSQL keeps lines; likewise."""
        return self._location(self.lake, "lake")

    def export(self) -> None:
        """Tells Dagster where its state is: here and in the processes that follow it asks only this variable."""
        os.environ[variable("dagster_home")] = str(self.dagster_state)

    @property
    def pseudonym_key(self) -> str | None:
        """The key of the pseudonyms of addresses, as it is used; `contact_key` is how it may be shown."""
        return self.contact_key.get_secret_value() if self.contact_key else None

    def _location(self, given: str | None, name: str) -> str:
        return given if given and "://" in given else str(places.ROOT / (given or self.state / name))


def as_written(value: object) -> str:
    """A value as a person writes it, and as it is read again."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else "unset"


def variable(name: str) -> str:
    """The environment variable of a field."""
    alias = Configuration.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def origin(name: str) -> str:
    """Where the value of a field comes from: `environment`, `.env` or `default`."""
    if os.environ.get(variable(name)):
        return "environment"
    return ".env" if _in_file().get(variable(name)) else "default"


def unknown_variables() -> dict[str, str | None]:
    """Variables of the environment and `.env` that look like settings and are not, each with the likely one."""
    known = [variable(name) for name in Configuration.model_fields]
    found = {name for name in {*os.environ, *_in_file()} if name.startswith(PREFIX)} - {*known, *_NOT_OURS}
    return {name: next(iter(get_close_matches(name, known, n=1, cutoff=0.9)), None) for name in sorted(found)}


def child_environment(added: Mapping[str, str], *, without: str | None = None) -> dict[str, str]:
    """The environment for a process that this one starts: its own, with more variables.

    Those whose names begin with `without` are left out.
    """
    own = {name: value for name, value in os.environ.items() if without is None or not name.startswith(without)}
    return {**own, **added}


def forget_variables(*names: str) -> None:
    """Takes variables out of the environment, here and for the processes that follow: those that a library obeys."""
    for name in names:
        os.environ.pop(name, None)


_VARIABLES = threading.RLock()


@contextmanager
def default_variable(name: str, value: str) -> Iterator[None]:
    """Sets a variable for the length of a block, for a library that takes it from the environment alone.

    A value that the user has set is respected. One thread at a time: another would take the value away.
    """
    with _VARIABLES:
        if name in os.environ:
            yield
            return
        os.environ[name] = value
        try:
            yield
        finally:
            del os.environ[name]


def _in_file() -> Mapping[str, str | None]:
    from dotenv import dotenv_values

    return dotenv_values(ENV_FILE)


def _reason(detail: ErrorDetails, given: Collection[str]) -> str:
    """One line on a value that cannot be used: the variable, or the name by which it was given."""
    found_as = str(detail["loc"][0])
    name = next(name for name in Configuration.model_fields if found_as in (name, variable(name)))
    is_secret = detail["type"] == _UNSHOWN or SecretStr in get_args(Configuration.model_fields[name].annotation)
    expected = _EXPECTED.get(detail["type"]) or detail["msg"].partition("expected ")[2]
    expected = expected or detail["msg"].removeprefix("Input should be ")
    found = "a value that is not shown" if is_secret else repr(detail["input"])
    place = name if name in given else variable(name)
    return f"{place}: expected {expected.format(**detail.get('ctx', {}))}; found {found}."
