"""Why something did not go through, in eight classes, and what follows: who acts, which schedule.

One row is one rule; a manifest's own rows (`[[errors]]`) win over the rows for all connectors here.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ErrorClass = Literal[
    "transient",  # a passing trouble of the other side or of the line
    "rate",  # more calls than the other side allows
    "auth",  # the credential or a right is gone, or was never given
    "data",  # this record's content
    "dependency",  # something else must come first
    "duplicate",  # known already, or known under the same number with other content
    "contract",  # what both sides agreed on: addresses, settings, versions, shapes
    "unknown",  # nobody can tell whether the target acted
]
WhoActs = Literal["nobody", "retailer", "partner", "operator", "connector_maintainer"]
OutcomeName = Literal[
    "Duplicate", "RetryLater", "Rejected", "NotYet", "AuthorizationLost", "Unknown"
]
# `none` holds at once; `paused` waits as told and counts nothing; `parked` looks every minute until
# its clock ends; `owner` looks once an hour; the others are schedules that get used up.
ScheduleName = Literal[
    "none", "paused", "parked", "owner", "critical", "standard", "bulk", "long"
]  # fmt: skip
BY_FLOW = "by_flow"  # the schedule of the flow's class of priority

HORIZON_MAX_H = 336.0  # 14 days: what is not through by then needs a person


class ErrorRule(BaseModel):
    """One row: which answers it is about, and what they mean.

    `code` is a whole code (`target.busy`) or a prefix that ends with its point (`settings.`). What is
    left out fits everything; at least one of code, status and outcome must be named. `horizon_h`
    stretches or cuts the schedule, in hours. `runbook` is a page of docs/runbooks without its ending.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    code: str = Field(default="", pattern=r"^([a-z_]+\.([a-z_]+)?)?$")
    status: int | None = Field(default=None, ge=100, le=599)
    outcome: OutcomeName | None = None
    error_class: ErrorClass = Field(validation_alias="class")
    schedule: ScheduleName | Literal["by_flow"] | None = None
    horizon_h: float | None = Field(default=None, gt=0, le=HORIZON_MAX_H)
    who: WhoActs | None = None
    runbook: str = Field(default="", pattern=r"^[a-z-]*$")

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if not self.code and self.status is None and self.outcome is None:
            raise ValueError("name a code, a status or an outcome")
        return self

    def fits(self, outcome: str, code: str, status: int | None) -> bool:
        """Say whether an answer is what this rule is about."""
        if self.outcome is not None and self.outcome != outcome:
            return False
        if self.status is not None and self.status != status:
            return False
        return not self.code or self.fits_code(code)

    def fits_code(self, code: str) -> bool:
        """Say whether the rule names a code, whole or by its area."""
        if not self.code:
            return False
        return code.startswith(self.code) if self.code.endswith(".") else code == self.code

    @property
    def precision(self) -> tuple[bool, int, bool, bool]:
        """Rank rules: a whole code before an area, before a status, before a kind of outcome."""
        is_whole = bool(self.code) and not self.code.endswith(".")
        return is_whole, len(self.code), self.status is not None, self.outcome is not None


def _codes(
    error_class: ErrorClass, who: WhoActs, codes: str, runbook: str = ""
) -> tuple[ErrorRule, ...]:
    return tuple(
        ErrorRule(code=code, error_class=error_class, who=who, runbook=runbook)
        for code in codes.split()
    )


def _statuses(error_class: ErrorClass, who: WhoActs, *statuses: int) -> tuple[ErrorRule, ...]:
    return tuple(ErrorRule(status=status, error_class=error_class, who=who) for status in statuses)


# What any connector may answer or hold with. Who acts: a retailer changes records and credentials, a
# partner sets connections up, a maintainer repairs connectors.
SHARED_RULES: tuple[ErrorRule, ...] = (
    ErrorRule(outcome="Duplicate", error_class="duplicate", who="nobody"),
    ErrorRule(
        outcome="RetryLater",
        error_class="transient",
        schedule="by_flow",
        who="nobody",
        runbook="breaker-open",
    ),
    ErrorRule(
        outcome="Rejected",
        error_class="data",
        schedule="none",
        who="retailer",
        runbook="held-records",
    ),
    ErrorRule(outcome="NotYet", error_class="dependency", schedule="parked", who="nobody"),
    ErrorRule(
        outcome="AuthorizationLost",
        error_class="auth",
        schedule="owner",
        who="retailer",
        runbook="authorization-lost",
    ),
    ErrorRule(
        outcome="Unknown",
        error_class="unknown",
        schedule="by_flow",
        who="operator",
        runbook="held-records",
    ),
    *_statuses("auth", "retailer", 401, 402, 403, 407, 423),
    *_statuses("transient", "nobody", 408, 425, 500, 502, 503, 504),
    *_statuses("contract", "partner", 301, 302, 303, 307, 308, 404, 405, 410),
    *_statuses("contract", "connector_maintainer", 406, 411, 415, 426, 501, 505),
    *_statuses("duplicate", "nobody", 409),
    *_statuses("data", "retailer", 400, 413, 422),
    *_statuses("dependency", "nobody", 424),
    *_statuses("rate", "nobody", 429),
    *_codes("rate", "nobody", "target.throttled target.too_fast"),
    *_codes(
        "transient",
        "nobody",
        "target.busy target.contended target.error target.gateway target.locked target.no_answer"
        " target.unavailable target.unreachable target.unreadable",
        "breaker-open",
    ),
    *_codes("auth", "retailer", "target.authorization_lost auth.", "authorization-lost"),
    *_codes("data", "retailer", "target.refused target.error_in_answer target.ambiguous"),
    *_codes("contract", "partner", "target.gone target.redirect target.not_found target.tls"),
    *_codes("unknown", "operator", "target.answer_lost"),
    *_codes("dependency", "nobody", "target.not_yet"),
    *_codes("contract", "partner", "settings. currency.differs currency.missing tax.differs"),
    *_codes("contract", "partner", "location. tender. time.zone_missing time.zone_unknown"),
    *_codes("contract", "partner", "contract. event.type_unknown event.no_order action.unknown"),
    *_codes("contract", "partner", "file. poslog. xml. csv. connection.shop_differs"),
    *_codes("contract", "connector_maintainer", "connector.fault"),
    *_codes("duplicate", "retailer", "record.content_changed ticket.number_reused"),
    *_codes("duplicate", "operator", "idempotency.key_reused"),
    *_codes("data", "retailer", "payload. number. text. amount. quantity. currency.unknown time."),
    *_codes("data", "retailer", "order. ticket. price. sku. pci. stock.not_stocked"),
)
