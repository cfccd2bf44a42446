"""W3C trace context: strict reading, children in the parent's trace."""

from __future__ import annotations

import pytest

from infra.telemetry.trace import child_traceparent, new_traceparent, parse, trace_id

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


def test_new_traces_are_valid_sampled_and_different() -> None:
    first, second = new_traceparent(), new_traceparent()

    assert parse(first) == first
    assert first.endswith("-01")
    assert trace_id(first) != trace_id(second)


def test_child_keeps_trace_and_flags_and_has_its_own_span() -> None:
    child = child_traceparent(PARENT)

    assert parse(child) == child
    assert trace_id(child) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert child.endswith("-00")
    assert child[36:52] != PARENT[36:52]


@pytest.mark.parametrize(
    "header",
    [
        "",
        PARENT + "\n",
        " " + PARENT,
        PARENT.upper(),
        PARENT + "-extra",
        "01" + PARENT[2:],
        "ff" + PARENT[2:],
        PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        PARENT.replace("00f067aa0ba902b7", "0" * 16),
        PARENT.replace("4bf9", "\u0664bf"),
        "a" * 100_000,
    ],
)
def test_bad_header_is_no_parent_and_begins_a_new_trace(header: str) -> None:
    assert parse(header) is None
    assert trace_id(child_traceparent(header)) != trace_id(PARENT)
