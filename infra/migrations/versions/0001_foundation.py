"""The book: tables, roles, grants, row-level security, state guards.

Roles (none can log in but the one in DATABASE_URL, which has no rights of its own and takes one of
them for each transaction):

- tillwire_app      one tenant's (or partner's) rows, all that people and the pipeline do
- tillwire_gate     finds whose key or hook token was shown; sees nothing else
- tillwire_intake   writes accepted messages of the listed tenants; cannot read a payload
- tillwire_engine   moves lanes and deliveries of all tenants; cannot read a payload
- tillwire_support  masked reading
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

from infra.migrations.grants import (
    LISTED,
    OPERATOR,
    OWNED,
    PARTNER,
    REACH,
    TENANT,
    grant,
    run_script,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROLES = ("tillwire_app", "tillwire_gate", "tillwire_intake", "tillwire_engine", "tillwire_support")
PARTITIONED = ("message", "message_body", "event", "attempt")

RIGHTS = ("select", "insert", "update", "delete")

# table -> role -> (rights, row condition). A right may name columns: "update (a, b)".
TENANT_TABLES: dict[str, tuple[str, ...]] = {
    "audit": ("select", "insert"),
    "data_key": ("select", "insert", "delete"),
    "hook_token": ("select", "insert", "update", "delete"),
    "connection": ("select", "insert", "update"),
    "connection_secret": ("select", "insert", "update", "delete"),
    "connection_health": ("select", "insert", "update"),
    "flow": ("select", "insert", "update"),
    "poll_cursor": ("select", "insert", "update", "delete"),
    "receipt": ("select", "insert"),
    "message": ("select", "insert", "update"),
    "message_body": ("select", "insert"),
    "file": ("select", "insert", "update"),
    "idempotency_key": ("select", "insert", "update", "delete"),
    "event": ("select", "insert"),
    "fact": ("select", "insert"),
    "lane": ("select", "insert", "update"),
    "delivery": ("select", "insert", "update"),
    "attempt": ("select", "insert"),
    "hold": ("select", "insert", "update"),
    "usage_fact": ("select", "insert"),
    "book_hour": ("select",),
    "flow_hour": ("select",),
}

MESSAGE_FACTS = "tenant_id, id, connection_id, accept_seq, state, is_waiting, fate, routes, open_routes, received_at"
EVENT_FACTS = (
    "tenant_id, id, message_id, connection_id, type, key, object_id, amount, currency, label, revision,"
    " routed_to, accepted_at"
)
ENGINE: dict[str, tuple[str, ...]] = {
    "tenant": ("select (id, partner_id, slug, name, state)",),
    "connection": ("select (tenant_id, id, name, connector, state)",),
    "connection_health": ("select", "insert", "update"),
    "flow": (
        "select (tenant_id, id, name, source_connection_id, target_connection_id, ordering, is_enabled)",
    ),
    "poll_cursor": ("select", "update"),
    "receipt": ("select",),
    "message": (f"select ({MESSAGE_FACTS})", "update (state, open_routes)"),
    "event": (f"select ({EVENT_FACTS})",),
    "lane": ("select", "update"),
    "delivery": ("select", "update"),
    "attempt": ("insert",),
    "hold": ("select", "insert", "update"),
    "usage_fact": ("select", "insert"),
    "book_hour": ("select", "insert", "update"),
    "flow_hour": ("select", "insert", "update"),
}
INTAKE: dict[str, tuple[str, ...]] = {
    "receipt": ("select", "insert"),
    "message": ("insert",),
    "message_body": ("insert",),
}
GATE: dict[str, tuple[str, ...]] = {
    "hook_token": ("select",),
    "api_key": ("select", "update (last_used_at)"),
    "tenant": ("select (id, partner_id, slug, state)",),
}
SUPPORT: dict[str, tuple[str, ...]] = {
    "message": (f"select ({MESSAGE_FACTS})",),
    "delivery": ("select",),
    "attempt": ("select",),
    "lane": ("select",),
}
# right -> row condition. What a retailer or partner must not change about itself (its partner, its
# entitlements, its suspension) is not theirs to write.
RUNS_TENANT = f"({OPERATOR} or partner_id = {PARTNER})"
DIRECTORY: dict[str, dict[str, str]] = {
    "partner": {
        "select": f"({OPERATOR} or id = {PARTNER} or id in (select partner_id from tenant))",
        "insert": OPERATOR,
        "update": f"({OPERATOR} or id = {PARTNER})",
    },
    "tenant": {
        "select": REACH,
        "insert": RUNS_TENANT,
        "update (slug, name, timezone, currency, state, partner_id)": RUNS_TENANT,
    },
    "person": dict.fromkeys(
        ("select", "insert", "update"),
        f"({OPERATOR} or id in (select person_id from membership))",
    ),
    "membership": dict.fromkeys(RIGHTS, OWNED),
    "api_key": dict.fromkeys(("select", "insert", "update"), OWNED),
}

# Legal moves; the same tables are in app/deliveries/states.py and app/intake/states.py, and a test
# holds them against these.
DELIVERY_MOVES = {
    "ready": "delivering superseded cancelled",
    "delivering": "delivering delivered waiting checking held ready superseded cancelled",
    "waiting": "ready delivering superseded cancelled held",
    "checking": "delivering delivered ready held waiting checking superseded cancelled",
    "held": "ready discarded superseded cancelled delivered",
}
MESSAGE_MOVES = {
    "received": "prepared held settled cancelled",
    "held": "received discarded cancelled settled",
    "prepared": "prepared settled cancelled",
    "settled": "prepared settled",
}


def upgrade() -> None:
    """Make everything."""
    _make_roles()
    run_script((Path(__file__).parent / "0001_foundation.sql").read_text(encoding="utf-8"))
    _make_partition_function()
    _guard_states()
    for table in (*TENANT_TABLES, *DIRECTORY):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    for table, rights in TENANT_TABLES.items():
        grant(table, "tillwire_app", rights, TENANT)
    for table, conditions in DIRECTORY.items():
        for right, condition in conditions.items():
            grant(table, "tillwire_app", (right,), condition)
    for table, rights in INTAKE.items():
        grant(table, "tillwire_intake", rights, LISTED)
    for role, tables in (
        ("tillwire_engine", ENGINE),
        ("tillwire_gate", GATE),
        ("tillwire_support", SUPPORT),
    ):
        for table, rights in tables.items():
            grant(table, role, rights, "true")
    op.execute("grant usage on sequence message_accept_seq to tillwire_intake, tillwire_app")
    op.execute(f"grant usage on schema public to {', '.join(ROLES)}")


def downgrade() -> None:
    """Remove everything but the roles, which other databases of the cluster may use."""
    for table in (  # noqa: SIM905 - one line each would hide the order
        "flow_hour book_hour usage_fact hold attempt delivery lane fact event idempotency_key file"
        " message_body message receipt poll_cursor flow connection_health connection_secret connection"
        " data_key audit hook_token api_key membership person tenant partner"
    ).split():
        op.execute(f"drop table {table} cascade")
    op.execute("drop sequence message_accept_seq")
    op.execute("drop function ensure_partitions(int)")
    op.execute("drop function lowest_id_at(date)")
    for function in ("illegal_move", "audit_is_append_only"):
        op.execute(f"drop function {function}()")


def _make_roles() -> None:
    for role in ROLES:
        op.execute(
            f"do $$ begin create role {role} nologin nosuperuser nobypassrls;"
            " exception when duplicate_object or unique_violation then null; end $$"
        )


def _make_partition_function() -> None:
    """Daily partitions for the days to come, and a default one so that no insert can ever fail."""
    for table in PARTITIONED:
        op.execute(f"create table {table}_rest partition of {table} default")
        op.execute(f"alter table {table}_rest enable row level security")
        op.execute(f"alter table {table}_rest force row level security")
    names = ", ".join(f"'{table}'" for table in PARTITIONED)
    op.execute(f"""
        create function ensure_partitions(days int) returns int
        language plpgsql security definer set search_path = public, pg_temp as $$
        declare made int := 0; day date; parent text; child text;
        begin
            for day in select (current_date + n)::date from generate_series(0, least(days, 60)) n loop
                foreach parent in array array[{names}] loop
                    child := parent || '_' || to_char(day, 'YYYYMMDD');
                    if to_regclass(child) is null then
                        execute format('create table %I partition of %I for values from (%L) to (%L)',
                            child, parent, lowest_id_at(day), lowest_id_at(day + 1));
                        execute format('alter table %I enable row level security', child);
                        execute format('alter table %I force row level security', child);
                        made := made + 1;
                    end if;
                end loop;
            end loop;
            return made;
        end $$""")
    op.execute("""
        create function lowest_id_at(day date) returns uuid language sql immutable as $$
            select (lpad(to_hex((extract(epoch from (day::timestamp at time zone 'UTC')) * 1000)::bigint), 12, '0')
                || '00000000000000000000')::uuid $$""")
    op.execute("revoke all on function ensure_partitions(int) from public")
    op.execute("grant execute on function ensure_partitions(int) to tillwire_engine")
    op.execute("select ensure_partitions(14)")


def _guard_states() -> None:
    """Refuse illegal moves; the legal ones are told apart without calling a function for each row."""
    op.execute("""
        create function illegal_move() returns trigger language plpgsql as $$
        begin
            raise exception 'illegal move of a % from % to %', tg_table_name, old.state, new.state
                using errcode = 'check_violation';
        end $$""")
    for table, moves in (("delivery", DELIVERY_MOVES), ("message", MESSAGE_MOVES)):
        legal = " or ".join(
            f"(old.state = '{old}' and new.state in ({', '.join(map(repr, sorted(new.split())))}))"
            for old, new in moves.items()
        )
        op.execute(
            f"create trigger {table}_state_guard before update of state on {table} for each row"
            f" when (old.state is distinct from new.state and not ({legal}))"
            " execute function illegal_move()"
        )
    op.execute("""
        create function audit_is_append_only() returns trigger language plpgsql as $$
        begin raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege'; end $$""")
    op.execute(
        "create trigger audit_is_append_only before update or delete on audit"
        " for each row execute function audit_is_append_only()"
    )
