"""Mailchimp: the merge fields of contacts that it has, and their membership of a static segment.

A contact is never created and its status never set: only Mailchimp knows whether somebody is subscribed. It
is deleted only for a customer who asked to be forgotten.
"""

import base64
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
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
from lgs_assets.action.destinations.web import ANSWER_SECONDS, Api, Pace, expecting, identifier, redacted, unexpected

BATCH_ROWS = 500  # as many as may enter a segment at once
_PAGE = 1000
_LONGEST_NAME = 10  # of a merge field
_NOT_THERE = "Mailchimp has no such contact"
_UNSUBSCRIBED = "unsubscribed at Mailchimp"
# "Member In Compliance State", "Forgotten Email Not Subscribed", and what the details of these errors say.
_REFUSES_THEM = re.compile("compliance state|forgotten email|permanently deleted", re.IGNORECASE)


@dataclass(frozen=True)
class Mailchimp(Destination):
    """The destination `mailchimp`. An audience fills the static segment of its name, among the contacts of one list.

    Mailchimp limits how many requests are under way at once, to ten: here there is one.
    """

    name = "mailchimp"
    has_own_ids = True
    erasure = "permanent"

    key: str = field(repr=False)
    list_id: str
    url: str = ""
    """Where it is; the data centre that the key names, unless a test has another."""
    seconds: float = ANSWER_SECONDS
    pace: Pace = field(default_factory=Pace, repr=False)
    batch_rows: int = BATCH_ROWS

    @property
    def place(self) -> str:
        """See `Destination.place`."""
        return f"{self._api.url} {self.list_id}"

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`."""
        if batch.told("erase"):
            return self._erase(batch)
        segment = self._segment(batch.audience)
        rejected: dict[int, str] = {}
        remote_ids: dict[int, str] = {}
        told = batch.told("add", "update")
        self._expect_merge_fields(told)
        with after_sending():
            for change in told:
                try:
                    contact = self._describe(change)
                except BatchError as error:  # of one contact: the others do not suffer for it
                    rejected[change.customer_id] = str(error)
                    continue
                if contact.get("status") == "unsubscribed":
                    rejected[change.customer_id] = _UNSUBSCRIBED
                else:
                    remote_ids[change.customer_id] = identifier(self.name, contact.get("contact_id"))
            entering = [
                change
                for change in told
                if change.customer_id in remote_ids and change.remote_id != remote_ids[change.customer_id]
            ]
            if entering:
                rejected |= self._add(segment, entering)
            staying = batch.passed_on | set(remote_ids.values())
            for change in batch.told("remove"):
                if reason := self._remove(segment, change, staying):
                    rejected[change.customer_id] = reason
            for change in entering:
                if change.remote_id and change.customer_id not in rejected:
                    self._remove(segment, change, staying)  # the contact of their former address
            left = frozenset(
                change.customer_id
                for change in told
                if change.customer_id in rejected
                and change.remote_id
                and change.is_moved
                and self._leave(segment, change, staying)
            )
            return Answer(200, rejected, remote_ids, self._objected(told, rejected), left=left)

    def members(self, audience: str, ours: Collection[str]) -> Iterator[Member]:
        """See `Destination.members`."""
        missing = set(ours)
        path = f"{self._segment(audience)}/members"
        query = {
            "fields": "members.contact_id,members.status,members.email_address,total_items",
            "include_unsubscribed": "true",
            "include_cleaned": "true",
        }
        for entry in self._all(path, "members", query):
            contact = identifier(self.name, entry.get("contact_id"))
            missing.discard(contact)
            email = entry.get("email_address")
            yield Member(
                contact, entry.get("status") == "unsubscribed", email=email if isinstance(email, str) else None
            )
        if missing:  # all who unsubscribed are fewer requests than one for each who is missing
            query = {"status": "unsubscribed", "fields": "members.contact_id,total_items"}
            for entry in self._all(f"{self._path}/members", "members", query):
                if (contact := _text(entry, "contact_id")) in missing:
                    yield Member(contact, has_objected=True, is_listed=False)

    @property
    def _api(self) -> Api:
        credentials = base64.b64encode(f"lgs:{self.key}".encode()).decode()
        centre = self.key.rpartition("-")[2]
        url = self.url or f"https://{centre}.api.mailchimp.com/3.0"
        headers = {"Authorization": f"Basic {credentials}"}
        return Api(self.name, url, headers, "LGS_MAILCHIMP_KEY", seconds=self.seconds, pace=self.pace)

    @property
    def _path(self) -> str:
        return f"/lists/{quote(self.list_id, safe='')}"

    def _segment(self, audience: str) -> str:
        """The path of the static segment of this name. Raises AccessError unless there is exactly one."""
        path = f"{self._path}/segments"
        query = {"type": "static", "fields": "segments.id,segments.name,total_items"}
        found = [entry["id"] for entry in self._all(path, "segments", query) if entry.get("name") == audience]
        if len(found) != 1:
            raise AccessError(
                f"mailchimp: expected one static segment (a tag) named {audience}; there are {len(found)}. They are "
                "made and named by hand."
            )
        return f"{path}/{found[0]}"

    def _expect_merge_fields(self, changes: Sequence[Change]) -> None:
        """Raises AccessError if contacts lack a merge field: Mailchimp would refuse each of them."""
        if not (names := {name for change in changes for name in _merge_fields(change)}):
            return
        query = {"fields": "merge_fields.tag,total_items"}
        found = {str(entry.get("tag")) for entry in self._all(f"{self._path}/merge-fields", "merge_fields", query)}
        if missing := sorted(names - found):
            raise AccessError(
                f"mailchimp: contacts have no merge field {', '.join(missing)}. Merge fields are made by hand."
            )

    def _describe(self, change: Change) -> dict[str, Any]:
        """Sets a contact's merge fields. Returns it. Raises BatchError if there is none, or they are refused."""
        contact = self._api.ask(
            "PATCH", self._contact(_hash(change.email or "")), {"merge_fields": _merge_fields(change)},
            query={"skip_merge_validation": "true"},  # fields that the list requires may be missing: they are not ours
            may_be_missing=True,
        )  # fmt: skip
        if contact is None:
            raise BatchError(_NOT_THERE, status=404)
        if not isinstance(contact, dict):
            raise unexpected(self.name)
        return contact

    def _objected(self, changes: Sequence[Change], rejected: Mapping[int, str]) -> frozenset[int]:
        """Of the rejected, who unsubscribed or had themselves deleted; not those whose address merely bounced."""
        return frozenset(
            change.customer_id
            for change in changes
            if (reason := rejected.get(change.customer_id))
            and (reason == _UNSUBSCRIBED or (_REFUSES_THEM.search(reason) and self._status(change) != "cleaned"))
        )

    def _status(self, change: Change) -> str | None:
        """What Mailchimp calls the state of a contact; None if there is none, such as after its deletion."""
        path = self._contact(_hash(change.email or ""))
        contact = self._api.ask("GET", path, query={"fields": "status"}, may_be_missing=True)
        return None if contact is None else _text(contact, "status")

    def _erase(self, batch: Batch) -> Answer:
        """Deletes contacts for good: Mailchimp takes their addresses from no import any more. Gone ones need not be."""
        rejected = batch.not_erasable("Mailchimp")
        for change in batch.changes:
            if change.customer_id in rejected:
                continue
            path = self._contact(change.remote_id or "")
            contact = self._api.ask("GET", path, query={"fields": "id,email_address"}, may_be_missing=True)
            if contact is not None and batch.is_contact(_text(contact, "email_address")):
                rejected[change.customer_id] = of_another("Mailchimp")
            elif contact is not None:
                path = f"{self._contact(_text(contact, 'id'))}/actions/delete-permanent"
                self._api.ask("POST", path, may_be_missing=True)
        return Answer(204, rejected, said="deleted the contact for good")

    def _add(self, segment: str, changes: Sequence[Change]) -> dict[int, str]:
        """Adds contacts to a segment. Returns why some were rejected: Mailchimp answers 200 all the same.

        Raises BatchError if it does not say which these are.
        """
        by_address = {(change.email or "").lower(): change.customer_id for change in changes}
        answer = self._api.ask("POST", segment, {"members_to_add": list(by_address), "members_to_remove": []})
        with expecting(self.name):
            errors = [(redacted(str(error["error"])), [*error["email_addresses"]]) for error in answer["errors"]]
            told = {address.lower(): reason for reason, addresses in errors for address in addresses}
            failed = int(answer["error_count"])
        if len(told) < failed or not told.keys() <= by_address.keys() or not all(addresses for _, addresses in errors):
            reasons = "; ".join(dict.fromkeys(reason for reason, _ in errors))
            raise BatchError(f"answered with errors, and not of whom: {reasons or 'no reason'}", status=200)
        return {by_address[address]: reason for address, reason in told.items()}

    def _remove(self, segment: str, change: Change, staying: Collection[str]) -> str | None:
        """Takes a contact off a segment, unless it is by now another's who stays.

        Returns why that could not be done; a contact that is gone is on none.
        """
        if change.remote_id is None and change.email is None:
            return never_known("Mailchimp")
        known = change.remote_id or _hash(change.email or "")
        query = {"fields": "id,contact_id"}
        contact = self._api.ask("GET", self._contact(known), query=query, may_be_missing=True)
        if contact is not None and _text(contact, "contact_id") not in staying:
            member = f"{segment}/members/{quote(_text(contact, 'id'), safe='')}"
            self._api.ask("DELETE", member, may_be_missing=True)
        return None

    def _leave(self, segment: str, change: Change, staying: Collection[str]) -> bool:
        """Takes the contact of a former address off a segment, where the present one was rejected.

        Returns whether the segment is rid of it: one of the present address stays.
        """
        path = self._contact(change.remote_id or "")
        contact = self._api.ask("GET", path, query={"fields": "id,contact_id"}, may_be_missing=True)
        if contact is not None and _text(contact, "id") == _hash(change.email or ""):
            return False
        self._remove(segment, change, staying)
        return True

    def _contact(self, known: str) -> str:
        return f"{self._path}/members/{quote(known, safe='')}"

    def _all(self, path: str, name: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """Every entry of a collection."""

        def ask(start: str | None) -> tuple[list[Any], str | None]:
            offset = int(start or 0)
            answer = self._api.ask("GET", path, query={**query, "count": str(_PAGE), "offset": str(offset)})
            with expecting(self.name):
                found, total = [dict(entry) for entry in answer[name]], int(answer["total_items"])
            following = offset + len(found)
            return found, str(following) if found and following < total else None

        return self._api.pages(ask)


def _merge_fields(change: Change) -> dict[str, Any]:
    """The fields of a customer under names that Mailchimp takes. Raises AccessError if two are the same there."""
    fields = {
        name.upper()[:_LONGEST_NAME]: "" if value is None else value for name, value in sorted(change.fields.items())
    }
    if len(fields) < len(change.fields):
        names = ", ".join(sorted(change.fields))
        raise AccessError(f"mailchimp: of the fields {names} two are the same in {_LONGEST_NAME} characters.")
    return fields


def _hash(email: str) -> str:
    """What Mailchimp calls a contact in its addresses."""
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def _text(entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value:
        raise unexpected("mailchimp")
    return value
