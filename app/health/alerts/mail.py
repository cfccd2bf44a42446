"""Tell a person by mail, in the partner's name: a text, the same as simple HTML, nothing fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from types import MappingProxyType

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.health.alerts.notice import DEADLINE_S, Channel, Never, Notice, Result, Told, TryLater
from app.health.alerts.plain import one_line
from infra.egress.guard import refuse_inside_transaction
from infra.settings import MailSettings

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# 5xx of these commands is about this mail or this address; of all others about our own set-up,
# which somebody mends. RFC 5321 section 4.2.1.
_FINAL = (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError)
_PERMANENT = 500
_WORDS: Mapping[type[Exception], str] = MappingProxyType(
    {
        aiosmtplib.SMTPAuthenticationError: "The mail server refused our name or password.",
        aiosmtplib.SMTPSenderRefused: "The mail server refused the sender.",
        aiosmtplib.SMTPRecipientsRefused: "The mail server refused the address.",
        aiosmtplib.SMTPDataError: "The mail server refused the mail.",
        aiosmtplib.SMTPConnectError: "The mail server cannot be reached.",
        TimeoutError: f"The mail server did not answer in {DEADLINE_S:g} s.",
    }
)


class MailNotifier:
    """Hands mails to one mail server; each try is a connection of its own."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    async def send(self, channel: Channel, notice: Notice) -> Result:
        """Hand over once; the reader's program knows a repeat by its `Message-ID`."""
        refuse_inside_transaction()
        if not self._settings.mail_host:
            return TryLater("No mail server is set.")
        sender = notice.voice.sender_address or self._settings.mail_from
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._hand_over(mail_of(notice, sender, channel.address), sender, channel)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as fault:
            return _read(fault)
        return Told()

    async def _hand_over(self, mail: EmailMessage, sender: str, channel: Channel) -> None:
        settings, password = self._settings, self._settings.mail_password
        await aiosmtplib.send(
            mail,
            sender=sender,
            recipients=[channel.address],
            hostname=settings.mail_host,
            port=settings.mail_port,
            username=settings.mail_user or None,
            password=password.get_secret_value() if password else None,
            use_tls=settings.mail_security == "tls",
            start_tls=settings.mail_security == "start_tls",
            # The name of this machine is nobody's business.
            local_hostname=_domain(sender),
            timeout=DEADLINE_S,
        )


def mail_of(notice: Notice, sender: str, address: str) -> EmailMessage:
    """Write the mail; headers, words and ids are the same for each try.

    No List-Unsubscribe: whoever manages the channel ends it, not each reader by a click.
    """
    voice, domain = notice.voice, _domain(sender)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_header(voice.sender_name), addr_spec=sender)
    mail["To"] = Address(addr_spec=address)
    if voice.reply_to:
        mail["Reply-To"] = Address(addr_spec=voice.reply_to)
    mail["Subject"] = _header(notice.subject)
    mail["Date"] = format_datetime(notice.at)
    mail["Message-ID"] = f"<{notice.id}@{domain}>"
    if notice.thread_id != notice.id:
        mail["In-Reply-To"] = mail["References"] = f"<{notice.thread_id}@{domain}>"
    # RFC 3834: no answering machine shall answer.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(notice), cte="quoted-printable")
    page = _PAGES.get_template("mail.html").render(notice=notice, voice=voice)
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    return mail


def _text(notice: Notice) -> str:
    voice = notice.voice
    facts = [f"{line.label}: {line.text}" for line in notice.lines]
    parts = ["\n".join(facts), "\n".join(f"- {each}" for each in notice.entries), notice.link]
    parts.append("\n".join(["-- ", voice.name, *([voice.footer] if voice.footer else [])]))
    return "\n\n".join([notice.subject, *(part for part in parts if part)]) + "\n"


def _read(fault: Exception) -> Result:
    words = next((said for kind, said in _WORDS.items() if isinstance(fault, kind)), None)
    problem = words or "The mail server broke off."
    codes = _codes(fault)
    if codes:
        problem = f"{problem} It answered {', '.join(map(str, codes))}."
    is_final = isinstance(fault, _FINAL) and bool(codes) and min(codes) >= _PERMANENT
    return Never(problem) if is_final else TryLater(problem)


def _codes(fault: Exception) -> list[int]:
    if isinstance(fault, aiosmtplib.SMTPRecipientsRefused):
        return [each.code for each in fault.recipients]
    return [fault.code] if isinstance(fault, aiosmtplib.SMTPResponseException) else []


def _header(text: str) -> str:
    """Make a text harmless in a header: one line, and nothing that reads as an encoded word.

    The library decodes encoded words in what it is given and writes the result without looking: a
    line break in one would begin a header of its own.
    """
    return one_line(text).replace("=?", "= ?")


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
