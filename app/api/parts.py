"""What the machine API works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.intake.files import FileParts
from infra.database.pool import Database
from infra.egress.policy import EgressPolicy
from infra.keys.vault import Vault
from tenants.principal import PrincipalCache


@dataclass(frozen=True, slots=True)
class ApiParts:
    """The shared parts of the process; `ring` wakes the workers after a commit.

    `policy` says which addresses may be called, for those that people give.
    """

    database: Database
    vault: Vault
    principals: PrincipalCache
    files: FileParts
    ring: Callable[[], None]
    policy: EgressPolicy = field(default_factory=EgressPolicy)
