"""One budget for each vendor credential and bucket, shared by all flows and workers in PostgreSQL.

A token bucket with costs. Workers take small grants of tokens, spend them from memory and give back
what they do not need; all sums are made by the database under the lock of the row, by its clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from infra.database.unit import Row, Session
from infra.ids import Id

# Between us and the vendor lies a network: calls that left evenly arrive in bunches. What we allow
# ourselves stays this much below the vendor's rate, and one call below its burst.
RATE_SHARE_0_1 = 0.97
BURST_SPARED = 1.0
# From this rate on tokens are granted for up to a second at once; below it, call by call.
GRANTED_AT_ONCE_PER_S = 20.0
GRANT_S = 1.0
# Tokens in workers' memories are missing in the row, which goes on filling: so it is kept this much
# below the burst, and a grant lasts no longer than it takes to fill that difference.
SLACK_SHARE_0_1 = 0.2
# A vendor's own figures are believed up to this factor above the declared ones, and down to a call
# in a hundred seconds, so that one wrong header cannot stop a connection for ever.
BELIEVED_FACTOR = 10.0
LEAST_PER_S = 0.01
WORKER_SEEN_S = 10.0
START_PARALLEL = 4


@dataclass(frozen=True, slots=True, order=True)
class BudgetKey:
    """Whose budget: a retailer's credential (as a digest) and the bucket of the vendor's plan."""

    tenant_id: Id
    credential: bytes
    bucket: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is allowed by declaration: tokens per second, tokens at once, calls at one time."""

    rate_per_s: float
    burst: float
    parallel: int


@dataclass(slots=True)
class Told:
    """What a worker learned since it last leased: counts, and what the vendor said.

    `grow` and `is_halved` change how many calls may run at one time; `pause_s`: nothing goes before.
    """

    back: float = 0.0
    calls: int = 0
    used: float = 0.0
    refused: int = 0
    grow: float = 0.0
    is_halved: bool = False
    pause_s: float | None = None
    rate_per_s: float | None = None
    burst: float | None = None
    remaining: float | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What a worker asks of one budget: `need` tokens at least, `want` if there are plenty."""

    key: BudgetKey
    connection_id: Id
    allowance: Allowance
    need: float
    want: float
    told: Told
    # A worker that leaves gives back and is counted no more.
    stays: bool = True


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker got, and the state of the budget.

    `granted` tokens may be spent within `lasts_s`; when there were too few, they come in `wait_s`.
    `rate_per_s` and `left` are of the whole budget; `parallel` is this worker's part of the calls at
    one time; `paused_s`: nothing goes before.
    """

    granted: float
    wait_s: float
    lasts_s: float
    rate_per_s: float
    burst: float
    left: float
    parallel: int
    workers: int
    paused_s: float


_MAKE = """
insert into budget (tenant_id, credential, bucket, connection_id, tokens, rate_per_s, burst,
    declared_per_s, declared_burst, parallel)
select t, c, b, connection_id, burst, rate, burst, rate, burst, least($7::float8, parallel)
from unnest($1::uuid[], $2::bytea[], $3::text[], $4::uuid[], $5::float8[], $6::float8[],
    $8::float8[]) as wanted (t, c, b, connection_id, rate, burst, parallel)
on conflict do nothing
"""
# One statement for many budgets. The rows are locked in the order of their key; `held` then sees what
# the worker before us has written, and everything else is a sum over it.
_LEASE = f"""
with asked as (
    select asked.* from
    -- A grant that a crash of the database forgets is no harm worth waiting for a disk.
    (select set_config('synchronous_commit', 'off', true)) as quickly,
    unnest($1::uuid[], $2::bytea[], $3::text[], $4::float8[], $5::float8[], $6::float8[],
        $7::float8[], $8::float8[], $9::float8[], $10::int[], $11::float8[], $12::int[],
        $13::float8[], $14::bool[], $15::float8[], $16::float8[], $17::float8[], $18::float8[],
        $19::bool[])
    as asked (tenant_id, credential, bucket, new_rate, new_burst, cap, need, want, back, told_calls,
        told_used, told_refused, grow, is_halved, pause_s, told_rate, told_burst, told_left, stays)
), held as materialized (
    select budget.*, asked.new_rate, asked.new_burst, asked.cap, asked.need, asked.want, asked.back,
        asked.told_used, asked.told_calls, asked.told_refused, asked.grow, asked.is_halved,
        asked.pause_s, asked.told_rate, asked.told_burst, asked.told_left, asked.stays,
        clock_timestamp() as moment
    from budget join asked using (tenant_id, credential, bucket)
    order by tenant_id, credential, bucket for update of budget
), stated as (
    select held.*, extract(epoch from moment)::float8 as moment_s,
        new_rate <> declared_per_s or new_burst <> declared_burst as is_new,
        case when told_rate is not null then least(new_rate * {BELIEVED_FACTOR},
            greatest(told_rate, least(new_rate, {LEAST_PER_S}))) end as believed
    from held
), rated as (
    select stated.*,
        coalesce(believed, case when is_new then new_rate else rate_per_s end) as rate,
        least(greatest(1, coalesce(told_burst,
            -- Who states a lower rate than is declared, and no burst, has a smaller bucket as well.
            case when believed < new_rate then new_burst * believed / new_rate end,
            case when is_new then new_burst
                -- A learned rate tells nothing of the bucket: calls that were refused do.
                when told_refused > 0 and rate_per_s < new_rate
                    then greatest(burst / 2, least(burst, rate_per_s))
                else burst end)), new_burst * {BELIEVED_FACTOR}) as size,
        (select coalesce(jsonb_object_agg(key, value), '{{}}') from jsonb_each(workers)
            where value::float8 > moment_s - {WORKER_SEEN_S} and key <> $20)
            || case when stays then jsonb_build_object($20::text, moment_s) else '{{}}' end as seen,
        least(cap, greatest(1, case
            when not is_halved then parallel + grow
            when halved_at > moment - interval '1 second' then parallel
            else parallel / 2 end)) as calls_at_once,
        greatest(paused_until, moment + make_interval(secs => pause_s)) as silent_until
    from stated
), shaped as (
    select rated.*, rate * {RATE_SHARE_0_1} as pace,
        case when rate >= {GRANTED_AT_ONCE_PER_S} then least(rate * {GRANT_S}, size * {SLACK_SHARE_0_1})
            else 0 end as slack,
        greatest(1, (select count(*) from jsonb_object_keys(seen))) as crowd,
        (select count(*) from jsonb_object_keys(seen) as name where name < $20) as place
    from rated
), filled as (
    select shaped.*, greatest(1, size - {BURST_SPARED} - slack) as depth,
        least(greatest(1, size - {BURST_SPARED} - slack), coalesce(told_left + 1, 'infinity'),
            tokens + back + pace * greatest(0, extract(epoch from moment - filled_at)::float8))
            as full_of
    from shaped
), decided as (
    select filled.*, case
        when need <= 0 or coalesce(silent_until > moment, false) then 0
        when full_of + 1e-6 < least(need, depth) then 0
        else greatest(need, least(want, slack / crowd, full_of / 2)) end as granted
    from filled
)
update budget set tokens = full_of - granted, rate_per_s = rate, burst = size, filled_at = moment,
    declared_per_s = new_rate, declared_burst = new_burst,
    parallel = calls_at_once,
    halved_at = case when decided.is_halved then moment else budget.halved_at end,
    paused_until = silent_until, workers = seen,
    calls = budget.calls + told_calls, refused = budget.refused + told_refused,
    minute_at = case when moment < budget.minute_at + interval '1 minute' then budget.minute_at
        else moment end,
    minute_before = case when moment < budget.minute_at + interval '1 minute' then budget.minute_before
        when moment < budget.minute_at + interval '2 minutes' then budget.minute_used else 0 end,
    minute_used = told_used
        + case when moment < budget.minute_at + interval '1 minute' then budget.minute_used else 0 end,
    updated_at = moment
from decided
where budget.tenant_id = decided.tenant_id and budget.credential = decided.credential
    and budget.bucket = decided.bucket
returning budget.tenant_id, budget.credential, budget.bucket, granted, rate, size, pace,
    full_of - granted as left_over, slack / rate as lasts_s, crowd,
    greatest(0, (least(need, depth) - full_of) / pace) as wait_s,
    floor(calls_at_once)::int / crowd + case when place < floor(calls_at_once)::int % crowd
        then 1 else 0 end as my_parallel,
    coalesce(greatest(0, extract(epoch from silent_until - moment)::float8), 0) as paused_s
"""  # noqa: S608 - numbers of this file


async def make_budgets(session: Session, asks: Sequence[Ask]) -> None:
    """Have a row for each budget; those that exist stay as they are."""
    asks = sorted(asks, key=attrgetter("key"))
    await session.execute(
        _MAKE,
        [ask.key.tenant_id for ask in asks],
        [ask.key.credential for ask in asks],
        [ask.key.bucket for ask in asks],
        [ask.connection_id for ask in asks],
        [ask.allowance.rate_per_s for ask in asks],
        [ask.allowance.burst for ask in asks],
        float(START_PARALLEL),
        [float(ask.allowance.parallel) for ask in asks],
    )


async def lease_tokens(
    session: Session, asks: Sequence[Ask], worker: str
) -> dict[BudgetKey, Lease]:
    """Take grants from many budgets at once and tell them what was learned.

    Takes:  at most one ask for each budget; `worker` names this process.
    Gives:  a lease for each budget that exists.
    Rules:  together never more than the vendor's rate and burst, whatever the number of workers.
    """
    rows = await session.fetch(_LEASE, *_columns(sorted(asks, key=attrgetter("key"))), worker)
    return {
        BudgetKey(row["tenant_id"], row["credential"], row["bucket"]): _lease(row) for row in rows
    }


def _columns(asks: Sequence[Ask]) -> list[list[object]]:
    rows = [
        (
            *(ask.key.tenant_id, ask.key.credential, ask.key.bucket),
            *(ask.allowance.rate_per_s, ask.allowance.burst, float(ask.allowance.parallel)),
            *(ask.need, ask.want, ask.told.back, ask.told.calls, ask.told.used, ask.told.refused),
            *(ask.told.grow, ask.told.is_halved, ask.told.pause_s),
            *(ask.told.rate_per_s, ask.told.burst, ask.told.remaining, ask.stays),
        )
        for ask in asks
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _lease(row: Row) -> Lease:
    return Lease(
        granted=row["granted"],
        wait_s=row["wait_s"],
        lasts_s=row["lasts_s"],
        rate_per_s=row["pace"],
        burst=row["size"],
        left=row["left_over"],
        parallel=row["my_parallel"],
        workers=row["crowd"],
        paused_s=row["paused_s"],
    )
