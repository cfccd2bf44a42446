"""Which update goes first, when a channel takes only a few."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.retail.inventory.risk import RiskQueue, risk


def test_sold_out_but_shown_goes_before_nearly_sold_out_before_plenty() -> None:
    sold_out, nearly, some, missed_sale, plenty = (
        risk(0, 1),
        risk(2, 5),
        risk(90, 100),
        risk(3, 0),
        risk(400, 380),
    )

    assert sold_out < nearly < some < missed_sale < plenty


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 500))
def test_showing_more_too_much_is_never_less_urgent(target: int, shown: int, more: int) -> None:
    too_much = target + shown

    assert risk(target, too_much + more) <= risk(target, too_much)


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 100, allow_nan=False))))
def test_every_article_is_taken_once_the_riskiest_first(told: list[tuple[int, float]]) -> None:
    queue: RiskQueue[int] = RiskQueue()
    for article, rank in told:
        queue.put(article, rank)
    best = {article: min(r for a, r in told if a == article) for article, _ in told}

    taken = [queue.take() for _ in range(len(best))]

    assert queue.take() is None
    assert {each for each in taken if each is not None} == set(best)
    assert [best[each] for each in taken if each is not None] == sorted(best.values())


def test_a_risk_that_rises_moves_an_article_forward_and_one_that_falls_does_not_repeat_it() -> None:
    queue: RiskQueue[str] = RiskQueue()
    queue.put("jacket", 9.0)
    queue.put("scarf", 5.0)
    queue.put("jacket", 0.0)
    queue.put("scarf", 7.0)

    assert [queue.take(), queue.take(), queue.take()] == ["jacket", "scarf", None]
    assert len(queue) == 0
