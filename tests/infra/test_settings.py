"""Settings: read once, frozen; a stop at boot names the variable, the fault and the fix."""

from __future__ import annotations

import base64
import os
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from infra.settings import (
    DatabaseSettings,
    EgressSettings,
    EngineSettings,
    KeySettings,
    RedisSettings,
    TelemetrySettings,
    WebSettings,
    load,
)

ALL: list[type[BaseSettings]] = [
    DatabaseSettings,
    RedisSettings,
    WebSettings,
    KeySettings,
    EgressSettings,
    TelemetrySettings,
    EngineSettings,
]
KEY = base64.b64encode(bytes(range(32))).decode()
GIVEN_NAMES = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EGRESS_ALLOW", "SENTRY_DSN"}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name in GIVEN_NAMES or name.startswith("TILLWIRE_"):
            monkeypatch.delenv(name)


def _stop_message(settings: type[BaseSettings]) -> str:
    with pytest.raises(SystemExit) as stopped:
        load(settings)
    return str(stopped.value)


def test_missing_database_stops_with_name_and_fix() -> None:
    message = _stop_message(DatabaseSettings)

    assert message == (
        "Cannot start: the settings are not usable.\n"
        "  DATABASE_URL: is not set. Needed: URL of PostgreSQL as the application role, "
        "postgresql://user:password@host/name."
    )


def test_every_wrong_variable_is_named_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TILLWIRE_POLL_S", "hunter2")
    monkeypatch.setenv("TILLWIRE_MAX_IN_FLIGHT", "0")

    message = _stop_message(EngineSettings)

    assert message.splitlines() == [
        "Cannot start: the settings are not usable.",
        (
            "  TILLWIRE_POLL_S: Input should be a valid number, unable to parse string as a number."
            " Needed: pause between looks for due work (seconds)."
        ),
        (
            "  TILLWIRE_MAX_IN_FLIGHT: Input should be greater than or equal to 1."
            " Needed: calls of a process at one time (count)."
        ),
    ]


def test_given_names_are_read_without_prefix_and_secrets_stay_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:s3cret@db/shop")
    monkeypatch.setenv("DATABASE_OWNER_URL", "")
    monkeypatch.setenv("REDIS_URL", "redis://:s3cret@cache:6379/0")
    monkeypatch.setenv("TILLWIRE_POOL_MAX_CONNECTIONS", "12")

    database, cache = load(DatabaseSettings), load(RedisSettings)

    assert database.database_url.get_secret_value() == "postgresql://app:s3cret@db/shop"
    assert database.database_owner_url is None
    assert database.pool_max_connections == 12
    assert cache.redis_url.get_secret_value() == "redis://:s3cret@cache:6379/0"
    assert "s3cret" not in f"{database!r}{cache!r}{database}{cache}"


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLWIRE_ALLOWED_HOSTS", "shop.example.com, *.partner.example")
    monkeypatch.setenv("TILLWIRE_TRUSTED_PROXIES", "10.1.2.3,2001:db8::/32")
    monkeypatch.setenv("EGRESS_ALLOW", "127.0.0.1:9000,10.0.0.0/8")

    web, egress = load(WebSettings), load(EgressSettings)

    assert web.allowed_hosts == ("shop.example.com", "*.partner.example")
    assert web.trusted_proxies == (ip_network("10.1.2.3/32"), ip_network("2001:db8::/32"))
    assert egress.egress_allow == ("127.0.0.1:9000", "10.0.0.0/8")


def test_engine_defaults_are_those_of_the_design() -> None:
    engine = load(EngineSettings)

    assert (engine.lease_s, engine.call_deadline_s, engine.retry_scale) == (30.0, 20.0, 1.0)
    assert (engine.poll_s, engine.max_in_flight, engine.prepare_batch) == (1.0, 256, 200)
    assert engine.faults == "none"


def test_a_lease_shorter_than_the_call_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLWIRE_LEASE_S", "20")

    message = _stop_message(EngineSettings)

    assert "TILLWIRE_LEASE_S must be longer than TILLWIRE_CALL_DEADLINE_S" in message


def test_master_key_comes_from_a_private_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "master.key"
    file.write_text(KEY + "\n")
    file.chmod(0o400)
    monkeypatch.setenv("TILLWIRE_MASTER_KEY_FILE", str(file))

    keys = load(KeySettings)

    assert keys.master_key_bytes() == bytes(range(32))


def test_master_key_file_open_to_others_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "master.key"
    file.write_text(KEY)
    file.chmod(0o644)
    monkeypatch.setenv("TILLWIRE_MASTER_KEY_FILE", str(file))

    assert "is open to others; run chmod 0400 on it" in _stop_message(KeySettings)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("not base64!", "the master key is not base64"),
        (base64.b64encode(b"short").decode(), "the master key has 5 bytes, not 32"),
        ("", "set either TILLWIRE_MASTER_KEY_FILE or TILLWIRE_MASTER_KEY, not both"),
    ],
)
def test_unusable_master_key_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, value: str, fault: str
) -> None:
    monkeypatch.setenv("TILLWIRE_MASTER_KEY", value)

    message = _stop_message(KeySettings)

    assert fault in message
    assert not value or value not in message


def test_settings_cannot_be_changed_after_they_are_read() -> None:
    engine = EngineSettings(poll_s=0.2)

    with pytest.raises(ValidationError):
        engine.poll_s = 5.0

    assert engine.poll_s == 0.2


def test_tests_can_build_settings_by_field_name() -> None:
    database = DatabaseSettings(database_url=SecretStr("postgresql://a@b/c"))

    assert database.database_url.get_secret_value() == "postgresql://a@b/c"


@pytest.mark.parametrize("settings", ALL)
def test_every_field_says_what_it_is(settings: type[BaseSettings]) -> None:
    silent = [name for name, field in settings.model_fields.items() if not field.description]

    assert silent == []
