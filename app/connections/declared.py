"""What a connector's manifest lets a retailer configure: settings, credentials, software names."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.registry import manifest
from connectors.sdk.manifest import Manifest
from infra.errors import FieldError, Unprocessable

# Settings that the platform itself reads for every connector, beside those of its manifest.
# base_url: where calls go. Connectors with their own hosts declare it as well.
# budget: the vendor's plan of this retailer, where it differs from the declared one.
PLATFORM_SETTINGS = frozenset({"base_url", "budget"})


def declared_manifest(connector: str) -> Manifest:
    """Give the manifest of a connector; raises Unprocessable when there is no such software."""
    try:
        return manifest(connector)
    except KeyError:
        raise Unprocessable(
            f"There is no connector called {connector!r}.", code="connection.connector_unknown"
        ) from None


def check_secrets(connector: str, given: Iterable[str]) -> None:
    """Refuse credential fields that the connector does not declare; raises Unprocessable."""
    declared = declared_manifest(connector)
    unknown = sorted(set(given) - set(declared.secrets))
    if unknown:
        raise Unprocessable(
            f"{declared.title} has no credential called {', '.join(unknown)}.",
            code="connection.secret_unknown",
        )


def check_settings(connector: str, given: Iterable[str]) -> None:
    """Refuse settings that the connector does not declare, naming each; raises Unprocessable.

    A credential written among the settings would be stored and shown in the clear.
    """
    declared = declared_manifest(connector)
    allowed = PLATFORM_SETTINGS | set(declared.settings)
    unknown = sorted(set(given) - allowed)
    if unknown:
        raise Unprocessable(
            f"{declared.title} has no setting called {', '.join(unknown)}."
            f" It has: {', '.join(sorted(allowed))}.",
            code="connection.setting_unknown",
            errors=[
                FieldError(f"/settings/{key}", "connection.setting_unknown", "Not declared.")
                for key in unknown
            ],
        )
