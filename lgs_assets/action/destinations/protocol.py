"""What every destination has in common: what it is handed, what it answers, and what can go wrong."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple

from lgs_assets.errors import LgsError, UnavailableError

Operation = Literal["add", "update", "remove", "erase"]
"""What is done for a customer: three concern a list; to erase is to delete the person, and so from every list."""
Erasure = Literal["none", "own", "permanent"]
"""Whether a destination deletes people when asked: not at all; by a deletion of its own; or by one after which it
never takes the address again."""


class Change(NamedTuple):
    """What a destination is to do with one customer."""

    operation: Operation
    customer_id: int
    email: str | None
    """The address by which a tool finds the customer. A removal hands it over to no receiver that does not know it."""
    fields: dict[str, Any]
    remote_id: str | None = None
    """What the destination calls the customer, if it has said so."""
    is_moved: bool = False
    """Whether the shop has another address by now than the destination was sent."""

    def __repr__(self) -> str:
        """Without the address: errors and logs show their values."""
        return f"Change({self.operation} {self.customer_id})"


class Listed(NamedTuple):
    """A customer on a list, and what the destination may know of them."""

    customer_id: int
    email: str
    fields: dict[str, Any]

    def __repr__(self) -> str:
        """Without the address."""
        return f"Listed({self.customer_id})"


@dataclass(frozen=True)
class Batch:
    """Changes that are sent together."""

    audience: str
    plan: int
    number: int
    changes: tuple[Change, ...]
    key: str
    """By which the receiver tells a repeat of the same batch with the same content."""
    sent_at: datetime
    passed_on: frozenset[str] = frozenset()
    """What the destination called some of the customers, and now calls others: an address can change hands."""
    is_contact: Callable[[str], bool] = lambda _: False
    """Whether an address is a customer's here. Those who are to be deleted have none here any more."""
    whole_list: Callable[[], Sequence[Listed] | None] = tuple
    """Whom the list holds once the batch is accepted, by customer; None if that is not known."""

    def told(self, *operations: Operation) -> list[Change]:
        """The changes of these kinds."""
        return [change for change in self.changes if change.operation in operations]

    def not_erasable(self, tool: str) -> dict[int, str]:
        """Whom a tool with ids of its own cannot be asked to delete, and why: the wrong person must not be deleted."""
        return {
            change.customer_id: of_another(tool) if change.remote_id else never_known(tool)
            for change in self.told("erase")
            if not change.remote_id or change.remote_id in self.passed_on
        }


@dataclass(frozen=True)
class Answer:
    """What a destination says of a batch that it took."""

    status: int
    rejected: dict[int, str] = field(default_factory=dict)
    """Why it did not take some of the customers."""
    remote_ids: dict[int, str] = field(default_factory=dict)
    """What it calls the customers, where that is not their number."""
    objected: frozenset[int] = frozenset()
    """Of those it did not take, who unsubscribed there, or had themselves deleted."""
    said: str = ""
    """What it said of a deletion."""
    left: frozenset[int] = frozenset()
    """Of those it did not take, whose former contact was taken off the list: the shop has another address of theirs."""


def of_another(tool: str) -> str:
    """Why a tool is not asked to delete a contact."""
    return f"that contact at {tool} is or was another customer's, too: look there by hand"


def never_known(tool: str) -> str:
    """Why a tool with ids of its own cannot be told of a customer who was forgotten."""
    return f"{tool} never said which contact this is, and the address is gone: look there by hand"


class Member(NamedTuple):
    """Somebody on a list, or one of ours who objected and was taken off it, as the destination has them."""

    remote_id: str
    """What the destination calls them: for those that we put there, what `Answer.remote_ids` said, or their number."""
    has_objected: bool
    """Whether they unsubscribed or complained there."""
    is_listed: bool = True
    """Whether the list holds them."""
    email: str | None = None

    def __repr__(self) -> str:
        """Without the address."""
        return f"Member({self.remote_id})"


class Destination(ABC):
    """Where a list goes."""

    name: ClassVar[str]
    """By which commands and ledgers call it."""
    has_own_ids: ClassVar[bool] = False
    """Whether it calls customers otherwise than by their number: then only `Answer.remote_ids` tells how."""
    erasure: ClassVar[Erasure] = "none"
    """Whether it deletes people: then it takes batches of changes that erase, which hold no others."""
    hashes_emails: bool = False
    """Whether addresses leave as hashes: then whoever has an address can still find it there."""
    batch_rows: int | None = None
    """How many changes it takes at a time; None for all of a plan."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where that is: what tells the account, the list, the URL or the folder from any other. It may be a secret."""

    @abstractmethod
    def send(self, batch: Batch) -> Answer:
        """Hands a batch over, at the pace that the destination allows. Keeps no state, and makes no second attempt.

        Raises BusyError or UnavailableError if it may be tried again, BatchError for a batch that is refused as a
        whole, and AccessError if there is no sense in sending any other.
        """

    def members(self, audience: str, ours: Collection[str]) -> Iterable[Member] | None:
        """Whom the list of an audience holds, whoever put them there, and who of `ours` objected and is not on it.

        None if the destination cannot be read, which is known without a request. `ours` are whom it should hold, as the
        destination calls them.
        """
        return None


class BusyError(UnavailableError):
    """The destination asks to come back later, or is out of order."""

    def __init__(self, reason: str, *, status: int, wait: float | None = None) -> None:
        """`wait` is for how many seconds, if it says so."""
        super().__init__(reason)
        self.status, self.wait = status, wait


class BatchError(LgsError):
    """The destination refuses a batch because of what is in it."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(reason)
        self.status = status


class AccessError(LgsError):
    """The destination does not let us in, or is not the one that we mean."""

    may_have_arrived = False
    """Whether an earlier request of the batch may have changed a contact or the list."""


@contextmanager
def after_sending() -> Iterator[None]:
    """Says of an AccessError of the block that a contact or the list may have been changed before."""
    try:
        yield
    except AccessError as error:
        error.may_have_arrived = True
        raise
