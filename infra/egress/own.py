"""Where outgoing calls may go: what the settings of a process allow, and what is ourselves."""

from __future__ import annotations

from ipaddress import ip_address

from infra.egress.policy import EgressPolicy
from infra.settings import EgressSettings, WebSettings


def policy_of(egress: EgressSettings, web: WebSettings) -> EgressPolicy:
    """Make the policy of a process; raises SystemExit naming an entry that cannot be read.

    What is ourselves beats what is allowed. So nothing is taken for ourselves by default: this
    machine's own addresses may be targets, and patterns name hosts that are not ours alone.
    """
    try:
        return EgressPolicy(frozenset(egress.egress_allow), own_hosts(egress, web))
    except ValueError as fault:
        raise SystemExit(
            f"Cannot start: EGRESS_ALLOW or TILLWIRE_OWN_HOSTS is not usable: {fault}."
        ) from None


def own_hosts(egress: EgressSettings, web: WebSettings) -> frozenset[str]:
    """Give the hosts that are ourselves: as named, else those that web processes answer for."""
    if egress.own_hosts or "allowed_hosts" not in web.model_fields_set:
        return frozenset(egress.own_hosts)
    return frozenset(host for host in web.allowed_hosts if "*" not in host and not _is_here(host))


def _is_here(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
