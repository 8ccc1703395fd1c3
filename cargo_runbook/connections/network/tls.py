"""TLS: whether the certificate is trusted as a docker client would trust it, and what it says when it is not."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cargo_runbook.connections.base import Deadline, Failure, Look
from cargo_runbook.connections.network.sockets import Resolve, connect, connection_failure, look_up
from cargo_runbook.observations import Observation, Status, TlsHandshake
from cargo_runbook.texts import Text

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_VERIFY_CODES = {
    9: "not_yet_valid",
    10: "expired",
    18: "self_signed",
    19: "unknown_ca",
    20: "unknown_ca",
    21: "unknown_ca",
    23: "revoked",
    62: "wrong_name",
    64: "wrong_name",
}
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNEXPECTED_MESSAGE",
)
_OLD_TLS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE")


@dataclass(frozen=True)
class Trust:
    """The CAs that count: the system's, and those of the environment's `ca` file (as docker's certs.d adds one).

    Args:
        ca: path of a PEM file, or empty.
    """

    ca: str = ""

    def context(self) -> ssl.SSLContext:
        """A context that verifies as Go's crypto/tls does.

        Raises:
            Failure: the CA file can't be read.
        """
        try:
            changed = Path(self.ca).stat().st_mtime_ns if self.ca else 0
            # One thread reads; the others, who all begin at the same moment, wait for what it read.
            with _READING:
                return _context(self.ca, changed)
        except (OSError, ssl.SSLError) as error:
            raise Failure(
                Status.ERROR,
                "ca_unreadable",
                Text(f"the CA file {self.ca} can't be read: {error}", f"无法读取 CA 文件 {self.ca}：{error}"),
            ) from error


_READING = Lock()
_Stamp = tuple[tuple[str, int], ...]
_READY: list[tuple[_Stamp, ssl.SSLContext]] = []


def prepare() -> None:
    """Reads the system's CAs before they are needed: for processes that are forked from this one, each of which takes the
    context for the first CA file that it has to trust beside them."""
    _READY[:] = [(_system_cas(), ssl.create_default_context())]


def _system_context() -> ssl.SSLContext:
    """One that trusts the system's CAs, and is nobody else's."""
    if _READY:
        stamp, context = _READY.pop()
        if stamp == _system_cas():
            return context
    return ssl.create_default_context()


def _system_cas() -> _Stamp:
    """Where the system's CAs stand, and when that was changed."""
    paths = ssl.get_default_verify_paths()
    return tuple((str(each), Path(each).stat().st_mtime_ns) for each in (paths.cafile, paths.capath) if each)


@lru_cache(maxsize=16)
def _context(ca: str, _changed: int) -> ssl.SSLContext:
    """Reading the system's CAs takes longer than a handshake; a CA file that has changed is read again."""
    context = _system_context()
    if ca:
        context.load_verify_locations(cafile=ca)
    # Python 3.13 became stricter than Go about old CA certificates; a verdict must be the docker client's.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Go takes names from the subject alternative names only (since 1.15).
    context.hostname_checks_common_name = False
    # Here, while nobody shakes hands with it: see `wire.py`.
    context.set_alpn_protocols(["http/1.1"])
    return context


def handshake(connection: socket.socket, context: ssl.SSLContext, name: str, deadline: Deadline) -> ssl.SSLSocket:
    """The handshake on an open connection; the connection is closed when it fails.

    Raises:
        Failure: with reason `tls` and `tls_problem`, or the reason of a connection that broke.
    """
    connection.settimeout(max(deadline.left(), 0.001))
    secured: socket.socket | ssl.SSLSocket = connection
    try:
        # The handshake by itself: before it the socket has become another one, which a stop has to know.
        secured = context.wrap_socket(connection, server_hostname=name, do_handshake_on_connect=False)
        deadline.ends(secured)
        secured.do_handshake()
    except (OSError, ValueError) as error:
        secured.close()
        raise _tls_failure(error, name) from error
    return secured


def _tls_failure(error: OSError | ValueError, name: str) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = _VERIFY_CODES.get(error.verify_code, "not_trusted")
        return Failure(
            Status.UNREACHABLE,
            "tls",
            Text(f"{name}: {error.verify_message}", f"{name}：{error.verify_message}"),
            tls_problem=problem,
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure(
            Status.UNREACHABLE,
            "reset",
            Text(f"{name} ended the connection during the handshake", f"{name} 在握手过程中断开了连接"),
            phase="tls",
        )
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        problem = "not_tls" if reason in _NOT_TLS else "protocol_version" if reason in _OLD_TLS else "refused"
        return Failure(
            Status.UNREACHABLE,
            "tls",
            Text(f"{name}: {reason or error}", f"{name}：{reason or error}"),
            tls_problem=problem,
        )
    if isinstance(error, OSError):
        return connection_failure(error, name, phase="tls")
    return Failure(
        Status.ERROR,
        "bad_name",
        Text(f"{name!r} can't be asked for by TLS: {error}", f"无法通过 TLS 请求 {name!r}：{error}"),
    )


def ask_tls(look: Look, question: TlsHandshake, trust: Trust, names: Resolve = look_up) -> Observation:
    """Shakes hands, verified; where that fails, once more unverified to see the certificate. Nothing else is sent."""
    data: dict[str, Any] = {"trusted": False, "problem": "", "names": []}
    try:
        context = trust.context()
        connection = connect(question.address, question.port, look.deadline, names)
        data["peer"] = connection.getpeername()[0]
        try:
            secured = handshake(connection, context, question.server_name, look.deadline)
        except Failure as failure:
            if failure.reason != "tls":
                raise
            return _untrusted(look, question, failure, data, names)
    except Failure as failure:
        return look.failed(failure, data=data)
    with secured:
        data.update(trusted=True, version=secured.version(), **_describe(secured.getpeercert(binary_form=True)))
    return look.observe(Status.ANSWERED, output=_summary(data), data=data)


def _untrusted(
    look: Look, question: TlsHandshake, failure: Failure, data: dict[str, Any], names: Resolve
) -> Observation:
    data["problem"] = failure.data["tls_problem"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        connection = connect(question.address, question.port, look.deadline, names)
        with handshake(connection, context, question.server_name, look.deadline) as unverified:
            data.update(version=unverified.version(), **_describe(unverified.getpeercert(binary_form=True)))
    except Failure as again:
        data["certificate_reason"] = again.sentence.en
    return look.observe(Status.ANSWERED, output=_summary(data), error=failure.sentence.en, data=data)


def _describe(der: bytes | None) -> dict[str, Any]:
    """What a certificate says: names, issuer, subject, times (ISO, UTC), SHA-256 fingerprint, and itself as PEM."""
    if not der:
        return {}
    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "names": _names(certificate),
            "issuer": certificate.issuer.rfc4514_string(),
            "subject": certificate.subject.rfc4514_string(),
            "not_before": certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
            "not_after": certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
            "fingerprint": f"SHA256:{certificate.fingerprint(SHA256()).hex()}",
            "certificate": certificate.public_bytes(Encoding.PEM).decode(),
        }
    except ValueError as error:
        return {"certificate_reason": f"the certificate can't be parsed: {error}"}


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *(str(a) for a in names.get_values_for_type(x509.IPAddress))]


def _summary(data: dict[str, Any]) -> str:
    rows = [("trusted", "yes" if data["trusted"] else f"no: {data['problem']}"), ("names", ", ".join(data["names"]))]
    rows += [(key, str(data[key])) for key in ("issuer", "not_before", "not_after") if key in data]
    return "\n".join(f"{key}: {value}" for key, value in rows)
