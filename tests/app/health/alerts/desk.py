"""A desk for tests of alerts: partners with brands, retailers, incidents as the finder writes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.exceptions.incidents.tell import next_step
from app.health.alerts.channel import ChannelEntry, ChannelParts, Limits
from app.health.alerts.channels import Wanted, add_channel
from app.health.alerts.duties import plan_alerts
from app.health.alerts.kinds import Means, open_notifiers
from app.health.alerts.notice import Notifier
from app.health.alerts.owner import OwnerScope
from app.health.alerts.send import AlertSender
from infra import clock
from infra.database.pool import Database
from infra.database.scope import EngineScope, OperatorScope, PartnerScope, TenantScope
from infra.database.unit import begin
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.ids import Id, new_id
from infra.keys.vault import Vault
from infra.settings import MailSettings
from tests.stage import masters

ERP = "ERP"


@dataclass(frozen=True, slots=True)
class Shop:
    """One retailer with one connection."""

    partner_id: Id
    tenant_id: Id
    connection_id: Id

    @property
    def scope(self) -> TenantScope:
        return TenantScope(self.tenant_id, "person.tester")

    @property
    def partner(self) -> PartnerScope:
        return PartnerScope(self.partner_id, "person.tester")


@dataclass(slots=True)
class Postbox:
    """What a real mail server on this machine took, and what it answers."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    hello: list[str] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802 - as the server calls it
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        self.hello.append(hostname)
        session.host_name = hostname
        return lines

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            raw = envelope.content
            assert isinstance(raw, bytes)
            self.mails.append(message_from_bytes(raw, policy=policy.default))
            self.senders.append(str(envelope.mail_from))
        return answer


@dataclass(slots=True)
class Receiver:
    """A webhook receiver on this machine: what came, and with which status it answers."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(({k.lower(): v for k, v in request.headers.items()}, await request.read()))
        return web.Response(
            status=self.statuses.pop(0) if self.statuses else 204, headers=self.headers
        )


@dataclass(slots=True)
class Desk:
    """Everything that alerts stand on, real but for the retailers' troubles."""

    database: Database
    vault: Vault
    policy: EgressPolicy
    notifiers: dict[str, Notifier]
    postbox: Postbox
    receiver: Receiver

    @property
    def parts(self) -> ChannelParts:
        return ChannelParts(self.database, self.vault, self.policy)

    @property
    def sender(self) -> AlertSender:
        return AlertSender(self.database, self.vault, self.notifiers)

    async def partner(self, name: str = "Harborline", **brand: str) -> Id:
        partner_id = new_id()
        async with begin(OperatorScope("test"), self.database) as session:
            await session.execute(
                "insert into partner (id, slug, name, brand) values ($1, $2, $3, $4)",
                *(partner_id, partner_id.hex, name, json.dumps(brand)),
            )
        return partner_id

    async def shop(self, partner_id: Id, name: str = "Maple & Main") -> Shop:
        tenant_id, connection_id = new_id(), new_id()
        async with begin(OperatorScope("test"), self.database) as session:
            await session.execute(
                "insert into tenant (id, partner_id, slug, name, timezone)"
                " values ($1, $2, $3, $4, 'America/New_York')",
                *(tenant_id, partner_id, tenant_id.hex, name),
            )
        shop = Shop(partner_id, tenant_id, connection_id)
        async with begin(shop.scope, self.database) as session:
            await session.execute(
                "insert into connection (tenant_id, id, name, connector, title)"
                " values ($1, $2, 'erp', 'http', $3)",
                *(tenant_id, connection_id, ERP),
            )
        return shop

    async def move(self, shop: Shop, partner_id: Id) -> None:
        """Give a retailer to another partner."""
        async with begin(OperatorScope("test"), self.database) as session:
            await session.execute(
                "update tenant set partner_id = $2 where id = $1", shop.tenant_id, partner_id
            )

    async def channel(
        self, scope: OwnerScope, kind: str = "mail", address: str = "", **limits: int
    ) -> tuple[ChannelEntry, str]:
        usual = {"mail": "desk@shop.example", "webhook": self.receiver.url}
        wanted = Wanted(kind, "Desk", address or usual[kind], Limits(**limits))
        made, secret = await add_channel(scope, self.parts, wanted)
        return made, secret.get_secret_value() if secret else ""

    async def incident(
        self, shop: Shop, *, fingerprint: str = "down", moment: str = "opened", **values: Any
    ) -> Id:
        """Write an incident with its first moment, as the finder does."""
        incident_id, now = new_id(), clock.now()
        row = {
            "tenant_id": shop.tenant_id,
            "id": incident_id,
            "fingerprint": fingerprint.encode(),
            "connection_id": shop.connection_id,
            "connector": "http",
            "error_class": "transient",
            "code": "",
            "title": "ERP has not answered since 20 Nov, 06:10; 8,112 orders wait",
            "severity": 2,
            "waiting": 8112,
            "at_risk": json.dumps({"USD": "412000.10"}),
            "first_seen_at": now,
            "last_seen_at": now,
            "since_at": now,
            **values,
        }
        async with begin(EngineScope(), self.database) as session:
            places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
            await session.execute(
                f"insert into incident ({', '.join(row)}) values ({places})", *row.values()
            )
        if moment:
            await self.moment(shop, incident_id, moment, severity=row["severity"])
        return incident_id

    async def moment(
        self, shop: Shop, incident_id: Id, kind: str, *, severity: int = 2, words: str = "Words."
    ) -> None:
        """Write a moment; a resolved one closes the incident in the same transaction."""
        async with begin(EngineScope(), self.database) as session:
            await session.execute(
                "insert into incident_moment (tenant_id, id, incident_id, kind, actor, words, detail)"
                " values ($1, $2, $3, $4, 'system', $5, $6)",
                *(shop.tenant_id, new_id(), incident_id, kind, words),
                json.dumps({"severity": severity}),
            )
            if kind == "resolved":
                await session.execute(
                    "update incident set state = 'resolved', resolved_at = now(), severity = 1,"
                    " waiting = 0, at_risk = '{}' where tenant_id = $1 and id = $2",
                    *(shop.tenant_id, incident_id),
                )

    async def plan(self) -> None:
        await plan_alerts(self.database, next_step)

    async def send(self) -> None:
        await self.sender.send_due()

    async def let_pass(self, seconds: float) -> None:
        """Let time pass for alerts and channels, as if they had been made earlier."""
        span = timedelta(seconds=seconds)
        async with begin(EngineScope(), self.database) as session:
            await session.execute("update alert set due_at = due_at - $1::interval", span)
            await session.execute("update alert_channel set leased_until = '-infinity'")

    async def tell(self, *, after_s: float = 0) -> None:
        """Plan, let what gathers become due, and send."""
        await self.plan()
        if after_s:
            await self.let_pass(after_s)
            await self.plan()
        await self.send()

    async def alerts(self, channel: ChannelEntry) -> list[dict[str, Any]]:
        async with begin(EngineScope(), self.database) as session:
            rows = await session.fetch(
                "select id, kind, state, severity, subject, words, told_by, thread_id, tries,"
                " last_problem, gathers from alert where channel_id = $1 order by id",
                channel.id,
            )
        return [dict(row) for row in rows]

    async def states(self, channel: ChannelEntry) -> list[tuple[str, str]]:
        return [(each["kind"], each["state"]) for each in await self.alerts(channel)]

    async def clear(self) -> None:
        """Leave nothing to the next test that it could plan or send."""
        async with begin(EngineScope(), self.database) as session:
            await session.execute("update incident_moment set is_alert_planned = true")
            await session.execute(
                "update alert set state = 'unneeded' where state in ('pending', 'digested')"
            )


@asynccontextmanager
async def open_desk(database: Database) -> AsyncIterator[Desk]:
    """Open a desk with a real mail server and a real receiver of webhooks."""
    vault, postbox, receiver = Vault(database, masters()), Postbox(), Receiver()
    allowed = EgressPolicy(allow=frozenset({"127.0.0.1"}))
    controller = UnthreadedController(
        postbox, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop(), enable_SMTPUTF8=True
    )
    server = await controller._create_server()
    assert isinstance(server, asyncio.Server)
    postbox.port = server.sockets[0].getsockname()[1]
    application = web.Application()
    application.router.add_post("/alerts", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/alerts"
    mail = MailSettings(
        mail_host="127.0.0.1",
        mail_port=postbox.port,
        mail_security="none",
        mail_from="alerts@platform.example",
    )
    async with EgressClient(allowed) as egress:
        desk = Desk(
            database, vault, allowed, open_notifiers(Means(egress, mail)), postbox, receiver
        )
        yield desk
        await desk.clear()
    server.close()
    await server.wait_closed()
    await runner.cleanup()


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


def subjects(mails: Sequence[EmailMessage]) -> list[str]:
    # Python leaves a space where the line was folded right behind the name.
    return [str(mail["Subject"]).strip() for mail in mails]
