"""Targets that answer too much, too slowly, wrongly or not at all (BI 195-205, 210)."""

from __future__ import annotations

import asyncio
import gzip
import resource
import zlib
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET

import pytest

from infra.egress.bodies import RATIO_FREE_BYTES
from infra.egress.client import EgressClient, OutboundAnswer, OutboundRequest
from infra.egress.errors import EgressAnswerLost
from infra.egress.policy import EgressPolicy
from infra.egress.protocol import MAX_HEAD_BYTES
from tests.infra.egress.targets import (
    OK,
    Script,
    answering,
    answering_body,
    running_target,
    trickling,
)

CAP = 65_536
MEGABYTE = 1_048_576


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.fixture(name="bomb", scope="module")
def _bomb() -> bytes:
    """Give half a megabyte of gzip that unfolds to 512 MB."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    zeros = bytes(MEGABYTE)
    return b"".join(packer.compress(zeros) for _ in range(512)) + packer.flush()


async def test_bi195_gzip_bomb_stops_at_the_cap_and_costs_little_memory(bomb: bytes) -> None:
    script = answering_body(bomb, "Content-Encoding: gzip")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    answer = await _answer_of(script)

    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert (answer.status, len(answer.body), answer.is_body_complete) == (200, CAP, False)
    assert grown_kb <= 64 * 1024


async def test_bi195_gzip_bomb_under_a_high_cap_stops_by_its_ratio(bomb: bytes) -> None:
    script = answering_body(bomb, "Content-Encoding: gzip")

    answer = await _answer_of(script, max_body_bytes=50 * MEGABYTE)

    assert (answer.status, answer.is_body_complete) == (200, False)
    assert len(answer.body) <= 50 * MEGABYTE
    assert len(answer.body) >= RATIO_FREE_BYTES


async def test_bi195_other_work_goes_on_while_a_bomb_is_decoded(bomb: bytes) -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.get_running_loop().create_task(count_turns())
    await _answer_of(answering_body(bomb, "Content-Encoding: gzip"), max_body_bytes=16 * MEGABYTE)
    counting.cancel()

    assert turns >= 16 * MEGABYTE // 16_384


async def test_bi195_flood_of_empty_gzip_members_ends() -> None:
    members = gzip.compress(b"") * 20_000

    answer = await _answer_of(answering_body(members, "Content-Encoding: gzip"))

    assert (answer.status, answer.body) == (200, b"")


TOO_SLOW = {
    "BI196-body-byte-by-byte": trickling(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"
    ),
    "BI196-chunk-by-chunk": trickling(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"
    ),
    "BI196-until-close": trickling(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "BI196-gzip": trickling(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"")
    ),
    "BI197-header-by-header": trickling(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "BI197-letter-by-letter": trickling(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "BI197-endless-100": trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "BI197-endless-103": trickling(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "BI199-silence": trickling(b"", b""),
}


@pytest.mark.parametrize("script", TOO_SLOW.values(), ids=TOO_SLOW.keys())
async def test_slow_answer_ends_at_the_total_deadline_as_lost(script: Script) -> None:
    fault = await _loss_of(script, timeout_s=0.3)

    assert fault.code == "target.deadline"
    assert str(fault) == "target.deadline: 127.0.0.1 did not answer in 0.3 s."


def _head_of(size_bytes: int) -> bytes:
    start, end = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"\r\n"
    line = b"X-Fill: " + b"x" * 990 + b"\r\n"
    count, rest = divmod(size_bytes - len(start) - len(end), len(line))
    return start + line * (count - 1) + b"X-Fill: " + b"x" * (990 + rest) + b"\r\n" + end


TOO_LARGE = {
    "BI197-one-header": answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000 + b"\r\n\r\n"),
    "BI197-many-headers": answering(_head_of(MAX_HEAD_BYTES + 1), b"ok"),
    "BI197-megabytes-of-headers": answering(_head_of(4 * MEGABYTE), b"ok"),
    "BI197-flood-of-100": answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 400_000, OK),
    "BI197-flood-of-103": trickling(b"", b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" * 999, 0),
    "BI197-endless-status-line": trickling(b"HTTP/1.1 200 ", b"x" * 9_999, 0),
}


@pytest.mark.parametrize("script", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_head_beyond_32_kb_is_not_read_on(script: Script) -> None:
    fault = await _loss_of(script)

    assert str(fault) == "target.head_too_large: 127.0.0.1 sent more than 32 KB of headers."


async def test_bi197_head_of_exactly_32_kb_is_an_answer() -> None:
    answer = await _answer_of(answering(_head_of(MAX_HEAD_BYTES), b"ok"))

    assert (answer.status, answer.body, answer.is_body_complete) == (200, b"ok", True)


async def test_interim_answers_are_skipped() -> None:
    answer = await _answer_of(answering(b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" * 3, OK))

    assert (answer.status, answer.body) == (200, b"ok")


BROKEN = {
    "BI199-no-answer": answering(then_close=True),
    "BI199-garbage": answering(b"\x00\xff garbage\r\n\r\n", then_close=True),
    "BI199-other-protocol": answering(b"SSH-2.0-OpenSSH_9.2\r\n", then_close=True),
    "BI199-half-a-head": answering(b"HTTP/1.1 200 OK\r\nContent-Le", then_close=True),
    "BI199-body-shorter-than-said": answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", then_close=True
    ),
    "BI199-two-lengths": answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", then_close=True
    ),
    "BI199-negative-length": answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", then_close=True
    ),
    "BI199-half-a-chunk": answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", then_close=True
    ),
    "BI199-bad-chunk": answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", then_close=True
    ),
    "BI199-chunk-extension-flood": trickling(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        (b"1;" + b"x" * 8_000 + b"\r\ny\r\n") * 10,
        0,
    ),
    "BI199-trailer-flood": trickling(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: 1\r\n" * 999, 0
    ),
    "BI204-status-0": answering(b"HTTP/1.1 0 Zero\r\nContent-Length: 0\r\n\r\n", then_close=True),
    "BI204-status-99999": answering(b"HTTP/1.1 99999 X\r\n\r\n", then_close=True),
    "BI204-status-word": answering(b"HTTP/1.1 abc X\r\n\r\n", then_close=True),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN.keys())
async def test_broken_answer_is_lost_because_the_request_had_left(script: Script) -> None:
    fault = await _loss_of(script)

    assert fault.code == "target.answer_lost"


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n\r\nabc"], ids=["head", "body"])
async def test_bi199_reset_is_lost_even_where_the_body_has_no_length(start: bytes) -> None:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        reset_on_close = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        connection = writer.get_extra_info("socket")
        connection.setsockopt(SOL_SOCKET, SO_LINGER, reset_on_close)
        writer.close()

    assert (await _loss_of(script)).code == "target.answer_lost"


BODY = b'{"ok": true}' * 3

UNDECODABLE = {
    "BI200-no-gzip-at-all": answering_body(b"plain text", "Content-Encoding: gzip"),
    "BI200-damaged-gzip": answering_body(
        gzip.compress(BODY)[:-8] + b"damaged!", "Content-Encoding: gzip"
    ),
    "BI200-damaged-deflate": answering_body(b"\x78\x9cdamaged", "Content-Encoding: deflate"),
    "BI200-unknown-encoding": answering_body(BODY, "Content-Encoding: br"),
    "BI200-twice-encoded": answering_body(
        gzip.compress(gzip.compress(BODY)), "Content-Encoding: gzip, gzip"
    ),
}


@pytest.mark.parametrize("script", UNDECODABLE.values(), ids=UNDECODABLE.keys())
async def test_undecodable_body_is_ignored_and_the_status_counts(script: Script) -> None:
    answer = await _answer_of(script)

    assert (answer.status, answer.body, answer.is_body_complete) == (200, b"", False)


async def test_bi200_gzip_that_ends_early_is_known_to_be_incomplete() -> None:
    answer = await _answer_of(answering_body(gzip.compress(BODY)[:-9], "Content-Encoding: gzip"))

    assert (answer.status, answer.is_body_complete) == (200, False)


DECODABLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "plain": (bytes, "identity"),
    "gzip": (gzip.compress, "gzip"),
    "gzip-in-capitals": (gzip.compress, " GZIP "),
    "gzip-of-two-members": (lambda b: gzip.compress(b[:5]) + gzip.compress(b[5:]), "gzip"),
    "gzip-with-padding": (lambda b: gzip.compress(b) + bytes(9), "gzip"),
    "deflate": (zlib.compress, "deflate"),
    "raw-deflate": (_raw_deflate, "deflate"),
}


@pytest.mark.parametrize(("encode", "name"), DECODABLE.values(), ids=DECODABLE.keys())
@pytest.mark.parametrize("size_bytes", [1, 16_384, 16_385, CAP])
async def test_body_up_to_the_cap_arrives_whole(
    encode: Callable[[bytes], bytes], name: str, size_bytes: int
) -> None:
    body = (b"0123456789abcdef" * 4096)[:size_bytes]

    answer = await _answer_of(answering_body(encode(body), f"Content-Encoding: {name}"))

    assert answer.body == body
    assert answer.is_body_complete


@pytest.mark.parametrize(("encode", "name"), DECODABLE.values(), ids=DECODABLE.keys())
async def test_body_one_byte_beyond_the_cap_is_cut(
    encode: Callable[[bytes], bytes], name: str
) -> None:
    body = bytes(CAP) + b"!"

    answer = await _answer_of(answering_body(encode(body), f"Content-Encoding: {name}"))

    assert (answer.status, answer.body, answer.is_body_complete) == (200, bytes(CAP), False)


async def test_endless_body_is_cut_at_the_cap() -> None:
    answer = await _answer_of(trickling(b"HTTP/1.1 200 OK\r\n\r\n", bytes(CAP), 0))

    assert (len(answer.body), answer.is_body_complete) == (CAP, False)


async def test_bi201_body_stays_bytes_whatever_charset_it_claims() -> None:
    script = answering_body(b"\xff\xfe\x00", "Content-Type: text/html; charset=rot13")

    answer = await _answer_of(script)

    assert answer.body == b"\xff\xfe\x00"
    assert answer.headers["content-type"] == "text/html; charset=rot13"


_STATUSES = (
    "200 201 202 203 300 301 400 401 403 404 409 410 413 415 418 422 429 "
    "500 501 502 503 504 520 599 600 999"
)


@pytest.mark.parametrize(
    "status",
    [int(each) for each in _STATUSES.split()],
)
async def test_bi204_every_final_status_is_an_answer(status: int) -> None:
    answer = await _answer_of(answering_body(b"said", "Retry-After: -1", status=status))

    assert (answer.status, answer.body, answer.is_body_complete) == (status, b"said", True)
    assert answer.headers["retry-after"] == "-1"


@pytest.mark.parametrize("status", [204, 304])
async def test_bi204_status_without_body_does_not_wait_for_one(status: int) -> None:
    script = answering(f"HTTP/1.1 {status} X\r\nContent-Length: 9\r\n\r\n".encode())

    answer = await _answer_of(script)

    assert (answer.status, answer.body, answer.is_body_complete) == (status, b"", True)


async def test_protocol_switch_nobody_asked_for_is_no_door() -> None:
    switch = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

    answer = await _answer_of(answering(switch))

    assert (answer.status, answer.body) == (101, b"")


async def test_answer_to_head_has_no_body() -> None:
    script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")

    answer = await _answer_of(script, method="HEAD")

    assert (answer.status, answer.body, answer.is_body_complete) == (200, b"", True)


async def test_repeated_and_odd_headers_are_given_as_valid_text() -> None:
    script = answering_body(b"", "X-Part: a", "x-part: b", "X-Name: b\u00fccher")

    answer = await _answer_of(script)
    answer_of_bad_utf8 = await _answer_of(
        answering(b"HTTP/1.1 200 OK\r\nX-Name: \xff\r\nContent-Length: 0\r\n\r\n")
    )

    assert answer.headers == {"content-length": "0", "x-part": "a, b", "x-name": "bücher"}
    assert answer_of_bad_utf8.headers["x-name"] == "\ufffd"


async def test_failure_names_the_host_and_never_path_or_credentials() -> None:
    async with (
        running_target(answering(then_close=True)) as target,
        EgressClient(EgressPolicy(target.allow)) as client,
    ):
        url = f"{target.url}/secret-token?key=secret-key"
        with pytest.raises(EgressAnswerLost) as lost:
            await client.request(OutboundRequest("POST", url, {"Authorization": "secret-auth"}))

    assert str(lost.value) == ("target.answer_lost: 127.0.0.1 broke off before a whole answer.")
    assert lost.value.__suppress_context__


async def _answer_of(
    script: Script, *, method: str = "POST", max_body_bytes: int = CAP
) -> OutboundAnswer:
    async with (
        running_target(script) as target,
        EgressClient(EgressPolicy(target.allow)) as client,
    ):
        request = OutboundRequest(method, target.url, {}, b"", max_body_bytes=max_body_bytes)
        return await client.request(request)


async def _loss_of(script: Script, timeout_s: float = 20.0) -> EgressAnswerLost:
    async with (
        running_target(script) as target,
        EgressClient(EgressPolicy(target.allow)) as client,
    ):
        with pytest.raises(EgressAnswerLost) as lost:
            await client.request(
                OutboundRequest("POST", target.url, {}, b"{}", timeout_s=timeout_s)
            )
        assert len(target.requests) == 1
        return lost.value
