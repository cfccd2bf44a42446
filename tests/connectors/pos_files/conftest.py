"""The real till files beside the project; tests that judge by them skip where they are absent."""

from __future__ import annotations

import pytest

from tests.connectors.pos_files.reading import SAMPLES


def _content(folder: str, name: str) -> bytes:
    path = SAMPLES / folder / name
    if not path.is_file():
        pytest.skip(f"no ../shared/samples/{folder}/{name} beside this clone: judged where it is")
    return path.read_bytes()


@pytest.fixture(params=["ncr-acs_SMALL.xml", "ncr-acs_store9_part.xml"])
def real_poslog(request: pytest.FixtureRequest) -> bytes:
    """A POSLog that a real store wrote."""
    return _content("poslog", request.param)


@pytest.fixture
def real_store_day() -> bytes:
    """The larger of the real POSLogs: 26 sales and 7 control transactions."""
    return _content("poslog", "ncr-acs_store9_part.xml")


@pytest.fixture(
    params=["2010-12-01", "2010-12-02", "2011-01-16", "2011-05-06", "2011-08-09", "2011-12-05"]
)
def real_tlog(request: pytest.FixtureRequest) -> bytes:
    """One day of a real trader's sales, one row per line."""
    return _content("uci-online-retail", f"{request.param}.csv")
