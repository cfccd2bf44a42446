"""The session's cookie: for this host alone, unreadable for scripts, gone with the session."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from tenants.sign_in.sessions import LONGEST

# The prefix binds the cookie to host and TLS; browsers refuse it on a plain connection.
_SECURE, _PLAIN = "__Host-session", "session"


def session_cookie(request: Request) -> str:
    """Give the text of the cookie, empty without one."""
    return request.cookies.get(_name(request), "")


def set_session(request: Request, answer: Response, token: str) -> None:
    """Give the browser its session."""
    answer.set_cookie(
        _name(request),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="lax",
    )


def drop_session(request: Request, answer: Response) -> None:
    """Take the cookie back."""
    answer.delete_cookie(_name(request), path="/", secure=_is_secure(request), httponly=True)


def _name(request: Request) -> str:
    return _SECURE if _is_secure(request) else _PLAIN


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
