"""A URL that takes batches as JSON. The signature covers the time and the body, so neither can be altered."""

import hmac
import json
from dataclasses import dataclass, field

from lgs_assets.action.destinations.protocol import Answer, Batch, Destination
from lgs_assets.action.destinations.web import (
    ANSWER_SECONDS,
    exchange,
    expecting,
    parsed,
    redacted,
    refuse_errors,
)


@dataclass(frozen=True)
class Webhook(Destination):
    """The destination `webhook`. The idempotency key tells its receiver a repeat."""

    name = "webhook"

    url: str = field(repr=False)
    key: str = field(repr=False)
    batch_rows: int = 500
    seconds: float = ANSWER_SECONDS

    @property
    def place(self) -> str:
        """See `Destination.place`."""
        return self.url

    def send(self, batch: Batch) -> Answer:
        """See `Destination.send`."""
        body = _json(batch)
        stamp = str(int(batch.sent_at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": batch.key,
            "X-LGS-Timestamp": stamp,
            "X-LGS-Signature": f"sha256={signature(self.key, stamp, body)}",
        }
        reply = exchange(self.name, "POST", self.url, body, headers, seconds=self.seconds)
        refuse_errors(
            self.name, reply, key="LGS_WEBHOOK_KEY",
            elsewhere="nothing is there that takes lists. Check LGS_WEBHOOK_URL.",
        )  # fmt: skip
        with expecting(self.name, reply.status):
            listed = (parsed(self.name, reply) or {}).get("rejected", [])
            rejected = {int(row["id"]): redacted(str(row.get("reason", "no reason"))) for row in listed}
        sent = {change.customer_id for change in batch.changes}
        return Answer(reply.status, {customer: reason for customer, reason in rejected.items() if customer in sent})


def signature(key: str, stamp: str, body: bytes) -> str:
    """What proves to a receiver that a body is ours, and of that time."""
    return hmac.digest(key.encode(), f"{stamp}.".encode() + body, "sha256").hex()


def _json(batch: Batch) -> bytes:
    content = {
        "audience": batch.audience,
        "plan": batch.plan,
        "batch": batch.number,
        "changes": [
            {
                "operation": change.operation,
                "customer_id": change.customer_id,
                "email": None if change.operation == "remove" else change.email,
                "fields": change.fields,
            }
            for change in batch.changes
        ],
    }
    return json.dumps(content, sort_keys=True, ensure_ascii=True).encode()
