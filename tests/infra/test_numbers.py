"""Numbers of thirty digits are reckoned exactly, in every thread of a process."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal

import pytest

from infra.numbers import keep_numbers_exact

THIRTY = Decimal("123456789012345678901234.567891")


def _sums() -> list[Decimal]:
    return [THIRTY + Decimal("0.000001"), THIRTY * 3, THIRTY * Decimal("1.0825")]


EXACT = [
    Decimal("123456789012345678901234.567892"),
    Decimal("370370367037037036703703.703673"),
    Decimal("133641974105864197410586.4197420075"),
]


@pytest.fixture(autouse=True)
def _as_a_process_does() -> None:
    keep_numbers_exact()


def test_thirty_digits_are_not_rounded() -> None:
    assert _sums() == EXACT


async def test_nor_in_a_task_or_in_a_thread() -> None:
    found: list[list[Decimal]] = []
    plain = threading.Thread(target=lambda: found.append(_sums()))

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(asyncio.to_thread(_sums))
    plain.start()
    plain.join(10)

    assert [task.result(), *found] == [EXACT, EXACT]
