"""What each receiver of lists takes: the operations used here, each by JSON Schemas of its query and its content.

Written after the public documentation, of the versions that the destinations name; nothing is copied from a
specification. The schemas are closed: what they do not name is refused here, even where the tool would take it, so
whatever else is sent one day has to be written down first. What depends on time or on what the tool holds, such as its
pace, is judged by `tools`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

NOTHING: Schema = {"type": "null"}
ID: Schema = {"type": "string", "minLength": 1}
EMAIL: Schema = {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+\.[^@\s]+$"}
CUSTOMER: Schema = {"type": "string", "pattern": r"^[1-9]\d*$"}
KNOWN: Schema = {"type": ["string", "number", "boolean"]}
"""The value of a field that is not missing."""


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of just these properties."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def listed(entry: Schema, most: int, *, least: int = 1) -> Schema:
    """An array of entries, none of them twice."""
    return {"type": "array", "items": entry, "minItems": least, "maxItems": most, "uniqueItems": True}


def exactly(*values: str) -> Schema:
    """One of these texts."""
    return {"enum": [*values]}


def number(most: int, *, least: int = 1) -> Schema:
    """A number within limits, as a query has it."""
    return {"enum": [str(each) for each in range(least, most + 1)]}


class Operation(NamedTuple):
    """A request that a receiver knows."""

    method: str
    path: str
    """A regular expression."""
    query: Schema = closed({})
    content: Schema = NOTHING


def problems(
    operations: Sequence[Operation], method: str, path: str, query: Mapping[str, str], content: Any
) -> Iterator[str]:
    """What is wrong with a request, by place."""
    known = [each for each in operations if each.method == method and re.fullmatch(each.path, path)]
    if not known:
        yield f"{method} {path}: there is no such operation"
    for operation in known:
        for part, schema, found in (("query", operation.query, query), ("content", operation.content, content)):
            for error in Draft202012Validator(schema).iter_errors(found):
                yield f"{method} {path}: {part} {error.json_path}: {error.message}"


_CHANGE: Schema = {
    "oneOf": [
        closed(
            {
                "operation": exactly("add", "update"),
                "customer_id": {"type": "integer", "minimum": 1},
                "email": EMAIL,
                "fields": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
            }
        ),
        closed(  # tells nothing but whom
            {
                "operation": exactly("remove"),
                "customer_id": {"type": "integer", "minimum": 1},
                "email": NOTHING,
                "fields": closed({}),
            }
        ),
    ]
}
WEBHOOK = (
    Operation(
        "POST",
        "/lists",
        closed({"token": ID}),
        closed(
            {
                "audience": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
                "plan": {"type": "integer", "minimum": 1},
                "batch": {"type": "integer", "minimum": 1},
                "changes": listed(_CHANGE, 10_000),
            }
        ),
    ),
)

_PROFILE_ID = closed({"type": exactly("profile"), "id": ID})
_PROFILE = closed(
    {
        "type": exactly("profile"),
        "attributes": closed(
            {
                "external_id": CUSTOMER,
                "email": EMAIL,
                "properties": {"type": "object", "additionalProperties": KNOWN},  # a null clears nothing
            }
        ),
    },
    {"meta": closed({"patch_properties": closed({"unset": listed(ID, 100)})})},
)
_IMPORT = closed(
    {
        "type": exactly("profile-bulk-import-job"),
        "attributes": closed({"profiles": closed({"data": listed(_PROFILE, 10_000)})}),
    },
    {"relationships": closed({"lists": closed({"data": listed(closed({"type": exactly("list"), "id": ID}), 1)})})},
)
_DELETION = closed(
    {
        "type": exactly("data-privacy-deletion-job"),
        "attributes": closed(  # one identifier alone
            {"profile": closed({"data": closed({"type": exactly("profile"), "id": ID, "attributes": closed({})})})}
        ),
    }
)
_PAGE = {"page[size]": number(100)}
_CURSOR = {"page[cursor]": ID}
_CONSENT = ",".join(
    [
        "external_id",
        "email",
        *(f"subscriptions.email.marketing.{each}" for each in ("consent", "suppression", "list_suppressions")),
    ]
)
_SHOWN = {
    "fields[profile]": exactly("external_id", "external_id,email", _CONSENT),
    "additional-fields[profile]": exactly("subscriptions"),
}
KLAVIYO = (
    Operation(
        "GET",
        "/lists",
        closed(
            {
                "filter": {"type": "string", "pattern": r'^equals\(name,"\w+"\)$'},
                "fields[list]": exactly("name"),
                "page[size]": number(10),
            },
            _CURSOR,
        ),
    ),
    Operation("GET", "/lists/[^/]+/profiles", closed(_PAGE | _SHOWN, _CURSOR)),
    Operation(
        "GET",
        "/profiles",
        closed(
            _PAGE | {"filter": {"type": "string", "pattern": r'^any\(external_id,\[("\d+", ){0,99}"\d+"\]\)$'}},
            _SHOWN | _CURSOR,
        ),
    ),
    Operation("DELETE", "/lists/[^/]+/relationships/profiles", content=closed({"data": listed(_PROFILE_ID, 1000)})),
    Operation("POST", "/profile-bulk-import-jobs", content=closed({"data": _IMPORT})),
    Operation("GET", "/profile-bulk-import-jobs/[^/]+"),
    Operation("GET", "/profile-bulk-import-jobs/[^/]+/import-errors", closed(_PAGE, _CURSOR)),
    Operation("POST", "/data-privacy-deletion-jobs", content=closed({"data": _DELETION})),
)

_HASH = "[0-9a-f]{32}"
_PART = {"count": number(1000), "offset": {"type": "string", "pattern": r"^\d+$"}}
MAILCHIMP = (
    Operation(
        "GET",
        "/lists/[^/]+/segments",
        closed(_PART | {"type": exactly("static"), "fields": exactly("segments.id,segments.name,total_items")}),
    ),
    Operation(
        "GET",
        "/lists/[^/]+/segments/[^/]+/members",
        closed(
            _PART
            | {
                "fields": exactly("members.contact_id,members.status,members.email_address,total_items"),
                "include_unsubscribed": exactly("true"),  # they are members, too
                "include_cleaned": exactly("true"),
            }
        ),
    ),
    Operation(
        "GET",
        "/lists/[^/]+/members",
        closed(_PART | {"status": exactly("unsubscribed"), "fields": exactly("members.contact_id,total_items")}),
    ),
    Operation("GET", "/lists/[^/]+/merge-fields", closed(_PART | {"fields": exactly("merge_fields.tag,total_items")})),
    Operation(
        "POST",
        "/lists/[^/]+/segments/[^/]+",
        content=closed({"members_to_add": listed(EMAIL, 500), "members_to_remove": listed(EMAIL, 0, least=0)}),
    ),
    Operation("DELETE", f"/lists/[^/]+/segments/[^/]+/members/{_HASH}"),
    Operation(  # what it is called, its address and its state: no more
        "GET", "/lists/[^/]+/members/[^/]+", closed({"fields": exactly("id,contact_id", "id,email_address", "status")})
    ),
    Operation(
        "PATCH",
        f"/lists/[^/]+/members/{_HASH}",
        closed({"skip_merge_validation": exactly("true")}),  # the fields that the list requires are not ours
        closed(
            {
                "merge_fields": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Z][A-Z0-9_]{0,9}$"},
                    "additionalProperties": KNOWN,
                }
            }
        ),
    ),
    Operation("POST", f"/lists/[^/]+/members/{_HASH}/actions/delete-permanent"),
)

_READ_BACK = {"type": "string", "pattern": r"^(hs_email_optout(_\d+)?|email)$"}
HUBSPOT = (
    Operation("GET", "/crm/lists/2026-03/object-type-id/0-1/name/[^/]+"),
    Operation("GET", "/crm/lists/2026-03/[^/]+/memberships", closed({"limit": number(250)}, {"after": ID})),
    Operation(
        "PUT",
        "/crm/lists/2026-03/[^/]+/memberships/add-and-remove",
        content=closed({"recordIdsToAdd": listed(ID, 100, least=0), "recordIdsToRemove": listed(ID, 100, least=0)}),
    ),
    Operation(
        "POST",
        "/crm/properties/2026-03/contacts/batch/read",
        content=closed({"archived": {"const": False}, "inputs": listed(closed({"name": ID}), 100)}),
    ),
    Operation(
        "POST",
        "/crm/objects/2026-03/contacts/batch/read",
        content={
            "oneOf": [
                closed(
                    {
                        "idProperty": exactly("email"),
                        "inputs": listed(closed({"id": EMAIL}), 100),
                        "properties": listed(exactly("email"), 1),
                    }
                ),
                closed(
                    {
                        "inputs": listed(closed({"id": ID}), 100),
                        "properties": listed(_READ_BACK, 3),
                    }
                ),
            ]
        },
    ),
    Operation(
        "POST",
        "/crm/objects/2026-03/contacts/batch/update",
        content=closed(
            {
                "inputs": listed(
                    closed(
                        {
                            "id": ID,
                            "properties": {
                                "type": "object",
                                "minProperties": 1,
                                "additionalProperties": {"type": "string"},
                            },
                            "objectWriteTraceId": CUSTOMER,
                        }
                    ),
                    100,
                )
            }
        ),
    ),
    Operation(  # by the id: an address that is not known would be blocked
        "POST", "/crm/objects/2026-03/contacts/gdpr-delete", content=closed({"objectId": ID})
    ),
)
