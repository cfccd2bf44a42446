"""What a worker may take of its machine: memory up to a limit, and no memory left behind on disk."""

from __future__ import annotations

import resource
import sys

from infra.telemetry.events import log_event

MEGABYTE = 1_048_576


def bound_process(memory_mb: int) -> None:
    """Bound this process's memory (0 is no bound) and let no core file of it be written.

    Beyond the bound an allocation fails: the record that asked for it is held, or the process ends
    and is counted as a crash; the machine and its other processes go on.
    """
    # A core file would hold keys and payloads.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not memory_mb:
        return
    # On Linux what is written to counts, not what is only mapped, as files and libraries are.
    what = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    _, hard = resource.getrlimit(what)
    wanted = memory_mb * MEGABYTE
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(what, (limit, hard))
    except (OSError, ValueError) as refusal:  # macOS knows the limit and refuses to set it
        log_event("memory.unbounded", level="warning", cause=type(refusal).__name__)
