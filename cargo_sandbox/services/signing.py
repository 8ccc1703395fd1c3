"""RS256 by the libcrypto that Python itself uses, in this process: a program started for each token would cost ten times
what the signature does, which real token services make within one.

Standard library only. Source: OpenSSL 1.1.1 and later, EVP_DigestSign(3), PEM_read_bio_PrivateKey(3), i2d_PUBKEY(3).
"""

from __future__ import annotations

import _hashlib
import ctypes
from pathlib import Path

_POINTER = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_FUNCTIONS = {
    "BIO_new_mem_buf": (_POINTER, (ctypes.c_char_p, ctypes.c_int)),
    "BIO_free": (ctypes.c_int, (_POINTER,)),
    "PEM_read_bio_PrivateKey": (_POINTER, (_POINTER, _POINTER, _POINTER, _POINTER)),
    "i2d_PUBKEY": (ctypes.c_int, (_POINTER, _POINTER)),
    "EVP_sha256": (_POINTER, ()),
    "EVP_MD_CTX_new": (_POINTER, ()),
    "EVP_MD_CTX_free": (None, (_POINTER,)),
    "EVP_DigestSignInit": (ctypes.c_int, (_POINTER, _POINTER, _POINTER, _POINTER, _POINTER)),
    "EVP_DigestSign": (ctypes.c_int, (_POINTER, ctypes.c_char_p, _POINTER, ctypes.c_char_p, _SIZE)),
}


def _libcrypto() -> ctypes.CDLL:
    # What a library was linked with is found through it, whatever its name and version.
    library = ctypes.CDLL(_hashlib.__file__)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class PrivateKey:
    """The RSA key of a PEM file, read once. Safe to share between threads.

    Raises:
        ValueError: the file holds no private key.
    """

    def __init__(self, path: Path) -> None:
        self._crypto = _libcrypto()
        pem = path.read_bytes()
        source = self._crypto.BIO_new_mem_buf(pem, len(pem))
        self._key = self._crypto.PEM_read_bio_PrivateKey(source, None, None, None)
        self._crypto.BIO_free(source)
        if not self._key:
            raise ValueError(f"{path} holds no private key")

    def public_der(self) -> bytes:
        """The public key (SubjectPublicKeyInfo)."""
        der = ctypes.create_string_buffer(self._crypto.i2d_PUBKEY(self._key, None))
        # The function moves the pointer that it is given.
        place = ctypes.c_void_p(ctypes.addressof(der))
        self._crypto.i2d_PUBKEY(self._key, ctypes.byref(place))
        return der.raw

    def sign(self, data: bytes) -> bytes:
        """The signature (PKCS #1 1.5, SHA-256) of `data`."""
        context = self._crypto.EVP_MD_CTX_new()
        try:
            length = ctypes.c_size_t(0)
            done = self._crypto.EVP_DigestSignInit(context, None, self._crypto.EVP_sha256(), None, self._key)
            done = done == 1 and self._crypto.EVP_DigestSign(context, None, ctypes.byref(length), data, len(data))
            signature = ctypes.create_string_buffer(length.value)
            done = done and self._crypto.EVP_DigestSign(context, signature, ctypes.byref(length), data, len(data))
        finally:
            self._crypto.EVP_MD_CTX_free(context)
        if done != 1:
            raise ValueError("libcrypto does not sign with this key")
        return signature.raw[: length.value]
