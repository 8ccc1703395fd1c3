"""The token services' signatures, against another library."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cargo_sandbox.services.signing import PrivateKey


def test_a_signature_is_what_another_library_makes_of_the_same_key(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    ours = PrivateKey(tmp_path / "key.pem")
    for said in (b"", b"header.claims", b"x" * 10_000):
        assert ours.sign(said) == key.sign(said, padding.PKCS1v15(), SHA256())
    assert ours.public_der() == key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_file_without_a_private_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    with pytest.raises(ValueError, match=r"key\.pem holds no private key"):
        PrivateKey(tmp_path / "key.pem")
