"""Name look-ups, one name server at a time, with the answers told apart (RFC 1035, RFC 2308).

"No such name" (NXDOMAIN), "the name has no such address" (NOERROR without addresses), a server that refuses or
fails, and silence are different causes with different cures.
"""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from cargo_runbook.connections.base import Deadline, Failure, Look
from cargo_runbook.connections.network.sockets import connect, connection_failure, look_up, split_address
from cargo_runbook.observations import DnsQuery, Observation, Status
from cargo_runbook.texts import Text

_HOSTS = Path("/etc/hosts")
_TRIES = 3
_FAMILIES = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}

# getaddrinfo(3); NODATA is a GNU extension that Python does not name on every platform.
_EAI_RCODES = {
    socket.EAI_NONAME: "NXDOMAIN",
    getattr(socket, "EAI_NODATA", -5): "NOERROR",
    socket.EAI_AGAIN: "TRYAGAIN",
    socket.EAI_FAIL: "SERVFAIL",
}


def ask_dns(look: Look, question: DnsQuery) -> Observation:
    """Asks `question.server`, or the operator's own resolver when it is empty."""
    try:
        return _ask_server(look, question) if question.server else _ask_resolver(look, question)
    except Failure as failure:
        return look.failed(failure, data={"addresses": [], "server": question.server})


def _ask_resolver(look: Look, question: DnsQuery) -> Observation:
    if question.rdtype not in _FAMILIES:
        raise Failure(
            Status.ERROR,
            "record_type",
            Text(f"the system's resolver has no {question.rdtype} records", f"系统解析器不提供 {question.rdtype} 记录"),
        )
    found = look_up(question.name, look.deadline, _FAMILIES[question.rdtype])
    rcode = _EAI_RCODES.get(found.code, f"EAI{found.code}") if found.code else "NOERROR"
    source = "hosts file" if found.addresses and _in_hosts_file(question.name) else "resolver"
    data = {"rcode": rcode, "addresses": list(found.addresses), "source": source, "server": ""}
    return look.observe(Status.ANSWERED, output="\n".join(found.addresses), error=found.text, data=data)


def _in_hosts_file(name: str) -> bool:
    try:
        lines = _HOSTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    names = (word.lower() for line in lines for word in line.partition("#")[0].split()[1:])
    return name.rstrip(".").lower() in names


def _ask_server(look: Look, question: DnsQuery) -> Observation:
    try:
        query = dns.message.make_query(question.name, question.rdtype)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise Failure(
            Status.ERROR,
            "bad_name",
            Text(f"{question.name!r} can't be asked for: {error}", f"无法查询 {question.name!r}：{error}"),
        ) from error
    host, port = split_address(question.server, 53)
    server = look_up(host, look.deadline)
    if not server.addresses:
        raise Failure(
            Status.UNREACHABLE,
            "name_not_resolved",
            Text(f"the name server {host} does not resolve", f"DNS 服务器 {host} 无法解析"),
        )
    answer, transport = _exchange(query, server.addresses[0], port, look.deadline)
    records = [record for rrset in answer.answer for record in rrset.to_text().splitlines()]
    addresses = [
        record.to_text()
        for rrset in answer.answer
        if rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for record in rrset
    ]
    aliases = [
        record.target.to_text(omit_final_dot=True)
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.CNAME
        for record in rrset
    ]
    data = {
        "rcode": dns.rcode.to_text(answer.rcode()),
        "addresses": addresses,
        "aliases": aliases,
        "authoritative": bool(answer.flags & dns.flags.AA),
        "source": f"name server {question.server}",
        "server": question.server,
        "transport": transport,
    }
    return look.observe(Status.ANSWERED, output="\n".join(records), data=data)


def _exchange(
    query: dns.message.Message, address: str, port: int, deadline: Deadline
) -> tuple[dns.message.Message, str]:
    """Asks over UDP, again when nothing comes (a datagram may be lost), and over TCP when the answer is too long."""
    where = Text(f"name server {address} port {port}", f"DNS 服务器 {address} 端口 {port}")
    for attempt in range(_TRIES):
        share = deadline.left() / (_TRIES - attempt)
        if attempt and share <= 0:
            break
        try:
            return _over_udp(query, address, port, Deadline(share, deadline.stop)), "udp"
        except dns.message.Truncated:
            return _over_tcp(query, address, port, deadline), "tcp"
        except dns.exception.Timeout:
            continue
        except OSError as error:
            raise connection_failure(error, where, phase="connect") from error
    raise Failure(
        Status.TIMEOUT,
        "timeout",
        Text(f"{where.en} did not answer in time", f"{where.zh} 没有在限定时间内应答"),
        phase="answer",
    )


def _over_udp(query: dns.message.Message, address: str, port: int, deadline: Deadline) -> dns.message.Message:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connected:
        connected.setblocking(False)
        # Only a connected socket is told that nothing listens (ICMP port unreachable).
        connected.connect((address, port))
        dns.query.send_udp(connected, query, None)
        # In short turns: nothing wakes who waits for a datagram, and a stop is to be seen.
        for seconds in deadline.turns():
            with contextlib.suppress(dns.exception.Timeout):
                return _answer(connected, query, seconds)
    raise dns.exception.Timeout


def _answer(connected: socket.socket, query: dns.message.Message, seconds: float) -> dns.message.Message:
    # Anything that is no answer to this query (another id, garbage) is passed over: it may be forged.
    received = dns.query.receive_udp(
        connected, expiration=time.time() + seconds, ignore_errors=True, raise_on_truncation=True, query=query
    )
    answer: dns.message.Message = received[0]
    return answer


def _over_tcp(query: dns.message.Message, address: str, port: int, deadline: Deadline) -> dns.message.Message:
    try:
        with connect(address, port, deadline) as connection:
            connection.setblocking(False)
            deadline.ends(connection)
            return dns.query.tcp(query, address, timeout=deadline.left(), port=port, sock=connection)
    except dns.exception.Timeout as error:
        sentence = Text(
            f"name server {address} did not answer over TCP in time",
            f"DNS 服务器 {address} 没有在限定时间内通过 TCP 应答",
        )
        raise Failure(Status.TIMEOUT, "timeout", sentence, phase="answer") from error
    except EOFError as error:
        raise Failure(
            Status.UNREACHABLE,
            "reset",
            Text(f"name server {address} ended the connection", f"DNS 服务器 {address} 断开了连接"),
        ) from error
    except OSError as error:
        raise connection_failure(
            error, Text(f"name server {address}", f"DNS 服务器 {address}"), phase="connect"
        ) from error
