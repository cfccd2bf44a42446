"""The shape of a configuration file: partners, their retailers, connections and flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from app.connections.directory import ConnectionState
from infra.errors import Unprocessable
from tenants.naming import check_currency, check_name, check_slug, check_timezone

Settings = dict[str, JsonValue]


def _by(rule: Callable[[str], str]) -> AfterValidator:
    """Let a rule of the directory speak at the place in the file where it is broken."""

    def check(text: str) -> str:
        try:
            return rule(text)
        except Unprocessable as refusal:
            raise ValueError(refusal.detail) from None

    return AfterValidator(check)


Slug = Annotated[str, _by(check_slug)]
Name = Annotated[str, _by(check_name)]
Timezone = Annotated[str, _by(check_timezone)]
Currency = Annotated[str, _by(check_currency)]
# Names of connections and flows within one retailer; they stand in commands and file names.
Label = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


def _refuse_repeats(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {what} {name} is written twice")
        seen.add(name)


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )


class SecretReference(_Part):
    """Where a credential is to be read: an environment variable, or a file beside this one.

    Credentials themselves never stand in the file.
    """

    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("write either {env: NAME} or {file: path}")
        return self


class ConnectionEntry(_Part):
    """One system of a retailer; `hook: true` gives it an address to send webhooks to."""

    name: Label
    connector: str
    title: str = ""
    settings: Settings = Field(default_factory=dict)
    secrets: dict[str, SecretReference] = Field(default_factory=dict)
    hook: bool = False
    state: ConnectionState = "active"


class FlowEntry(_Part):
    """One installed blueprint between two connections, by their names.

    `overrides` that are not written stay as they were published.
    """

    name: Label
    blueprint: str
    source: Label = Field(alias="from")
    target: Label = Field(alias="to")
    settings: Settings = Field(default_factory=dict)
    action: str = ""
    enabled: bool = True
    overrides: tuple[Settings, ...] | None = None


class RetailerEntry(_Part):
    """One retailer; `timezone` is where its business days begin and end."""

    slug: Slug
    name: Name
    timezone: Timezone = "UTC"
    currency: Currency = "USD"
    connections: tuple[ConnectionEntry, ...] = ()
    flows: tuple[FlowEntry, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        _refuse_repeats("connection", (each.name for each in self.connections))
        _refuse_repeats("flow", (each.name for each in self.flows))
        known = {each.name for each in self.connections}
        for flow in self.flows:
            if missing := {flow.source, flow.target} - known:
                raise ValueError(
                    f"the flow {flow.name} names {' and '.join(sorted(missing))},"
                    " which is no connection of this retailer"
                )
        return self

    def connector_of(self, connection: str) -> str:
        """Name the software of one of this retailer's connections."""
        return next(each.connector for each in self.connections if each.name == connection)


class PartnerEntry(_Part):
    """One partner with its retailers; a brand that is not written stays as it is."""

    slug: Slug
    name: Name
    brand: dict[str, str] | None = None
    retailers: tuple[RetailerEntry, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        _refuse_repeats("retailer", (each.slug for each in self.retailers))
        return self


class Document(_Part):
    """A whole configuration file. What it does not name is left as it is."""

    partners: tuple[PartnerEntry, ...] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        _refuse_repeats("partner", (each.slug for each in self.partners))
        return self
