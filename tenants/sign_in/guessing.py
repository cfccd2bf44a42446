"""The limit on guessing: how often entering may fail for one address, and from one network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from infra.database.unit import Session
from infra.errors import PlatformError

WINDOW = timedelta(minutes=15)
MOST_OF_ADDRESS = 5
MOST_OF_NETWORK = 50

Subject = tuple[bytes, int]

_COUNT = (
    "select failures from sign_in_failure where subject = $1 and since_at > now() - $2::interval"
)
_FAIL = (
    "insert into sign_in_failure (subject, failures, since_at) values ($1, 1, now())"
    " on conflict (subject) do update set"
    " failures = case when sign_in_failure.since_at > now() - $2::interval"
    "   then sign_in_failure.failures + 1 else 1 end,"
    " since_at = case when sign_in_failure.since_at > now() - $2::interval"
    "   then sign_in_failure.since_at else now() end"
)


class TooManyTries(PlatformError):
    """Entering failed too often lately."""

    status = 429
    code = "sign_in.too_many"

    def __init__(self) -> None:
        super().__init__(
            "Entering failed too often. Wait a quarter of an hour, then try again.",
            retry_after_s=int(WINDOW.total_seconds()),
        )


def subjects_of(email: str, network: str) -> tuple[Subject, Subject]:
    """Name whom a failure counts against, with how many each may have; no address is stored."""
    return (
        (_digest(f"email|{email.strip().lower()}"), MOST_OF_ADDRESS),
        (_digest(f"network|{network}"), MOST_OF_NETWORK),
    )


async def refuse_guessing(session: Session, subjects: Sequence[Subject]) -> None:
    """Raise TooManyTries when one of them failed too often."""
    for subject, most in subjects:
        failures = await session.fetch_value(_COUNT, subject, WINDOW)
        if failures is not None and failures >= most:
            raise TooManyTries


async def count_failure(session: Session, subjects: Sequence[Subject]) -> None:
    """Count one more failure of each."""
    for subject, _ in subjects:
        await session.execute(_FAIL, subject, WINDOW)


async def forget_failures(session: Session, subject: Subject) -> None:
    """Begin anew for an address whose person came in."""
    await session.execute("delete from sign_in_failure where subject = $1", subject[0])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
