"""Metrics: typed, few, bounded, readable by Prometheus."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from infra.telemetry.metrics import Metrics, metrics_app
from infra.web.asgi import Message


def _samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(metrics.page().decode())
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_counted_facts_are_shown() -> None:
    metrics = Metrics()
    metrics.count_accept("accepted", took_s=0.004, count=3)
    metrics.count_attempt("retry_later", took_s=0.3)
    metrics.count_held("order.totals_differ", 2)
    metrics.count_lease_loss()
    metrics.set_oldest_waiting("p0", 12.5)
    metrics.set_book_difference(0)
    metrics.set_stranded_lanes(1)

    shown = _samples(metrics)

    assert shown["accepts_total", "accepted"] == 3
    assert shown["accept_seconds_bucket", "0.005"] == 1
    assert shown["accept_seconds_bucket", "0.0025"] == 0
    assert shown["delivery_attempts_total", "retry_later"] == 1
    assert shown["held_records_total", "order.totals_differ"] == 2
    assert shown["lease_losses_total", ""] == 1
    assert shown["oldest_waiting_seconds", "p0"] == 12.5
    assert shown["book_difference_records", ""] == 0
    assert shown["stranded_lanes", ""] == 1


def test_codes_beyond_the_bound_are_counted_as_other() -> None:
    metrics = Metrics()

    for number in range(1_000):
        metrics.count_held(f"code.number_{number}")

    shown = {key: value for key, value in _samples(metrics).items() if key[0].endswith("s_total")}
    held = {label: value for (name, label), value in shown.items() if name == "held_records_total"}
    assert len(held) == 201
    assert held["other"] == 800


def test_no_metric_has_a_tenant_label() -> None:
    metrics = Metrics()
    metrics.count_held("a.b")
    metrics.count_attempt("delivered", 0.1)

    labels = {
        name
        for family in metrics.registry.collect()
        for sample in family.samples
        for name in sample.labels
    }

    assert labels <= {"result", "outcome", "class_p", "code", "le"}


async def _ask(metrics: Metrics, method: str) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await metrics_app(metrics)({"type": "http", "method": method}, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_metrics_page_is_read_only() -> None:
    metrics = Metrics()
    metrics.count_lease_loss()

    assert await _ask(metrics, "GET") == (200, metrics.page())
    assert await _ask(metrics, "HEAD") == (200, b"")
    assert await _ask(metrics, "POST") == (405, b"")
