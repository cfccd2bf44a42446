"""The kinds of channels: a new one is a file with a notifier, and a row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.health.alerts.addresses import check_mail_address, check_webhook_address
from app.health.alerts.mail import MailNotifier
from app.health.alerts.notice import Notifier
from app.health.alerts.webhook import WebhookNotifier
from infra.egress.client import EgressClient
from infra.egress.policy import EgressPolicy
from infra.settings import MailSettings


@dataclass(frozen=True, slots=True)
class Means:
    """What notifiers work with."""

    egress: EgressClient
    mail: MailSettings


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: how its addresses are checked, how it tells, and whether it signs with a secret."""

    check: Callable[[str, EgressPolicy], str]
    open: Callable[[Means], Notifier]
    has_secret: bool


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "mail": Kind(check_mail_address, lambda means: MailNotifier(means.mail), has_secret=False),
        "webhook": Kind(
            check_webhook_address, lambda means: WebhookNotifier(means.egress), has_secret=True
        ),
    }
)


def open_notifiers(means: Means) -> dict[str, Notifier]:
    """Make one notifier of each kind."""
    return {name: kind.open(means) for name, kind in KINDS.items()}
