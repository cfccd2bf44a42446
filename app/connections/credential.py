"""Which budget a call counts against: the vendor counts by credential, whatever connection uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.connections.budget import Allowance, BudgetKey
from app.connections.directory import BookedConnection
from connectors.registry import manifest
from connectors.sdk.manifest import Auth, AuthScheme
from infra.errors import FieldError, PlatformError, Unprocessable
from infra.keys.vault import SealBroken

SETTING = "budget"

_CARRIED: dict[AuthScheme, tuple[str, ...]] = {"none": (), "basic": ("username", "password")}


class WantedBudget(BaseModel):
    """A retailer's own plan with a vendor, as its setting `budget` says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    rate_per_s: float = Field(gt=0, le=100_000, allow_inf_nan=False)
    burst: float = Field(ge=1, le=10_000_000, allow_inf_nan=False)
    parallel: int | None = Field(default=None, ge=1, le=1_000)


def check_budget(settings: Mapping[str, Any]) -> None:
    """Refuse a setting `budget` that is none; raises Unprocessable naming the field."""
    if SETTING not in settings:
        return
    try:
        WantedBudget.model_validate(settings[SETTING])
    except ValidationError as fault:
        words = "A budget has rate_per_s (calls per second, above 0) and burst (calls, at least 1)."
        errors = [
            FieldError(
                "/".join(("/settings", SETTING, *map(str, each["loc"]))),
                "connection.budget_invalid",
                words,
            )
            for each in fault.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Unprocessable(words, code="connection.budget_invalid", errors=errors) from None


def budget_key(booked: BookedConnection, bucket: str) -> BudgetKey:
    """Name the budget: by a digest of connector, host and credential, or by the connection itself.

    The digest is under a key of the retailer, so that a copy of the database tells nothing.
    """
    config = booked.config
    auth = manifest(config.connector).auth
    try:
        digest = booked.secrets.digest(fields_of(auth), config.connector)
    except (SealBroken, PlatformError):
        digest = None  # the call itself says what is wrong with the credential
    return BudgetKey(config.tenant_id, digest or config.id.bytes, bucket)


def allowance_of(booked: BookedConnection, bucket: str) -> Allowance:
    """Give what is declared for a bucket: by the connection's own setting, else by the manifest."""
    quota = manifest(booked.config.connector).quota_of(bucket)
    own = booked.config.settings.get(SETTING)
    if own is None or quota.name:
        return Allowance(quota.rate_per_s, quota.burst, quota.parallel)
    try:
        wanted = WantedBudget.model_validate(own)
    except ValidationError:
        return Allowance(quota.rate_per_s, quota.burst, quota.parallel)
    return Allowance(wanted.rate_per_s, wanted.burst, wanted.parallel or quota.parallel)


def bucket_of(booked: BookedConnection, named: str) -> str:
    """Give the name of the bucket behind what a call names: the quota's own, or its operation's."""
    return manifest(booked.config.connector).quota_of(named).name


def fields_of(auth: Auth) -> tuple[str, ...]:
    """Name the credentials that calls to a system carry."""
    return _CARRIED.get(auth.scheme, (auth.field,))
