"""Mails speak in the partner's name only, cannot be broken by what retailers write, and come through."""

from __future__ import annotations

import re
import ssl

import pytest

from app.health.alerts.kinds import Means, open_notifiers
from app.health.alerts.mail import MailNotifier
from app.health.alerts.notice import Channel, Notice, TryLater
from app.health.alerts.voice import voice_of
from infra import clock
from infra.database.scope import TenantScope
from infra.database.unit import begin
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.ids import new_id
from infra.settings import MailSettings
from tests.app.health.alerts.desk import Desk, html_of, text_of

FIRST = {
    "mail_sender_name": "Harborline Support",
    "mail_sender_address": "care@harborline.example",
    "mail_reply_to": "answers@harborline.example",
    "mail_footer": "Harborline Inc., 1 Pier Road, Boston",
    "portal_url": "https://ops.harborline.example",
}


async def test_mails_of_two_partners_name_nobody_but_the_partner(desk: Desk) -> None:
    for name, brand in (("Harborline", FIRST), ("Zyxwa Ltd", {})):
        shop = await desk.shop(await desk.partner(name, **brand), f"Shop of {name[:5]}")
        await desk.channel(shop.scope)
        incident_id = await desk.incident(shop)
        await desk.tell()
        await desk.moment(shop, incident_id, "resolved")
        await desk.tell()

    mails = [mail.as_string() + text_of(mail) + html_of(mail) for mail in desk.postbox.mails]
    first, second = "\n".join(mails[:2]), "\n".join(mails[2:])
    assert len(mails) == 4
    for everything in (first, second):
        assert re.search("tillwire|python|aiosmtp", everything, re.IGNORECASE) is None
        assert re.search(r"https?://(?!ops\.harborline\.example)", everything) is None
    assert "zyxwa" not in first.lower()
    assert "harborline" not in second.lower()
    assert set(desk.postbox.hello) == {"harborline.example", "platform.example"}


async def test_a_partner_with_a_sender_of_its_own_sends_under_it(desk: Desk) -> None:
    for name, brand in (("Harborline", FIRST), ("Zyxwa Ltd", {})):
        shop = await desk.shop(await desk.partner(name, **brand))
        await desk.channel(shop.scope)
        await desk.incident(shop)
    await desk.tell()

    own, usual = sorted(desk.postbox.mails, key=lambda mail: str(mail["From"]))
    assert own["From"] == "Harborline Support <care@harborline.example>"
    assert own["Reply-To"] == "answers@harborline.example"
    assert own["Message-ID"].endswith("@harborline.example>")
    assert own["Auto-Submitted"] == "auto-generated"
    assert text_of(own).endswith("-- \nHarborline\nHarborline Inc., 1 Pier Road, Boston\n")
    assert usual["From"] == "Zyxwa Ltd <alerts@platform.example>"
    assert sorted(desk.postbox.senders) == ["alerts@platform.example", "care@harborline.example"]


@pytest.mark.parametrize(
    "title",
    [
        "ERP\r\nBcc: everyone@shop.example\r\n\r\nBuy",
        "ERP\nBcc: everyone@shop.example",
        "ERP\u2028Bcc: everyone@shop.example\u202e",
        "=?utf-8?q?ERP=0ABcc=3A_everyone=40shop.example?=",
        "=\r?utf-8?q?ERP=0ABcc=3A_everyone=40shop.example?=",
    ],
)
async def test_a_title_cannot_write_headers(desk: Desk, title: str) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.scope)
    await desk.incident(shop, title=title)

    await desk.tell()

    (mail,) = desk.postbox.mails
    assert mail["Bcc"] is None
    assert mail["To"] == "desk@shop.example"
    assert len(mail.get_all("Subject", [])) == 1
    assert "\n" not in str(mail["Subject"])
    assert "\u202e" not in text_of(mail)


async def test_a_title_cannot_write_html_and_any_script_arrives_whole(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner(), "Größe & Söhne 東京")
    await desk.channel(shop.scope)
    await desk.incident(shop, title='<img src="https://spy.example/x.png"> & more')

    await desk.tell()

    (mail,) = desk.postbox.mails
    assert "<img" not in html_of(mail)
    assert "&lt;img src=" in html_of(mail)
    assert str(mail["Subject"]).startswith("Größe & Söhne 東京: <img src=")


async def test_a_long_title_gives_way_to_the_money(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    await desk.channel(shop.scope)
    await desk.incident(shop, title="ERP " * 200)

    await desk.tell()

    subject = str(desk.postbox.mails[0]["Subject"])
    assert len(subject) <= 200
    assert subject.endswith("... - USD 412,000.10 at risk")


async def test_a_server_that_is_busy_gets_the_same_mail_later(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    desk.postbox.answers = ["451 come again", "250 taken"]
    await desk.incident(shop)

    await desk.tell()
    (waiting,) = await desk.alerts(channel)
    await desk.let_pass(60)
    await desk.send()

    (sent,) = await desk.alerts(channel)
    assert (waiting["state"], waiting["tries"]) == ("pending", 1)
    assert waiting["last_problem"] == "The mail server refused the mail. It answered 451."
    assert (sent["state"], sent["tries"], sent["last_problem"]) == ("sent", 2, "")
    assert desk.postbox.mails[0]["Message-ID"] == f"<{sent['id']}@platform.example>"


async def test_a_mail_that_is_refused_for_good_has_failed(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    desk.postbox.answers = ["554 no such mail here"]
    await desk.incident(shop)

    await desk.tell()

    (failed,) = await desk.alerts(channel)
    assert (failed["state"], failed["tries"]) == ("failed", 1)
    assert failed["last_problem"] == "The mail server refused the mail. It answered 554."


async def test_without_a_mail_server_alerts_wait_and_say_why(desk: Desk) -> None:
    shop = await desk.shop(await desk.partner())
    channel, _ = await desk.channel(shop.scope)
    async with EgressClient(EgressPolicy()) as egress:
        desk.notifiers = open_notifiers(Means(egress, MailSettings()))
        await desk.incident(shop)
        await desk.tell()

    (waiting,) = await desk.alerts(channel)
    assert (waiting["state"], waiting["last_problem"]) == ("pending", "No mail server is set.")


async def test_a_server_without_the_wanted_encryption_gets_nothing(desk: Desk) -> None:
    settings = MailSettings(
        mail_host="127.0.0.1", mail_port=desk.postbox.port, mail_from="a@platform.example"
    )

    result = await MailNotifier(settings).send(Channel(new_id(), "mail", "a@b.example"), _notice())

    assert isinstance(result, TryLater)
    assert desk.postbox.mails == []
    assert ssl.OPENSSL_VERSION  # the default wants TLS and there is none at this server


async def test_no_mail_leaves_inside_a_transaction(desk: Desk) -> None:
    async with begin(TenantScope(new_id()), desk.database):
        with pytest.raises(RuntimeError):
            await desk.notifiers["mail"].send(
                Channel(new_id(), "mail", "desk@shop.example"), _notice()
            )


def test_a_brand_that_cannot_be_used_is_left_out() -> None:
    voice = voice_of(
        "Harborline\r\nX: y",
        {
            "mail_sender_address": "a@b.example\nBcc: c@d.example",
            "mail_reply_to": 7,
            "portal_url": "javascript:alert(1)",
        },
    )

    assert (voice.name, voice.sender_name) == ("Harborline X: y", "Harborline X: y")
    assert (voice.sender_address, voice.reply_to, voice.portal_url) == (None, None, "")


def _notice() -> Notice:
    alert_id = new_id()
    return Notice(
        id=alert_id,
        thread_id=alert_id,
        kind="test",
        at=clock.now(),
        subject="Test",
        lines=(),
        entries=(),
        link="",
        data={},
        voice=voice_of("Harborline", {}),
    )
