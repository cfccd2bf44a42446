"""The catalogue of the migrated database: no table, function or grant may open a way around tenancy.

The questions below are asked of PostgreSQL itself, not of the migration, so a later migration that
forgets a rule fails here. Every question is also shown a planted fault, to prove that it sees one.
"""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from infra.database.pool import Database

# Tables without row-level security, or whose primary key does not begin with tenant_id, and why.
WITHOUT_ROW_SECURITY = {
    "alembic_version": "the schema's own version; no role but the owner may touch it",
}
NOT_KEYED_BY_TENANT = {
    "membership": "a role may hold at the platform or a partner, where there is no retailer",
    "api_key": "found by its hash before it is known whose it is; may belong to a partner",
    "hook_token": "found by its hash before it is known whose it is",
    "reconnect_link": "found by its hash before it is known whose it is",
    "alert_channel": "may belong to a partner, for all its retailers",
}
UNIQUE_ACROSS_TENANTS = {
    "api_key_hash_unique": "256 random bits: a clash tells nothing",
}
DEFINER_FUNCTIONS = {
    "ensure_partitions": "makes tomorrow's partitions, which no role but the owner may; takes a count",
}
ROLES = ("tillwire_app", "tillwire_gate", "tillwire_intake", "tillwire_engine", "tillwire_support")

_TENANT_TABLES = """
    select c.oid, c.relname, c.relispartition, c.relrowsecurity, c.relforcerowsecurity
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
"""
_QUESTIONS = {
    "a table without ENABLE and FORCE ROW LEVEL SECURITY": """
        select relname from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and not (relrowsecurity and relforcerowsecurity) and relname <> all ($1)
    """,
    "a table of tenants whose primary key does not begin with tenant_id": f"""
        select t.relname from ({_TENANT_TABLES}) t
        left join pg_index i on i.indrelid = t.oid and i.indisprimary
        left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
        where a.attname is distinct from 'tenant_id' and t.relname <> all ($2)
    """,
    "a unique key that is shared between tenants": f"""
        select u.relname from ({_TENANT_TABLES}) t
        join pg_index i on i.indrelid = t.oid and i.indisunique and not i.indisprimary
        join pg_class u on u.oid = i.indexrelid
        left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
        where a.attname is distinct from 'tenant_id' and u.relname <> all ($3)
    """,
    "a foreign key between tables of tenants that does not carry the tenant": f"""
        select k.conname from pg_constraint k
        join ({_TENANT_TABLES}) child on child.oid = k.conrelid
        join ({_TENANT_TABLES}) parent on parent.oid = k.confrelid
        where k.contype = 'f' and not exists (
            select 1 from unnest(k.conkey, k.confkey) as pair(mine, theirs)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.mine
            join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.theirs
            where a.attname = 'tenant_id' and b.attname = 'tenant_id')
    """,
    "a policy FOR ALL, for everyone, or on nothing but its own word": """
        select p.polrelid::regclass || '.' || p.polname from pg_policy p
        where p.polcmd = '*' or p.polroles = '{0}'
    """,
    "a right without a policy for just that command": """
        select g.table_name || ' ' || g.privilege_type || ' ' || g.grantee
        from information_schema.role_table_grants g
        where g.table_schema = 'public' and g.grantee = any ($5) and not exists (
            select 1 from pg_policy p where p.polrelid = format('public.%I', g.table_name)::regclass
            and p.polroles = array[g.grantee::text::regrole::oid]
            and p.polcmd = case g.privilege_type when 'SELECT' then 'r' when 'INSERT' then 'a'
                when 'UPDATE' then 'w' when 'DELETE' then 'd' end::"char")
    """,
    "a policy of the application on a table of tenants that does not ask for the tenant": f"""
        select t.relname || '.' || p.polname from ({_TENANT_TABLES}) t
        join pg_policy p on p.polrelid = t.oid
        where p.polroles && array['tillwire_app'::regrole::oid, 'tillwire_intake'::regrole::oid]
        and coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
            !~ 'current_setting\\(''app\\.tenant_ids?'
    """,
    "a right of any role on a partition": """
        select c.relname || ' ' || coalesce(r.rolname, 'public') from pg_class c,
        aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
        where c.relnamespace = 'public'::regnamespace and c.relispartition
        and a.grantee <> c.relowner
    """,
    "a right of everyone on a table or sequence": """
        select c.relname from pg_class c, aclexplode(c.relacl) a
        where c.relnamespace = 'public'::regnamespace and a.grantee = 0
    """,
    "a right to truncate, reference or trigger": """
        select table_name || ' ' || privilege_type || ' ' || grantee
        from information_schema.role_table_grants
        where table_schema = 'public' and grantee = any ($5)
        and privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    """,
    "a function that runs with its owner's rights": """
        select proname from pg_proc
        where pronamespace = 'public'::regnamespace and prosecdef and proname <> all ($4)
    """,
    "a function with its owner's rights that everyone may call or that trusts the search path": """
        select proname from pg_proc
        where pronamespace = 'public'::regnamespace and prosecdef
        and (proacl is null or exists (select 1 from aclexplode(proacl) a where a.grantee = 0)
            or not coalesce(array_to_string(proconfig, ' ') like '%search_path=%pg_temp%', false))
    """,
    "a view that does not ask as its reader, or a materialized view": """
        select relname from pg_class where relnamespace = 'public'::regnamespace
        and (relkind = 'm' or relkind = 'v'
            and not coalesce(reloptions @> array['security_invoker=true'], false))
    """,
    "a role that owns something": """
        select c.relname || ' ' || r.rolname from pg_class c join pg_roles r on r.oid = c.relowner
        where r.rolname = any ($5) union all
        select p.proname || ' ' || r.rolname from pg_proc p join pg_roles r on r.oid = p.proowner
        where r.rolname = any ($5) union all
        select n.nspname || ' ' || r.rolname from pg_namespace n
        join pg_roles r on r.oid = n.nspowner where r.rolname = any ($5)
    """,
    "a role that can log in, make things, or pass over row-level security": """
        select rolname from pg_roles where rolname = any ($5)
        and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin
            or has_schema_privilege(rolname, 'public', 'create'))
    """,
    "a role that is a member of another": """
        select pg_get_userbyid(member) from pg_auth_members
        where pg_get_userbyid(member) = any ($5)
    """,
}
# One fault for each question, in the same words.
_PLANTED = {
    "a table without ENABLE and FORCE ROW LEVEL SECURITY": (
        "create table planted (tenant_id uuid primary key);"
        " alter table planted enable row level security"
    ),
    "a table of tenants whose primary key does not begin with tenant_id": (
        "create table planted (id uuid, tenant_id uuid, primary key (id, tenant_id))"
    ),
    "a unique key that is shared between tenants": (
        "create unique index planted on hold (message_id)"
    ),
    "a foreign key between tables of tenants that does not carry the tenant": (
        "create table planted_parent (tenant_id uuid, id uuid unique, primary key (tenant_id, id));"
        " create table planted (tenant_id uuid primary key,"
        " parent uuid constraint planted_fk references planted_parent (id))"
    ),
    "a policy FOR ALL, for everyone, or on nothing but its own word": (
        "create policy planted on hold for all to tillwire_app using (true)"
    ),
    "a right without a policy for just that command": "grant delete on hold to tillwire_app",
    "a policy of the application on a table of tenants that does not ask for the tenant": (
        "create policy planted on hold for delete to tillwire_app using (true)"
    ),
    "a right of any role on a partition": "grant select on message_rest to tillwire_app",
    "a right of everyone on a table or sequence": "grant select on hold to public",
    "a right to truncate, reference or trigger": "grant truncate on hold to tillwire_app",
    "a function that runs with its owner's rights": (
        "create function planted() returns int language sql security definer as 'select 1'"
    ),
    "a function with its owner's rights that everyone may call or that trusts the search path": (
        "create function planted() returns int language sql security definer"
        " set search_path = public as 'select 1'"
    ),
    "a view that does not ask as its reader, or a materialized view": (
        "create view planted as select 1 as one from hold"
    ),
}
# The owner of the schema may not make these: they would need a superuser.
_NOT_PLANTED = {
    "a role that owns something",
    "a role that can log in, make things, or pass over row-level security",
    "a role that is a member of another",
}


async def answers(owner: asyncpg.Connection[Any], question: str) -> list[str]:
    """Ask one question of the catalogue; every row is a fault."""
    everything = (
        list(WITHOUT_ROW_SECURITY),
        list(NOT_KEYED_BY_TENANT),
        list(UNIQUE_ACROSS_TENANTS),
        list(DEFINER_FUNCTIONS),
        list(ROLES),
    )
    # All five are named in one place, so that each question may use any of them.
    named = "select $1::text[], $2::text[], $3::text[], $4::text[], $5::text[]"
    sql = f"with exceptions as ({named}) select faults.* from ({_QUESTIONS[question]}) faults"
    return sorted(row[0] for row in await owner.fetch(sql, *everything))


@pytest.mark.parametrize("question", _QUESTIONS)
async def test_there_is_no(database_urls: tuple[str, str], question: str) -> None:
    owner = await asyncpg.connect(database_urls[0])
    try:
        assert await answers(owner, question) == []
    finally:
        await owner.close()


@pytest.mark.parametrize("question", _PLANTED)
async def test_the_catalogue_test_notices(database_urls: tuple[str, str], question: str) -> None:
    owner = await asyncpg.connect(database_urls[0])
    planted = owner.transaction()
    await planted.start()
    try:
        await owner.execute(_PLANTED[question])
        found = await answers(owner, question)
    finally:
        await planted.rollback()
        await owner.close()

    assert len(found) >= 1


def test_every_question_has_a_planted_fault_or_a_reason_for_none() -> None:
    assert set(_PLANTED) | _NOT_PLANTED == set(_QUESTIONS)
    assert not set(_PLANTED) & _NOT_PLANTED


async def test_every_exception_is_still_needed(database_urls: tuple[str, str]) -> None:
    owner = await asyncpg.connect(database_urls[0])
    try:
        tables = {
            row["relname"]
            for row in await owner.fetch(
                "select relname from pg_class where relnamespace = 'public'::regnamespace"
            )
        }
        functions = {
            row["proname"]
            for row in await owner.fetch(
                "select proname from pg_proc where pronamespace = 'public'::regnamespace"
            )
        }
    finally:
        await owner.close()

    named = {*WITHOUT_ROW_SECURITY, *NOT_KEYED_BY_TENANT, *UNIQUE_ACROSS_TENANTS}
    assert named <= tables
    assert set(DEFINER_FUNCTIONS) <= functions


async def test_the_migration_works_with_forced_security_on_new_partitions(
    database: Database, database_urls: tuple[str, str]
) -> None:
    owner = await asyncpg.connect(database_urls[0])
    try:
        made = await owner.fetchval("select ensure_partitions(20)")
        faults = [
            *await answers(owner, "a table without ENABLE and FORCE ROW LEVEL SECURITY"),
            *await answers(owner, "a right of any role on a partition"),
        ]
    finally:
        await owner.close()

    assert made == 24  # four tables, six days more than the migration made
    assert faults == []
