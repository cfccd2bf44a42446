"""One reading of URLs: what is checked is what is connected to (BI 211, 212, 217)."""

from __future__ import annotations

import pytest

from infra.egress.errors import EgressRefused
from infra.egress.urls import parse_url

UNUSABLE = [
    ("BI211", "http://good.com\\@127.0.0.1/"),
    ("BI211", "https://good.com\\@127.0.0.1/"),
    ("BI211", "https:\\\\127.0.0.1/"),
    ("BI211", "https://127.0.0.1\\.good.com/"),
    ("BI217", "https://user:pass@good.com/"),
    ("BI217", "https://user@good.com/"),
    ("BI217", "https://@good.com/"),
    ("BI217", "https://:@good.com/"),
    ("BI217", "https://good.com@127.0.0.1/"),
    ("BI217", "https://good.com%40127.0.0.1/"),
    ("BI217", "https://good.com#@127.0.0.1/"),
    ("BI217", "https://good.com/#part"),
    ("BI217", "https://good.com%00.evil.com/"),
    ("BI217", "https://good.com/%00"),
    ("BI217", "https://good.com/?a=%00"),
    ("BI217", "https://good.com/\x00"),
    ("BI217", "https://good.com/\t"),
    ("BI217", "https://good\t.com/"),
    ("BI217", "https://good.com/a b"),
    ("BI217", " https://good.com/"),
    ("BI217", "https://good.com/\r\nX-Injected: 1"),
    ("BI217", "https://good.com/\n"),
    ("BI217", "https://good.com/\x7f"),
    ("BI217", "https://good.com/\xa0"),
    ("BI217", "https://go\u200bod.com/"),
    ("BI217", "file:///etc/passwd"),
    ("BI217", "gopher://good.com/"),
    ("BI217", "ftp://good.com/"),
    ("BI217", "unix:///var/run/docker.sock"),
    ("BI217", "http+unix://%2Fvar%2Frun%2Fdocker.sock/"),
    ("BI217", "ws://good.com/"),
    ("BI217", "wss://good.com/"),
    ("BI217", "data:text/plain,hello"),
    ("BI217", "dict://127.0.0.1:6379/info"),
    ("BI217", "ldap://127.0.0.1/"),
    ("BI217", "javascript:alert(1)"),
    ("BI217", "jar:https://good.com!/"),
    ("BI217", "//good.com/"),
    ("BI217", "good.com"),
    ("BI217", "/path"),
    ("BI217", ""),
    ("BI217", "https:good.com"),
    ("BI217", "https:/good.com"),
    ("BI217", "https:///good.com"),
    ("BI217", "https://"),
    ("BI217", "https://?a=1"),
    ("BI217", "https://:443/"),
    ("BI217", "https://good.com:0/"),
    ("BI217", "https://good.com:65536/"),
    ("BI217", "https://good.com:-1/"),
    ("BI217", "https://good.com:80:90/"),
    ("BI217", "https://good.com:x/"),
    ("BI217", "https://good..com/"),
    ("BI217", "https://.good.com/"),
    ("BI217", "https://*/"),
    ("BI217", "https://good.com,evil.com/"),
    ("BI217", "https://good.com;evil.com/"),
    ("BI217", "https://<good.com>/"),
    ("BI217", "https://[::1/"),
    ("BI217", "https://[::1]evil.com/"),
    ("BI217", "https://[v1.x]/"),
    ("BI216", "https://[::1%25lo]/"),
    ("BI216", "https://[::1%lo]/"),
    ("BI216", "https://[fe80::1%25eth0]/"),
    ("BI212", "https://1.2.3.4.5/"),
    ("BI212", "https://999.1.1.1/"),
    ("BI212", "https://4294967296/"),
    ("BI212", "https://0x100000000/"),
    ("BI212", "https://good.com.1/"),
    ("BI217", "https://good.com/" + "a" * 8192),
]

NUMBERS = [
    ("https://2130706433/", "127.0.0.1"),
    ("https://0x7f000001/", "127.0.0.1"),
    ("https://0X7F.1/", "127.0.0.1"),
    ("https://017700000001/", "127.0.0.1"),
    ("https://127.1/", "127.0.0.1"),
    ("https://127.0.1/", "127.0.0.1"),
    ("https://0177.0.0.1/", "127.0.0.1"),
    ("https://127.0.0.1./", "127.0.0.1"),
    ("https://0/", "0.0.0.0"),  # noqa: S104 - an address to refuse
    ("https://127。0。0。1/", "127.0.0.1"),
    ("https://①②⑦.0.0.1/", "127.0.0.1"),
    ("https://[0:0:0:0:0:0:0:1]/", "::1"),
    ("https://[::FFFF:127.0.0.1]/", "::ffff:7f00:1"),
    ("https://134744072/", "8.8.8.8"),
]


@pytest.mark.parametrize("url", [pytest.param(u, id=f"{bi}-{u[:60]!a}") for bi, u in UNUSABLE])
def test_unusable_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(EgressRefused) as refused:
        parse_url(url)

    assert refused.value.code == "egress.url_invalid"
    assert not url or url not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "address"), [pytest.param(u, a, id=f"BI212-{u!a}") for u, a in NUMBERS]
)
def test_every_way_to_write_an_address_as_numbers_is_read_as_that_address(
    url: str, address: str
) -> None:
    target = parse_url(url)

    assert target.host == address
    assert target.url.raw_host == address


@pytest.mark.parametrize(
    "url",
    [
        "https://good.com/a%2Fb/%7E?x=b%20c+d&f=%24filter%2F&page[size]=1&at=a@b.com",
        "https://good.com:8443/odata?$filter=no%20eq%20'A'",
        "https://xn--bcher-kva.example/",
        "https://a_b.good.com/",
    ],
)
def test_ascii_url_is_sent_exactly_as_given_so_that_signed_ones_stay_valid(url: str) -> None:
    assert str(parse_url(url).url) == url


def test_international_host_becomes_punycode() -> None:
    assert parse_url("https://bücher.example/ä").host == "xn--bcher-kva.example"


def test_host_is_compared_in_lower_case_and_port_follows_the_scheme() -> None:
    upper, plain = parse_url("HTTPS://GOOD.com/"), parse_url("http://good.com/")

    assert (upper.scheme, upper.host, upper.port) == ("https", "good.com", 443)
    assert (plain.scheme, plain.host, plain.port) == ("http", "good.com", 80)
