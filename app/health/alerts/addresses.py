"""What may be an address of a channel, checked before anything is ever sent there."""

from __future__ import annotations

import re
from ipaddress import ip_address

from infra.egress.errors import EgressRefused
from infra.egress.policy import EgressPolicy
from infra.egress.urls import parse_url
from infra.errors import FieldError, Unprocessable

# RFC 5321 section 4.5.3.1: local part, and the address as corrected by RFC 3696 erratum 1690.
LOCAL_MOST = 64
ADDRESS_MOST = 254

# The plain form only: no quotes, comments, lists or display names through which a header could grow.
_MAIL = re.compile(
    r"(?P<local>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)


def is_mail_address(text: str) -> bool:
    """Say whether a text is one plain e-mail address in ASCII."""
    found = _MAIL.fullmatch(text)
    if found is None or len(text) > ADDRESS_MOST or len(found["local"]) > LOCAL_MOST:
        return False
    # Header readers would take it for an encoded word.
    return "=?" not in text


def check_mail_address(address: str, _policy: EgressPolicy) -> str:
    """Give the address back without outer spaces; raises Unprocessable unless it is plainly one."""
    trimmed = address.strip(" ")
    if not is_mail_address(trimmed):
        raise _refused("This is not one plain e-mail address, such as desk@example.com.")
    return trimmed


def check_webhook_address(address: str, policy: EgressPolicy) -> str:
    """Give the URL back; raises Unprocessable for what may never be called.

    A name is looked up, and its address checked, each time that something is sent.
    """
    try:
        target = parse_url(address)
        policy.check_target(target)
        if _is_number(target.host):
            policy.check_address(target, target.host)
    except EgressRefused as refusal:
        raise _refused(refusal.words) from None
    return address


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(words: str) -> Unprocessable:
    code = "alert.address_invalid"
    return Unprocessable(
        words, code=code, errors=(FieldError("/address", "alert.address_invalid", words),)
    )
