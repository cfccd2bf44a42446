"""The one reading of an outbound URL; what is checked here is what aiohttp connects to."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from yarl import URL

from infra.egress.errors import EgressRefused

MAX_URL_CHARACTERS = 8192

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\#<>\"{}|^`]|%00", re.IGNORECASE)
_AUTHORITY_END = re.compile(r"[/?]")
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
# The last label decides, as in browsers: 127.1, 0x7f.1, 0177.0.0.1 and 2130706433 are addresses.
_NUMERIC_HOST = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: lower-case host (brackets off, numbers as a plain address) and port."""

    url: URL
    scheme: str
    host: str
    port: int


@lru_cache(maxsize=4096)
def parse_url(text: str) -> Target:
    """Read an absolute http(s) URL; raises EgressRefused `egress.url_invalid`, never with the URL.

    Path and query are sent exactly as given: normalising would break signed URLs.
    """
    if len(text) > MAX_URL_CHARACTERS:
        raise _invalid(f"it is longer than {MAX_URL_CHARACTERS} characters")
    if not _SCHEME.match(text):
        raise _invalid("it must start with https://")
    if _FORBIDDEN.search(text):
        raise _invalid("it holds a character that URLs cannot carry, or a fragment")
    try:
        # ASCII is taken as it is; the host name of anything else must become punycode first.
        url = URL(text, encoded=text.isascii())
        host, port = (url.raw_host or "").lower(), url.port
    except ValueError:
        raise _invalid("it cannot be read") from None
    authority = _AUTHORITY_END.split(text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        raise _invalid("user names and passwords do not belong into it")
    if "[" in authority and ":" not in host:
        raise _invalid("only IPv6 addresses stand in brackets")
    if not port:
        raise _invalid("its port is not usable")
    plain = _plain_host(host)
    return Target(url if plain == host else url.with_host(plain), url.scheme.lower(), plain, port)


def _plain_host(host: str) -> str:
    """Give a checked host; every way to write an address as numbers becomes that address."""
    if ":" in host:
        return _ipv6(host)
    if not _HOST_NAME.fullmatch(host):
        raise _invalid("its host name is not usable")
    if not _NUMERIC_HOST.fullmatch(host):
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        raise _invalid("its host is a number that is no address") from None


def _ipv6(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        raise _invalid("its host is no IPv6 address") from None
    if "%" in host:
        raise _invalid("its host names a network interface")
    return str(address)


def _invalid(why: str) -> EgressRefused:
    return EgressRefused("egress.url_invalid", f"The URL is not usable: {why}.")
