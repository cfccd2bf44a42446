"""Whether a blueprint fits two systems, and which of the target's actions it then uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.flows.blueprints import Blueprint, Role
from connectors.sdk.manifest import Action, Manifest
from infra.errors import Unprocessable


@dataclass(frozen=True, slots=True)
class Fit:
    """How a blueprint is carried out: the events that take part, and the action at the target."""

    event_types: tuple[str, ...]
    action: str


def fit(blueprint: Blueprint, source: Manifest, target: Manifest, action: str = "") -> Fit:
    """Match a blueprint with a source and a target; `action` picks one where several would do.

    Raises Unprocessable with the rule that is broken and what would fit.
    """
    _check_role(blueprint, source, blueprint.source_roles, "from")
    _check_role(blueprint, target, blueprint.target_roles, "to")
    purpose, told = blueprint.event_types[0], _told_by(source)
    if purpose not in told:
        raise _unfit(f"{source.title} does not tell {purpose}, which {blueprint.name} is for.")
    chosen = _chosen(blueprint, target, action)
    _check_keys(blueprint, target, chosen)
    events = [e for e in blueprint.event_types if e in told and e in chosen.events]
    return Fit(tuple(events), chosen.name)


def _check_role(
    blueprint: Blueprint, system: Manifest, roles: Sequence[Role], direction: str
) -> None:
    if "any" not in system.roles and not set(system.roles) & set(roles):
        raise _unfit(
            f"{blueprint.name} goes {direction} a system of the kind {' or '.join(roles)};"
            f" {system.title} is {' and '.join(system.roles)}."
        )


def _told_by(source: Manifest) -> frozenset[str]:
    return frozenset(source.reads).union(*(stream.events for stream in source.streams))


def _chosen(blueprint: Blueprint, target: Manifest, action: str) -> Action:
    purpose = blueprint.event_types[0]
    able = [each for each in target.actions if purpose in each.events]
    wanted = [each for each in able if each.name == action] if action else able
    if len(wanted) == 1:
        return wanted[0]
    listed = ", ".join(each.name for each in able)
    if not able:
        raise _unfit(f"{target.title} has no action that takes {purpose}.")
    raise _unfit(f"Name the action of {target.title} to use for {purpose}: one of {listed}.")


def _check_keys(blueprint: Blueprint, target: Manifest, action: Action) -> None:
    # Without keys a repeat after a lost answer would be a second order; a value set twice is not.
    if action.keys == "none" and blueprint.ordering != "latest_wins":
        raise _unfit(
            f"{action.name} of {target.title} cannot recognise a repeat, so {blueprint.name} could"
            " book the same thing twice. Choose a target that can."
        )


def _unfit(words: str) -> Unprocessable:
    return Unprocessable(words, code="flow.does_not_fit")
