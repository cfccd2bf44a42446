"""How an outbound request can fail, told apart by what the target may have seen."""

from __future__ import annotations


class EgressFailure(Exception):
    """No usable answer; `code` is `area.reason`, `words` name the rule and never the secret parts.

    Words carry host and cause only: paths, queries, headers and bodies may hold credentials.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


class EgressRefused(EgressFailure):
    """We will not send this; nothing left, and sending the same again gives the same refusal.

    Codes: egress.url_invalid, egress.https_required, egress.address_blocked, egress.self_connection,
    egress.method_invalid, egress.header_invalid.
    """


class EgressNotSent(EgressFailure):
    """We could not send this; nothing left, so sending again is safe.

    Codes: target.dns, target.unreachable, target.tls.
    """


class EgressAnswerLost(EgressFailure):
    """The request left, wholly or partly, and no whole answer came: the target may have acted.

    Codes: target.deadline, target.answer_lost, target.head_too_large.
    """
