"""Fault reports: what really leaves the process, caught by a server on 127.0.0.1 (SR-18)."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import sentry_sdk
from pydantic import SecretStr

from infra.settings import TelemetrySettings
from infra.telemetry.sentry import report_fault, start_fault_reports


class Mailbox(HTTPServer):
    """Takes what is sent to the fault service."""

    received: list[bytes]


class _Take(BaseHTTPRequestHandler):
    server: Mailbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        packed = self.headers.get("content-encoding") == "gzip"
        self.server.received.append(gzip.decompress(body) if packed else body)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has
        return


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    server = Mailbox(("127.0.0.1", 0), _Take)
    server.received = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    sentry_sdk.get_client().close(timeout=5)
    sentry_sdk.get_global_scope().set_client(None)
    server.shutdown()
    thread.join(10)
    server.server_close()


def _break(card_number: str) -> None:
    local_canary = f"canary-local-{card_number}"
    raise ValueError(f"canary-message {local_canary}")


def test_report_has_type_place_and_id_and_no_value(mailbox: Mailbox) -> None:
    dsn = f"http://public@127.0.0.1:{mailbox.server_port}/1"
    started = start_fault_reports(TelemetrySettings(sentry_dsn=SecretStr(dsn), release="1.2.3"))

    try:
        _break("4111111111111111")
    except ValueError as error:
        report_fault(error, "fault-77")
    sentry_sdk.flush(timeout=5)

    sent = b"".join(mailbox.received)
    assert started
    for kept in (b"ValueError", b"_break", b"test_sentry.py", b"fault-77", b"1.2.3"):
        assert kept in sent
    for canary in (b"canary", b"4111", b"server_name", b"raise ValueError"):
        assert canary not in sent


def test_without_address_nothing_is_started() -> None:
    started = start_fault_reports(TelemetrySettings(sentry_dsn=None))

    assert not started
    report_fault(ValueError("x"), "fault-78")
    assert not sentry_sdk.is_initialized()
