"""The configuration of the demo: a second start finds nothing to do, and repairs a torn first one."""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from app.connections.hooks import find_hook
from app.demo.configure import configure, known_hook
from app.demo.place import Options
from app.demo.world import Addresses
from app.processes.floor import open_floor
from connectors.catalog.tryton.local.launch import Running

ADDRESSES = Addresses(web=8000, shop=20_001, erp=20_002)
ERP_SETTINGS = {
    "database": "tryton",
    "company": 1,
    "currency": "USD",
    "storage_location": 5,
    "pos": 1,
    "payment_methods": {"cash": 1, "card": 2, "other": 3},
    "payment_term": 1,
    "taxes": {"0.2": 1},
    "tax_difference": 2,
    "party": 3,
    "walk_in": 2,
    "unmapped_product": 21,
    "refund_product": 22,
}


@pytest.fixture
def erp(tmp_path: Path) -> Running:
    key_file = tmp_path / "rest-key"
    key_file.write_text("key-of-the-erp\n")
    key_file.chmod(0o600)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return Running(process, "http://127.0.0.1:20002", dict(ERP_SETTINGS), key_file)


async def test_second_start_has_nothing_to_configure_and_keeps_hook_and_key(
    database_urls: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    erp: Running,
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_urls[1])
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", base64.b64encode(secrets.token_bytes(32)).decode())
    options = Options(tmp_path)
    async with open_floor("test", statement_timeout_s=10) as floor:
        first = await configure(floor, options, ADDRESSES, erp)
        key = options.api_key.read_text()

        second = await configure(floor, options, ADDRESSES, erp)
        (tmp_path / "hooks.json").unlink()
        repaired = await configure(floor, options, ADDRESSES, erp)

        owner = await find_hook(repaired.hook.rpartition("/")[2], floor.database)
    assert first.changes > 0
    assert (second.changes, second.hook, second.watched) == (0, first.hook, first.watched)
    assert options.api_key.read_text() == key
    assert options.api_header.read_text() == f"Authorization: Bearer {key}\n"
    assert repaired.hook == known_hook(options) != first.hook
    assert owner is not None
    assert owner.tenant_id == first.tenant_id
