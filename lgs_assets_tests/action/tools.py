"""Stand-ins for the tools that lists go to: they keep state, judge every request, and go wrong when they are told to.

What they answer was written after the documentation of the tools, of the versions that the destinations name. A request
that is not one of those in `schemas`, one that is faster than the tool allows, and any that would touch a subscription
are noted as problems.
"""

import base64
import json
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import md5
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from lgs_assets.action.destinations.hubspot import HubSpot
from lgs_assets.action.destinations.klaviyo import Klaviyo
from lgs_assets.action.destinations.mailchimp import Mailchimp
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.destinations.web import Pace
from lgs_assets_tests.action.misbehaving import Misbehaving, Reply
from lgs_assets_tests.action.people import address
from lgs_assets_tests.action.schemas import HUBSPOT, KLAVIYO, MAILCHIMP, Operation, problems

SECRET = "a-key-that-only-the-tool-and-we-know-us7"
_SUBSCRIPTION = re.compile(
    r'"(status|status_if_new|consent|subscriptions|subscribed|hs_marketable_status|[^"]*optout)"'
)


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += seconds

    @property
    def pace(self) -> Pace:
        """The pace of a destination in this time."""
        return Pace(lambda: self.now, self.sleep)


class Tool:
    """What every tool has: contacts, the members of each list, requests, problems, and faults to come."""

    limits: tuple[tuple[int, float], ...] = ()
    """How many requests in how many seconds it takes."""
    operations: tuple[Operation, ...] = ()
    """The requests that it knows."""
    slow = re.compile("$^")
    """The requests for which these limits hold; all if it is empty."""

    def __init__(self) -> None:
        self.lists: dict[str, set[str]] = {"some": set()}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.problems: list[str] = []
        self.faults: list[str | None] = []
        self.poison: set[int] = set()
        self.known_fields = {"spent", "vip", "lgs_segment"}
        self.clock = Clock()
        self.lock = threading.RLock()
        self.url = ""
        self._arrivals: deque[float] = deque(maxlen=1000)

    def destination(self, *, seconds: float = 5) -> Destination:
        """The destination that this tool stands in for."""
        raise NotImplementedError

    def know(self, *customers: int) -> None:
        """Makes contacts of customers, as they are in the tool before any list reaches it."""
        for customer in customers:
            self.contacts[f"R{customer}"] = {"email": address(customer), "customer": customer, "fields": {}}

    def unsubscribe(self, record: str) -> None:
        """Lets a contact object, as by the link in a campaign that was sent to the list."""
        self.contacts[record] |= {"consent": "UNSUBSCRIBED", "state": "unsubscribed", "optout": "true"}

    def held(self, name: str = "some") -> set[int]:
        """The customers on a list."""
        return {self.contacts[record]["customer"] for record in self.lists[name]}

    def fields(self, customer: int) -> dict[str, Any]:
        """What is said of a customer."""
        return next(each["fields"] for each in self.contacts.values() if each["customer"] == customer)

    def delete(self, record: str) -> None:
        """Deletes a contact, and so from every list."""
        self.contacts.pop(record, None)
        for listed in self.lists.values():
            listed.discard(record)

    def by_address(self, email: str) -> str | None:
        """The contact of an address."""
        return next((record for record, each in self.contacts.items() if each["email"] == email.lower()), None)

    def expect(self, is_so: bool, problem: str) -> None:
        """Notes a problem of a request."""
        if not is_so:
            self.problems.append(problem)

    def obey(self, method: str, path: str, query: dict[str, str], content: Any) -> Reply:
        """Does what a request says."""
        raise NotImplementedError

    def judge(self, method: str, path: str, headers: Any, body: bytes) -> None:
        """Notes what is wrong with a request, whatever it asks."""
        self.expect(not _SUBSCRIPTION.search(body.decode()), f"{path} would touch a subscription")
        self.expect("subscription-bulk" not in path and "suppression" not in path, f"{path} is never called")
        if self.slow.search(f"{method} {path}"):
            self._arrivals.append(self.clock.now)
            for number, seconds in self.limits:
                recent = sum(self.clock.now - arrival < seconds for arrival in self._arrivals)
                self.expect(recent <= number, f"{recent} requests in {seconds} seconds")


class KlaviyoTool(Tool):
    """Klaviyo: import jobs, of which one asks until they are done."""

    limits = ((10, 1), (150, 60))
    operations = KLAVIYO
    slow = re.compile("^(POST|DELETE|GET /profile-bulk-import-jobs)")

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, list[dict[str, Any]]] = {}
        self.polls: Counter[str] = Counter()
        self.ends = ["queued", "processing", "complete"]
        self.names_culprits = True
        self.unnamed: set[int] = set()
        self.failed: dict[str, Any] = {}
        self.page = 100
        self.next_host = "https://elsewhere.test"
        self.copies = 1
        self._deletions: list[float] = []

    def destination(self, *, seconds: float = 5) -> Klaviyo:
        """See `Tool.destination`."""
        return Klaviyo(SECRET, self.url, seconds, self.clock.pace)

    def know(self, *customers: int) -> None:
        """Klaviyo knows customers by their number."""
        super().know(*customers)
        for customer in customers:
            self.contacts[f"R{customer}"]["external_id"] = str(customer)

    def unsubscribe(self, record: str) -> None:
        """Klaviyo also takes them off the list."""
        super().unsubscribe(record)
        self.lists["some"].discard(record)

    def judge(self, method: str, path: str, headers: Any, body: bytes) -> None:
        """See `Tool.judge`."""
        super().judge(method, path, headers, body)
        self.expect(headers["Authorization"] == f"Klaviyo-API-Key {SECRET}", "authorization")
        self.expect(headers["revision"] == "2026-07-15", "revision")
        self.expect(method == "GET" or headers["Content-Type"] == "application/vnd.api+json", "media type")
        self.expect(len(body) < 5_000_000, "larger than 5 MB")

    def obey(self, method: str, path: str, query: dict[str, str], content: Any) -> Reply:
        """See `Tool.obey`."""
        match method, path.strip("/").split("/"):
            case "GET", ["lists"]:
                name = re.fullmatch(r'equals\(name,"(\w+)"\)', query["filter"])
                assert name
                named = [{"type": "list", "id": f"L-{each}", "attributes": {"name": each}} for each in self.lists]
                return self._collection(named * self.copies, query)
            case "GET", ["lists", list_id, "profiles"]:
                listed = sorted(self.lists[list_id[2:]])
                return self._collection([self._shown(each, query) for each in listed], query)
            case "GET", ["profiles"]:
                wanted = re.fullmatch(r"any\(external_id,(\[.*\])\)", query["filter"])
                assert wanted
                ids = json.loads(wanted[1])
                found = [record for record, each in self.contacts.items() if each.get("external_id") in ids]
                return self._collection([self._shown(record, query) for record in found], query)
            case "DELETE", ["lists", list_id, "relationships", "profiles"]:
                for profile in content["data"]:
                    self.lists[list_id[2:]].discard(profile["id"])
                return 204, None
            case "POST", ["data-privacy-deletion-jobs"]:
                profile = content["data"]["attributes"]["profile"]["data"]
                self._deletions.append(self.clock.now)
                recent = sum(self.clock.now - arrival < 60 for arrival in self._deletions)
                self.expect(recent <= 60, f"{recent} deletions in a minute")
                self.delete(profile["id"])
                return 202, None
            case "POST", ["profile-bulk-import-jobs"]:
                return self._import(content["data"])
            case "GET", ["profile-bulk-import-jobs", job]:
                status = self.ends[min(self.polls[job], len(self.ends) - 1)]
                self.polls[job] += 1
                attributes = {"status": status, "total_count": 1, "failed_count": self.failed[job]}
                return 200, {"data": {"type": "profile-bulk-import-job", "id": job, "attributes": attributes}}
            case "GET", ["profile-bulk-import-jobs", job, "import-errors"]:
                return self._collection(self.jobs[job], query)
        raise AssertionError(f"{method} {path}")

    def _import(self, job: dict[str, Any]) -> Reply:
        profiles = job["attributes"]["profiles"]["data"]
        lists = [each["id"][2:] for each in job.get("relationships", {}).get("lists", {}).get("data", [])]
        errors = []
        for profile in profiles:
            told = profile["attributes"]
            if int(told["external_id"]) in self.unnamed:  # it fails, and no error says so
                continue
            if int(told["external_id"]) in self.poison:
                error = {"code": "invalid", "title": "Invalid input", "detail": f"{told['email']} is invalid"}
                if self.names_culprits:
                    error["original_payload"] = told
                errors.append({"type": "import-error", "id": "e", "attributes": error})
                continue
            record = f"R{told['external_id']}"
            known = self.contacts.setdefault(record, {"customer": int(told["external_id"]), "fields": {}})
            known |= {"external_id": told["external_id"], "email": told["email"]}
            known["fields"] |= told["properties"]
            for name in profile.get("meta", {}).get("patch_properties", {}).get("unset", []):
                known["fields"].pop(name, None)
            for name in lists:
                self.lists[name].add(record)
        number = f"J{len(self.jobs)}"
        self.jobs[number] = errors
        self.failed[number] = len(errors) + sum(
            int(each["attributes"]["external_id"]) in self.unnamed for each in profiles
        )
        attributes = {"status": "queued", "total_count": len(profiles)}
        return 202, {"data": {"type": "profile-bulk-import-job", "id": number, "attributes": attributes}}

    def _shown(self, record: str, query: dict[str, str]) -> dict[str, Any]:
        contact = self.contacts[record]
        known = {"external_id": contact.get("external_id"), "email": contact["email"]}
        attributes: dict[str, Any] = {
            name: value for name, value in known.items() if name in query["fields[profile]"].split(",")
        }
        if query.get("additional-fields[profile]") == "subscriptions":
            marketing = {
                "consent": contact.get("consent", "NEVER_SUBSCRIBED"),
                "suppression": contact.get("reasons", []),
                "list_suppressions": contact.get("list_reasons", []),
            }
            asked = {
                name: value
                for name, value in marketing.items()
                if f"subscriptions.email.marketing.{name}" in query["fields[profile]"].split(",")
            }
            attributes["subscriptions"] = {"email": {"marketing": asked}}
        return {"type": "profile", "id": record, "attributes": attributes}

    def _collection(self, entries: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        """A page of entries; the link to the next names another host, which must not be asked."""
        start, size = int(query.get("page[cursor]", 0)), min(int(query["page[size]"]), self.page)
        following = start + size
        link = f"{self.next_host}/api/?page%5Bcursor%5D={following}" if following < len(entries) else None
        return 200, {"data": entries[start:following], "links": {"self": "x", "next": link}}


class MailchimpTool(Tool):
    """Mailchimp: contacts of one list, and static segments of them."""

    operations = MAILCHIMP

    def __init__(self) -> None:
        super().__init__()
        self.kinds = {"some": "static"}
        self.names_culprits = self.shows_errors = True
        self.spelling: Callable[[str], str] = str
        self.forgotten: set[str] = set()

    def destination(self, *, seconds: float = 5) -> Mailchimp:
        """See `Tool.destination`."""
        return Mailchimp(SECRET, "list1", self.url, seconds, self.clock.pace)

    def judge(self, method: str, path: str, headers: Any, body: bytes) -> None:
        """See `Tool.judge`."""
        super().judge(method, path, headers, body)
        expected = base64.b64encode(f"lgs:{SECRET}".encode()).decode()
        self.expect(headers["Authorization"] == f"Basic {expected}", "authorization")
        self.expect(path.startswith("/lists/list1/"), "list")

    def obey(self, method: str, path: str, query: dict[str, str], content: Any) -> Reply:
        """See `Tool.obey`."""
        match method, path.strip("/").split("/")[2:]:
            case "GET", ["segments"]:
                entries = [{"id": f"S-{name}", "name": name} for name in self.lists]
                return 200, {"segments": self._page(entries, query), "total_items": len(entries)}
            case "GET", ["segments", segment, "members"]:
                entries = [
                    {
                        "contact_id": record,
                        "status": self.contacts[record].get("state", "subscribed"),
                        "email_address": self.contacts[record]["email"],
                    }
                    for record in sorted(self.lists[segment[2:]])
                ]
                return 200, {"members": self._page(entries, query), "total_items": len(entries)}
            case "GET", ["members"]:
                entries = [
                    {"contact_id": record}
                    for record, each in sorted(self.contacts.items())
                    if each.get("state", "subscribed") == query["status"]
                ]
                return 200, {"members": self._page(entries, query), "total_items": len(entries)}
            case "GET", ["merge-fields"]:
                entries = [{"tag": tag} for tag in sorted(self._tags)]
                return 200, {"merge_fields": self._page(entries, query), "total_items": len(entries)}
            case "POST", ["segments", segment]:
                return 200, self._enter(segment[2:], content)
            case "DELETE", ["segments", segment, "members", subscriber]:
                record = self._find(subscriber)
                if record not in self.lists[segment[2:]]:
                    return 404, {"title": "Resource Not Found"}
                self.lists[segment[2:]].discard(str(record))
                return 204, None
            case "GET", ["members", known]:
                record = self._find(known)
                if not record:
                    return 404, {"title": "Resource Not Found"}
                told = {
                    "id": self._hash(record),
                    "contact_id": record,
                    "email_address": self.contacts[record]["email"],
                    "status": self.contacts[record].get("state", "subscribed"),
                }
                return 200, {name: told[name] for name in query["fields"].split(",")}
            case "POST", ["members", subscriber, "actions", "delete-permanent"]:
                if not (record := self._find(subscriber)):
                    return 404, {"title": "Resource Not Found"}
                self.forgotten.add(self.contacts[record]["email"])
                self.delete(record)
                return 204, None
            case "PATCH", ["members", subscriber]:
                return self._describe(subscriber, content)
        raise AssertionError(f"{method} {path}")

    def _describe(self, subscriber: str, content: Any) -> Reply:
        record = self._find(subscriber)
        if not record:
            return 404, {"title": "Resource Not Found"}
        contact = self.contacts[record]
        if contact["customer"] in self.poison:
            return 400, {"title": "Invalid Resource", "detail": f"{contact['email']} looks fake or invalid"}
        if title := contact.get("refusal"):
            detail = f"{contact['email']} cannot be subscribed."
            return 400, {"type": "https://mailchimp.test/errors", "title": title, "status": 400, "detail": detail}
        if unknown := content["merge_fields"].keys() - self._tags:
            return 400, {"title": "Invalid Resource", "detail": f"no merge field {unknown}"}
        contact["fields"] |= content["merge_fields"]
        state = contact.get("state", "subscribed")
        return 200, {"id": subscriber, "contact_id": record, "email_address": contact["email"], "status": state}

    @property
    def _tags(self) -> set[str]:
        return {name.upper()[:10] for name in self.known_fields}

    def _enter(self, name: str, content: Any) -> dict[str, Any]:
        refused = []
        for email in content["members_to_add"]:
            record = self.by_address(email)
            refusal = self.contacts[record].get("is_refused") if record else "is no contact"
            if record and not refusal:
                self.lists[name].add(record)
            else:
                refused.append((email, refusal))
        errors = [
            {"email_addresses": [self.spelling(email)] if self.names_culprits else [], "error": f"{email} {why}"}
            for email, why in refused
        ]
        return {
            "members_added": [], "members_removed": [], "errors": errors if self.shows_errors else [],
            "error_count": len(refused),
        }  # fmt: skip

    def _find(self, known: str) -> str | None:
        return next((record for record in self.contacts if known in (record, self._hash(record))), None)

    def _hash(self, record: str) -> str:
        return md5(self.contacts[record]["email"].encode(), usedforsecurity=False).hexdigest()

    def _page(self, entries: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        start = int(query["offset"])
        return entries[start : start + min(int(query["count"]), 7)]


class HubSpotTool(Tool):
    """HubSpot: contacts by batches of 100, and lists that are kept by hand."""

    limits = ((100, 10),)
    operations = HUBSPOT
    slow = re.compile("")

    def __init__(self) -> None:
        super().__init__()
        self.processing = "MANUAL"
        self.merged_away: set[str] = set()

    def destination(self, *, seconds: float = 5) -> HubSpot:
        """See `Tool.destination`."""
        return HubSpot(SECRET, self.url, seconds, self.clock.pace)

    def judge(self, method: str, path: str, headers: Any, body: bytes) -> None:
        """See `Tool.judge`. To read whether somebody has opted out is no touch."""
        super().judge(method, path, headers, re.sub(rb'"hs_email_optout"(?=[,\]])', b"", body))
        self.expect(headers["Authorization"] == f"Bearer {SECRET}", "authorization")

    def obey(self, method: str, path: str, query: dict[str, str], content: Any) -> Reply:
        """See `Tool.obey`."""
        match method, path.strip("/").split("/"):
            case "GET", ["crm", "lists", "2026-03", "object-type-id", "0-1", "name", name]:
                if name not in self.lists:
                    return 404, {"status": "error"}
                return 200, {"list": {"listId": f"9-{name}", "processingType": self.processing, "name": name}}
            case "GET", ["crm", "lists", "2026-03", list_id, "memberships"]:
                records = sorted(self.lists[list_id[2:]])
                after = int(query.get("after", 0))
                paging = {"next": {"after": str(after + 7), "link": "http://elsewhere.test"}}
                return 200, {
                    "results": [{"recordId": record} for record in records[after : after + 7]],
                    **({"paging": paging} if after + 7 < len(records) else {}),
                }
            case "PUT", ["crm", "lists", "2026-03", list_id, "memberships", "add-and-remove"]:
                added, removed = set(content["recordIdsToAdd"]), set(content["recordIdsToRemove"])
                self.expect(not added & removed, "added and removed at once")
                there = self.contacts.keys() - self.merged_away
                self.lists[list_id[2:]] |= added & there
                self.lists[list_id[2:]] -= removed
                return 200, {"recordIdsMissing": sorted((added | removed) - there)}
            case "POST", ["crm", "properties", "2026-03", "contacts", "batch", "read"]:
                named = {entry["name"] for entry in content["inputs"]}
                results = [{"name": name, "type": "string"} for name in sorted(named & self.known_fields)]
                return 200 if named <= self.known_fields else 207, {"status": "COMPLETE", "results": results}
            case "POST", ["crm", "objects", "2026-03", "contacts", "gdpr-delete"]:
                if content["objectId"] not in self.contacts:
                    return 404, {"status": "error", "category": "OBJECT_NOT_FOUND"}
                self.delete(content["objectId"])
                return 204, None
            case "POST", ["crm", "objects", "2026-03", "contacts", "batch", what]:
                return self._read(content) if what == "read" else self._update(content)
        raise AssertionError(f"{method} {path}")

    def _read(self, content: Any) -> Reply:
        by_address = content.get("idProperty") == "email"
        results, missing = [], []
        for entry in content["inputs"]:
            record = self.by_address(entry["id"]) if by_address else entry["id"]
            if record in self.contacts:
                contact = self.contacts[record]
                properties = {"email": contact["email"], "hs_email_optout": contact.get("optout", "")}
                properties |= contact.get("opted_out_of", {})
                asked = {name: value for name, value in properties.items() if name in content["properties"]}
                results.append({"id": record, "properties": asked})
            else:
                missing.append(entry["id"])
        errors = [{"category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}] if missing else []
        return 207 if missing else 200, {"status": "COMPLETE", "results": results, "errors": errors}

    def _update(self, content: Any) -> Reply:
        if any(entry["properties"].keys() - self.known_fields for entry in content["inputs"]):
            return 400, {"status": "error", "message": "a property does not exist"}
        results, errors = [], []
        for entry in content["inputs"]:
            contact = self.contacts[entry["id"]]
            if contact["customer"] in self.poison:
                message = f"{contact['email']} has a property that is wrong"
                errors.append({"message": message, "context": {"objectWriteTraceId": [entry["objectWriteTraceId"]]}})
                continue
            contact["fields"] |= entry["properties"]
            results.append({"id": entry["id"], "properties": entry["properties"]})
        return 207 if errors else 200, {"status": "COMPLETE", "results": results, "errors": errors}


TOOLS: dict[str, type[Tool]] = {"klaviyo": KlaviyoTool, "mailchimp": MailchimpTool, "hubspot": HubSpotTool}


class _Handler(Misbehaving):
    tool: Tool

    def _serve(self) -> None:
        tool = self.tool
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = json.loads(body) if body else None
        with tool.lock:
            tool.problems += problems(tool.operations, self.command, path, query, content)
            tool.judge(self.command, path, self.headers, body)
            tool.requests.append((self.command, path, content))
            fault = tool.faults.pop(0) if tool.faults else None

        def obey() -> Reply:
            with tool.lock:
                return tool.obey(self.command, path, query, content)

        with suppress(BrokenPipeError, ConnectionResetError):
            try:
                self.misbehave(fault, obey)
            except (AssertionError, KeyError, TypeError) as error:
                tool.problems.append(f"{self.command} {self.path}: {error!r}")
                self.say(400, {"detail": "not understood"})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (so http.server calls them)


@contextmanager
def serving(tool: Tool) -> Iterator[Tool]:
    """Lets a tool listen on this machine for the length of a block."""
    handler = type("Handler", (_Handler,), {"tool": tool})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        tool.url = f"http://127.0.0.1:{server.server_port}"
        yield tool
        server.shutdown()
