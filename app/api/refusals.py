"""What the refusals of this API mean, for the page that each problem links to."""

from __future__ import annotations

from infra.web.catalogue import ProblemPage, add_problems

PAGES: dict[str, ProblemPage] = {
    "tenant.not_named": ProblemPage(
        "Retailer not named",
        "The key reaches several retailers and the request does not say which one it is about.",
        "Send the retailer's id in the header Tenant-Id.",
    ),
    "cursor.invalid": ProblemPage(
        "Cursor not valid",
        "The cursor was not given by this list.",
        "Take `next_cursor` of the page before unchanged, or start again without one.",
    ),
    "time.range_invalid": ProblemPage(
        "Time range not valid",
        "The range is empty, turned round or too long.",
        "Choose `since` before `until`, by at most 31 days.",
    ),
    "hold.already_decided": ProblemPage(
        "Already decided",
        "Somebody else decided about this exception before, or it went away by itself.",
        "Read its present state; there is nothing left to do.",
    ),
    "hold.effect_unknown": ProblemPage(
        "Effect unknown",
        "The target's last answer was lost, so it may already have this record.",
        "Release it, so that it is sent again under the same key, or discard it.",
    ),
    "edit.wrong_kind": ProblemPage(
        "Wrong kind of content",
        "A message that cannot be read takes a new raw body; a refused delivery takes a new event.",
        "Read the exception: with a `delivery_id` give `event`, without one give `body`.",
    ),
    "event.contract": ProblemPage(
        "Event against its contract",
        "A field of the event is missing or of another kind than its contract says.",
        "Start from the content that the event shows, and change only what is wrong.",
    ),
    "event.identity_changed": ProblemPage(
        "Another event",
        "Type, key and object id say which fact about which object this is.",
        "Leave them as they are; or discard the exception and send another event.",
    ),
    "event.amount": ProblemPage(
        "Amount not valid",
        "An amount is not a finite number, or larger than the book can hold.",
        "Give amounts as texts below 10,000,000,000,000.",
    ),
    "event.envelope": ProblemPage(
        "Event without a valid envelope",
        "The attributes `specversion`, `id`, `source` and `type` of CloudEvents are needed.",
        "Give all four, each as a text of at most 256 printable characters.",
    ),
    "event.version": ProblemPage(
        "Other version of CloudEvents",
        "Only events of CloudEvents 1.0 are taken.",
        "Send `specversion` 1.0.",
    ),
    "event.source_unknown": ProblemPage(
        "Source not known",
        "The event's `source` is none of this retailer's connections.",
        "Use the name or the id of a connection.",
    ),
    "batch.size": ProblemPage(
        "Batch of the wrong size",
        "A batch is empty or has too many events.",
        "Send between 1 and 1,000 events at once.",
    ),
    "idempotency.key_invalid": ProblemPage(
        "Idempotency-Key not valid",
        "The key has characters that are not visible ASCII, or more than 255.",
        "Use 1 to 255 visible characters, for example a UUID.",
    ),
    "idempotency.key_reused": ProblemPage(
        "Idempotency-Key used before",
        "The same key was sent with another body within 72 hours.",
        "Use a new key for each new request, the old one only for its repeats.",
    ),
    "idempotency.in_progress": ProblemPage(
        "Still running",
        "A request with this Idempotency-Key has not been answered yet.",
        "Wait for Retry-After, then send the same request again.",
    ),
    "connection.no_files": ProblemPage(
        "Connection takes no files",
        "The system of this connection is not read from files.",
        "Use the connection that was made for files.",
    ),
    "file.too_large": ProblemPage(
        "File too large",
        "The file is beyond what is taken in one piece.",
        "Send it in several parts.",
    ),
    "file.name": ProblemPage(
        "File name not valid",
        "The name is empty, too long or has characters that cannot be shown.",
        "Use 1 to 200 printable characters.",
    ),
    "keys.erased": ProblemPage(
        "Content erased",
        "The content of that month was erased on request and cannot be read by anyone.",
        "There is none: what is erased stays erased.",
    ),
    "service.overloaded": ProblemPage(
        "Too much at once",
        "More messages wait to be stored than one process should hold.",
        "Send the same request again after the time in Retry-After.",
    ),
    "request.method": ProblemPage(
        "Method not allowed", "Webhooks are sent with POST.", "Use POST."
    ),
}


def explain_refusals() -> None:
    """Add the pages; doing so twice changes nothing."""
    add_problems(PAGES)
