"""Settings of a process, one small frozen class per concern, read once from the environment.

Names given by custom carry no prefix (`DATABASE_URL`, `DATABASE_OWNER_URL`, `REDIS_URL`,
`EGRESS_ALLOW`, `SENTRY_DSN`); all others start with `TILLWIRE_`. A field's description says what it
is, its unit and how to mend it; `load` prints it when the value is missing or wrong.
"""

from __future__ import annotations

import base64
import binascii
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TILLWIRE_"
MASTER_KEY_BYTES = 32

_PLAIN = {"Field required": "is not set"}

Settings = TypeVar("Settings", bound=BaseSettings)


def load(settings: type[Settings]) -> Settings:
    """Read one class of settings; stops the process with names, causes and fixes when it cannot."""
    try:
        return settings()
    except ValidationError as fault:
        lines = [_explained(settings, each["loc"], each["msg"]) for each in fault.errors()]
    raise SystemExit("\n".join(["Cannot start: the settings are not usable.", *lines]))


def _listed(value: object) -> object:
    """Cut a comma-separated text into its parts; anything else passes."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _network(value: object) -> object:
    """Read an address or a network; host bits are allowed."""
    return ip_network(value, strict=False) if isinstance(value, str) else value


def _no_blank(value: object) -> object:
    """Treat an empty variable as not set."""
    return None if value == "" else value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_no_blank)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class _FromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )


class DatabaseSettings(_FromEnvironment):
    """Where the book is kept, under which two roles, and how many connections one process takes."""

    database_url: SecretStr = Field(
        validation_alias="DATABASE_URL",
        min_length=1,
        description="URL of PostgreSQL as the application role, postgresql://user:password@host/name",
    )
    database_owner_url: OptionalSecret = Field(
        default=None,
        validation_alias="DATABASE_OWNER_URL",
        description="URL of PostgreSQL as the role that owns the schema; only for migrations",
    )
    pool_min_connections: int = Field(
        default=2, ge=0, le=500, description="connections kept open by a process (count)"
    )
    pool_max_connections: int = Field(
        default=10, ge=1, le=500, description="most connections of a process (count)"
    )
    pool_wait_s: float = Field(
        default=5.0, gt=0, le=60, description="longest wait for a free connection (seconds)"
    )
    statement_timeout_s: float = Field(
        default=5.0, gt=0, le=600, description="longest statement; workers use 30 (seconds)"
    )

    @model_validator(mode="after")
    def _pool_has_order(self) -> Self:
        if self.pool_min_connections > self.pool_max_connections:
            raise ValueError(
                f"{PREFIX}POOL_MIN_CONNECTIONS must not exceed {PREFIX}POOL_MAX_CONNECTIONS"
            )
        return self


class RedisSettings(_FromEnvironment):
    """Where the bell hangs; losing it costs latency, never data."""

    redis_url: SecretStr = Field(
        validation_alias="REDIS_URL",
        min_length=1,
        description="URL of Redis, redis://:password@host:6379/0 or unix:///path/redis.sock",
    )


class WebSettings(_FromEnvironment):
    """Where a web process listens, which hosts it answers for and which proxies it believes."""

    bind_host: str = Field(
        default="127.0.0.1", min_length=1, description="address to listen on (IP address)"
    )
    bind_port: Port = Field(default=8000, description="port to listen on (0 picks a free one)")
    allowed_hosts: Listed = Field(
        default=("localhost", "127.0.0.1", "[::1]"),
        description="hosts answered for, without port, comma-separated; *.example.com is allowed",
    )
    trusted_proxies: Networks = Field(
        default=(),
        description="addresses whose X-Forwarded-* fields count, comma-separated (CIDR)",
    )
    max_connections_per_address: int = Field(
        default=50, ge=0, description="open connections of one address (count; 0 is no limit)"
    )
    header_deadline_s: float = Field(
        default=10.0, gt=0, le=120, description="time to send a whole header block (seconds)"
    )
    idle_deadline_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="time a connection may rest between requests (seconds)",
    )
    body_deadline_s: float = Field(
        default=20.0, gt=0, le=600, description="time to send a whole body (seconds)"
    )


class KeySettings(_FromEnvironment):
    """The master key that wraps every tenant's data keys: from a file (preferred) or a variable."""

    master_key: OptionalSecret = Field(
        default=None,
        description=f"{MASTER_KEY_BYTES} random bytes as base64, made by openssl rand -base64 32",
    )
    master_key_file: Annotated[Path | None, BeforeValidator(_no_blank)] = Field(
        default=None, description="file (mode 0400) that holds the master key as base64"
    )

    @model_validator(mode="after")
    def _one_usable_key(self) -> Self:
        if (self.master_key is None) == (self.master_key_file is None):
            raise ValueError(f"set either {PREFIX}MASTER_KEY_FILE or {PREFIX}MASTER_KEY, not both")
        self.master_key_bytes()
        return self

    def master_key_bytes(self) -> bytes:
        """Give the 32 bytes of the key; raises ValueError, without the key, when it is unusable."""
        try:
            key = base64.b64decode(self._encoded(), validate=True)
        except binascii.Error:
            raise ValueError("the master key is not base64") from None
        if len(key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {len(key)} bytes, not {MASTER_KEY_BYTES}")
        return key

    def _encoded(self) -> str:
        if self.master_key is not None:
            return self.master_key.get_secret_value().strip()
        return _private_text(self.master_key_file or Path())


class EgressSettings(_FromEnvironment):
    """Private targets that outgoing calls may reach although their addresses are not public."""

    egress_allow: Listed = Field(
        default=(),
        validation_alias="EGRESS_ALLOW",
        description="exceptions as host:port or CIDR, comma-separated; empty allows public only",
    )
    own_hosts: Listed = Field(
        default=(),
        description="our own hosts and proxies, never called; not set: TILLWIRE_ALLOWED_HOSTS if set",
    )


class TelemetrySettings(_FromEnvironment):
    """What is written down about the process itself, and where faults are reported."""

    sentry_dsn: OptionalSecret = Field(
        default=None, validation_alias="SENTRY_DSN", description="where faults are reported (URL)"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least severe event that is written (name)"
    )
    log_sample_share_0_1: float = Field(
        default=1.0, ge=0, le=1, description="share of routine events written (0 to 1)"
    )
    release: str = Field(default="unknown", max_length=64, description="version that runs (text)")
    environment: str = Field(
        default="production", max_length=64, description="name of this installation (text)"
    )
    metrics_port: Port = Field(
        default=0, description="port of /metrics of a worker or scheduler (0 is none)"
    )
    metrics_host: str = Field(
        default="127.0.0.1", min_length=1, description="address of that port (IP address)"
    )


class EngineSettings(_FromEnvironment):
    """How the delivery engine paces itself."""

    lease_s: float = Field(
        default=30.0, gt=0, le=600, description="how long a worker owns a delivery (seconds)"
    )
    call_deadline_s: float = Field(
        default=20.0, gt=0, le=600, description="longest call to a target in total (seconds)"
    )
    retry_scale: float = Field(
        default=1.0, gt=0, description="divides the retry schedule; above 1 only in tests (factor)"
    )
    poll_s: float = Field(
        default=1.0, gt=0, le=60, description="pause between looks for due work (seconds)"
    )
    max_in_flight: int = Field(
        default=256, ge=1, le=10_000, description="calls of a process at one time (count)"
    )
    prepare_batch: int = Field(
        default=200, ge=1, le=5_000, description="messages prepared in one transaction (count)"
    )
    faults: str = Field(
        default="none", description="name of a fault to inject; only for tests of this engine"
    )

    @model_validator(mode="after")
    def _lease_outlives_call(self) -> Self:
        if self.lease_s <= self.call_deadline_s:
            raise ValueError(f"{PREFIX}LEASE_S must be longer than {PREFIX}CALL_DEADLINE_S")
        return self


class MailSettings(_FromEnvironment):
    """The mail server that takes alerts; without a host no mail leaves."""

    mail_host: str = Field(
        default="", max_length=253, description="mail server (host name); empty sends no mail"
    )
    mail_port: int = Field(
        default=587, ge=1, le=65_535, description="its port: 587 for start_tls, 465 for tls"
    )
    mail_security: Literal["start_tls", "tls", "none"] = Field(
        default="start_tls",
        description="encryption: start_tls, tls, or none for a server on this machine",
    )
    mail_user: str = Field(default="", max_length=320, description="name to log in with (text)")
    mail_password: OptionalSecret = Field(
        default=None, description="password of that name, never sent without encryption"
    )
    mail_from: str = Field(
        default="",
        max_length=254,
        pattern=r"^(?:[^@\s<>,;]+@[^@\s<>,;]+)?$",
        description="sender where a partner has none of its own (e-mail address)",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.mail_host and not self.mail_from:
            raise ValueError(f"{PREFIX}MAIL_HOST needs {PREFIX}MAIL_FROM, an e-mail address")
        if self.mail_password is not None and self.mail_security == "none":
            raise ValueError(f"{PREFIX}MAIL_PASSWORD needs {PREFIX}MAIL_SECURITY start_tls or tls")
        return self


class WorkerSettings(_FromEnvironment):
    """When a worker process ends itself: standing still, or beyond its memory."""

    watchdog_s: float = Field(
        default=20.0,
        ge=0,
        le=600,
        description="longest standstill of a worker, at most 2/3 of a lease; 0 is any (seconds)",
    )
    memory_mb: int = Field(
        default=1024, ge=0, le=1_048_576, description="memory of a worker; 0 is no bound (MB)"
    )


def _explained(settings: type[BaseSettings], place: tuple[int | str, ...], words: str) -> str:
    """Write one line: variable, what is wrong, what it should be; never its value."""
    said = _PLAIN.get(words, words.removeprefix("Value error, "))
    for name, field in settings.model_fields.items():
        if place and place[0] in {name, field.validation_alias}:
            return f"  {_variable(name, field)}: {said}. Needed: {field.description}."
    return f"  {said}."


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else PREFIX + name.upper()


def _private_text(path: Path) -> str:
    """Read a secret file; refuses one that other users of the machine can read."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise ValueError(
            f"{PREFIX}MASTER_KEY_FILE cannot be read: {type(fault).__name__}"
        ) from None
    if mode & 0o077:
        raise ValueError(f"{PREFIX}MASTER_KEY_FILE is open to others; run chmod 0400 on it")
    return text
