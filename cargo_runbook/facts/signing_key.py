"""Key ids of token signing keys.

The registry (2.x) names a trusted key by its libtrust id: SHA-256 of the DER SubjectPublicKeyInfo, the first 30
bytes in base32, twelve groups of four joined by `:`.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def key_ids(pem: str) -> tuple[str, ...]:
    """The libtrust ids of all certificates in a PEM bundle; empty when there is none that can be read."""
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return ()
    return tuple(
        _libtrust_id(c.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) for c in certificates
    )


def _libtrust_id(der: bytes) -> str:
    digest = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(digest[i : i + 4] for i in range(0, len(digest), 4))
