"""HubSpot: the properties of contacts that it has, and their membership of a static list.

A contact is never created, and its subscriptions and its marketing status never set. It is deleted only for a customer
who asked to be forgotten.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from lgs_assets.action.destinations.protocol import (
    AccessError,
    Answer,
    Batch,
    BatchError,
    Change,
    Destination,
    Member,
    after_sending,
    never_known,
    of_another,
)
from lgs_assets.action.destinations.web import (
    ANSWER_SECONDS,
    Api,
    Pace,
    expecting,
    identifier,
    in_parts,
    redacted,
    unexpected,
)

VERSION = "2026-03"
"""The version of the interface that requests are written for."""
BATCH_ROWS = 100  # as many contacts as may be read or updated at once
_PAGE = 250
_INTERVAL = 10 / 95  # an account has at least 100 requests in ten seconds
_CONTACTS = f"/crm/objects/{VERSION}/contacts"
_LISTS = f"/crm/lists/{VERSION}"
_NOT_THERE = "HubSpot has no such contact"
_OPTED_OUT = "hs_email_optout"


@dataclass(frozen=True)
class HubSpot(Destination):
    """The destination `hubspot`. An audience fills the static list of contacts of its name."""

    name = "hubspot"
    has_own_ids = True
    erasure = "own"

    key: str = field(repr=False)
    url: str = "https://api.hubapi.com"
    seconds: float = ANSWER_SECONDS
    pace: Pace = field(default_factory=Pace, repr=False)
    batch_rows: int = BATCH_ROWS
    subscription: str | None = None
    """The id of the subscription type that the mails to these lists are of; opting out of it counts, too."""

    @property
    def place(self) -> str:
        """See `Destination.place`."""
        return f"{self.url} {self.key}"

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`."""
        if batch.told("erase"):
            return self._erase(batch)
        list_id = self._list(batch.audience)
        known, rejected = self._known(batch)
        told = [change for change in batch.told("add", "update") if change.customer_id in known]
        self._expect_properties({name for change in told for name in change.fields})
        with after_sending():
            rejected |= self._describe([change for change in told if change.fields], known)
            told = [change for change in told if change.customer_id not in rejected]
            staying = batch.passed_on | {known[change.customer_id] for change in told}
            entering = [change for change in told if change.remote_id != known[change.customer_id]]
            leaving = {known[change.customer_id] for change in batch.told("remove") if change.customer_id in known}
            missing = self._change(list_id, [known[change.customer_id] for change in entering], leaving - staying)
            rejected |= {change.customer_id: _NOT_THERE for change in entering if known[change.customer_id] in missing}
            former = {
                change.customer_id: change.remote_id
                for change in batch.told("add", "update")
                if change.remote_id and change.remote_id != known.get(change.customer_id)
                if change.is_moved or change.customer_id not in rejected
            }
            self._change(list_id, [], {*former.values()} - staying)
        left = frozenset(former.keys() & rejected.keys())
        return Answer(200, rejected, {change.customer_id: known[change.customer_id] for change in told}, left=left)

    def members(self, audience: str, ours: Collection[str]) -> Iterator[Member]:
        """See `Destination.members`."""
        missing = set(ours)
        for record, has_objected, email in self._read_consent(self._records(audience)):
            missing.discard(record)
            yield Member(record, has_objected, email=email)
        for record, has_objected, _ in self._read_consent(sorted(missing)):
            if has_objected:
                yield Member(record, has_objected, is_listed=False)

    def _erase(self, batch: Batch) -> Answer:
        """Deletes contacts, and all that HubSpot keeps of them, for good. One that is gone need not be deleted."""
        rejected = batch.not_erasable("HubSpot")
        for change in batch.changes:
            if change.customer_id in rejected:
                continue
            read = self._results("read", {"inputs": [{"id": change.remote_id}], "properties": ["email"]})
            if any(batch.is_contact(contact["properties"].get("email") or "") for contact in read):
                rejected[change.customer_id] = of_another("HubSpot")
            else:
                self._api.ask("POST", f"{_CONTACTS}/gdpr-delete", {"objectId": change.remote_id}, may_be_missing=True)
        return Answer(204, rejected, said="deleted the contact")

    def _records(self, audience: str) -> Iterator[str]:
        """What HubSpot calls the members of a list."""
        path = f"{_LISTS}/{self._list(audience)}/memberships"

        def ask(after: str | None) -> tuple[list[Any], str | None]:
            answer = self._api.ask("GET", path, query={"limit": str(_PAGE), **({"after": after} if after else {})})
            with expecting(self.name):
                following = (answer.get("paging") or {}).get("next") or {}
                return [identifier(self.name, entry["recordId"]) for entry in answer["results"]], following.get("after")

        return self._api.pages(ask)

    def _read_consent(self, records: Iterable[str]) -> Iterator[tuple[str, bool, str | None]]:
        """Each contact, whether they opted out (of all mails, or of the type that ours are of), and the address."""
        names = [_OPTED_OUT]
        if self.subscription:
            names.append(f"{_OPTED_OUT}_{self.subscription}")
            self._expect_properties({names[-1]})  # of one that is not there HubSpot would say nothing
        for part in in_parts(records, BATCH_ROWS):
            inputs = [{"id": record} for record in part]
            read = self._results("read", {"inputs": inputs, "properties": [*names, "email"]})
            told = {contact["id"]: contact["properties"] for contact in read}
            for record in part:
                email = told.get(record, {}).get("email")
                has_objected = any(told.get(record, {}).get(name) == "true" for name in names)
                yield record, has_objected, email if isinstance(email, str) else None

    @property
    def _api(self) -> Api:
        return Api(
            self.name, self.url, {"Authorization": f"Bearer {self.key}"},
            "LGS_HUBSPOT_KEY, and that it may read and write contacts and lists",
            interval=_INTERVAL, seconds=self.seconds, pace=self.pace,
        )  # fmt: skip

    def _list(self, audience: str) -> str:
        """The id of the list of this name. Raises AccessError if there is none, or HubSpot fills it."""
        path = f"{_LISTS}/object-type-id/0-1/name/{quote(audience, safe='')}"
        answer = self._api.ask("GET", path, may_be_missing=True)
        if answer is None:
            raise AccessError(f"hubspot: there is no list of contacts named {audience}. Lists are made by hand.")
        with expecting(self.name):
            list_id, processing = answer["list"]["listId"], answer["list"]["processingType"]
        if processing == "DYNAMIC":  # the others are static: one that was filled once by a filter is, too
            raise AccessError(f"hubspot: the list {audience} is filled by HubSpot: expected a static list.")
        return quote(str(list_id), safe="")

    def _known(self, batch: Batch) -> tuple[dict[int, str], dict[int, str]]:
        """What HubSpot calls the customers, and why those are rejected who have no contact there.

        Who is to be removed goes by what HubSpot called them when they were added. If nothing is known of them, they
        may have been added by a request whose answer was lost.
        """
        known = {change.customer_id: change.remote_id for change in batch.told("remove") if change.remote_id}
        known |= self._ids([change for change in batch.changes if change.email and change.customer_id not in known])
        rejected = {
            change.customer_id: _NOT_THERE if change.email else never_known("HubSpot")
            for change in batch.changes
            if change.customer_id not in known and not (change.operation == "remove" and change.email)
        }
        return known, rejected

    def _ids(self, changes: Sequence[Change]) -> dict[int, str]:
        """What HubSpot calls the contacts that it has, by customer."""
        if not changes:
            return {}
        inputs = [{"id": change.email} for change in changes]
        read = self._results("read", {"idProperty": "email", "inputs": inputs, "properties": ["email"]})
        by_address = {str(contact["properties"].get("email")).lower(): contact["id"] for contact in read}
        return {
            change.customer_id: by_address[change.email.lower()]
            for change in changes
            if change.email and change.email.lower() in by_address
        }

    def _describe(self, changes: Sequence[Change], known: Mapping[int, str]) -> dict[int, str]:
        """Sets the properties of contacts. Returns why some were rejected."""
        if not changes:
            return {}
        inputs = [
            {
                "id": known[change.customer_id],
                "properties": {name: _text(value) for name, value in change.fields.items()},
                "objectWriteTraceId": str(change.customer_id),
            }
            for change in changes
        ]
        answer = self._api.ask("POST", f"{_CONTACTS}/batch/update", {"inputs": inputs})
        updated = {contact["id"] for contact in _contacts(answer)}
        missing = [change.customer_id for change in changes if known[change.customer_id] not in updated]
        return {customer: _reason(answer, customer, known[customer]) for customer in missing}

    def _expect_properties(self, names: set[str]) -> None:
        """Raises AccessError if contacts lack a property: HubSpot would refuse all of them."""
        if not names:
            return
        content = {"archived": False, "inputs": [{"name": name} for name in sorted(names)]}
        answer = self._api.ask("POST", f"/crm/properties/{VERSION}/contacts/batch/read", content)
        with expecting(self.name):
            found = {entry["name"] for entry in answer["results"]}
        if missing := sorted(names - found):
            raise AccessError(f"hubspot: contacts have no property {', '.join(missing)}. Properties are made by hand.")

    def _change(self, list_id: str, added: list[str], removed: set[str]) -> set[str]:
        """Adds contacts to a list and takes others off it. Returns those that HubSpot does not have."""
        if not added and not removed:
            return set()
        content = {"recordIdsToAdd": added, "recordIdsToRemove": sorted(removed)}
        answer = self._api.ask("PUT", f"{_LISTS}/{list_id}/memberships/add-and-remove", content)
        if not isinstance(answer, dict):
            raise unexpected(self.name)
        return {str(record) for record in answer.get("recordIdsMissing") or []}

    def _results(self, what: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        """The contacts that a batch is answered with. Those that are missing are not among them: the answer is 207."""
        return _contacts(self._api.ask("POST", f"{_CONTACTS}/batch/{what}", content))


def _contacts(answer: Any) -> list[dict[str, Any]]:
    with expecting("hubspot"):
        return [
            {"id": identifier("hubspot", contact["id"]), "properties": dict(contact.get("properties") or {})}
            for contact in answer["results"]
        ]


def _reason(answer: Any, customer: int, record: str) -> str:
    """Why a batch that was answered did not update a contact. Raises BatchError if it does not say of which that is."""
    with expecting("hubspot"):
        for error in answer.get("errors") or []:
            context = error.get("context") or {}
            named = {
                str(value)
                for values in context.values()
                for value in (values if isinstance(values, list) else [values])
            }
            if named & {str(customer), record}:
                return redacted(str(error.get("message")))
    raise BatchError("answered without some of the contacts, and without the reason", status=207)


def _text(value: object) -> str:
    """A property as HubSpot takes it; an empty one clears what was there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
