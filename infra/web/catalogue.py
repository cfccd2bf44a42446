"""What each problem code means, for the page that a problem's `type` links to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.strict_json import WORDS


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """One kind of refusal in plain words: what it is called, what it means, what to do."""

    title: str
    meaning: str
    way_out: str


PROBLEMS: dict[str, ProblemPage] = {
    "request.refused": ProblemPage(
        "Request refused",
        "The request breaks a rule of this service.",
        "Read the detail of the answer, change the request and send it again.",
    ),
    "request.invalid": ProblemPage(
        "Request not valid",
        "The request was readable, but one or more fields break a rule.",
        "Each entry of `errors` names a field by JSON pointer. Correct these and send it again.",
    ),
    "request.malformed": ProblemPage(
        "Malformed HTTP request",
        "The request line or a header field is not valid HTTP.",
        "Send exactly one Host header and only well-formed header fields.",
    ),
    "request.wrong_host": ProblemPage(
        "Unknown host",
        "This address does not serve the host name that was asked for.",
        "Check the host name in the URL.",
    ),
    "request.method_not_allowed": ProblemPage(
        "Method not allowed",
        "This address does not take this HTTP method.",
        "Use one of the methods listed in the Allow header.",
    ),
    "request.target_too_long": ProblemPage(
        "Address too long",
        "The path and query together are longer than 8,000 bytes.",
        "Shorten the address; send large values in the body.",
    ),
    "request.headers_too_large": ProblemPage(
        "Headers too large",
        "The header block has more than 16 KB or more than 100 fields.",
        "Send fewer or shorter header fields.",
    ),
    "request.not_supported": ProblemPage(
        "Transfer not supported",
        "The body was sent in a transfer coding that is not supported.",
        "Send the body with Content-Length, or chunked.",
    ),
    "request.incomplete": ProblemPage(
        "Request incomplete",
        "The connection ended before the whole body had arrived.",
        "Send the request again.",
    ),
    "body.empty": ProblemPage(
        "Body empty", "The request needs a body and has none.", "Send a JSON document."
    ),
    "body.too_large": ProblemPage(
        "Body too large",
        "The body is larger than this address takes, as sent or after decompression.",
        "Split it into smaller requests, or upload it as a file.",
    ),
    "body.too_slow": ProblemPage(
        "Body too slow",
        "The body did not arrive in time. Nothing was stored.",
        "Send the request again over a better connection, or send less at once.",
    ),
    "body.wrong_media_type": ProblemPage(
        "Not JSON",
        "The request does not say that its body is JSON.",
        "Send JSON with Content-Type application/json.",
    ),
    "body.encoding_unsupported": ProblemPage(
        "Content encoding not supported",
        "The body is compressed in a way that is not supported.",
        "Send it plain, or compressed once with gzip.",
    ),
    "body.encoding_broken": ProblemPage(
        "Compressed body broken",
        "The body says it is gzip but cannot be decompressed.",
        "Compress it again and send it once more.",
    ),
    "resource.not_found": ProblemPage(
        "Not found",
        "There is nothing at this address, or you may not see it.",
        "Check the address and the key you use.",
    ),
    "resource.conflict": ProblemPage(
        "Not possible now",
        "The thing is not in the state that this act needs.",
        "Read its present state, then decide again.",
    ),
    "auth.required": ProblemPage(
        "Key needed",
        "The request has no valid API key.",
        "Send a valid key as `Authorization: Bearer ...`.",
    ),
    "auth.forbidden": ProblemPage(
        "Not permitted",
        "The key is valid but lacks the permission for this act.",
        "Ask whoever manages your keys for the permission.",
    ),
    "rate.exceeded": ProblemPage(
        "Too many requests",
        "More requests came than the plan allows in this time.",
        "Wait as long as Retry-After says; the RateLimit fields tell what is left.",
    ),
    "service.unavailable": ProblemPage(
        "Not available for a moment",
        "The service cannot keep its promise right now. Nothing was stored.",
        "Send the same request again after the time in Retry-After.",
    ),
    "service.fault": ProblemPage(
        "Fault of ours",
        "Something went wrong on our side. It has been recorded under the id in the answer.",
        "Send the request again; if it fails again, tell support the id.",
    ),
}


def add_problems(pages: Mapping[str, ProblemPage]) -> None:
    """Add the codes of another package; a code that is there with other words is a mistake."""
    for code, page in pages.items():
        if PROBLEMS.setdefault(code, page) != page:
            raise ValueError(f"problem code {code} has two meanings")


def _from_words(words: str) -> ProblemPage:
    meaning, _, way_out = words.partition(". ")
    return ProblemPage("Body cannot be read", meaning + ".", way_out)


add_problems({code: _from_words(words) for code, words in WORDS.items()})
