"""Killed after and before every commit, a return still comes to a legal end, right to the minor unit."""

from __future__ import annotations

from collections import Counter

import pytest

from app.retail.returns.steps import ENDS, STEPS
from infra.database.pool import Database
from infra.database.scope import OperatorScope
from infra.database.unit import begin
from infra.ids import Id, new_id
from tests.app.retail.returns.killing import When
from tests.app.retail.returns.play import Played, Player
from tests.app.retail.returns.shapes import Shape, shapes

NAMES = [shape.name for shape in shapes()]


async def a_retailer(database: Database) -> Id:
    partner_id, tenant_id = new_id(), new_id()
    async with begin(OperatorScope("test"), database) as session:
        await session.execute(
            "insert into partner (id, slug, name) values ($1, $2, 'P')", partner_id, partner_id.hex
        )
        await session.execute(
            "insert into tenant (id, partner_id, slug, name) values ($1, $2, 'shop', 'Shop')",
            tenant_id,
            partner_id,
        )
    return tenant_id


def shape_named(name: str) -> Shape:
    return next(shape for shape in shapes() if shape.name == name)


def judge(played: Played, shape: Shape) -> None:
    """Hold the systems' own logs against what must be so."""
    outside = played.outside
    assert (played.status, tuple(played.breaks)) == (shape.end, shape.breaks)
    assert played.status in ENDS
    assert outside.refunded == shape.refunded
    assert outside.paid_to() == shape.paid_to
    assert outside.stock() == shape.stock
    assert outside.points == shape.points
    if shape.end not in {"rejected", "expired"}:
        # The books: by reason, by tender and as paid, three times the same sum.
        assert outside.booked("money:") == outside.booked("tender:") == outside.refunded


@pytest.mark.parametrize("name", NAMES)
async def test_a_return_comes_to_its_end(database: Database, name: str) -> None:
    shape = shape_named(name)

    played = await Player(database, await a_retailer(database), shape, None).play()

    judge(played, shape)


@pytest.mark.parametrize("name", NAMES)
async def test_killed_at_every_commit_it_comes_to_the_same_end(
    database: Database, name: str
) -> None:
    commits = (
        await Player(database, await a_retailer(database), shape_named(name), None).play()
    ).commits
    moments: list[When] = ["before", "after"]

    for at in range(len(commits)):
        for when in moments:
            shape = shape_named(name)
            tenant_id = await a_retailer(database)
            played = await Player(database, tenant_id, shape, (at, when)).play()
            assert played.was_killed, (at, when, commits[at])
            judge(played, shape)


async def test_the_kills_reach_all_eleven_steps(database: Database) -> None:
    reached: Counter[str] = Counter()
    combinations = 0
    for name in NAMES:
        played = await Player(database, await a_retailer(database), shape_named(name), None).play()
        combinations += 2 * len(played.commits)
        for steps in played.commits:
            reached.update(steps)

    assert {step.id for step in STEPS} <= set(reached)
    assert combinations > 500
