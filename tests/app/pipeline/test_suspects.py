"""What a worker that died was reading is read one by one; what ends workers is set aside alone.

A record that killed its worker while it was read used to be read again and again for ever: the batch
was rolled back and nothing was counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from app.deliveries.handover import HandOver
from app.pipeline import suspects
from app.pipeline.prepare import Prepared, Preparer
from connectors import registry
from connectors.sdk.connector import Connector
from connectors.sdk.message import RawMessage, Reading
from infra.database.pool import Database
from infra.database.unit import begin
from infra.ids import Id
from tests.stage import Retailer, Stage, open_stage, order_event

Scene = tuple[Stage, Retailer]
DEAD = "a worker that died"


@pytest_asyncio.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    """A retailer with four orders that wait to be read."""
    async with open_stage(database) as stage:
        retailer = await stage.retailer()
        await stage.connect(retailer, "source", "http")
        await stage.connect(retailer, "target", "http", base_url="http://127.0.0.1:9")
        await stage.flow(retailer, "source", "target")
        await stage.accept(retailer, "source", *(order_event(n) for n in range(4)))
        yield stage, retailer


async def test_a_batch_that_went_well_leaves_no_mark(scene: Scene) -> None:
    stage, retailer = scene

    prepared = await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert prepared == Prepared(messages=4, deliveries=4, held=0)
    assert await _marks(stage, retailer) == []
    assert await _crash_counts(stage, retailer) == [0, 0, 0, 0]


async def test_neighbours_of_a_record_that_ends_workers_go_on_and_it_is_held_after_three_starts(
    scene: Scene,
) -> None:
    stage, retailer = scene
    messages = await _messages(stage, retailer)
    await suspects.mark(retailer.scope, DEAD, messages, stage.database)
    for _ in range(suspects.READS_BEFORE_HOLD):
        await suspects.blame_if_we_die(retailer.scope, messages[1], stage.database)

    prepared = await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert prepared == Prepared(messages=4, deliveries=3, held=1)
    holds = await stage.rows(retailer, "select message_id, code, words, label from hold")
    assert holds == [
        {
            "message_id": messages[1],
            "code": "worker.crashed",
            "words": "Reading this record ended the program 3 times, so it is set aside."
            " Others go on. Tell the connector's maintainer, then release it.",
            "label": "retail.order.placed.v1",
        }
    ]
    assert await _marks(stage, retailer) == []
    assert (await stage.ledger(retailer)).unaccounted == 0


async def test_two_starts_are_no_reason_to_hold_a_record(scene: Scene) -> None:
    stage, retailer = scene
    messages = await _messages(stage, retailer)
    await suspects.mark(retailer.scope, DEAD, messages, stage.database)
    for _ in range(suspects.READS_BEFORE_HOLD - 1):
        await suspects.blame_if_we_die(retailer.scope, messages[1], stage.database)

    prepared = await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert prepared == Prepared(messages=4, deliveries=4, held=0)


async def test_each_suspect_is_counted_before_it_is_read_and_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, retailer = scene
    await suspects.mark(retailer.scope, DEAD, await _messages(stage, retailer), stage.database)
    with monkeypatch.context() as planted:
        planted.setattr(registry, "load", lambda _: _Dies(registry.manifest("http")))

        with pytest.raises(_Stopped):
            await _preparer(stage).prepare(retailer.tenant_id, 100)

    # The one that was being read is counted; the others are suspects still, and not blamed.
    assert await _crash_counts(stage, retailer) == [1, 0, 0, 0]
    assert [len(mark) for mark in await _marks(stage, retailer)] == [4]


async def test_a_released_record_has_its_three_starts_again(scene: Scene) -> None:
    stage, retailer = scene
    messages = await _messages(stage, retailer)
    await suspects.mark(retailer.scope, DEAD, messages[:1], stage.database)
    for _ in range(suspects.READS_BEFORE_HOLD):
        await suspects.blame_if_we_die(retailer.scope, messages[0], stage.database)

    await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert await _crash_counts(stage, retailer) == [0, 0, 0, 0]


async def test_what_we_outlive_blames_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, retailer = scene
    with monkeypatch.context() as planted:
        planted.setattr(registry, "load", lambda _: _Dies(registry.manifest("http")))
        with pytest.raises(_Stopped):
            await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert await _marks(stage, retailer) == []
    assert await _crash_counts(stage, retailer) == [0, 0, 0, 0]


async def test_a_mark_is_no_suspicion_while_its_worker_has_the_tenant(scene: Scene) -> None:
    stage, retailer = scene
    await suspects.mark(retailer.scope, DEAD, await _messages(stage, retailer), stage.database)
    async with begin(retailer.scope, stage.database) as alive:
        await alive.execute(
            "select pg_advisory_xact_lock(hashtextextended('prepare:' || $1::text, 0))",
            str(retailer.tenant_id),
        )

        prepared = await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert prepared == Prepared()
    assert [len(mark) for mark in await _marks(stage, retailer)] == [4]


@pytest.mark.parametrize("fault", [SystemExit(3), GeneratorExit(), MemoryError(), RecursionError()])
async def test_a_connector_that_raises_to_stop_the_process_stops_only_its_record(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    stage, retailer = scene
    monkeypatch.setattr(registry, "load", lambda _: _Dies(registry.manifest("http"), fault))

    prepared = await _preparer(stage).prepare(retailer.tenant_id, 100)

    assert prepared == Prepared(messages=4, deliveries=0, held=4)
    codes = await stage.rows(retailer, "select distinct code from hold")
    assert codes == [{"code": "connector.fault"}]


async def test_a_file_of_many_records_does_not_stand_before_an_order(scene: Scene) -> None:
    stage, retailer = scene
    await stage.connect(retailer, "file", "http")
    await stage.flow(retailer, "file", "target")
    await stage.accept(retailer, "file", *(order_event(100 + n) for n in range(50)))
    await stage.accept(retailer, "source", order_event(4))

    await _preparer(stage).prepare(retailer.tenant_id, 10)

    taken = await stage.rows(
        retailer,
        "select c.name, array_agg(m.accept_seq order by m.accept_seq) = (array_agg(m.accept_seq"
        " order by m.accept_seq))[1:5] as in_order, count(*) as count from message m"
        " join connection c on c.id = m.connection_id"
        " where m.state <> 'received' group by 1 order by 1",
    )
    assert taken == [
        {"name": "file", "in_order": True, "count": 5},
        {"name": "source", "in_order": True, "count": 5},
    ]


class _Stopped(BaseException):
    """What ends a worker in the middle of a record, without ending this test."""


class _Dies(Connector):
    """A connector whose reading ends with what a stopped process raises."""

    def __init__(self, manifest: object, fault: BaseException | None = None) -> None:
        super().__init__(manifest)  # type: ignore[arg-type]
        self._fault = fault or _Stopped()

    def read(self, message: RawMessage) -> Reading:
        raise self._fault


def _preparer(stage: Stage) -> Preparer:
    return Preparer(stage.database, stage.vault, stage.connections, stage.routes, HandOver())


async def _messages(stage: Stage, retailer: Retailer) -> list[Id]:
    rows = await stage.rows(retailer, "select id from message order by accept_seq")
    return [row["id"] for row in rows]


async def _crash_counts(stage: Stage, retailer: Retailer) -> list[int]:
    rows = await stage.rows(retailer, "select crash_count from message order by accept_seq")
    return [row["crash_count"] for row in rows]


async def _marks(stage: Stage, retailer: Retailer) -> list[list[UUID]]:
    rows = await stage.rows(retailer, "select message_ids from prepare_try")
    return [row["message_ids"] for row in rows]
