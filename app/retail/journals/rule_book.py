"""The posting rules of a retailer: the newest version counts, the earlier ones stay readable."""

from __future__ import annotations

from app.retail.journals.post import Books, finish_drafts
from app.retail.journals.rules import PostingRules
from connectors.canonical.business_day import TradingDay
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import PlatformError
from infra.keys.vault import Vault
from tenants.audit import record

_NEWEST = (
    "select content::text from posting_rules where tenant_id = $1 order by version desc limit 1"
)
_PUBLISH = """
insert into posting_rules (tenant_id, version, content, published_by)
select $1, coalesce(max(version), 0) + 1, $2::jsonb, $3 from posting_rules where tenant_id = $1
returning version
"""


async def read_rules(session: Session, scope: TenantScope) -> PostingRules:
    """Give the rules in force; the defaults, which know no account, when none were published."""
    text = await session.fetch_value(_NEWEST, scope.tenant_id)
    return PostingRules.model_validate_json(text) if text else PostingRules()


async def trading_day(session: Session, scope: TenantScope, rules: PostingRules) -> TradingDay:
    """Give when the retailer's business days begin, where the source does not say."""
    zone = await session.fetch_value("select timezone from tenant where id = $1", scope.tenant_id)
    return rules.trading_day(zone or "UTC")


async def publish_rules(
    scope: TenantScope, database: Database, vault: Vault, rules: PostingRules
) -> tuple[int, int]:
    """Publish rules as the next version; gives its number and how many drafts are complete with it.

    Sale records that are there already keep their facts; accounts count from the next journal on,
    and for the drafts that waited for one. Raises PlatformError.
    """
    unknown = rules.unknown_roles()
    if unknown:
        raise PlatformError(
            f"There is no role {', '.join(unknown)}. Look up the roles in the guide and correct it.",
            code="journal.role_unknown",
        )
    sealing = await vault.current(scope.tenant_id)
    async with begin(scope, database) as session:
        version: int = await session.fetch_value(
            _PUBLISH, scope.tenant_id, rules.model_dump_json(), scope.actor
        )
        finished = await finish_drafts(session, scope.tenant_id, Books(rules, sealing))
        await record(
            session,
            "journals.publish_rules",
            f"posting_rules:{version}",
            {"version": version, "drafts_finished": finished},
        )
    return version, finished
