"""Take a settlement into the book: prove it, match it with what was sold, tell breaks, book it.

Taking it again, after orders came or words were decided, books only the difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from app.retail.breaks import Seen, close_breaks, close_others, see_breaks
from app.retail.journals.post import Books, JournalKey, Wanted, post_revision
from app.retail.journals.rule_book import read_rules
from app.retail.journals.rules import PostingRules
from app.retail.settlements.booking import settlement_balances
from app.retail.settlements.categories import Classified, NewPair, Pair, classify
from app.retail.settlements.expect import expected_of
from app.retail.settlements.match import DEFAULT_MATURITY_D, MATURITY_D, MatchBreak, Matched, match
from app.retail.settlements.proof import Proof, not_payable, prove
from connectors.canonical.journal import Journal
from connectors.canonical.settlement import Category, Settlement, SettlementLine, line_keys
from infra.database.pool import Database
from infra.database.scope import TenantScope
from infra.database.unit import Session, begin
from infra.errors import Conflict, Unprocessable
from infra.ids import Id, new_id
from infra.keys.vault import Vault
from tenants.audit import record

UNCLASSIFIED = "unclassified"
MATCH_BREAKS: tuple[MatchBreak, ...] = (
    "orphan_settlement", "amount_differs", "refund_differs", "fee_variance",
)  # fmt: skip
_WRITE = """
insert into settlement (tenant_id, id, channel, external_id, account, currency, period_start,
    period_end, deposited_on, opening_reserve, closing_reserve, payout, bank_reference, content_hash,
    event_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict (tenant_id, channel, account, external_id) do nothing
"""
_KNOWN = """
select id, content_hash from settlement
where tenant_id = $1 and channel = $2 and account = $3 and external_id = $4 for update
"""
_LINES = """
insert into settlement_line (tenant_id, settlement_id, line_key, posted_at, transaction_type, type,
    description, category, order_ref, line_ref, sku, quantity, amount, release)
select $1, $2, * from unnest($3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::numeric[], $13::numeric[], $14::text[])
on conflict do nothing
"""
_EARLIER = """
select l.posted_at, l.transaction_type, l.type, l.description, l.order_ref, l.amount, l.release
from settlement_line l join settlement s on s.tenant_id = l.tenant_id and s.id = l.settlement_id
where l.tenant_id = $1 and s.channel = $2 and s.account = $3 and l.settlement_id <> $4
    and l.order_ref = any ($5)
"""
_UNEXPLAINED = "update settlement set unexplained = $3 where tenant_id = $1 and id = $2"


@dataclass(frozen=True, slots=True)
class TakenSettlement:
    """What taking a settlement came to; `journal` is None when nothing was left to book."""

    id: Id
    proof: Proof
    new_pairs: tuple[NewPair, ...]
    matched: Matched
    journal: Journal | None


async def take_settlement(
    scope: TenantScope,
    database: Database,
    vault: Vault,
    settlement: Settlement,
    event_id: UUID | None = None,
) -> TakenSettlement:
    """Take one settlement; raises Unprocessable when it does not add up, Conflict when it changed.

    `event_id` is the event that told it, from which it can be taken again.
    """
    proof = proved(settlement)
    sealing = await vault.current(scope.tenant_id)
    async with begin(scope, database) as session:
        rules = await read_rules(session, scope)
        learned = _learned(settlement.channel, rules)
        classified, new_pairs = classify(settlement.channel, settlement.lines, learned)
        content = hashlib.sha256(_ENCODER.encode(settlement)).digest()
        told = _Told(settlement, content, event_id)
        settlement_id = await _write(session, scope.tenant_id, told, classified)
        orders = sorted({line.order_ref for line in settlement.lines if line.order_ref})
        earlier = await _earlier(session, scope.tenant_id, settlement, settlement_id, orders)
        all_lines = [*classified, *classify(settlement.channel, earlier, learned)[0]]
        expected = await expected_of(session, scope.tenant_id, orders)
        maturity = MATURITY_D.get(settlement.channel, DEFAULT_MATURITY_D)
        due_before = settlement.period_end.date() - timedelta(days=maturity)
        matched = match(all_lines, expected, due_before=due_before)
        orphans = {
            each.order_ref for each in matched.differences if each.kind == "orphan_settlement"
        }
        await _tell(session, scope.tenant_id, settlement, new_pairs, matched)
        decided = [_pair_name(settlement.channel, *pair) for pair in learned]
        await close_breaks(
            session, scope.tenant_id, UNCLASSIFIED, decided, "It was decided what it is."
        )
        place = f"{settlement.channel}/{settlement.settlement_id}"
        key = JournalKey("settlement", place, settlement.period_end.date(), settlement.currency)
        balances = settlement_balances(settlement, classified, orphans, rules)
        wanted = Wanted(balances, len(settlement.lines), content)
        journal = await post_revision(session, scope, key, wanted, Books(rules, sealing))
        await session.execute(_UNEXPLAINED, scope.tenant_id, settlement_id, matched.unexplained)
        await record(
            session,
            "settlements.take_settlement",
            f"settlement:{settlement_id}",
            {"lines": len(settlement.lines), "differences": len(matched.differences)},
        )
    return TakenSettlement(settlement_id, proof, tuple(new_pairs), matched, journal)


def proved(settlement: Settlement) -> Proof:
    """Refuse a settlement that cannot be whole: it is booked as a whole or not at all.

    Raises Unprocessable.
    """
    wrong = not_payable(settlement)
    if wrong:
        raise Unprocessable(
            f"Settlement {settlement.settlement_id}: {wrong[0].amount} has more decimals than"
            f" {settlement.currency}. The file was read with the wrong number format; set the"
            " marketplace of the connection and send it again.",
            code="settlement.number_format",
        )
    proof = prove(settlement)
    if not proof.is_exact:
        raise Unprocessable(
            f"Settlement {settlement.settlement_id} is not complete: its lines come to"
            f" {proof.expected} {settlement.currency}, it pays out {proof.told}. Nothing was booked."
            " Fetch the report again.",
            code="settlement.incomplete",
        )
    return proof


def _learned(channel: str, rules: PostingRules) -> Mapping[Pair, Category]:
    prefix = f"{channel}/"
    found: dict[Pair, Category] = {}
    for name, category in rules.settlement_words.items():
        if name.startswith(prefix):
            type_, _, description = name.removeprefix(prefix).partition("/")
            found[type_, description] = category
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    """A settlement, the hash of all that it says, and the event that told it."""

    settlement: Settlement
    content: bytes
    event_id: UUID | None


async def _write(session: Session, tenant_id: UUID, told: _Told, lines: Sequence[Classified]) -> Id:
    """Write a settlement with its lines, or find it; raises Conflict when it was another one."""
    settlement, content = told.settlement, told.content
    made = new_id()
    new = await session.execute(
        _WRITE, tenant_id, made, settlement.channel, settlement.settlement_id, settlement.account,
        settlement.currency, settlement.period_start, settlement.period_end,
        settlement.deposited_on, settlement.opening_reserve, settlement.closing_reserve,
        settlement.payout, settlement.bank_reference, content, told.event_id,
    )  # fmt: skip
    if not new:
        known = await session.fetch_one(
            _KNOWN, tenant_id, settlement.channel, settlement.account, settlement.settlement_id
        )
        if known is None or known["content_hash"] != content:
            raise Conflict(
                f"Settlement {settlement.settlement_id} was taken before with other content. A"
                " settlement never changes; compare both files and keep the right one.",
                code="settlement.changed",
            )
        return UUID(str(known["id"]))
    rows = [
        (
            key, each.line.posted_at, each.line.transaction_type, each.line.type,
            each.line.description, each.category, each.line.order_ref, each.line.line_ref,
            each.line.sku, each.line.quantity, each.line.amount, each.line.release,
        )
        for key, each in zip(line_keys(settlement.lines), lines, strict=True)
    ]  # fmt: skip
    if rows:
        columns = (list(column) for column in zip(*rows, strict=True))
        await session.execute(_LINES, tenant_id, made, *columns)
    return made


async def _earlier(
    session: Session, tenant_id: UUID, settlement: Settlement, known: Id, orders: Sequence[str]
) -> list[SettlementLine]:
    """Give the lines of other settlements for the same orders: one order may be paid in parts."""
    rows = await session.fetch(
        _EARLIER, tenant_id, settlement.channel, settlement.account, known, orders
    )
    return [SettlementLine(**dict(row)) for row in rows]


async def _tell(
    session: Session,
    tenant_id: UUID,
    settlement: Settlement,
    new_pairs: Sequence[NewPair],
    matched: Matched,
) -> None:
    """Tell each new pair of words once for ever, and each order that differs, with the money."""
    place = f"{settlement.channel}/{settlement.settlement_id}"
    words = [
        Seen(
            UNCLASSIFIED,
            _pair_name(each.channel, each.type, each.description),
            f'{each.channel} uses words that are new: "{each.type}", "{each.description}", on'
            f" {each.lines} lines of {each.amount} {settlement.currency}. They are booked in suspense."
            " Say what they are in the posting rules.",
            place=each.channel,
            amount=each.amount,
            currency=settlement.currency,
        )
        for each in new_pairs
    ]
    orders = [
        Seen(
            each.kind, f"{settlement.channel}/{each.order_ref}", each.words(settlement.currency),
            place=place, amount=each.amount, currency=settlement.currency,
        )
        for each in matched.differences
    ]  # fmt: skip
    await see_breaks(session, tenant_id, [*words, *orders])
    for kind in MATCH_BREAKS:
        still = [each.key for each in orders if each.kind == kind]
        await close_others(
            session, tenant_id, kind, place, None, still=still, resolution="Both agree now."
        )


def _pair_name(channel: str, type_: str, description: str) -> str:
    return f"{channel}/{type_}/{description}"


_ENCODER = msgspec.json.Encoder(decimal_format="string")
