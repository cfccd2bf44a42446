"""A connection that is not set up: calls stop before they leave, until somebody completes it."""

from __future__ import annotations

from connectors.sdk.outcome import AuthorizationLost, Outcome, RetryLater

# What the way out (`transport`, `credentials`, `address`) says when a connection lacks something
# that only its owner can give. Trying again changes nothing; giving it wakes what waits.
NOT_SET_UP = frozenset(
    {
        "connection.base_url_missing",
        "connection.credentials_missing",
        "connection.credentials_unreadable",
    }
)


def waits_for_owner(outcome: Outcome) -> bool:
    """Say whether an outcome stops the whole connection until its owner does something."""
    match outcome:
        case AuthorizationLost():
            return True
        case RetryLater(code=code):
            return code in NOT_SET_UP
    return False
