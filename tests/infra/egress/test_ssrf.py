"""No URL, name or answer of a name server leads to us or into the network behind us (BI 211-221)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.egress.client import EgressClient, OutboundRequest
from infra.egress.errors import EgressFailure
from infra.egress.policy import EgressPolicy
from tests.infra.egress.targets import (
    OK,
    Canary,
    NameServer,
    answering,
    answering_body,
    listening_canary,
    needs_second_loopback,
    running_target,
)

# Written hosts; each is tried by https and by http, at the canary's port.
CLOSED_HOSTS = [
    ("BI212", "127.0.0.1"),
    ("BI212", "127.0.0.2"),
    ("BI212", "127.1"),
    ("BI212", "127.0.1"),
    ("BI212", "127.255.255.255"),
    ("BI212", "0"),
    ("BI212", "0.0.0.0"),  # noqa: S104 - an address to refuse
    ("BI212", "00000000000"),
    ("BI212", "0x0"),
    ("BI212", "2130706433"),
    ("BI212", "2130706434"),
    ("BI212", "0x7f000001"),
    ("BI212", "0X7F000001"),
    ("BI212", "0x7f.1"),
    ("BI212", "0x7f.0x0.0x0.0x1"),
    ("BI212", "017700000001"),
    ("BI212", "0177.0.0.1"),
    ("BI212", "0177.1"),
    ("BI212", "127.0.0.1."),
    ("BI212", "127.000.000.001"),
    ("BI212", "127。0。0。1"),
    ("BI212", "127.0.0.1"),
    ("BI212", "①②⑦.⓪.⓪.①"),
    ("BI212", "localhost"),
    ("BI212", "LOCALHOST"),
    ("BI212", "localhost."),
    ("BI212", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"),
    ("BI212", "app.localhost"),
    ("BI214", "100.64.0.1"),
    ("BI214", "192.0.0.8"),
    ("BI214", "192.88.99.1"),
    ("BI214", "198.18.0.1"),
    ("BI214", "[2002:7f00:1::]"),
    ("BI214", "[2001:0:7f00:1::]"),
    ("BI214", "[fec0::1]"),
    ("BI214", "[3fff::1]"),
    ("BI214", "[2001:db8::1]"),
    ("BI215", "224.0.0.1"),
    ("BI215", "255.255.255.255"),
    ("BI215", "[::127.0.0.1]"),
    ("BI215", "[64:ff9b::7f00:1]"),
    ("BI215", "[64:ff9b:1::7f00:1]"),
    ("BI215", "[ff02::1]"),
    ("BI216", "[::]"),
    ("BI216", "[::1]"),
    ("BI216", "[0:0:0:0:0:0:0:1]"),
    ("BI216", "[::ffff:127.0.0.1]"),
    ("BI216", "[::ffff:7f00:1]"),
    ("BI216", "[::FFFF:127.0.0.2]"),
    ("BI216", "[::ffff:0:127.0.0.1]"),
    ("BI216", "[::1%lo]"),
    ("BI216", "[::1%25lo]"),
    ("BI216", "[fd00:ec2::254]"),
    ("BI216", "[fe80::1]"),
    ("BI216", "169.254.169.254"),
    ("BI216", "169.254.170.2"),
    ("BI216", "2852039166"),
    ("BI216", "0xa9fea9fe"),
    ("BI216", "100.100.100.200"),
    ("BI216", "168.63.129.16"),
    ("BI216", "10.0.0.1"),
    ("BI216", "172.16.0.1"),
    ("BI216", "192.168.0.1"),
    ("BI216", "metadata.google.internal"),
    ("BI216", "metadata"),
    ("BI216", "instance-data.ec2.internal"),
    ("BI220", "own.front.example"),
    ("BI220", "OWN.front.example."),
]

# Whole URLs that two parsers could read in two ways, and other schemes; {p} is the canary's port.
TRICKS = [
    ("BI211", "http://good.example\\@127.0.0.1:{p}/"),
    ("BI211", "https://good.example\\@127.0.0.1:{p}/"),
    ("BI211", "https://127.0.0.1:{p}\\@good.example/"),
    ("BI211", "https://127.0.0.1:{p}\\.good.example/"),
    ("BI211", "https:\\\\127.0.0.1:{p}/"),
    ("BI217", "https://good.example@127.0.0.1:{p}/"),
    ("BI217", "https://user:pass@127.0.0.1:{p}/"),
    ("BI217", "https://good.example:443@127.0.0.1:{p}/"),
    ("BI217", "https://good.example%40127.0.0.1:{p}/"),
    ("BI217", "https://good.example#@127.0.0.1:{p}/"),
    ("BI217", "https://127.0.0.1:{p}#@good.example/"),
    ("BI217", "https://127.0.0.1:{p}?@good.example/"),
    ("BI217", "https://127.0.0.1:{p}/@good.example/"),
    ("BI217", "https://127.0.0.1%00.good.example:{p}/"),
    ("BI217", "https://127.0.0.1\x00.good.example:{p}/"),
    ("BI217", "https://127.0.0.1\t:{p}/"),
    ("BI217", " https://127.0.0.1:{p}/"),
    ("BI217", "https:// 127.0.0.1:{p}/"),
    ("BI217", "https://127.0.0.1 :{p}/"),
    ("BI217", "https://127.0.0.1:{p}/\r\nHost: good.example"),
    ("BI217", "https:127.0.0.1:{p}/"),
    ("BI217", "https:/127.0.0.1:{p}/"),
    ("BI217", "https:///127.0.0.1:{p}/"),
    ("BI217", "//127.0.0.1:{p}/"),
    ("BI217", "127.0.0.1:{p}/"),
    ("BI217", "file://127.0.0.1:{p}/etc/passwd"),
    ("BI217", "gopher://127.0.0.1:{p}/_GET"),
    ("BI217", "ftp://127.0.0.1:{p}/"),
    ("BI217", "dict://127.0.0.1:{p}/info"),
    ("BI217", "ws://127.0.0.1:{p}/"),
    ("BI217", "wss://127.0.0.1:{p}/"),
    ("BI217", "tcp://127.0.0.1:{p}/"),
    ("BI217", "unix:///var/run/docker.sock"),
    ("BI217", "http+unix://%2Fvar%2Frun%2Fdocker.sock/"),
]

# What a hostile name server may answer for a harmless name.
HOSTILE_ANSWERS = [
    ("BI207", ["127.0.0.1"]),
    ("BI207", ["127.0.0.2"]),
    ("BI207", ["::1"]),
    ("BI207", ["93.184.216.34", "127.0.0.1"]),
    ("BI207", ["127.0.0.1", "93.184.216.34"]),
    ("BI207", ["2606:4700::1", "::1"]),
    ("BI207", [*(f"93.184.{n // 250}.{n % 250}" for n in range(999)), "127.0.0.1"]),
    ("BI214", ["100.64.0.1"]),
    ("BI214", ["2002:7f00:1::"]),
    ("BI214", ["2001:0:7f00:1::"]),
    ("BI214", ["fec0::1"]),
    ("BI215", ["64:ff9b::7f00:1"]),
    ("BI215", ["::127.0.0.1"]),
    ("BI216", ["::ffff:127.0.0.1"]),
    ("BI216", ["169.254.169.254"]),
    ("BI216", ["fd00:ec2::254"]),
    ("BI216", ["fe80::1%lo"]),
    ("BI216", ["::1%1"]),
    ("BI212", ["2130706433"]),
    ("BI212", ["127.1"]),
    ("BI212", ["localhost"]),
    ("BI212", [""]),
]

_REFUSALS = {
    "egress.address_blocked",
    "egress.https_required",
    "egress.self_connection",
    "egress.url_invalid",
}


def _names() -> NameServer:
    loopback = ("localhost", "LOCALHOST", "app.localhost")
    metadata = ("metadata.google.internal", "metadata", "instance-data.ec2.internal")
    table = {name: [["127.0.0.1", "::1"]] for name in loopback}
    table |= {name: [["169.254.169.254"]] for name in metadata}
    return NameServer(table | {"good.example": [["127.0.0.1"]]})


def _policy(*allow: str) -> EgressPolicy:
    return EgressPolicy(frozenset(allow), frozenset({"own.front.example"}))


@pytest.fixture(name="canary")
def _canary() -> Iterator[Canary]:
    canary = listening_canary()
    yield canary
    canary.close()


def _url_cases() -> Iterator[tuple[str, str]]:
    for bi, host in CLOSED_HOSTS:
        yield bi, f"https://{host}:{{p}}/hook"
        yield bi, f"http://{host}:{{p}}/hook"
    yield from TRICKS


@pytest.mark.parametrize("url", [pytest.param(u, id=f"{bi}-{u!a}") for bi, u in _url_cases()])
@pytest.mark.parametrize("allow", ["", "203.0.113.7/32"], ids=["strict", "with-an-exception"])
async def test_url_into_our_own_network_is_refused_and_never_arrives(
    url: str, allow: str, canary: Canary
) -> None:
    code = await _refusal(url.replace("{p}", str(canary.port)), _policy(*allow.split()))

    assert code in _REFUSALS
    assert canary.hits() == 0


@pytest.mark.parametrize(
    "addresses",
    [pytest.param(a, id=f"{bi}-{','.join(a[:2])}-{len(a)}") for bi, a in HOSTILE_ANSWERS],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_name_with_any_closed_address_is_refused_and_never_arrives(
    addresses: list[str], scheme: str, canary: Canary
) -> None:
    names = NameServer({"shop.example": [addresses]})

    code = await _refusal(f"{scheme}://shop.example:{canary.port}/", _policy(), names)

    assert code == ("egress.address_blocked" if scheme == "https" else "egress.https_required")
    assert canary.hits() == 0


async def test_canary_would_notice_a_call_that_arrives(canary: Canary) -> None:
    request = OutboundRequest("GET", f"http://127.0.0.1:{canary.port}/", {}, timeout_s=0.1)

    async with EgressClient(_policy("127.0.0.1")) as client:
        with pytest.raises(EgressFailure):
            await client.request(request)

    assert canary.hits() == 1


@needs_second_loopback
async def test_bi207_name_that_moves_inside_after_the_first_call_is_refused(canary: Canary) -> None:
    script = answering_body(b"ok", "Connection: close")
    async with running_target(script, host="127.0.0.2") as target:
        names = NameServer({"shop.example": [["127.0.0.2"], ["127.0.0.1"]]})
        async with EgressClient(_policy("127.0.0.2"), resolver=names) as client:
            url = f"http://shop.example:{target.port}/"
            first = await client.request(OutboundRequest("GET", url, {}))
            with pytest.raises(EgressFailure) as second:
                await client.request(OutboundRequest("GET", url, {}))

    assert first.status == 200
    assert second.value.code == "egress.address_blocked"
    assert canary.hits() == 0


@needs_second_loopback
async def test_bi207_name_is_looked_up_once_and_the_checked_address_is_the_one_connected() -> None:
    names = NameServer({"shop.example": [["127.0.0.2"], ["127.0.0.1"]]})
    async with running_target(answering(OK), host="127.0.0.2") as target:
        async with EgressClient(_policy("127.0.0.2"), resolver=names) as client:
            url = f"http://shop.example:{target.port}/a%2Fb?c=%24"
            await client.request(OutboundRequest("GET", url, {}))
        served_at = target.writers[0].get_extra_info("sockname")[0]

    assert names.asked == ["shop.example"]
    assert served_at == "127.0.0.2"
    assert target.requests[0].startswith(b"GET /a%2Fb?c=%24 HTTP/1.1\r\n")
    assert f"\r\nHost: shop.example:{target.port}\r\n".encode() in target.requests[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_bi202_redirect_into_our_network_is_an_answer_and_not_followed(
    status: int, canary: Canary
) -> None:
    location = f"Location: http://127.0.0.2:{canary.port}/"
    async with (
        running_target(answering_body(b"", location, status=status)) as target,
        EgressClient(_policy("127.0.0.0/8")) as client,
    ):
        answer = await client.request(OutboundRequest("POST", target.url, {}, b"{}"))

    assert answer.status == status
    assert answer.headers["location"] == f"http://127.0.0.2:{canary.port}/"
    assert len(target.requests) == 1
    assert canary.hits() == 0


async def test_bi219_proxies_and_netrc_of_the_environment_are_ignored(
    canary: Canary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    async with (
        running_target(answering(OK)) as target,
        EgressClient(EgressPolicy(target.allow)) as client,
    ):
        answer = await client.request(OutboundRequest("GET", target.url, {}))

    assert answer.status == 200
    assert b"authorization" not in target.requests[0].lower()
    assert canary.hits() == 0


async def _refusal(url: str, policy: EgressPolicy, names: NameServer | None = None) -> str:
    async with EgressClient(policy, resolver=names or _names()) as client:
        with pytest.raises(EgressFailure) as refused:
            await client.request(OutboundRequest("POST", url, {}, b"{}", timeout_s=2.0))
    return refused.value.code
