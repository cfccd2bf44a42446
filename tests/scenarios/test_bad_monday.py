"""The weekend that a product must win, in small: three incidents, three repairs, one receipt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.embedded.servers import Servers

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_bad_monday_is_three_incidents_and_all_of_it_arrives_once_and_in_order(
    servers: Servers, database_urls: tuple[str, str], tmp_path: Path
) -> None:
    """E-C01, E-C14. A revoked token and a wrong mapping cost nothing but time."""
    environment = {
        **os.environ,
        "DATABASE_OWNER_URL": database_urls[0],
        "DATABASE_URL": database_urls[1],
        "REDIS_URL": servers.redis_url,
    }
    command = [sys.executable, "-m", "main", "demo", "monday", "--small", "--data", str(tmp_path)]

    played = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=220, check=False
    )

    said = " ".join(played.stdout.split())
    assert played.returncode == 0, said[-3000:] + played.stderr[-2000:]
    assert "yes three incidents, not 350 errors" in said
    assert "yes receipt equals preview in 40 of 40 records" in said
    assert "yes unaccounted in the books: 0" in said
    assert "yes alerts: 3 opened, 3 resolved" in said
    assert " NO " not in said
    assert said.count("missing 0, doubled 0, unknown 0, out of order 0") == 3
