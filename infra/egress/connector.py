"""Connections: addresses looked up, checked and pinned by us; pooled ones proven alive before use."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection

from infra.egress.attempt import current_attempt
from infra.egress.errors import EgressFailure, EgressNotSent, EgressRefused
from infra.egress.policy import EgressPolicy
from infra.egress.protocol import BoundedResponse
from infra.egress.resolver import Resolver
from infra.egress.urls import Target

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.tracing import Trace

CONNECT_DEADLINE_S = 5.0
KEEPALIVE_S = 15.0
# A name may have a thousand addresses; all are checked, few are tried within the deadline.
MAX_ADDRESSES_TRIED = 4

_AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


class CheckedConnector(aiohttp.TCPConnector):
    """Opens connections only to addresses that the policy allows for the current target.

    Name, port and TLS name stay the target's, so Host, SNI and certificate check are unchanged.
    The pool is keyed by scheme, host and port; a pooled connection goes to an address once checked.
    """

    def __init__(
        self, policy: EgressPolicy, resolver: Resolver, *, per_host_limit: int, total_limit: int
    ) -> None:
        super().__init__(
            resolver=_CheckedResolver(policy, resolver),
            use_dns_cache=False,
            ssl=_verifying_context(),
            socket_factory=partial(_open_checked_socket, policy),
            limit=total_limit,
            limit_per_host=per_host_limit,
            keepalive_timeout=KEEPALIVE_S,
        )
        self._factory = cast(
            "partial[ResponseHandler]", partial(BoundedResponse, loop=asyncio.get_running_loop())
        )

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        """Hand out a connection for one request; from here on its bytes may leave.

        A pooled connection that the peer closed meanwhile is dropped before anything is written.
        """
        attempt = current_attempt.get()
        while True:
            connection = await super().connect(req, traces, timeout)
            if attempt.is_connection_new or _is_quiet(connection):
                attempt.has_left = True
                return connection
            connection.close()

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> ResponseHandler:
        attempt = current_attempt.get()
        target = attempt.target
        try:
            async with asyncio.timeout(CONNECT_DEADLINE_S):
                protocol = await super()._create_connection(req, traces, timeout)
        except TimeoutError:
            words = f"{target.host} did not accept a connection in {CONNECT_DEADLINE_S:g} s."
            raise EgressNotSent("target.unreachable", words) from None
        except aiohttp.ClientError as fault:
            raise _not_connected(target, fault) from None
        attempt.is_connection_new = True
        return protocol


class _CheckedResolver(AbstractResolver):
    """Looks a name up once per connection and refuses it when any of its addresses is closed."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the checked addresses; raises EgressRefused or OSError."""
        target = current_attempt.get().target
        addresses = await self._resolver.resolve(host, port)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        for address in addresses:
            self._policy.check_address(target, address)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_UNSPEC, proto=0, flags=0
            )
            for address in addresses[:MAX_ADDRESSES_TRIED]
        ]

    async def close(self) -> None:
        """Do nothing: the client owns the resolver."""


def _open_checked_socket(policy: EgressPolicy, info: _AddressInfo) -> socket.socket:
    """Make the socket for one address; the last gate, which written addresses pass as well."""
    family, kind, protocol, _, sockaddr = info
    policy.check_address(current_attempt.get().target, sockaddr[0])
    return socket.socket(family, kind, protocol)


def _verifying_context() -> ssl.SSLContext:
    """Check chain and host name against the machine's roots; there is no way to turn that off."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(("http/1.1",))
    return context


def _is_quiet(connection: Connection) -> bool:
    """Say whether a pooled connection has nothing to read: an end or an answer nobody asked for.

    Asks the kernel, because the loop may not have seen yet that the peer closed.
    """
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or protocol.should_close:
        return False
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not poll.poll(0)


_CAUSES: tuple[tuple[type[aiohttp.ClientError], type[EgressFailure], str, str], ...] = (
    (aiohttp.InvalidURL, EgressRefused, "egress.url_invalid", "cannot be read as a host"),
    (
        aiohttp.ClientConnectorCertificateError,
        EgressNotSent,
        "target.tls",
        "has no valid certificate",
    ),
    (aiohttp.ClientSSLError, EgressNotSent, "target.tls", "does not speak TLS 1.2 or later"),
    (aiohttp.ClientConnectorDNSError, EgressNotSent, "target.dns", "has no address"),
    (aiohttp.ClientError, EgressNotSent, "target.unreachable", "accepts no connection"),
)


def _not_connected(target: Target, fault: aiohttp.ClientError) -> EgressFailure:
    """Name why no connection came about; library texts may hold the URL and are left out."""
    host = target.host
    if target.scheme == "https" and _is_reset(fault):
        return EgressNotSent("target.tls", f"{host} broke off the TLS handshake.")
    for kind, failure, code, words in _CAUSES:
        if isinstance(fault, kind):
            return failure(code, f"{host} {words}.")
    raise fault


def _is_reset(fault: aiohttp.ClientError) -> bool:
    """Say whether an open connection was cut: servers that dislike our TLS do that without a word."""
    return isinstance(fault, aiohttp.ClientConnectorError) and isinstance(
        fault.os_error, ConnectionResetError
    )
