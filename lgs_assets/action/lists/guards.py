"""The guards of a plan: what it may not be built on, and what is larger than it should be, told with the figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from lgs_assets.action.audiences import Audience
from lgs_assets.action.lists.plans import Planned
from lgs_assets.action.recipients import URGENT
from lgs_assets.wording import counted

STALE_HOURS = 36
MAX_REMOVED_SHARE = 0.3
FREE_REMOVALS = 10
MAX_GROWTH = 3
FREE_ADDS = 100

# A table whose blocking check failed is marked so: see `publish.mark_outdated`.
_FAILED = "0" * 64


@dataclass(frozen=True)
class Allowance:
    """What a person allows a plan to do beyond its guard: exactly so many, or nothing."""

    removals: int | None = None
    adds: int | None = None

    @property
    def told(self) -> dict[str, int]:
        """What is allowed, by name."""
        return {name: number for name, number in vars(self).items() if number is not None}


NOTHING_MORE = Allowance()


def unfit(publication: str, age: float, audience: Audience, *, members: int, versions: set[str]) -> str | None:
    """Why nothing can be built on the members as they are; None if they will do."""
    if publication == _FAILED:
        return "a blocking check of audience_members failed: lgs status"
    if age > STALE_HOURS:
        return f"the members were found {age:,.0f} hours ago, and {STALE_HOURS} are allowed: lgs run --force"
    if versions - {audience.version}:
        return f"the rule or the fields of {audience.name} have changed since its members were found: lgs run"
    least, most = audience.limits.at_least, audience.limits.at_most
    if members < least or (most is not None and members > most):
        allowed = f"at least {least:,}" if most is None else f"{least:,} to {most:,}"
        return f"the audience has {counted(members, 'member')}, and its file allows {allowed}: see [limits] there"
    return None


def too_large(changes: Sequence[Planned], *, members: int, held: int, allowance: Allowance) -> str | None:
    """What is larger than it should be, with the figures; None if nothing is."""
    if not held:
        return None  # the first list is reviewed as a whole
    removals = sum(change.operation == "remove" and change.cause not in URGENT for change in changes)
    adds = sum(change.operation == "add" for change in changes)
    if removals > max(FREE_REMOVALS, MAX_REMOVED_SHARE * held) and allowance.removals != removals:
        empty = "the audience is empty; " if not members else ""
        return (
            f"{empty}would remove {removals:,} of {held:,} ({removals / held:.0%}), and {MAX_REMOVED_SHARE:.0%} are "
            f"allowed. If that is right: --allow-removals {removals}"
        )
    if adds > MAX_GROWTH * held + FREE_ADDS and allowance.adds != adds:
        return (
            f"would add {adds:,} to the {held:,} held, and {MAX_GROWTH * held + FREE_ADDS:,} are allowed. "
            f"If that is right: --allow-adds {adds}"
        )
    return None
