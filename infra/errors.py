"""Refusals: what a caller may not do, with a code, an HTTP status and one plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong: JSON pointer into the request, code and plain words."""

    pointer: str
    code: str
    detail: str


class PlatformError(Exception):
    """A refusal that a person can understand and act on; rendered as RFC 9457 problem details.

    `code` is `area.reason` and names the documentation page; `status` is the HTTP status;
    `retry_after_s` becomes the Retry-After header.
    """

    status: int = 400
    code: str = "request.refused"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.status = status or type(self).status
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s


class NotFound(PlatformError):
    """Missing and foreign look the same, byte for byte."""

    status = 404
    code = "resource.not_found"

    def __init__(self) -> None:
        super().__init__("There is nothing here, or you may not see it.")


class Unauthorized(PlatformError):
    """No key, or a key that does not open anything; all causes look the same."""

    status = 401
    code = "auth.required"

    def __init__(self) -> None:
        super().__init__("A valid API key is needed.")


class Forbidden(PlatformError):
    """A valid key without the permission for this act."""

    status = 403
    code = "auth.forbidden"


class Conflict(PlatformError):
    """The thing is not in the state that this act needs."""

    status = 409
    code = "resource.conflict"


class Unprocessable(PlatformError):
    """Readable, but against a rule."""

    status = 422
    code = "request.invalid"


class Unavailable(PlatformError):
    """We cannot keep the promise now; the sender should try again."""

    status = 503
    code = "service.unavailable"
