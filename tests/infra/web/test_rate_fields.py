"""RateLimit header fields as the IETF draft writes them."""

from __future__ import annotations

import pytest

from infra.web.rate_fields import RatePolicy, RateState, rate_headers

BURST = RatePolicy("burst", 100, 1)
HOURLY = RatePolicy("hourly", 5_000, 3_600)


def test_policies_and_what_is_left_are_written_in_order() -> None:
    headers = rate_headers([RateState(BURST, 50, 1), RateState(HOURLY, 4_000, 1_800)])

    assert headers == [
        (b"ratelimit-policy", b'"burst";q=100;w=1, "hourly";q=5000;w=3600'),
        (b"ratelimit", b'"burst";r=50;t=1, "hourly";r=4000;t=1800'),
    ]


def test_numbers_stay_within_structured_field_integers() -> None:
    headers = rate_headers([RateState(RatePolicy("p", 10**18, 60), -5, 30)])

    assert headers == [
        (b"ratelimit-policy", b'"p";q=999999999999999;w=60'),
        (b"ratelimit", b'"p";r=0;t=30'),
    ]


def test_no_policy_writes_no_field() -> None:
    assert rate_headers([]) == []


@pytest.mark.parametrize("name", ["", 'a"b', "a\r\nb", "\u00e9", "a" * 65])
def test_name_that_could_break_the_field_is_a_mistake(name: str) -> None:
    with pytest.raises(ValueError, match="policy name"):
        rate_headers([RateState(RatePolicy(name, 1, 1), 1, 1)])
