"""What a retailer changes of a flow's mapping: an ordered list of rules on the canonical event.

A rule names a field by its path (see `paths.py`) and gives its value: a constant, an entry of a lookup
table under the present value, or a CEL expression. Later rules see what earlier ones wrote. What comes
out must be within the event's contract, and be the same fact about the same object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.flows.contract import Broken, within_contract
from app.flows.expressions import Expression, ExpressionFault, WorkLeft
from app.flows.paths import Place, Steps, bodies_of, fits_body, places, read_path
from connectors.canonical.event import BODIES, Body, Event, encode
from infra.errors import FieldError, Unprocessable

MOST_RULES = 100
TABLE_MAX = 5_000
RULES_MAX_BYTES = 262_144
_TEXT_MAX = 500
INVALID = "mapping.invalid"

_Text = Annotated[str, Field(max_length=_TEXT_MAX)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: Annotated[str, Field(min_length=1, max_length=200)]
    # Only where this CEL condition is true.
    when: str = ""
    note: _Text = ""


class ConstantRule(_Rule):
    """Write the same value into every field that the path names."""

    kind: Literal["constant"]
    value: Any = None


class LookupRule(_Rule):
    """Replace the present value by its entry in a table; `otherwise` says what happens without one."""

    kind: Literal["lookup"]
    table: dict[_Text, _Text] = Field(min_length=1, max_length=TABLE_MAX)
    otherwise: Literal["hold", "keep"] = "hold"


class CelRule(_Rule):
    """Write what a CEL expression over `head`, `body`, `item` and `value` gives."""

    kind: Literal["cel"]
    expression: Annotated[str, Field(min_length=1)]


Rule = Annotated[ConstantRule | LookupRule | CelRule, Field(discriminator="kind")]
_RULES: TypeAdapter[list[Rule]] = TypeAdapter(list[Rule])


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the rules cannot be applied to an event: code, JSON pointer into the event, words."""

    code: Literal["mapping.fault", "mapping.no_match", "identity.no_name", "identity.undecided"]
    pointer: str
    words: str


class _Stopped(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.words)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Compiled:
    number: int
    rule: ConstantRule | LookupRule | CelRule
    steps: Steps
    when: Expression | None
    expression: Expression | None
    bodies: frozenset[type[Body]]


@dataclass(frozen=True, slots=True)
class Overrides:
    """Checked rules, ready to be applied; `NO_OVERRIDES` costs nothing."""

    rules: tuple[_Compiled, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is any rule."""
        return bool(self.rules)


NO_OVERRIDES = Overrides()


def compile_overrides(
    written: Sequence[Mapping[str, Any]], event_types: Sequence[str]
) -> Overrides:
    """Check rules as they are written for a flow of these events; raises Unprocessable.

    The refusal names each rule that is wrong by its JSON pointer (`/overrides/0/path`).
    """
    if not written:
        return NO_OVERRIDES
    if len(written) > MOST_RULES:
        raise _refused([_error(None, "", f"A flow has at most {MOST_RULES} rules.")])
    if len(json.dumps(written, default=str)) > RULES_MAX_BYTES:
        raise _refused([_error(None, "", "The rules of a flow have at most 256 kB.")])
    bodies = bodies_of(tuple(event_types))
    errors: list[FieldError] = []
    compiled = []
    for number, rule in enumerate(_read(written)):
        try:
            compiled.append(_compiled(number, rule, bodies))
        except _Unfit as unfit:
            errors.append(unfit.error)
    if errors:
        raise _refused(errors)
    return Overrides(tuple(compiled))


def apply_overrides(event: Event, overrides: Overrides) -> Event | Fault:
    """Give the event as the rules change it, or why they cannot; the event itself is not touched.

    Pure, and bounded: at most about 0.1 s of computation in expressions.
    """
    body = BODIES[event.type][0]
    rules = [rule for rule in overrides.rules if body in rule.bodies]
    if not rules:
        return event
    content: dict[str, Any] = msgspec.json.decode(encode(event))
    work = WorkLeft()
    try:
        for rule in rules:
            _apply(rule, content, work)
    except _Stopped as stopped:
        return stopped.fault
    changed = within_contract(content)
    if isinstance(changed, Broken):
        return Fault(
            "mapping.fault",
            changed.pointer,
            f"What the mapping of this flow makes of the record is against its contract:"
            f" {changed.words}",
        )
    return changed


def _apply(rule: _Compiled, content: dict[str, Any], work: WorkLeft) -> None:
    for place in places(content, rule.steps):
        scope = {**content, "item": place.owner, "value": place.value}
        try:
            if rule.when is None or rule.when.is_true(scope, work):
                place.set(_value(rule, place, scope, work))
        except ExpressionFault as fault:
            words = f"Rule {rule.number + 1} of this flow's mapping failed. {fault}"
            raise _Stopped(Fault("mapping.fault", place.pointer, words)) from None


def _value(rule: _Compiled, place: Place, scope: Mapping[str, Any], work: WorkLeft) -> Any:
    match rule.rule:
        case ConstantRule(value=value):
            return value
        case LookupRule():
            return _looked_up(rule.number, rule.rule, place)
        case CelRule():
            # Compiled with the rule.
            return rule.expression.result(scope, work) if rule.expression else None


def _looked_up(number: int, rule: LookupRule, place: Place) -> Any:
    """Give the table's entry; a field that is empty has nothing to look up."""
    if place.value is None:
        return None
    known = place.value if isinstance(place.value, str) else json.dumps(place.value)
    if known in rule.table:
        return rule.table[known]
    if rule.otherwise == "keep":
        return place.value
    words = (
        f"The value of this field is not in the lookup table of rule {number + 1} of this flow's"
        " mapping. Add it there and publish the mapping, then release this record."
    )
    raise _Stopped(Fault("mapping.no_match", place.pointer, words))


class _Unfit(Exception):
    def __init__(self, number: int, field: str, words: str) -> None:
        super().__init__(words)
        self.error = _error(number, field, words)


def _read(written: Sequence[Mapping[str, Any]]) -> list[ConstantRule | LookupRule | CelRule]:
    try:
        return _RULES.validate_python(list(written))
    except ValidationError as fault:
        raise _refused([_error_of(each["loc"], each["msg"]) for each in fault.errors()]) from None


def _error_of(place: tuple[int | str, ...], words: str) -> FieldError:
    # The second part names the kind of rule, which is no part of what was written.
    number, *rest = place
    return _error(number, "/".join(map(str, rest[1:])), words)


def _compiled(
    number: int, rule: ConstantRule | LookupRule | CelRule, bodies: frozenset[type[Body]]
) -> _Compiled:
    try:
        steps = read_path(rule.path)
    except ValueError as fault:
        raise _Unfit(number, "path", str(fault)) from None
    fitting = frozenset(body for body in bodies if fits_body(steps, body))
    if not fitting:
        words = f"No event of this flow has {rule.path}. Paths are like `body.lines[*].sku`."
        raise _Unfit(number, "path", words)
    if isinstance(rule, ConstantRule):
        _refuse_fractions(number, rule.value)
    expression = rule.expression if isinstance(rule, CelRule) else ""
    return _Compiled(
        number,
        rule,
        steps,
        _expression(number, "when", rule.when),
        _expression(number, "expression", expression),
        fitting,
    )


def _expression(number: int, field: str, source: str) -> Expression | None:
    if not source:
        return None
    try:
        return Expression(source)
    except ExpressionFault as fault:
        raise _Unfit(number, field, str(fault)) from None


def _refuse_fractions(number: int, value: Any) -> None:
    if any(isinstance(each, float | Decimal) for each in _leaves(value)):
        raise _Unfit(number, "value", 'Write an amount as text (`"4.50"`), so that it is exact.')


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _error(number: object, field: str, words: str) -> FieldError:
    place = "" if number is None else f"/{number}"
    return FieldError(f"/overrides{place}{'/' + field if field else ''}", INVALID, words)


def _refused(errors: Sequence[FieldError]) -> Unprocessable:
    return Unprocessable(
        f"These rules cannot be used. {errors[0].detail}", code=INVALID, errors=tuple(errors)
    )
