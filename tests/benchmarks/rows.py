"""The tables of the prototypes that our figures are compared with."""

from __future__ import annotations

RAW_TABLES = """
create table if not exists raw_message (id uuid primary key, body bytea not null);
create table if not exists raw_delivery (id uuid primary key, state text not null default 'ready')
"""
BARE_TABLE = """
create table if not exists bare (
    id bigint primary key, lane int not null, body bytea not null, state text not null default 'ready',
    attempts int not null default 0);
create index if not exists bare_ready on bare (id) where state = 'ready';
create table if not exists bare_attempt (
    id bigint not null, at timestamptz not null, outcome text not null)
"""
