"""Checks on sending: every answer of a target becomes the outcome that keeps the book right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from connectors.lab.findings import DoesNotApply, Fails, Finding, Holds, verdict
from connectors.lab.samples import sample
from connectors.lab.scripted import Scripted, answered
from connectors.lab.subject import Rehearsal, Subject
from connectors.sdk.connector import Dispatch
from connectors.sdk.outcome import (
    AuthorizationLost,
    Delivered,
    Duplicate,
    Outcome,
    Rejected,
    RetryLater,
    Unknown,
)
from connectors.sdk.transport import Answer, AnswerLost, Call, NotSent, Transport

EFFECT_KEY = "c0ffee00c0ffee00c0ffee00c0ffee00"
TRACE_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
WAIT_S = 7.0

_Plan = Answer | NotSent | AnswerLost
_Right = Callable[[Outcome, Scripted], bool]
# Any of the ways in which systems say "no" inside a 200.
_ERROR_IN_200 = (
    b'{"error":"nope","errors":[{"message":"nope","code":"NOPE"}],"ok":false,"success":false}'
)


def throttling_waits(subject: Subject) -> Finding:
    """429 with Retry-After waits as long as the target asked."""
    plan = answered(429, retry_after="7")
    return _outcomes(
        subject, plan, lambda got, _: isinstance(got, RetryLater) and got.after_s == WAIT_S
    )


def odd_waits_are_harmless(subject: Subject) -> Finding:
    """429 with a Retry-After that is nonsense still waits."""
    plan = answered(429, retry_after="soon, \u00e9 -1 1e400")
    return _outcomes(subject, plan, lambda got, _: isinstance(got, RetryLater))


def outages_wait(subject: Subject) -> Finding:
    """503 is sent again later, never given up and never counted as done."""
    return _outcomes(subject, answered(503), lambda got, _: isinstance(got, RetryLater))


def server_faults_wait(subject: Subject) -> Finding:
    """500 is sent again later, or cleared up first."""
    return _outcomes(subject, answered(500), lambda got, _: isinstance(got, RetryLater | Unknown))


def lost_rights_stop(subject: Subject) -> Finding:
    """401 stops the connection instead of burning every record's schedule."""
    return _outcomes(subject, answered(401), lambda got, _: isinstance(got, AuthorizationLost))


def refusals_are_final(subject: Subject) -> Finding:
    """400 is a matter for a person; a repeat would not help."""
    plan = answered(400, b'{"message":"no"}')
    return _outcomes(subject, plan, lambda got, _: isinstance(got, Rejected))


def lost_answers_are_unknown(subject: Subject) -> Finding:
    """A lost answer to a change is unknown; only a lost question may simply be asked again."""
    return _outcomes(subject, AnswerLost("Lost."), _is_unknown)


def unsent_calls_wait(subject: Subject) -> Finding:
    """A call that never left is sent again."""
    plan = NotSent("target.unreachable", "Unreachable.", 3.0)
    return _outcomes(subject, plan, lambda got, _: isinstance(got, RetryLater))


def errors_in_200_are_seen(subject: Subject) -> Finding:
    """200 with an error inside is not taken for done (BI-126)."""
    return _outcomes(subject, answered(200, _ERROR_IN_200), lambda got, _: not _is_done(got))


def pages_in_200_are_seen(subject: Subject) -> Finding:
    """200 with a page instead of an answer (a log-in, a proxy) is not taken for done."""
    plan = answered(200, b"<html><body>Please log in</body></html>")
    return _outcomes(subject, plan, lambda got, _: not _is_done(got))


def keys_are_handed_on(subject: Subject) -> Finding:
    """With native keys the effect key is in every changing call, and repeats are byte-equal."""
    if not any(action.keys == "native" for action in subject.manifest.actions):
        return DoesNotApply("no action has native keys")
    return verdict(_key_faults(subject))


def unknown_actions_are_refused(subject: Subject) -> Finding:
    """An action that the manifest does not know is not done as another."""
    if not subject.manifest.actions:
        return DoesNotApply("it is no target")
    event = sample(subject.manifest.actions[0].events[0])
    target = Scripted(answered(200))
    try:
        got = asyncio.run(subject.connector.send(Dispatch("lab_never", event, EFFECT_KEY), target))
    except KeyError:
        return Holds()  # The engine turns it into `connector.fault`: refused, and nothing was sent.
    return verdict([] if isinstance(got, Rejected) and not target.calls else [f"it gave {got}"])


def repeats_have_one_effect(subject: Subject) -> Finding:
    """The same delivery twice, and once more after a lost answer, is done once."""
    if not subject.manifest.actions:
        return DoesNotApply("it is no target")
    if subject.rehearse is None:
        return DoesNotApply("its emulator offers no rehearse()")
    return verdict(_repeat_faults(subject, subject.rehearse))


def _outcomes(subject: Subject, plan: _Plan, is_right: _Right) -> Finding:
    """Send every sample event of every action at one planned answer and judge each outcome."""
    if not subject.manifest.actions:
        return DoesNotApply("it is no target")
    for dispatch in _dispatches(subject):
        target = Scripted(plan)
        got = asyncio.run(_sent(subject, dispatch, target))
        name = f"{dispatch.action} of {dispatch.event.type}"
        if not target.calls:
            return Fails(f"{name} sends nothing ({_shown(got)}); give its settings in send.json")
        if not is_right(got, target):
            return Fails(f"{name} gave {_shown(got)}")
    return Holds()


def _dispatches(subject: Subject) -> Iterator[Dispatch]:
    shared = subject.send_settings.get("*", {})
    for action in subject.manifest.actions:
        settings = shared | subject.send_settings.get(action.name, {})
        for event_type in action.events:
            event = sample(event_type)
            yield Dispatch(action.name, event, EFFECT_KEY, settings, 1, TRACE_PARENT)


async def _sent(subject: Subject, dispatch: Dispatch, transport: Transport) -> Outcome:
    """Send as the engine does: what a transport raises through is its outcome."""
    try:
        return await subject.connector.send(dispatch, transport)
    except NotSent as fault:
        return RetryLater(fault.code, fault.words, fault.after_s)
    except AnswerLost as fault:
        return Unknown(fault.words)


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, Delivered | Duplicate)


def _is_unknown(outcome: Outcome, target: Scripted) -> bool:
    if isinstance(outcome, Unknown):
        return True
    return isinstance(outcome, RetryLater) and _is_question(target.calls[-1])


def _is_question(call: Call) -> bool:
    is_graphql_query = b'"query":"query' in call.body.replace(b"\\n", b"")
    return call.method in {"GET", "HEAD"} or is_graphql_query


def _key_faults(subject: Subject) -> Iterator[str]:
    for dispatch in _dispatches(subject):
        action = subject.manifest.action(dispatch.action)
        first, second = Scripted(answered(503)), Scripted(answered(503))
        for target in (first, second):
            asyncio.run(_sent(subject, dispatch, target))
        if action is None or action.keys != "native":
            continue
        if not first.calls:
            yield f"{dispatch.action} sends nothing; give its settings in send.json"
        changing = [call for call in first.calls if not _is_question(call)]
        if first.calls != second.calls:
            yield f"{dispatch.action} is not sent again as it was"
        if any(EFFECT_KEY not in f"{dict(call.headers)}{call.body!r}" for call in changing):
            yield f"{dispatch.action} is sent without its key"


def _repeat_faults(subject: Subject, rehearse: Callable[[], Rehearsal]) -> Iterator[str]:
    for dispatch in _dispatches(subject):
        target = rehearse()
        target.lose_answers(lost=True)
        lost = asyncio.run(_sent(subject, dispatch, target))
        target.lose_answers(lost=False)
        repeats = [asyncio.run(_sent(subject, dispatch, target)) for _ in range(2)]
        name = f"{dispatch.action} of {dispatch.event.type}"
        if _is_done(lost):
            yield f"{name}: a lost answer counts as done"
        if not all(_is_done(outcome) for outcome in repeats):
            yield f"{name}: repeats gave {[_shown(outcome) for outcome in repeats]}"
        if target.effects() != 1:
            yield f"{name}: three sendings had {target.effects()} effects"


def _shown(outcome: Outcome) -> str:
    return f"{type(outcome).__name__}({getattr(outcome, 'code', '')})"
