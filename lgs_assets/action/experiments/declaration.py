"""What the file of an experiment declares, and what is wrong with one that declares none."""

import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from lgs_assets import places
from lgs_assets.action.rules import fact_kinds
from lgs_assets.errors import UsageError

FOLDER = places.ROOT / "experiments"
CONTROL = "control"
"""The arm that is left alone."""
ALL = "all"
"""The segment, and the country, of what is said of all customers."""

Metric = Literal["bought_within", "net_revenue", "orders", "revenue_per_order"]
MONEY: frozenset[Metric] = frozenset({"net_revenue", "revenue_per_order"})
"""Metrics that returns change."""
LATE_DAYS = 30
"""For how long after a window a return of what was bought in it still counts."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CHANGE = re.compile(r"(\d+(?:\.\d+)?) (points|%)")
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


def late_days(metric: Metric) -> int:
    """For how many days after a window a metric may still change."""
    return LATE_DAYS if metric in MONEY else 0


class Primary(BaseModel):
    """The metric by which the experiment is judged, and for how many days each customer is observed."""

    model_config = _STRICT

    metric: Metric
    days: int = Field(ge=7, le=730)


class _File(BaseModel):
    model_config = _STRICT

    hypothesis: _Text
    owner: _Text
    audience: _Text
    arms: dict[str, float]
    block_by: list[str]
    block_size: int = Field(ge=2, le=100)
    primary: Primary
    secondary: list[Metric] = []
    mde: str
    enrol: Literal["once", "waves"] = "once"
    looks: list[int] = []


@dataclass(frozen=True)
class Declaration:
    """An experiment, as its file declares it."""

    name: str
    text: str
    """The file, word by word."""
    hypothesis: str
    owner: str
    audience: str
    treatment: str
    """The arm that is not the control group."""
    share: Decimal
    """The share of customers who are treated."""
    block_by: tuple[str, ...]
    """Columns of `audience_facts` by which the customers of a block are alike: one number, and any texts."""
    block_size: int
    primary: Primary
    secondary: tuple[Metric, ...]
    change: Decimal
    """The smallest change worth finding, in `unit`."""
    unit: Literal["points", "%"]
    enrol: Literal["once", "waves"]
    looks: tuple[int, ...]
    """Days of the window after which the primary metric is looked at before the end."""

    @classmethod
    def read(cls, file: Path) -> Self:
        """The experiment of a file. Raises UsageError, which names the file, the key or line, and what is expected."""
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise UsageError(f"{file}: cannot be read: {reason}.") from None
        return cls.parse(file.stem, text, called=file.name)

    @classmethod
    def parse(cls, name: str, text: str, *, called: str | None = None) -> Self:
        """The experiment that a text declares. Raises UsageError likewise, with the name `called` for the file."""
        called = called or f"{name}.toml"
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{called}: expected a name of up to 40 lowercase letters, digits and underscores; found {name!r}."
            )
        try:
            stated = _File.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{called}: {error}.") from None
        except ValidationError as error:
            raise UsageError("\n".join(f"{called}: {_reason(detail)}" for detail in error.errors())) from None
        try:
            _expect_arms(stated.arms)
            _expect_blocks(stated.block_by)
            _expect_change(stated.mde, stated.primary.metric)
            _expect_distinct(stated.primary.metric, stated.secondary)
            _expect_divisible(stated.block_size, stated.arms)
            _expect_looks(stated.looks, stated.primary.days)
        except UsageError as error:
            raise UsageError(f"{called}: {error}") from None
        return cls.frozen(name, text)

    @classmethod
    def frozen(cls, name: str, text: str) -> Self:
        """The experiment of a text that was accepted at its start, whatever the rules for such texts are today."""
        stated = tomllib.loads(text)
        (treatment,) = stated["arms"].keys() - {CONTROL}
        change, _, unit = stated["mde"].partition(" ")
        return cls(
            name=name,
            text=text,
            hypothesis=stated["hypothesis"].strip(),
            owner=stated["owner"].strip(),
            audience=stated["audience"].strip(),
            treatment=treatment,
            share=Decimal(str(stated["arms"][treatment])),
            block_by=tuple(stated["block_by"]),
            block_size=stated["block_size"],
            primary=Primary.model_construct(**stated["primary"]),
            secondary=tuple(stated.get("secondary", ())),
            change=Decimal(change),
            unit=unit,
            enrol=stated.get("enrol", "once"),
            looks=tuple(stated.get("looks", ())),
        )

    @property
    def shares(self) -> dict[str, float]:
        """The share of each arm."""
        return {CONTROL: 1 - float(self.share), self.treatment: float(self.share)}

    @property
    def strata(self) -> tuple[str, ...]:
        """The texts of `block_by`: blocks have their values in common."""
        return tuple(name for name in self.block_by if fact_kinds()[name] == "text")

    @property
    def order(self) -> str:
        """The number of `block_by`, by which customers within these are alike."""
        return next(name for name in self.block_by if fact_kinds()[name] == "number")

    @property
    def version(self) -> str:
        """What tells the file from any other."""
        return sha256(self.text.encode()).hexdigest()


def _reason(detail: Any) -> str:
    """One line on a key: what is expected, and what was found."""
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{key}: required, but missing."
    if detail["type"] == "extra_forbidden":
        keys = Primary.model_fields if key.startswith("primary.") else _File.model_fields
        return f"{key}: unknown key. The keys: {', '.join(keys)}."
    expected = detail["msg"].removeprefix("Input should be ").removeprefix("String should have ")
    return f"{key}: expected {expected}; found {detail['input']!r}."


def _expect_arms(arms: dict[str, float]) -> None:
    others = sorted(arms.keys() - {CONTROL})
    shares = {name: Decimal(str(share)) for name, share in arms.items()}
    if CONTROL not in arms or len(others) != 1:
        raise UsageError(f"arms: expected {CONTROL} and one other; found {', '.join(sorted(arms)) or 'none'}.")
    if not _NAME.fullmatch(others[0]):
        raise UsageError(
            f"arms: expected a name of up to 40 lowercase letters, digits and underscores; found {others[0]!r}."
        )
    if not all(share.is_finite() and 0 < share < 1 for share in shares.values()) or sum(shares.values()) != 1:
        found = ", ".join(f"{name} = {share}" for name, share in shares.items())
        raise UsageError(f"arms: expected shares above 0 that add up to 1; found {found}.")


def _expect_blocks(block_by: list[str]) -> None:
    kinds = fact_kinds()
    if unknown := [name for name in block_by if name not in kinds]:
        raise UsageError(f"block_by: there is no column {unknown[0]!r}. The columns: {', '.join(kinds)}.")
    found = [kinds[name] for name in block_by]
    if found.count("number") != 1 or found.count("text") != len(found) - 1 or len(set(block_by)) != len(block_by):
        raise UsageError(
            "block_by: expected one number, such as monetary, and any texts, such as segment, each once; found "
            f"{', '.join(f'{name} ({kinds[name]})' for name in block_by) or 'none'}."
        )


def _expect_change(mde: str, metric: Metric) -> None:
    unit = "points" if metric == "bought_within" else "%"
    matched = _CHANGE.fullmatch(mde)
    if not matched or matched[2] != unit or not Decimal(matched[1]):
        raise UsageError(f'mde: expected a change such as "10 {unit}", as {metric} is measured; found {mde!r}.')
    if unit == "points" and Decimal(matched[1]) >= 100:
        raise UsageError(f"mde: expected fewer than 100 points, as a share has no more; found {mde!r}.")


def _expect_distinct(primary: Metric, secondary: list[Metric]) -> None:
    if primary in secondary or len(set(secondary)) != len(secondary):
        raise UsageError(f"secondary: expected metrics other than {primary}, each once; found {', '.join(secondary)}.")


def _expect_divisible(block_size: int, arms: dict[str, float]) -> None:
    for arm, share in arms.items():
        if Fraction(str(share)) * block_size < 1:
            raise UsageError(
                f"block_size: expected blocks with a customer of each arm; found {block_size}, with {share:.4g} "
                f"for {arm}."
            )


def _expect_looks(looks: list[int], days: int) -> None:
    if looks != sorted(set(looks)) or not all(0 < look < days for look in looks):
        raise UsageError(
            f"looks: expected days of the window before its end, in order, such as [30, 60]; the window has {days}; "
            f"found {looks}."
        )
