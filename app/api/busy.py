"""A row or the book was busy for too long: nothing happened, and the caller may try again."""

from __future__ import annotations

import asyncpg
from fastapi import FastAPI, Request
from starlette.responses import Response

from infra.errors import Unavailable
from infra.web.problems import problem_of, problem_response

# Waiting for a row beyond the pool's lock timeout, a statement beyond its time, two that wait for
# each other: in each case the transaction was rolled back.
BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
)


def install_busy(app: FastAPI) -> None:
    """Answer 503 where the book was busy, instead of a fault of ours."""
    for error in BUSY:
        app.add_exception_handler(error, _busy)


async def _busy(_request: Request, _error: Exception) -> Response:
    words = "The book is busy for a moment. Nothing was changed; send it again."
    return problem_response(problem_of(Unavailable(words, retry_after_s=1)))
