"""Keys and certificates of a sandbox, made at each start and never kept anywhere else.

Elliptic keys for TLS (fast to make); RSA for the token key, since registry tokens are signed with RS256; Ed25519 for SSH.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = timedelta(days=30)
_BACKDATED = timedelta(hours=1)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Certified:
    """A private key with its certificate."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class SshKey:
    """An SSH key pair in OpenSSH's formats; `public` is `ssh-ed25519 BASE64`, without comment and line end."""

    private: bytes
    public: str


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _unsigned(subject: x509.Name, issuer: x509.Name, key: PrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def certificate_authority(common_name: str) -> Certified:
    """A new CA that signs certificates of servers and of clients."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _unsigned(_name(common_name), _name(common_name), key)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Certified(key, builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()))


def _leaf(
    authority: Certified, subject: x509.Name, purpose: x509.ObjectIdentifier, names: Sequence[x509.GeneralName] = ()
) -> Certified:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = (
        _unsigned(subject, issuer.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)  # type: ignore[arg-type]
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Certified(key, builder.sign(authority.key, hashes.SHA256()))


def server_certificate(authority: Certified, domain: str, *, addresses: Sequence[str] = ()) -> Certified:
    """A certificate of `authority` for a server called `domain`, and reached by `addresses` too."""
    names = [x509.DNSName(domain), *(x509.IPAddress(ip_address(address)) for address in addresses)]
    return _leaf(authority, _name(domain), ExtendedKeyUsageOID.SERVER_AUTH, names)


def client_certificate(authority: Certified, user: str, *groups: str) -> Certified:
    """A certificate of `authority` for a client: Kubernetes takes CN as the user and each O as a group."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    return _leaf(authority, subject, ExtendedKeyUsageOID.CLIENT_AUTH)


def token_signer(common_name: str) -> Certified:
    """The key that signs registry tokens, with the self-signed certificate that a registry's rootcertbundle holds."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Certified(key, _unsigned(_name(common_name), _name(common_name), key).sign(key, hashes.SHA256()))


def ssh_key() -> SshKey:
    """A new Ed25519 key pair for SSH."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return SshKey(private, public.decode())


def password() -> str:
    """A random password that a person can still type."""
    return "-".join(secrets.token_hex(3) for _ in range(3))
