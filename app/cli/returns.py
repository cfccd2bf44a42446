"""`tillwire returns`: where each return stands, whose turn it is; start one, tell, answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar, cast, get_args

import typer

from app.cli.answer import AsJson, plainly, show_json, show_rows
from app.cli.owner import SCOPE, find_retailer
from app.processes.floor import Floor, open_floor
from app.retail.returns.backlog import read_backlog
from app.retail.returns.decide import decide
from app.retail.returns.facts import Inspected, Received, Refunded
from app.retail.returns.listing import ReturnFilter, ReturnSummary, list_returns
from app.retail.returns.read import ReturnView, read_return
from app.retail.returns.start import start_return
from app.retail.returns.steps import BY_ID, StepId
from app.retail.returns.tell_by_hand import ByHand, tell_by_hand
from connectors.canonical.order import TenderKind
from connectors.canonical.returns import Disposition, PayBack, Return, ReturnKind, ReturnLine
from infra import clock
from infra.database.scope import TenantScope
from infra.errors import PlatformError
from infra.ids import Id, new_id, parse_id

STATEMENT_TIMEOUT_S = 60.0

_T = TypeVar("_T")
Act = Callable[[TenantScope, Floor], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
ReturnId = Annotated[str, typer.Argument(help="Id of the return, as the list shows it.")]
By = Annotated[str, typer.Option("--as", help="Your name, for the audit log.")]

commands = typer.Typer(
    no_args_is_help=True, help="Returns: list, show, backlog, start, tell, answer."
)


@commands.command("list")
@plainly
def list_all(
    retailer: RetailerName,
    *,
    step: Annotated[str, typer.Option(help="Only those at a step, R1 to R11.")] = "",
    is_stuck: Annotated[bool, typer.Option("--stuck", help="Only those past their time.")] = False,
    is_any: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List returns: stuck ones first, then those that wait longest."""
    if step and step not in BY_ID:
        raise PlatformError(f"There is no step {step!r}. They are R1 to R11.")
    wanted = ReturnFilter(
        only_open=not is_any, step=cast("StepId", step), is_stuck=True if is_stuck else None
    )

    async def act(scope: TenantScope, floor: Floor) -> list[ReturnSummary]:
        return await list_returns(scope, floor.database, wanted=wanted)

    show_rows("Returns", [_row(each) for each in _run(retailer, "", act)], as_json=as_json)


@commands.command("backlog")
@plainly
def backlog(retailer: RetailerName, *, as_json: AsJson = False) -> None:
    """Count open returns by step and age, with their money."""
    found = _run(retailer, "", lambda scope, floor: read_backlog(scope, floor.database))
    rows = [
        {"step": each.step, "what": each.step_title, "age": each.age, "returns": each.count,
         "stuck": each.stuck, "amount": each.amount, "currency": each.currency}
        for each in found
    ]  # fmt: skip
    show_rows("Backlog", rows, as_json=as_json)


@commands.command("show")
@plainly
def show(retailer: RetailerName, return_id: ReturnId, *, as_json: AsJson = False) -> None:
    """Show one return: its steps, its money, what is asked."""
    known = _known(return_id)
    view = _run(retailer, "", lambda scope, floor: read_return(scope, floor.database, known))
    _show(view, as_json=as_json)


@commands.command("start")
@plainly
def start(  # noqa: PLR0913 - one option for each thing that is told
    retailer: RetailerName,
    *,
    line: Annotated[list[str], typer.Option(help="order line=quantity, or sku=quantity.")],
    order: Annotated[str, typer.Option(help="Id of the order; left out without a receipt.")] = "",
    kind: Annotated[str, typer.Option(help="in_store, mail_in, ...")] = "in_store",
    currency: Annotated[str, typer.Option()] = "USD",
    location: Annotated[str, typer.Option(help="Store or warehouse.")] = "",
    by: By = "",
) -> None:
    """Start a return in a store or for a customer who asks for it."""
    return_id = new_id().hex[-12:].upper()
    request = Return(
        return_id=return_id,
        number=return_id,
        kind=_one_of(kind, ReturnKind),
        order_id=order or None,
        currency=currency,
        initiated_at=clock.now(),
        location=location or None,
        lines=tuple(_line(place, text, bool(order)) for place, text in enumerate(line, 1)),
    )

    async def act(scope: TenantScope, floor: Floor) -> Id:
        return await start_return(scope, floor.database, floor.vault, request)

    typer.echo(f"Return {return_id} began: {_run(retailer, by, act)}")


@commands.command("tell")
@plainly
def tell(
    retailer: RetailerName,
    return_id: ReturnId,
    *,
    received: Annotated[list[str] | None, typer.Option(help="line=quantity that came.")] = None,
    judged: Annotated[
        list[str] | None, typer.Option(help="line=quantity=disposition=location.")
    ] = None,
    refunded: Annotated[str, typer.Option(help="tender=amount given back by hand.")] = "",
    by: By = "",
) -> None:
    """Tell what a person saw: goods that came, how they look, money that was given back."""
    facts = [
        *(_received(text) for text in received or ()),
        *(_judged(text) for text in judged or ()),
        *([_refunded(refunded)] if refunded else []),
    ]
    known = _known(return_id)

    async def act(scope: TenantScope, floor: Floor) -> ReturnView:
        for fact in facts:
            await tell_by_hand(scope, floor.database, known, fact)
        return await read_return(scope, floor.database, known)

    _show(_run(retailer, by, act), as_json=False)


@commands.command("answer")
@plainly
def answer(  # noqa: PLR0913 - one argument for each part of an answer
    retailer: RetailerName,
    return_id: ReturnId,
    question: Annotated[str, typer.Argument()],
    choice: Annotated[str, typer.Argument()],
    *,
    subject: Annotated[str, typer.Option(help="Of several such questions.")] = "",
    remark: Annotated[str, typer.Option()] = "",
    by: By = "",
) -> None:
    """Answer what a return asks."""
    known = _known(return_id)

    async def act(scope: TenantScope, floor: Floor) -> ReturnView:
        view = await read_return(scope, floor.database, known)
        asked = [each for each in view.asked if each.question == question]
        about = subject or (asked[0].subject if len(asked) == 1 else "")
        await decide(scope, floor.database, known, (question, about), choice, remark)
        return await read_return(scope, floor.database, known)

    _show(_run(retailer, by, act), as_json=False)


def _show(view: ReturnView, *, as_json: bool) -> None:
    head = _row(view.summary)
    steps = [
        {"step": each.id, "what": each.title, "state": each.state_words,
         "asked for": "; ".join(f"{work.words} ({work.state_words})" for work in each.works)}
        for each in view.steps
    ]  # fmt: skip
    money = [
        {"tender": each.tender_id, "kind": each.kind, "paid": each.paid, "back": each.refunded}
        for each in view.money
    ]
    asked = [
        {"question": each.question, "subject": each.subject, "words": each.words,
         "choices": ", ".join(each.choices), "until": each.deadline_at}
        for each in view.asked
    ]  # fmt: skip
    if as_json:
        show_json({"return": head, "steps": steps, "money": money, "asked": asked})
        return
    show_rows("Return", [head], as_json=False)
    typer.echo(view.summary.words or view.summary.agreement_words)
    show_rows("Steps", steps, as_json=False)
    show_rows("Money", money, as_json=False)
    show_rows("Asked", asked, as_json=False)


def _row(of: ReturnSummary) -> dict[str, Any]:
    return {
        "id": of.id,
        "return": of.label,
        "status": of.status,
        "step": f"{of.step} {of.step_title}",
        "stuck": "yes" if of.is_stuck else "",
        "turn": of.who,
        "owed": of.owed,
        "back": of.refunded,
        "currency": of.currency,
        "since": of.step_since,
    }


def _line(place: int, text: str, has_order: bool) -> ReturnLine:  # noqa: FBT001 - called once
    name, quantity = _pair(text)
    return ReturnLine(
        line_id=f"r{place}",
        order_line_id=name if has_order else None,
        sku=None if has_order else name,
        requested=_number(quantity),
    )


def _received(text: str) -> ByHand:
    line_id, quantity = _pair(text)
    return Received(key=f"person:{new_id()}", at=clock.now(), lines={line_id: _number(quantity)})


def _judged(text: str) -> ByHand:
    parts = text.split("=")
    if len(parts) != len(("line", "quantity", "disposition", "location")):
        raise PlatformError(f"{text!r} is no line=quantity=disposition=location.")
    key = f"person:{new_id()}"
    return Inspected(
        key=key,
        at=clock.now(),
        inspection=key,
        line_id=parts[0],
        quantity=_number(parts[1]),
        disposition=_one_of(parts[2], Disposition),
        location=parts[3],
    )


def _refunded(text: str) -> ByHand:
    kind, amount = _pair(text)
    key = f"person:{new_id()}"
    paid = PayBack(tender_id=kind, kind=_one_of(kind, TenderKind), amount=_number(amount))
    return Refunded(key=key, at=clock.now(), paid=paid, reference=key)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.rpartition("=")
    if not mark or not name:
        raise PlatformError(f"{text!r} is no name=value, such as 1=2.")
    return name, value


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise PlatformError(f"{text!r} is no number. Write it like 2 or 120.50.") from None
    if not number.is_finite() or number <= 0:
        raise PlatformError(f"{text!r} is no number above 0.")
    return number


def _one_of(text: str, allowed: Any) -> Any:
    choices = get_args(allowed)
    if text not in choices:
        raise PlatformError(f"{text!r} is not one of: {', '.join(sorted(choices))}.")
    return text


def _known(text: str) -> Id:
    found = parse_id(text)
    if found is None:
        raise PlatformError(f"{text!r} is no id of a return. See `returns list`.")
    return found


def _run(retailer: str, by: str, act: Act[_T]) -> _T:
    async def run() -> _T:
        async with open_floor("cli", statement_timeout_s=STATEMENT_TIMEOUT_S) as floor:
            actor = f"person:{by}" if by else SCOPE.actor
            scope = TenantScope(await find_retailer(retailer, floor.database), actor)
            return await act(scope, floor)

    return asyncio.run(run())
