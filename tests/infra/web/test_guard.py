"""The guard before a real server, asked over raw sockets (BI-046 to BI-069)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from infra.settings import WebSettings
from infra.web.guard import WebLimits
from tests.infra.web.wire import (
    HOST,
    MEGABYTE,
    Probe,
    connect,
    exchange,
    is_closed,
    read_answer,
    request,
    serving,
)

HOST_LINE = f"Host: {HOST}"


@dataclass(frozen=True)
class Site:
    port: int
    probe: Probe


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    probe = Probe()
    limits = WebLimits(body_deadline_s=0.3)
    settings = WebSettings(header_deadline_s=0.3, max_connections_per_address=0)
    with serving(probe, limits=limits, settings=settings) as port:
        yield Site(port, probe)


@pytest.fixture(autouse=True)
def _nothing_seen_before(site: Site) -> None:
    site.probe.seen.clear()


REFUSED = [
    ("BI-046 header of 16,385 bytes", request(headers=(HOST_LINE, "X: " + "a" * 16_357)), 431),
    ("BI-046 header of 100 KB", request(headers=(HOST_LINE, "X: " + "a" * 100_000)), 431),
    ("BI-046 101 fields", request(headers=(HOST_LINE, *["X: a"] * 100)), 431),
    ("BI-046 10,000 fields", request(headers=(HOST_LINE, *["X: a"] * 10_000)), 431),
    ("BI-049 length and transfer coding",
     request("POST", headers=(HOST_LINE, "Content-Length: 3", "Transfer-Encoding: chunked"))
     + b"0\r\n\r\n", 400),
    ("BI-050 two lengths",
     request("POST", headers=(HOST_LINE, "Content-Length: 3", "Content-Length: 3")) + b"abc", 400),
    ("BI-050 two lengths in one field",
     request("POST", headers=(HOST_LINE, "Content-Length: 3, 3")) + b"abc", 400),
    ("BI-050 negative length", request("POST", headers=(HOST_LINE, "Content-Length: -1")), 400),
    ("BI-050 unknown coding",
     request("POST", headers=(HOST_LINE, "Transfer-Encoding: xchunked")), 400),
    ("BI-050 coding before chunked",
     request("POST", headers=(HOST_LINE, "Transfer-Encoding: gzip, chunked")) + b"0\r\n\r\n", 501),
    ("BI-051 folded header", request(headers=(HOST_LINE, "X: a", " b")), 400),
    ("BI-051 bare line feeds", f"GET / HTTP/1.1\n{HOST_LINE}\n\n".encode(), 400),
    ("BI-051 space before the colon", request(headers=(HOST_LINE, "X : a")), 400),
    ("BI-052 no host", request(headers=("X: a",)), 400),
    ("BI-052 two hosts", request(headers=(HOST_LINE, HOST_LINE)), 400),
    ("BI-052 host with user", request(headers=(f"Host: a@{HOST}",)), 400),
    ("BI-052 host with path", request(headers=(f"Host: {HOST}/x",)), 400),
    ("SR-07 unknown host", request(headers=("Host: other.example",)), 421),
    ("SR-07 suffix without dot", request(headers=("Host: evilshops.example",)), 421),
    ("SR-07 address instead of name", request(headers=("Host: 127.0.0.1",)), 421),
    ("BI-054 absolute form with other host", request(target="http://other.example/"), 421),
    ("BI-054 absolute form with other scheme", request(target=f"ftp://{HOST}/"), 400),
    ("BI-056 NUL in a value", request(headers=(HOST_LINE, "X: a\x00b")), 400),
    ("BI-056 carriage return in a value", request(headers=(HOST_LINE, "X: a\rb")), 400),
    ("BI-057 URL of 9 KB", request(target="/" + "a" * 9_000), 414),
    ("BI-057 URL of 100 KB", request(target="/" + "a" * 100_000), 414),
    ("BI-057 query of 9 KB", request(target="/?" + "a" * 9_000), 414),
    ("BI-061 200 MB announced",
     request("POST", headers=(HOST_LINE, "Content-Length: 209715200")), 413),
    ("BI-061 1 MB and one byte", request("POST", body=b"a" * (MEGABYTE + 1)), 413),
    ("BI-061 file of 51 MB announced",
     request("POST", "/v1/files/1", (HOST_LINE, "Content-Length: 53477376")), 413),
    ("BI-061 absurd length",
     request("POST", headers=(HOST_LINE, "Content-Length: 99999999999999999999")), 400),
    ("BI-066 TRACE", request("TRACE"), 405),
    ("BI-066 odd method", request("PROPFIND"), 405),
    ("BI-066 CONNECT", request("CONNECT", "other.example:443"), 400),
    ("BI-066 unknown method", request("HACK"), 400),
    ("BI-067 traversal", request(target="/a/../etc/passwd"), 404),
    ("BI-067 encoded traversal", request(target="/a/%2e%2e/etc"), 404),
    ("BI-067 traversal at the end", request(target="/a/%2E."), 404),
    ("BI-067 NUL", request(target="/a%00b"), 404),
    ("BI-067 backslash", request(target="/a%5c..%5cb"), 404),
    ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
]  # fmt: skip


@pytest.mark.parametrize(("case", "raw", "status"), REFUSED, ids=[row[0] for row in REFUSED])
def test_bad_request_is_refused_before_the_application(
    site: Site, case: str, raw: bytes, status: int
) -> None:
    answer = exchange(site.port, raw)

    assert answer.status == status, case
    assert site.probe.seen == []
    assert "server" not in answer.headers


def test_refusals_are_problem_details_with_relative_type(site: Site) -> None:
    answer = exchange(site.port, request(headers=("Host: other.example",)))

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {
        "type": "/problems/request.wrong_host",
        "title": "Unknown host",
        "status": 421,
        "code": "request.wrong_host",
        "detail": "This host is not served here.",
    }


SERVED = [
    ("plain", request(), "/"),
    ("host with port and capitals", request(headers=("Host: API.Example.com:8443",)), "/"),
    ("wildcard host", request(headers=("Host: anna.shops.example",)), "/"),
    ("address literal host", request(headers=("Host: [::1]:80",)), "/"),
    ("BI-054 absolute form, same host", request(target=f"http://{HOST}/a?b=1"), "/a"),
    ("BI-046 99 fields more", request(headers=(HOST_LINE, *["X: a"] * 99)), "/"),
    ("BI-046 header of 16,384 bytes", request(headers=(HOST_LINE, "X: " + "a" * 16_356)), "/"),
    ("BI-057 URL of 8,000 bytes", request(target="/" + "a" * 7_999), "/" + "a" * 7_999),
    ("BI-067 double encoding stays text", request(target="/a/%252e%252e"), "/a/%2e%2e"),
    ("UTF-8 in a header", request(headers=(HOST_LINE, "X: \xc3\xa9")), "/"),
]


@pytest.mark.parametrize(("case", "raw", "path"), SERVED, ids=[row[0] for row in SERVED])
def test_good_request_reaches_the_application(site: Site, case: str, raw: bytes, path: str) -> None:
    answer = exchange(site.port, raw)

    assert (answer.status, answer.json["path"]) == (200, path), case


def test_bi_061_one_megabyte_is_taken_and_a_file_may_be_larger(site: Site) -> None:
    message = exchange(site.port, request("POST", "/hooks/x", body=b"a" * MEGABYTE))
    file = exchange(site.port, request("POST", "/v1/files/1", body=b"a" * (2 * MEGABYTE)))

    assert (message.status, message.json["body_bytes"]) == (200, MEGABYTE)
    assert (file.status, file.json["body_bytes"]) == (200, 2 * MEGABYTE)


def test_bi_061_chunked_body_is_stopped_at_the_limit(site: Site) -> None:
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    site.probe.disconnected.clear()

    answer = exchange(
        site.port,
        request("POST", "/hooks/x", (HOST_LINE, "Transfer-Encoding: chunked")) + chunk * 17,
    )

    assert (answer.status, answer.json["code"]) == (413, "body.too_large")
    assert site.probe.disconnected.is_set()


def test_bi_050_broken_chunk_is_answered_400_and_the_route_sees_a_disconnect(site: Site) -> None:
    site.probe.disconnected.clear()

    answer = exchange(
        site.port,
        request("POST", "/hooks/x", (HOST_LINE, "Transfer-Encoding: chunked")) + b"zz\r\n",
    )

    assert answer.status == 400
    assert site.probe.disconnected.wait(10)


def test_bi_062_body_without_end_is_answered_408(site: Site) -> None:
    site.probe.disconnected.clear()

    answer = exchange(
        site.port,
        request("POST", "/hooks/x", (HOST_LINE, "Transfer-Encoding: chunked")) + b"3\r\nabc\r\n",
    )

    assert (answer.status, answer.json["code"]) == (408, "body.too_slow")
    assert site.probe.disconnected.is_set()


def test_bi_047_endless_header_is_closed_at_sixteen_kilobytes(site: Site) -> None:
    with connect(site.port) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\n{HOST_LINE}\r\nX: ".encode())
        connection.sendall(b"a" * 17_000)
        answer = read_answer(connection)
        closed = is_closed(connection)

    assert answer is not None
    assert (answer.status, closed, site.probe.seen) == (431, True, [])


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a", b"\r\n\r\n"])
def test_bi_047_header_that_is_not_complete_in_time_is_closed(site: Site, start: bytes) -> None:
    with connect(site.port) as connection:
        connection.sendall(start)
        answer = read_answer(connection)
        closed = is_closed(connection)

    assert answer is not None
    assert (answer.status, closed) == (408, True)


def test_line_ends_dripped_after_an_answer_do_not_keep_the_connection(site: Site) -> None:
    with connect(site.port) as connection:
        connection.sendall(request())
        first = read_answer(connection)
        connection.sendall(b"\r\n")
        second = read_answer(connection)
        closed = is_closed(connection)

    assert first is not None
    assert second is not None
    assert (first.status, second.status, closed) == (200, 408, True)


def test_connection_serves_many_requests_also_pipelined(site: Site) -> None:
    with connect(site.port) as connection:
        connection.sendall(request("POST", "/1", body=b"abc") + request(target="/2") + b"GET /3 ")
        answers = [read_answer(connection)]
        connection.sendall(f"HTTP/1.1\r\n{HOST_LINE}\r\n\r\n".encode())
        # Two answers may share one read; what matters is that all three requests were served.
        connection.sendall(request(target="/4", headers=(HOST_LINE, "Connection: close")))
        closed = is_closed(connection)

    assert answers[0] is not None
    assert answers[0].status == 200
    assert (site.probe.seen, closed) == (["/1", "/2", "/3", "/4"], True)


def test_body_that_nobody_reads_ends_the_connection(site: Site) -> None:
    with connect(site.port) as connection:
        connection.sendall(request("POST", "/unread", (HOST_LINE, "Content-Length: 1000")) + b"a")
        answer = read_answer(connection)
        closed = is_closed(connection)

    assert answer is not None
    assert (answer.status, closed) == (200, True)


def test_bi_055_forwarding_fields_of_a_stranger_are_removed(site: Site) -> None:
    forged = (
        HOST_LINE,
        "X-Forwarded-For: 9.9.9.9",
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: https",
        "Forwarded: for=9.9.9.9",
        "X-Real-IP: 9.9.9.9",
        "X-Kept: yes",
    )

    answer = exchange(site.port, request(headers=forged))

    assert answer.json["names"] == ["host", "x-kept"]
    assert (answer.json["client"], answer.json["scheme"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("9.9.9.9", "9.9.9.9"),
        ("6.6.6.6, 9.9.9.9, 127.0.0.7", "9.9.9.9"),
        ("not an address", "127.0.0.1"),
        ("9.9.9.9, junk, 127.0.0.7", "127.0.0.1"),
    ],
)
def test_bi_055_trusted_proxy_tells_the_last_hop_that_is_not_its_own(
    hops: str, client: str
) -> None:
    with serving(Probe(), trusted=(ip_network("127.0.0.0/8"),)) as port:
        lines = (HOST_LINE, f"X-Forwarded-For: {hops}", "X-Forwarded-Proto: https")
        answer = exchange(port, request(headers=lines))

    assert (answer.json["client"], answer.json["scheme"]) == (client, "https")


def test_bi_065_connections_of_one_address_are_limited_and_places_come_free() -> None:
    with serving(Probe(), settings=WebSettings(max_connections_per_address=3)) as port:
        held = [connect(port) for _ in range(3)]
        for connection in held:
            connection.sendall(request())
            assert read_answer(connection) is not None
        with connect(port) as fourth:
            fourth_closed = is_closed(fourth)
        held[0].sendall(request(headers=(HOST_LINE, "Connection: close")))
        first_closed = is_closed(held[0])
        answer = exchange(port, request())
        for connection in held:
            connection.close()

    assert (fourth_closed, first_closed, answer.status) == (True, True, 200)


def test_bi_065_connection_that_rests_too_long_is_closed() -> None:
    settings = WebSettings(idle_deadline_s=1)
    with serving(Probe(), settings=settings) as port, connect(port) as connection:
        connection.sendall(request())
        answer = read_answer(connection)
        closed = is_closed(connection)

    assert answer is not None
    assert (answer.status, closed) == (200, True)


def test_refusal_raised_by_a_thin_route_is_a_problem(site: Site) -> None:
    missing = exchange(site.port, request(target="/missing"))
    unreadable = exchange(site.port, request("POST", "/json", body=b'{"a": 1, "a": 2}'))

    assert (missing.status, missing.json["code"]) == (404, "resource.not_found")
    assert unreadable.status == 422
    assert unreadable.json["errors"] == [
        {
            "pointer": "/a",
            "code": "payload.duplicate_key",
            "detail": "A field appears twice in one object. Send each field once.",
        }
    ]


def test_bi_067_refused_path_and_unknown_path_answer_alike(site: Site) -> None:
    refused = exchange(site.port, request(target="/a/%2e%2e/b"))
    unknown = exchange(site.port, request(target="/missing"))

    assert (refused.status, refused.body) == (unknown.status, unknown.body)


def test_fault_of_ours_says_nothing_but_an_id(site: Site) -> None:
    answer = exchange(site.port, request(target="/fault"))

    assert (answer.status, answer.json["code"]) == (500, "service.fault")
    assert len(answer.json["id"]) == 36
    assert b"canary" not in answer.body
    assert b"RuntimeError" not in answer.body
