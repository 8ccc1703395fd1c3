"""The CA that docker must trust: taken from the Cargo host over SSH, never from the connection that is not trusted."""

from __future__ import annotations

import re
from dataclasses import replace

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cargo_runbook.inventory.models import Host
from cargo_runbook.observations import OPERATOR, TlsHandshake
from cargo_runbook.remedies.workbench import SECONDS, Draft, NoRemedy, Workbench, text_of
from cargo_runbook.texts import Text, tell

SECTION = "Cargo 问题排查路径"
_CERTIFICATE = re.compile(r"^\s*ssl_certificate\s+([^\s;]+)\s*;", re.MULTILINE)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def docker_ca(bench: Workbench) -> Draft:
    """What issued the certificate, into docker's certs.d and into the CA file of the inventory.

    Raises:
        NoRemedy: what the front shows is not what the host has, or the issuer stands in neither.
    """
    environment, draft = bench.environment, Draft()
    if not environment.ca:
        raise NoRemedy(
            tell(
                "the inventory names no CA file for this environment, so the system's CAs count",
                "环境清单没有为该环境指定 CA 文件，因此以系统 CA 为准",
            ),
            next_step=tell(
                f"Put the CA's certificate into a file beside {environment.file} and name it there: ca: FILE",
                f"请把 CA 证书保存到 {environment.file} 旁边的文件中，并在清单中写明：ca: 文件名",
            ),
            section=SECTION,
        )
    shown = _shown(bench)
    chain = next((found for host in environment.hosts if (found := _on(bench, host)) and found[0] == shown), None)
    if chain is None:
        raise NoRemedy(
            tell(
                "the certificate that the front shows stands on none of the Cargo hosts: something stands between, and is "
                "not trusted from here",
                "前端出示的证书不在任何一台 Cargo 主机上：中间另有设备，因此不予信任",
            ),
            vantage="operator",
            seen=tell(
                f"SHA-256 {shown.fingerprint(SHA256()).hex()}, issuer {shown.issuer.rfc4514_string()}",
                f"SHA-256 {shown.fingerprint(SHA256()).hex()}，签发者 {shown.issuer.rfc4514_string()}",
            ),
            next_step=tell(
                "Who answers at that address? See the finding's evidence.", "该地址上应答的是谁？请查看该结果的证据。"
            ),
            section=SECTION,
        )
    issuer = next((cert for cert in chain if cert.subject == shown.issuer), None)
    if issuer is None:
        raise NoRemedy(
            tell(
                f"the certificate of the issuer ({shown.issuer.rfc4514_string()}) is not on the Cargo host",
                f"签发者（{shown.issuer.rfc4514_string()}）的证书不在 Cargo 主机上",
            ),
            next_step=tell(
                "Ask for it where the certificate was issued, and put it into "
                f"/etc/docker/certs.d/{environment.authority}/ca.crt and {environment.path(environment.ca)}.",
                f"请向证书的签发方索取，并放到 /etc/docker/certs.d/{environment.authority}/ca.crt 和 {environment.path(environment.ca)}。",
            ),
            section=SECTION,
        )
    pem = issuer.public_bytes(Encoding.PEM).decode()
    for path in (f"/etc/docker/certs.d/{environment.authority}/ca.crt", str(environment.path(environment.ca))):
        state = bench.file(OPERATOR, path)
        text = text_of(state)
        if pem.strip() not in text.replace("\r", ""):
            ended = text if not text or text.endswith("\n") else f"{text}\n"
            draft.edit(replace(state, mode="644") if state.content is None else state, ended + pem)
    print_ = issuer.fingerprint(SHA256()).hex()
    draft.notes.append(
        Text(
            f"Read on the Cargo host over SSH: {issuer.subject.rfc4514_string()}, SHA-256 {print_}. Other machines that "
            "pull, and jobservice of other Cargos, need it too.",
            f"通过 SSH 从 Cargo 主机读取：{issuer.subject.rfc4514_string()}，SHA-256 {print_}。其他拉取镜像的机器以及其他 "
            "Cargo 的 jobservice 也需要它。",
        )
    )
    return draft


def _shown(bench: Workbench) -> x509.Certificate:
    environment, seen = bench.environment, bench.gathered.path.handshake
    address = seen.address if seen and seen.address else environment.domain
    question = TlsHandshake(
        address=address, server_name=environment.domain, port=environment.port, deadline=SECONDS, attempt=1
    )
    pem = str(bench.ask(question).data.get("certificate", ""))
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise NoRemedy(
            tell("the front shows no certificate that can be read", "前端没有出示可读取的证书"),
            vantage="operator",
            section=SECTION,
        ) from error


def _on(bench: Workbench, host: Host) -> list[x509.Certificate]:
    """The certificates that tengine has, as its configuration names them; empty where none can be read."""
    machine = bench.on(host)
    for inside in _CERTIFICATE.findall(text_of(bench.file(machine, f"{host.root}/config/nginx/nginx.conf"))):
        path = inside.strip("\"'")
        path = (
            f"{host.root}/config/nginx/{path.removeprefix('/etc/nginx/')}" if not path.startswith(host.root) else path
        )
        blocks = _PEM.findall(text_of(bench.file(machine, path)))
        try:
            found = [x509.load_pem_x509_certificate(block.encode()) for block in blocks]
        except ValueError:
            continue
        if found:
            return found
    return []
