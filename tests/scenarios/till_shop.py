"""A retailer whose tills leave files, and a target that gets their tickets."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from app.intake.files import FileReceipt, receive_file
from app.intake.folder import FolderWatch
from tests.scenarios.patience import until
from tests.scenarios.till_files import TillFile, in_chunks
from tests.scenarios.told import KeepingTarget
from tests.stage import Retailer, Stage

Way = Literal["sent", "folder"]


@dataclass(frozen=True)
class TillShop:
    """A retailer with tills, a target and the flow between them."""

    stage: Stage
    retailer: Retailer
    target: KeepingTarget
    folder: Path

    async def take(self, file: TillFile, way: Way = "sent") -> FileReceipt | None:
        """Let a file arrive by upload, which gives a receipt, or by the watched folder."""
        if way == "folder":
            await self._drop(file)
            return None
        return await receive_file(
            self.retailer.scope,
            self.stage.files,
            self.retailer.connections["tills"],
            file.name,
            in_chunks(file.content),
        )

    async def run(self, at_most_s: float = 200) -> None:
        """Work until nothing is under way, or waits for a person."""
        async with self.stage.engine():
            await self.stage.rests(self.retailer, at_most_s)

    async def holds(self) -> list[dict[str, Any]]:
        """List what waits for a person, in file order."""
        return await self.stage.rows(
            self.retailer,
            "select id, code, pointer, words, label, amount, delivery_id,"
            " (position ->> 'line')::int as line, (position ->> 'byte')::int as byte,"
            " position ->> 'file' as file from hold where state = 'open' order by byte",
        )

    async def messages(self) -> int:
        (row,) = await self.stage.rows(self.retailer, "select count(*) as count from message")
        return int(row["count"])

    def numbers_by_till(self) -> dict[str, list[str]]:
        """Give what reached the target per till, in order of arrival."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for event in self.target.events():
            found[event["subject"]].append(event["data"]["number"])
        return dict(found)

    async def _drop(self, file: TillFile) -> None:
        owner, tills = str(self.retailer.tenant_id), str(self.retailer.connections["tills"])
        folder = self.folder / owner / tills
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file.name
        path.write_bytes(file.content)

        async def is_gone() -> bool:
            return not path.exists()

        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(FolderWatch(self.folder, self.stage.files).run())
            await until(is_gone, f"{file.name} taken from its folder")
            watching.cancel()
        assert (folder / "done" / file.name).read_bytes() == file.content


async def open_till_shop(
    stage: Stage,
    target: KeepingTarget,
    folder: Path,
    settings: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> TillShop:
    """Set up the shop; the folder is looked at often, since no person writes into it slowly."""
    monkeypatch.setattr("app.intake.folder.LOOK_EVERY_S", 0.02)
    retailer = await stage.retailer()
    await stage.connect(retailer, "tills", "pos_files", **settings)
    await stage.connect(retailer, "target", "http", base_url=target.url)
    await stage.give_secret(retailer, "target", ["signing_secret"])
    await stage.flow(retailer, "tills", "target", types=["retail.till.sale.v1"])
    return TillShop(stage, retailer, target, folder)
