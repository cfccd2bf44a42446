"""What must not happen: a foreign channel, a moment that stops all others, half a mail server."""

from __future__ import annotations

import asyncpg
import pytest

from infra.database.scope import EngineScope
from infra.database.unit import begin
from infra.ids import new_id
from infra.settings import MailSettings, load
from tests.app.health.alerts.desk import Desk

_CHANNEL = (
    "insert into alert_channel (id, partner_id, tenant_id, kind, name, address)"
    " values ($1, $2, $3, 'mail', 'Desk', 'desk@shop.example')"
)


async def test_nobody_can_listen_at_somebody_elses_door(desk: Desk) -> None:
    mine, theirs = await desk.shop(await desk.partner()), await desk.shop(await desk.partner())

    for scope, partner_id, tenant_id in (
        (mine.scope, None, theirs.tenant_id),
        (mine.scope, mine.partner_id, None),
        (mine.partner, None, theirs.tenant_id),
        (mine.partner, theirs.partner_id, None),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with begin(scope, desk.database) as session:
                await session.execute(_CHANNEL, new_id(), partner_id, tenant_id)
    # One of both: a row of two owners would carry one partner's alerts to another.
    for partner_id, tenant_id in ((mine.partner_id, theirs.tenant_id), (None, None)):
        with pytest.raises(asyncpg.PostgresError):
            async with begin(mine.partner, desk.database) as session:
                await session.execute(_CHANNEL, new_id(), partner_id, tenant_id)


async def test_a_retailer_that_changes_its_partner_keeps_its_channels(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    own, _ = await desk.channel(shop.scope)
    before, _ = await desk.channel(shop.partner)
    await desk.move(shop, await desk.partner("Zyxwa Ltd"))
    await desk.incident(shop)

    await desk.tell(after_s=20)

    assert await desk.states(own) == [("opened", "sent")]
    assert await desk.states(before) == []
    assert str(desk.postbox.mails[0]["From"]).startswith("Zyxwa Ltd <")


@pytest.mark.parametrize("detail", ["[]", '"text"', '{"severity": 99}', '{"severity": null}'])
async def test_an_odd_moment_stops_no_other(desk: Desk, detail: str) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    odd = await desk.incident(shop, fingerprint="odd", moment="")
    async with begin(EngineScope(), desk.database) as session:
        await session.execute(
            "insert into incident_moment (tenant_id, id, incident_id, kind, actor, words, detail)"
            " values ($1, $2, $3, 'opened', 'system', 'Odd.', $4)",
            *(shop.tenant_id, new_id(), odd, detail),
        )
    await desk.incident(shop)

    await desk.tell()

    states = [each for each in await desk.states(channel) if each == ("opened", "sent")]
    assert len(states) == 2


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("TILLWIRE_MAIL_HOST", "mail.example", "TILLWIRE_MAIL_HOST needs TILLWIRE_MAIL_FROM"),
        ("TILLWIRE_MAIL_FROM", "A <a@b.example>", "TILLWIRE_MAIL_FROM"),
        ("TILLWIRE_MAIL_SECURITY", "some", "TILLWIRE_MAIL_SECURITY"),
        ("TILLWIRE_MAIL_PORT", "0", "TILLWIRE_MAIL_PORT"),
    ],
)
def test_half_a_mail_server_stops_the_process_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as stopped:
        load(MailSettings)

    assert fault in str(stopped.value)


def test_a_password_never_leaves_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLWIRE_MAIL_PASSWORD", "hunter2")
    monkeypatch.setenv("TILLWIRE_MAIL_SECURITY", "none")

    with pytest.raises(SystemExit) as stopped:
        load(MailSettings)

    assert "TILLWIRE_MAIL_PASSWORD needs TILLWIRE_MAIL_SECURITY start_tls or tls" in str(
        stopped.value
    )
    assert "hunter2" not in str(stopped.value)
