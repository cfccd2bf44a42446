"""Connections: reuse, the peer that closes, what counts as sent, and what a caller may set (BI 209)."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from infra.egress import connector
from infra.egress.client import EgressClient, OutboundRequest
from infra.egress.errors import EgressAnswerLost, EgressNotSent, EgressRefused
from infra.egress.policy import EgressPolicy
from infra.egress.resolver import Resolver
from tests.infra.egress.targets import (
    OK,
    FakeTarget,
    NameServer,
    SilentNameServer,
    answering,
    answering_body,
    needs_second_loopback,
    running_target,
    trickling,
)

LOOPBACK = EgressPolicy(frozenset({"127.0.0.0/8"}))


async def test_connection_is_kept_and_used_again() -> None:
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        for _ in range(3):
            await client.request(OutboundRequest("POST", target.url, {}, b"{}"))

    assert (len(target.requests), len(target.writers)) == (3, 1)


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
async def test_bi209_connection_closed_by_the_peer_while_idle_is_replaced_before_writing(
    method: str,
) -> None:
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        await client.request(OutboundRequest(method, target.url, {}))

        # The kernel has the end of the stream now; the loop gets no turn to see it before we write.
        with socket.socket(fileno=os.dup(_descriptor(target))) as peer:
            peer.shutdown(socket.SHUT_WR)
        answer = await client.request(OutboundRequest(method, target.url, {}))

    assert answer.status == 200
    assert (len(target.requests), len(target.writers)) == (2, 2)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "HEAD"])
async def test_bi209_connection_closed_as_we_write_is_reported_and_never_repeated(
    method: str,
) -> None:
    async def script(writer: asyncio.StreamWriter) -> None:
        if len(target.requests) == 1:
            writer.write(OK if method != "HEAD" else b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            writer.close()

    async with running_target(script) as target, EgressClient(LOOPBACK) as client:
        await client.request(OutboundRequest(method, target.url, {}))
        with pytest.raises(EgressAnswerLost) as lost:
            await client.request(OutboundRequest(method, target.url, {}))

    assert lost.value.code == "target.answer_lost"
    assert len(target.requests) == 2


async def test_bi209_answer_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        await client.request(OutboundRequest("POST", target.url, {}, b"1"))

        unasked = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
        os.write(_descriptor(target), unasked)
        answer = await client.request(OutboundRequest("POST", target.url, {}, b"2"))

    assert answer.status == 200
    assert len(target.writers) == 2


async def test_bi199_bytes_beyond_the_answer_are_not_taken_for_the_next_one() -> None:
    script = answering(OK, b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n")
    async with running_target(script) as target, EgressClient(LOOPBACK) as client:
        statuses = [
            (await client.request(OutboundRequest("POST", target.url, {}, b"{}"))).status
            for _ in range(3)
        ]

    assert statuses == [200, 200, 200]


async def test_connection_is_not_used_again_after_a_cut_body() -> None:
    async with (
        running_target(answering_body(bytes(5_000_000))) as target,
        EgressClient(LOOPBACK) as client,
    ):
        for _ in range(2):
            answer = await client.request(OutboundRequest("GET", target.url, {}))
            assert len(answer.body) == 65_536

    assert len(target.writers) == 2


async def test_cookies_of_a_target_are_forgotten() -> None:
    script = answering_body(b"", "Set-Cookie: session=1; Path=/")
    async with running_target(script) as target, EgressClient(LOOPBACK) as client:
        for _ in range(2):
            await client.request(OutboundRequest("GET", target.url, {}))

    assert b"cookie" not in target.requests[1].lower()


async def test_request_arrives_as_given_without_a_product_name() -> None:
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        headers = {"Authorization": "Bearer t", "X-Name": "bücher", "Idempotency-Key": "k1"}
        await client.request(OutboundRequest("POST", target.url, headers, b'{"a":1}'))

    assert target.requests == [
        b"POST /orders HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: gzip, deflate\r\n"
        b"User-Agent: integration/1\r\n"
        b"Authorization: Bearer t\r\n"
        b"X-Name: b\xc3\xbccher\r\n"
        b"Idempotency-Key: k1\r\n"
        b"Content-Length: 7\r\n\r\n"
        b'{"a":1}' % target.port
    ]


async def test_large_body_arrives_whole_with_its_length() -> None:
    body = bytes(range(256)) * 12_000
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        await client.request(OutboundRequest("PUT", target.url, {}, body))

    head, _, arrived = target.requests[0].partition(b"\r\n\r\n")
    assert arrived == body
    assert b"\r\nContent-Length: 3072000" in head
    assert b"transfer-encoding" not in head.lower()


NOT_OURS_TO_SEND = [
    ("X-A", "1\r\nX-Injected: 1"),
    ("X-A", "1\nX-Injected: 1"),
    ("X-A", "1\r"),
    ("X-A", "\x00"),
    ("X-A", "\x7f"),
    ("X-A\r\nX-Injected", "1"),
    ("X-A:", "1"),
    ("X A", "1"),
    ("", "1"),
    ("X-\u00e4", "1"),
    ("Host", "good.example"),
    ("HOST", "good.example"),
    ("Connection", "close"),
    ("Content-Length", "0"),
    ("Transfer-Encoding", "chunked"),
    ("Keep-Alive", "timeout=5"),
    ("Proxy-Authorization", "Basic x"),
    ("Proxy-Connection", "keep-alive"),
    ("TE", "trailers"),
    ("Trailer", "X-A"),
    ("Upgrade", "websocket"),
    ("Expect", "100-continue"),
]


@pytest.mark.parametrize(("name", "value"), NOT_OURS_TO_SEND)
async def test_header_that_could_split_or_reroute_a_request_is_refused(
    name: str, value: str
) -> None:
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        with pytest.raises(EgressRefused) as refused:
            await client.request(OutboundRequest("POST", target.url, {name: value}))

    assert refused.value.code == "egress.header_invalid"
    assert target.writers == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "POST / HTTP/1.1\r\nX: 1", ""])
async def test_method_we_do_not_send_is_refused(method: str) -> None:
    async with running_target(answering(OK)) as target, EgressClient(LOOPBACK) as client:
        with pytest.raises(EgressRefused) as refused:
            await client.request(OutboundRequest(method, target.url, {}))

    assert refused.value.code == "egress.method_invalid"
    assert target.writers == []


async def test_closed_port_means_that_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secret"
        async with EgressClient(LOOPBACK) as client:
            with pytest.raises(EgressNotSent) as failed:
                await client.request(OutboundRequest("POST", url, {}, b"{}"))

    assert str(failed.value) == "target.unreachable: 127.0.0.1 accepts no connection."


@pytest.mark.parametrize("table", [{}, {"shop.example": [[]]}], ids=["no-such-name", "no-address"])
async def test_bi207_name_without_address_means_that_nothing_was_sent(
    table: dict[str, list[list[str]]],
) -> None:
    failed = await _not_sent("http://shop.example/", NameServer(table))

    assert str(failed) == "target.dns: shop.example has no address."


async def test_bi207_name_longer_than_names_may_be_has_no_address() -> None:
    failed = await _not_sent(f"http://{'a' * 64}.invalid/", None)

    assert failed.code == "target.dns"


async def test_bi207_silent_name_server_ends_at_the_total_deadline() -> None:
    failed = await _not_sent("http://shop.example/", SilentNameServer(), timeout_s=0.1)

    assert str(failed) == "target.unreachable: shop.example was not reached in 0.1 s."


async def test_bi207_look_up_and_connecting_have_their_own_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connector, "CONNECT_DEADLINE_S", 0.1)

    failed = await _not_sent("http://shop.example/", SilentNameServer())

    assert str(failed) == ("target.unreachable: shop.example did not accept a connection in 0.1 s.")


@needs_second_loopback
async def test_bi207_first_address_that_answers_is_used() -> None:
    async with running_target(answering(OK), host="127.0.0.3") as target:
        names = NameServer({"shop.example": [["127.0.0.4", "127.0.0.3"]]})
        async with EgressClient(LOOPBACK, resolver=names) as client:
            url = f"http://shop.example:{target.port}/"
            answer = await client.request(OutboundRequest("GET", url, {}))

    assert answer.status == 200


async def test_waiting_for_a_free_connection_counts_as_not_sent() -> None:
    silent = trickling(b"", b"")
    async with (
        running_target(silent) as target,
        EgressClient(LOOPBACK, per_host_limit=1) as client,
        asyncio.TaskGroup() as tasks,
    ):
        first = tasks.create_task(_kind_of_failure(client, target.url, timeout_s=1.0))
        second = tasks.create_task(_kind_of_failure(client, target.url, timeout_s=0.2))

    assert (first.result(), second.result()) == (EgressAnswerLost, EgressNotSent)
    assert len(target.requests) == 1


async def test_client_can_be_made_before_the_loop_and_closed_twice() -> None:
    client = await asyncio.to_thread(EgressClient, LOOPBACK)
    async with running_target(answering(OK)) as target:
        answer = await client.request(OutboundRequest("GET", target.url, {}))
        await client.close()
        await client.close()

    assert answer.status == 200


def _descriptor(target: FakeTarget) -> int:
    """Give the target's end of its first connection, past the loop."""
    return int(target.writers[0].get_extra_info("socket").fileno())


async def _kind_of_failure(client: EgressClient, url: str, timeout_s: float) -> type[Exception]:
    try:
        await client.request(OutboundRequest("POST", url, {}, b"{}", timeout_s=timeout_s))
    except (EgressAnswerLost, EgressNotSent) as failure:
        return type(failure)
    raise AssertionError("the silent target answered")


async def _not_sent(url: str, names: Resolver | None, timeout_s: float = 20.0) -> EgressNotSent:
    async with EgressClient(LOOPBACK, resolver=names) as client:
        with pytest.raises(EgressNotSent) as failed:
            await client.request(OutboundRequest("POST", url, {}, b"{}", timeout_s=timeout_s))
    return failed.value
