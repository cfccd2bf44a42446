"""TLS is always verified and there is no way around it (BI 206)."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra import clock
from infra.egress.client import EgressClient, OutboundRequest
from infra.egress.errors import EgressNotSent
from infra.egress.policy import EgressPolicy
from tests.infra.egress.targets import OK, NameServer, answering, running_target

HOST = "shop.example"


@dataclass(frozen=True)
class Signer:
    """A certificate with its key, able to sign others."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _signed(name: str, signer: Signer | None, from_days: int = -2, to_days: int = 2) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = signer.certificate.subject if signer else subject
    signing_key = signer.key if signer else key
    authority = signing_key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() + timedelta(days=from_days))
        .not_valid_after(clock.now() + timedelta(days=to_days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(signing_key, hashes.SHA256())
    )
    return Signer(certificate, key)


def _serving(leaf: Signer, folder: Path) -> ssl.SSLContext:
    chain = folder / "chain.pem"
    chain.write_bytes(
        leaf.certificate.public_bytes(serialization.Encoding.PEM)
        + leaf.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Signer:
    """Give a root that this machine trusts for the length of a test."""
    root = _signed("root.example", None)
    trusted = tmp_path / "roots.pem"
    trusted.write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return root


@dataclass
class Exchange:
    """What one request over TLS came to: status or failure, and what the target read."""

    status: int | None
    failure: str
    requests: list[bytes]


async def _exchange(tls: ssl.SSLContext | None) -> Exchange:
    async with running_target(answering(OK), tls=tls) as target:
        return await _request(target.port, target.requests)


async def _request(port: int, requests: list[bytes]) -> Exchange:
    policy = EgressPolicy(frozenset({"127.0.0.1/32"}))
    async with EgressClient(policy, resolver=NameServer({HOST: [["127.0.0.1"]]})) as client:
        request = OutboundRequest("POST", f"https://{HOST}:{port}/", {}, b"{}")
        try:
            answer = await client.request(request)
        except EgressNotSent as failed:
            return Exchange(None, str(failed), requests)
        return Exchange(answer.status, "", requests)


async def test_valid_certificate_is_accepted_under_the_targets_own_name(
    root: Signer, tmp_path: Path
) -> None:
    asked_for: list[str | None] = []
    tls = _serving(_signed(HOST, root), tmp_path)
    tls.sni_callback = lambda _, name, __: asked_for.append(name)

    exchange = await _exchange(tls)

    assert exchange.status == 200
    assert asked_for == [HOST]
    assert f"\r\nHost: {HOST}:".encode() in exchange.requests[0]


@pytest.mark.parametrize("fault", ["expired", "not-yet-valid", "self-signed", "wrong-host"])
async def test_bi206_bad_certificate_means_that_nothing_was_sent(
    fault: str, root: Signer, tmp_path: Path
) -> None:
    leaves = {
        "expired": lambda: _signed(HOST, root, -9, -1),
        "not-yet-valid": lambda: _signed(HOST, root, 1, 9),
        "self-signed": lambda: _signed(HOST, None),
        "wrong-host": lambda: _signed("other.example", root),
    }

    exchange = await _exchange(_serving(leaves[fault](), tmp_path))

    assert exchange.failure == f"target.tls: {HOST} has no valid certificate."
    assert exchange.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_bi206_old_tls_means_that_nothing_was_sent(
    version: ssl.TLSVersion, root: Signer, tmp_path: Path
) -> None:
    tls = _serving(_signed(HOST, root), tmp_path)
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        tls.minimum_version = ssl.TLSVersion.TLSv1
        tls.maximum_version = version

    exchange = await _exchange(tls)

    assert exchange.failure == f"target.tls: {HOST} broke off the TLS handshake."
    assert exchange.requests == []


async def test_bi206_plain_http_behind_an_https_url_means_that_nothing_was_sent() -> None:
    arrived: list[bytes] = []

    async def answer_in_plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.read(65_536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_in_plain, "127.0.0.1", 0) as server:
        exchange = await _request(server.sockets[0].getsockname()[1], arrived)

    assert exchange.failure == f"target.tls: {HOST} does not speak TLS 1.2 or later."
    assert [b"POST" in each for each in arrived] == [False]
