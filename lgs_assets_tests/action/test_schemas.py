"""The judge of requests: it lets through what the tools document, and nothing beside it."""

from typing import Any

import pytest

from lgs_assets_tests.action.people import address
from lgs_assets_tests.action.schemas import HUBSPOT, KLAVIYO, MAILCHIMP, WEBHOOK, Operation, problems

HASH = "0123456789abcdef0123456789abcdef"
ATTRIBUTES = {"external_id": "1", "email": address(1), "properties": {"spent": 1}}
PROFILE = {"type": "profile", "attributes": ATTRIBUTES}


def import_of(*profiles: dict[str, Any], **more: Any) -> dict[str, Any]:
    attributes = {"profiles": {"data": [*profiles]}}
    return {"data": {"type": "profile-bulk-import-job", "attributes": attributes, **more}}


def change(**other: Any) -> dict[str, Any]:
    told = {"operation": "add", "customer_id": 1, "email": address(1), "fields": {"spent": None}} | other
    return {"audience": "some", "plan": 1, "batch": 1, "changes": [told]}


Request = tuple[tuple[Operation, ...], str, str, dict[str, str], Any]
IMPORTS, LISTS = "/profile-bulk-import-jobs", "/crm/lists/2026-03"
PATCH = ("PATCH", f"/lists/l/members/{HASH}", {"skip_merge_validation": "true"})
CONTACTS = "/crm/objects/2026-03/contacts"
RIGHT: dict[str, Request] = {
    "webhook": (WEBHOOK, "POST", "/lists", {"token": "t"}, change()),
    "import": (KLAVIYO, "POST", IMPORTS, {}, import_of(PROFILE)),
    "merge fields": (MAILCHIMP, *PATCH, {"merge_fields": {"SPENT": ""}}),
    "memberships": (
        HUBSPOT, "PUT", f"{LISTS}/9/memberships/add-and-remove", {}, {"recordIdsToAdd": ["1"], "recordIdsToRemove": []}
    ),
}  # fmt: skip
WRONG: dict[str, Request] = {
    "a removal with an address": (WEBHOOK, "POST", "/lists", {"token": "t"}, change(operation="remove")),
    "an addition without one": (WEBHOOK, "POST", "/lists", {"token": "t"}, change(email=None)),
    "a deletion": (WEBHOOK, "POST", "/lists", {"token": "t"}, change(operation="erase")),
    "a number as address": (
        KLAVIYO, "POST", IMPORTS, {}, import_of(PROFILE | {"attributes": ATTRIBUTES | {"email": 7}})
    ),
    "a wrong type": (KLAVIYO, "POST", IMPORTS, {}, import_of(PROFILE | {"type": "person"})),
    "a subscription": (
        KLAVIYO, "POST", IMPORTS, {},
        import_of(PROFILE | {"attributes": ATTRIBUTES | {"subscriptions": {}}}),
    ),
    "nobody": (KLAVIYO, "POST", IMPORTS, {}, import_of()),
    "the same twice": (KLAVIYO, "POST", IMPORTS, {}, import_of(PROFILE, PROFILE)),
    "a job that subscribes": (KLAVIYO, "POST", "/profile-subscription-bulk-create-jobs", {}, import_of(PROFILE)),
    "too large a page": (KLAVIYO, "GET", "/profile-bulk-import-jobs/J/import-errors", {"page[size]": "101"}, None),
    "a status": (MAILCHIMP, *PATCH, {"merge_fields": {}, "status": "subscribed"}),
    "a null": (MAILCHIMP, *PATCH, {"merge_fields": {"SPENT": None}}),
    "a long name": (MAILCHIMP, *PATCH, {"merge_fields": {"LGS_SEGMENT": "x"}}),
    "a contact by its address": (MAILCHIMP, "PATCH", f"/lists/l/members/{address(1)}", PATCH[2], {"merge_fields": {}}),
    "a contact that is created": (MAILCHIMP, "POST", "/lists/l/members", {}, {"email_address": address(1)}),
    "a whole contact": (MAILCHIMP, "GET", f"/lists/l/members/{HASH}", {}, None),
    "numbers of records": (
        HUBSPOT, "PUT", f"{LISTS}/9/memberships/add-and-remove", {}, {"recordIdsToAdd": [1], "recordIdsToRemove": []}
    ),
    "a deletion by the address": (
        HUBSPOT, "POST", f"{CONTACTS}/gdpr-delete", {}, {"objectId": "1", "idProperty": "email"}
    ),
    "101 contacts": (
        HUBSPOT, "POST", f"{CONTACTS}/batch/read", {},
        {"inputs": [{"id": str(each)} for each in range(101)], "properties": ["email"]},
    ),
    "a property that is no text": (
        HUBSPOT, "POST", f"{CONTACTS}/batch/update", {},
        {"inputs": [{"id": "1", "properties": {"spent": 1}, "objectWriteTraceId": "1"}]},
    ),
    "another version": (HUBSPOT, "GET", "/crm/v3/lists/object-type-id/0-1/name/some", {}, None),
}  # fmt: skip


@pytest.mark.parametrize("request_", RIGHT)
def test_a_documented_request_is_let_through(request_: str) -> None:
    """Otherwise the wrong ones below would show nothing."""
    assert list(problems(*RIGHT[request_])) == []


@pytest.mark.parametrize("request_", WRONG)
def test_any_other_is_a_problem(request_: str) -> None:
    """Whether the tool would refuse it, take it for something else, or do what we never ask."""
    assert list(problems(*WRONG[request_]))
