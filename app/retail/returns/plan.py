"""Facts in, next commands out: what is missing of each step, which step waits, how it ends.

`plan` is pure and remembers nothing. It compares what should be with what is known to be and what
was begun, so a step that a till did already is not done again, and one that was half done goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.retail.returns import goods
from app.retail.returns.bookings import points_needed, posting_needed, tellings_needed
from app.retail.returns.fold import Case
from app.retail.returns.money import Standing, standing
from app.retail.returns.payments import payments_needed
from app.retail.returns.questions import Question
from app.retail.returns.steps import BY_ID, KINDS, STEPS, End, StepId, StepState
from app.retail.returns.validate import (
    identity_question,
    is_rejected,
    is_valid,
    sale_question,
    validate_question,
)
from app.retail.returns.work import STEP_OF, Authorise, Command, Work, encode_work

# What is wanted: one piece of work for each part of a step.
Wanted = dict[tuple[StepId, str], Work]


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from the facts: work to issue and to withdraw, questions, steps, and the end.

    `current` is the first step that is not done; `breaks` name what does not agree and was accepted.
    """

    issue: tuple[tuple[StepId, str, Work], ...]
    withdraw: tuple[Command, ...]
    questions: tuple[Question, ...]
    steps: dict[StepId, StepState]
    current: StepId
    end: End | None
    breaks: tuple[str, ...]
    money: Standing


@dataclass(slots=True)
class _View:
    """A case, what was begun of it, and what its steps lack."""

    case: Case
    begun: tuple[Work, ...]
    money: Standing
    wanted: Wanted
    questions: list[Question]

    def lacks(self, step: StepId) -> bool:
        """Say whether a step still has work wanted or under way."""
        return any(each == step for each, _ in self.wanted) or any(
            STEP_OF[type(work)] == step for work in self.begun
        )

    def asks(self, step: StepId) -> bool:
        """Say whether a step waits for a person's answer."""
        return any(question.step == step for question in self.questions)


def plan(case: Case, commands: Sequence[Command]) -> Plan:
    """Decide what is to be done now; the same facts and commands always give the same plan."""
    view = _look(case, commands)
    steps = _steps(view)
    if _is_settled(view, ("R3", "R4", "R5", "R6", "R7", "R8", "R9"), steps) or is_rejected(case):
        _want(view, "R10", tellings_needed(case, view.begun))
        steps = _steps(view)
    end = _end(view, steps)
    open_steps = [step.id for step in STEPS if steps[step.id] not in {"done", "skipped"}]
    kept = [each for each in commands if each.is_unbegun]
    return Plan(
        issue=tuple(
            (step, part, work)
            for (step, part), work in view.wanted.items()
            if not any(each.part == part and each.work == work for each in kept)
        ),
        withdraw=tuple(
            each
            for each in kept
            if view.wanted.get((STEP_OF[type(each.work)], each.part)) != each.work
        ),
        questions=tuple(view.questions),
        steps=steps,
        current=open_steps[0] if open_steps else "R11",
        end=end,
        breaks=_breaks(view),
        money=view.money,
    )


def _look(case: Case, commands: Sequence[Command]) -> _View:
    begun = tuple(each.work for each in commands if each.may_have_happened)
    is_final = goods.is_received(case) and goods.is_inspected(case)
    money = standing(case, goods_are_final=is_final)
    view = _View(case, begun, money, {}, [])
    _ask(view, sale_question(case))
    if case.request is None or case.sale is None or is_rejected(case) or _is_expired(case):
        return view
    _ask(view, identity_question(case))
    _ask(view, validate_question(case), goods.missing_question(case), money.question)
    if not is_valid(case):
        return view
    if KINDS[case.request.kind].needs_rma and not case.rma and not _came_or_begun(view):
        _want(view, "R2", {"": Authorise()})
    _want(view, "R5", goods.moves_needed(case, begun))
    payments = payments_needed(case, money, begun)
    _want(view, "R7", payments.works)
    _ask(view, *payments.questions)
    # The books follow the money: nothing is reversed while a payment is open.
    if not view.lacks("R7") and not view.asks("R7"):
        _book(view)
    return view


def _book(view: _View) -> None:
    posting, refused = posting_needed(view.case, view.money, view.begun)
    points, spent = points_needed(view.case, view.money, view.begun)
    _want(view, "R8", {"": posting} if posting is not None else {})
    _want(view, "R9", {"": points} if points is not None else {})
    _ask(view, refused, spent)


def _want(view: _View, step: StepId, works: dict[str, Work]) -> None:
    """Want work done, or ask about it where nobody is connected who does it."""
    for part, work in works.items():
        question = _unserved_question(view.case, step, part, work)
        if question is None:
            view.wanted[step, part] = work
        else:
            view.questions.append(question)


def _unserved_question(case: Case, step: StepId, part: str, work: Work) -> Question | None:
    found = case.unserved.get((step, part))
    if found is None or found.work != encode_work(work):
        return None
    if ("no_system", found.command) in case.answers:
        return None
    return Question("no_system", found.command, found.words, ("done", "retry"), at=step)


def _ask(view: _View, *questions: Question | None) -> None:
    view.questions += [each for each in questions if each is not None]


def _came_or_begun(view: _View) -> bool:
    return bool(goods.came(view.case)) or any(isinstance(each, Authorise) for each in view.begun)


def _is_expired(case: Case) -> bool:
    """Say whether nothing came and nothing was paid in the time there was."""
    is_empty = not goods.came(case) and not case.refunded
    return goods.expects_goods(case) and bool(case.passed["R3"]) and is_empty


def _steps(view: _View) -> dict[StepId, StepState]:
    """Give the state of each step: asked before anything else, open once what it needs is done."""
    states: dict[StepId, StepState] = {}
    for step in STEPS:
        if view.asks(step.id):
            states[step.id] = "asked"
        elif step.id != "R11" and _DONE[step.id](view):
            states[step.id] = "skipped" if _SKIPPED[step.id](view) else "done"
        else:
            is_ready = all(states[need] in {"done", "skipped"} for need in step.needs)
            states[step.id] = "open" if is_ready else "waiting"
    if all(states[need] in {"done", "skipped"} for need in BY_ID["R11"].needs):
        states["R11"] = "done"
    return states


def _is_even(view: _View) -> bool:
    return view.case.sale is not None and view.money.is_even and _goods_done(view)


def _goods_done(view: _View) -> bool:
    return goods.is_received(view.case) and goods.is_inspected(view.case)


def _pays_elsewhere(view: _View) -> bool:
    request = view.case.request
    return request is not None and not KINDS[request.kind].we_pay


def _told_all(view: _View) -> bool:
    return not tellings_needed(view.case, ()) and view.case.request is not None


_DONE: dict[StepId, Callable[[_View], bool]] = {
    "R1": lambda view: is_valid(view.case),
    "R2": lambda view: is_valid(view.case) and not view.lacks("R2"),
    "R3": lambda view: goods.is_received(view.case),
    "R4": _goods_done,
    "R5": lambda view: is_valid(view.case) and _goods_done(view) and not view.lacks("R5"),
    "R6": lambda view: is_valid(view.case) and _goods_done(view),
    "R7": lambda view: is_valid(view.case) and _is_even(view) and not view.lacks("R7"),
    "R8": lambda view: is_valid(view.case) and _is_even(view) and not view.lacks("R8"),
    "R9": lambda view: is_valid(view.case) and _is_even(view) and not view.lacks("R9"),
    "R10": lambda view: _told_all(view) and not view.lacks("R10"),
}


def _never(_view: _View) -> bool:
    return False


_SKIPPED: dict[StepId, Callable[[_View], bool]] = {
    **dict.fromkeys(("R1", "R6", "R8", "R10"), _never),
    "R2": lambda view: not view.case.rma,
    "R3": lambda view: not goods.expects_goods(view.case),
    "R4": lambda view: not goods.expects_goods(view.case),
    "R5": lambda view: not view.case.moved,
    "R7": _pays_elsewhere,
    "R9": lambda view: not view.case.points,
}


def _is_settled(view: _View, needed: tuple[StepId, ...], steps: dict[StepId, StepState]) -> bool:
    return not view.questions and all(steps[each] in {"done", "skipped"} for each in needed)


def _breaks(view: _View) -> tuple[str, ...]:
    case = view.case
    found = [*view.money.breaks]
    if any(kind == "validate" and said == "approve" for (kind, _), said in case.answers.items()):
        found.append("approved_against_rule")
    if goods.given_up(case) is not None:
        found.append(f"goods_missing_{goods.given_up(case)}")
    if any(case.suspended.values()):
        found.append("in_suspense")
    refusal = f"refusal {len(case.point_refusals)}"
    if case.answers.get(("points_short", refusal)) == "accept":
        found.append("points_kept")
    if any(not each.is_known for each in case.told.values()):
        found.append("history_incomplete")
    return tuple(found)


def _end(view: _View, steps: dict[StepId, StepState]) -> End | None:
    """Give the end that is reached; None while anything is wanted, asked or under way."""
    if view.wanted or view.questions or view.begun or view.case.request is None:
        return None
    if is_rejected(view.case):
        return "rejected"
    if _is_expired(view.case):
        return "expired"
    if steps["R11"] != "done":
        return None
    if goods.given_up(view.case) == "write_off":
        return "written_off"
    return "closed_with_accepted_break" if _breaks(view) else "closed_complete"
