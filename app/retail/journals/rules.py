"""What one legal entity says about its books: its accounts, its days, its tills, its policies."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.retail.journals.templates import ROLES
from connectors.canonical.business_day import TradingDay
from connectors.canonical.settlement import Category

LineKind = Literal["gift_card_sold", "tip", "deposit"]
Grouping = Literal["store_day", "channel_day"]
# Source of the defaults: rules of sales audit, USD 5 or 0.1 % of a tender, 5 minutes of clock skew.
OVER_SHORT = Decimal(5)
OVER_SHORT_SHARE = Decimal("0.001")


def _zone_known(name: str) -> str:
    if name and name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone; write one like America/New_York")
    return name


class _Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tills(_Rules):
    """How the tills number their tickets; `first` is the first number of a day, if that is known.

    `highest` is the number after which a till counts from `first` (or 1) again, such as 9999.
    """

    restart_daily: bool = False
    per_operator: bool = False
    first: int | None = None
    highest: int | None = Field(default=None, gt=0)


class Audit(_Rules):
    """How far a day may be off before somebody has to say that it is all right."""

    over_short: Decimal = OVER_SHORT
    over_short_share: Decimal = OVER_SHORT_SHARE
    unmapped_share: Decimal = Decimal("0.001")
    clock_skew_h: int = Field(default=24, gt=0)


class PostingRules(_Rules):
    """The rules of one entity, as data; every part has a default but the accounts.

    `accounts`: role, or `role/detail`, -> account of the ledger (`tender_clearing/cash: "1010"`).
    `lines`: article, or title, -> what it is when it is no goods; an end of `*` means "begins with".
    `departments`: article -> department. `places`: `connection/store` -> place, when two systems
    number their stores alike. `closed_until`: the last day that the ERP takes nothing for any more.
    `settlement_words`: `channel/type/description` -> category, for words that a person decided.
    `settled_by`: connection -> the channel whose settlements pay for what it sells.
    """

    entity: str = "main"
    accounts: dict[str, str] = Field(default_factory=dict)
    grouping: Grouping = "store_day"
    discounts: Literal["net", "shown"] = "net"
    marketplace_tax: Literal["not_posted", "in_and_out"] = "not_posted"
    lines: dict[str, LineKind] = Field(default_factory=dict)
    departments: dict[str, str] = Field(default_factory=dict)
    places: dict[str, str] = Field(default_factory=dict)
    timezone: Annotated[str, AfterValidator(_zone_known)] = ""
    cut: time = time(4)
    tills: Tills = Tills()
    audit: Audit = Audit()
    closed_until: date | None = None
    settlement_words: dict[str, Category] = Field(default_factory=dict)
    settled_by: dict[str, str] = Field(default_factory=dict)

    def account_of(self, role: str, detail: str) -> str | None:
        """Give the account of a role: the one for just this detail, or the one for all of them."""
        return self.accounts.get(f"{role}/{detail}") or self.accounts.get(role)

    def suggestion(self, role: str) -> str | None:
        """Give an account that another detail of the role has, for a person to confirm."""
        near = (name for name in sorted(self.accounts) if name.startswith(f"{role}/"))
        return next((self.accounts[name] for name in near), None)

    def unknown_roles(self) -> list[str]:
        """Name the accounts whose role does not exist: a typing error must not go unnoticed."""
        return sorted(name for name in self.accounts if name.split("/", 1)[0] not in ROLES)

    def trading_day(self, timezone: str) -> TradingDay:
        """Give when days begin, in the entity's zone or else in the retailer's."""
        return TradingDay(self.timezone or timezone, self.cut)
