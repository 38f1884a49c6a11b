"""Klaviyo: profiles with our fields as properties, by an import job, and their membership of a list.

Never called, by its own specification: the jobs that subscribe ("will remove any UNSUBSCRIBE, SPAM_REPORT or
USER_SUPPRESSED suppressions") and those that unsubscribe.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lgs_assets.action.destinations.protocol import (
    AccessError,
    Answer,
    Batch,
    BatchError,
    BusyError,
    Change,
    Destination,
    Member,
    after_sending,
    of_another,
)
from lgs_assets.action.destinations.web import ANSWER_SECONDS, Api, Pace, expecting, in_parts, redacted, unexpected
from lgs_assets.errors import UnavailableError

REVISION = "2026-07-15"
"""The revision of the interface that requests are written for; Klaviyo keeps it for two years."""
BATCH_ROWS = 1000  # as many as may leave a list at once; an import takes 10,000
_WRITES = _JOBS = 60 / 140  # 10 a second and 150 a minute
_READS = 60 / 700  # 75 a second and 750 a minute
_DELETIONS = 60 / 55  # 3 a second and 60 a minute
_PAGE = 100
# How long an import job may take, and how often it is asked after.
_JOB_WAITS = (1, 2, 4, 8, 15, *[30] * 29)
# Klaviyo gave these up by itself: the person has not objected.
_UNDELIVERABLE = {"HARD_BOUNCE", "INVALID_EMAIL"}
_CONSENT = {
    "additional-fields[profile]": "subscriptions",
    "fields[profile]": ",".join(
        ["external_id", "email"]
        + [f"subscriptions.email.marketing.{name}" for name in ("consent", "suppression", "list_suppressions")]
    ),
}


@dataclass(frozen=True)
class Klaviyo(Destination):
    """The destination `klaviyo`. An audience fills the list of its name; a profile's external id is the customer."""

    name = "klaviyo"
    erasure = "own"

    key: str = field(repr=False)
    url: str = "https://a.klaviyo.com/api"
    seconds: float = ANSWER_SECONDS
    pace: Pace = field(default_factory=Pace, repr=False)
    batch_rows: int = BATCH_ROWS

    @property
    def place(self) -> str:
        """See `Destination.place`."""
        return f"{self.url} {self.key}"

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`. An import job is waited for: only then is it known what it did."""
        if batch.told("erase"):
            return self._erase(batch)
        list_id = self._list(batch.audience)
        if removed := batch.told("remove"):
            self._remove(list_id, removed)
        rejected: dict[int, str] = {}
        if added := batch.told("add"):
            rejected |= self._import(added, list_id)
        if updated := batch.told("update"):  # not to the list again: somebody may have taken them off it
            with after_sending():
                rejected |= self._import(updated, None)
        return Answer(200, rejected)

    def members(self, audience: str, ours: Collection[str]) -> Iterator[Member]:
        """See `Destination.members`. Profiles without an external id go by Klaviyo's own.

        Klaviyo itself takes off a list who unsubscribes from a campaign that was sent to it.
        """
        list_id = self._list(audience)
        missing = set(ours)
        for profile in self._all(f"/lists/{list_id}/profiles", _CONSENT):
            name = str(profile["attributes"].get("external_id") or f"klaviyo:{profile['id']}")
            missing.discard(name)
            email = profile["attributes"].get("email")
            yield Member(name, _has_objected(profile, list_id), email=email if isinstance(email, str) else None)
        for profile in self._profiles(missing, _CONSENT):
            if _has_objected(profile, list_id):
                yield Member(profile["attributes"]["external_id"], has_objected=True, is_listed=False)

    @property
    def _api(self) -> Api:
        headers = {"Authorization": f"Klaviyo-API-Key {self.key}", "revision": REVISION}
        return Api(
            self.name, self.url, headers,
            "LGS_KLAVIYO_KEY, and that it may read and write lists and profiles, and write data privacy",
            interval=_WRITES, media_type="application/vnd.api+json", seconds=self.seconds, pace=self.pace,
        )  # fmt: skip

    def _list(self, audience: str) -> str:
        """The id of the list of this name. Raises AccessError unless there is exactly one."""
        found = [
            entry["id"]
            for entry in self._all("/lists", {"filter": f'equals(name,"{audience}")', "fields[list]": "name"}, page=10)
            if entry["attributes"]["name"] == audience
        ]
        if len(found) != 1:
            raise AccessError(
                f"klaviyo: expected one list named {audience}; there are {len(found)}. Lists are made by hand."
            )
        return str(found[0])

    def _remove(self, list_id: str, changes: Sequence[Change]) -> None:
        """Takes profiles off a list. Who has none is on none."""
        customers = [str(change.customer_id) for change in changes]
        found = self._profiles(customers, {"fields[profile]": "external_id"})
        if profiles := [{"type": "profile", "id": profile["id"]} for profile in found]:
            self._api.ask("DELETE", f"/lists/{list_id}/relationships/profiles", {"data": profiles})

    def _erase(self, batch: Batch) -> Answer:
        """Asks Klaviyo to delete profiles, which it does in its own time. Who has none is not there to be deleted.

        Whose number a profile has may have been written there by somebody else: its address must be nobody's here.
        """
        customers = [str(change.customer_id) for change in batch.changes]
        found = list(self._profiles(customers, {"fields[profile]": "external_id,email"}))
        rejected: dict[int, str] = {}
        for profile in found:
            if batch.is_contact(str(profile["attributes"].get("email") or "")):
                rejected[int(profile["attributes"]["external_id"])] = of_another("Klaviyo")
                continue
            job = {
                "type": "data-privacy-deletion-job",
                "attributes": {"profile": {"data": {"type": "profile", "id": profile["id"], "attributes": {}}}},
            }
            self._api.ask("POST", "/data-privacy-deletion-jobs", {"data": job}, interval=_DELETIONS)
        if not found:
            return Answer(200, said="has no such profile")
        return Answer(202, rejected, said="took the request, and deletes the profile in its own time")

    def _profiles(self, customers: Iterable[str], query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """The profiles of customers; not all have one."""
        for part in in_parts(sorted(customers), _PAGE):
            for profile in self._all("/profiles", {**query, "filter": f"any(external_id,{json.dumps(part)})"}):
                if profile["attributes"].get("external_id") in part:  # whatever the filter let through
                    yield profile

    def _import(self, changes: Sequence[Change], list_id: str | None) -> dict[int, str]:
        """Creates or updates profiles. Returns why some were rejected."""
        job: dict[str, Any] = {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": [_profile(change) for change in changes]}},
        }
        if list_id:
            job["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id}]}}
        answer = self._api.ask("POST", "/profile-bulk-import-jobs", {"data": job})
        with after_sending():
            return self._wait(f"/profile-bulk-import-jobs/{_of(answer, 'id')}", changes)

    def _wait(self, path: str, changes: Sequence[Change]) -> dict[int, str]:
        """Waits until an import job is done. Returns why it rejected customers."""
        for wait in _JOB_WAITS:
            attributes = _of(self._api.ask("GET", path), "attributes")
            if not isinstance(attributes, dict):
                raise unexpected(self.name)
            match attributes.get("status"):
                case "complete":
                    return self._errors(path, changes, failed=attributes.get("failed_count"))
                case "cancelled":
                    raise BusyError("klaviyo: the import job was cancelled.", status=202)
                case "queued" | "processing":
                    self.pace.sleep(wait)
                case _:
                    raise unexpected(self.name)
        raise UnavailableError(f"klaviyo: the import job was not done after {sum(_JOB_WAITS) // 60} minutes.")

    def _errors(self, path: str, changes: Sequence[Change], *, failed: object) -> dict[int, str]:
        """Why a job rejected customers, `failed` of them. Raises BatchError if it does not say who these are."""
        if type(failed) is not int:
            raise unexpected(self.name)
        if not failed:
            return {}
        sent = {str(change.customer_id): change.customer_id for change in changes}
        rejected = {}
        for entry in self._all(f"{path}/import-errors", {}, interval=_JOBS):
            error = entry["attributes"]
            reason = redacted(str(error.get("detail") or error.get("title")))
            with expecting(self.name):
                payload = error.get("original_payload") or {}
                external_id = str(payload.get("attributes", payload).get("external_id"))
            if external_id not in sent:
                raise BatchError(f"the import job failed: {reason}", status=202)
            rejected[sent[external_id]] = reason
        if len(rejected) < failed:
            raise BatchError(f"the import job failed for {failed:,}, and named {len(rejected):,} of them", status=202)
        return rejected

    def _all(
        self, path: str, query: Mapping[str, str], *, page: int = _PAGE, interval: float = _READS
    ) -> Iterator[dict[str, Any]]:
        """Every entry of a collection. Of the link to the next page only the cursor is used."""

        def ask(cursor: str | None) -> tuple[list[Any], str | None]:
            place = {"page[cursor]": cursor} if cursor else {}
            answer = self._api.ask("GET", path, query={**query, "page[size]": str(page), **place}, interval=interval)
            with expecting(self.name):
                following = (answer.get("links") or {}).get("next")
                cursors = parse_qs(urlsplit(following).query).get("page[cursor]") if following else None
                return [{"id": each["id"], "attributes": dict(each["attributes"])} for each in answer["data"]], (
                    cursors[0] if cursors else None
                )

        return self._api.pages(ask)


def _has_objected(profile: Mapping[str, Any], list_id: str) -> bool:
    """Whether somebody unsubscribed, from everything or from this list, or complained."""
    with expecting("klaviyo"):
        marketing = ((profile["attributes"].get("subscriptions") or {}).get("email") or {}).get("marketing") or {}
        of_list = [each for each in marketing.get("list_suppressions") or [] if each.get("list_id") == list_id]
        reasons = {each.get("reason") for each in [*(marketing.get("suppression") or []), *of_list]}
    return marketing.get("consent") == "UNSUBSCRIBED" or bool(reasons - _UNDELIVERABLE)


def _profile(change: Change) -> dict[str, Any]:
    """A profile of an import. What we do not know is taken away there, too: a null would leave it as it was."""
    known = {name: value for name, value in change.fields.items() if value is not None}
    attributes = {"external_id": str(change.customer_id), "email": change.email, "properties": known}
    profile: dict[str, Any] = {"type": "profile", "attributes": attributes}
    if unknown := sorted(change.fields.keys() - known.keys()):
        profile["meta"] = {"patch_properties": {"unset": unknown}}
    return profile


def _of(answer: Any, name: str) -> Any:
    with expecting("klaviyo"):
        return answer["data"][name]
