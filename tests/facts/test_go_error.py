"""Error texts of jobservice, of the Go that Harbor 1.4 was shipped with and of newer ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo_runbook.facts.harbor.go_error import Kind, origin, read_go_error

TOKEN = "https://cargo.example/service/token?scope=repository%3Aa%2Fb%3Apull&service=harbor-registry"

TEXTS = [
    ('Post "https://b.example/api/projects/": dial tcp: lookup b.example: no such host', Kind.NO_SUCH_NAME),
    (
        "Post https://b.example/api/projects/: dial tcp: lookup b.example on 10.0.0.2:53: no such host",
        Kind.NO_SUCH_NAME,
    ),
    ("Post https://b.example/api/projects/: dial tcp: lookup b.example: Name does not resolve", Kind.NO_SUCH_NAME),
    ("dial tcp: lookup b.example: Temporary failure in name resolution", Kind.NAME_SERVER),
    ("dial tcp: lookup b.example on 10.0.0.2:53: server misbehaving", Kind.NAME_SERVER),
    ("dial tcp: lookup b.example on 10.0.0.2:53: read udp 10.0.0.9:4->10.0.0.2:53: i/o timeout", Kind.NAME_SERVER),
    ("lookup b.example on 10.0.0.2:53: read udp 10.0.0.9:4->10.0.0.2:53: connection refused", Kind.NAME_SERVER),
    ("Post http://192.0.2.9:8300/api/projects/: dial tcp 192.0.2.9:8300: getsockopt: connection refused", Kind.REFUSED),
    ('Post "http://192.0.2.9:8300/api/projects/": dial tcp 192.0.2.9:8300: connect: connection refused', Kind.REFUSED),
    ("dial tcp [2001:db8::9]:443: connect: connection refused", Kind.REFUSED),
    ("dial tcp 192.0.2.9:443: getsockopt: no route to host", Kind.NO_ROUTE),
    ("dial tcp 192.0.2.9:443: connect: network is unreachable", Kind.NO_ROUTE),
    ("dial tcp 192.0.2.9:443: getsockopt: connection timed out", Kind.TIMEOUT),
    ("dial tcp 192.0.2.9:443: i/o timeout", Kind.TIMEOUT),
    ("net/http: TLS handshake timeout", Kind.TIMEOUT),
    ("net/http: request canceled (Client.Timeout exceeded while awaiting headers)", Kind.TIMEOUT),
    ("x509: certificate signed by unknown authority", Kind.UNKNOWN_CA),
    ('x509: certificate signed by unknown authority (possibly because of "x509: invalid signature")', Kind.UNKNOWN_CA),
    ("tls: failed to verify certificate: x509: certificate signed by unknown authority", Kind.UNKNOWN_CA),
    ("x509: certificate is valid for a.example, not b.example", Kind.WRONG_NAME),
    ("x509: cannot validate certificate for 192.0.2.9 because it doesn't contain any IP SANs", Kind.WRONG_NAME),
    ("x509: certificate has expired or is not yet valid", Kind.NOT_VALID_NOW),
    (
        "x509: certificate has expired or is not yet valid: current time 2026-11-24T10:00:00Z is after 2026-01-01T00:00:00Z",
        Kind.NOT_VALID_NOW,
    ),
    ("http: server gave HTTP response to HTTPS client", Kind.NO_TLS),
    ("tls: first record does not look like a TLS handshake", Kind.NO_TLS),
    ("remote error: tls: handshake failure", Kind.NO_TLS),
    (r'malformed HTTP response "\x15\x03\x01\x00\x02\x02"', Kind.TLS_EXPECTED),
    ('Head "https://b.example/v2/a/b/blobs/sha256:1": Get "https://b.example/v2/": EOF', Kind.CLOSED),
    ("unexpected EOF", Kind.CLOSED),
    ("read tcp 192.0.2.1:58352->192.0.2.8:443: read: connection reset by peer", Kind.CLOSED),
    ("Head https://b.example/v2/x: invalid character '<' looking for beginning of value", Kind.NOT_JSON),
    ("unexpected end of JSON input", Kind.NOT_JSON),
    ("Get /v2/: stopped after 10 redirects", Kind.REDIRECTED),
    ("proxyconnect tcp: dial tcp: lookup proxy.example: no such host", Kind.PROXY),
    ("Post https://b.example/api/projects/: Service Unavailable", Kind.PROXY),
    ("401 ", Kind.HTTP),
    ("401", Kind.HTTP),
    ("404 404 page not found", Kind.HTTP),
    ("502 <html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>", Kind.HTTP),
    ("the moon is not full", Kind.OTHER),
    ("", Kind.OTHER),
    ("40", Kind.OTHER),
    ("9000 of them", Kind.OTHER),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_each_text_has_its_kind(text: str, kind: Kind) -> None:
    assert read_go_error(text).kind is kind


@pytest.mark.parametrize(("text", "kind"), [t for t in TEXTS if t[1] is not Kind.HTTP])
def test_what_is_no_http_status_is_tried_again(text: str, kind: Kind) -> None:
    assert read_go_error(text).is_network


@pytest.mark.parametrize("quote", ['"', ""])
def test_the_request_that_failed_is_the_innermost_one(quote: str) -> None:
    text = f"Head {quote}https://b.example/v2/a/blobs/x{quote}: Get {quote}{TOKEN}{quote}: dial tcp: lookup c: no such host"
    error = read_go_error(text)
    assert error.requests == (("HEAD", "https://b.example/v2/a/blobs/x"), ("GET", TOKEN))
    assert error.url == TOKEN


def test_status_and_body_of_a_refused_project_are_told_apart() -> None:
    text = "failed to create project 研发 on https://b.example:8443 with user l i: 403 Only system admin can create project"
    error = read_go_error(text)
    assert (error.status, error.body) == (403, "Only system admin can create project")


def test_ports_are_those_of_the_scheme_where_none_is_written() -> None:
    assert origin("https://B.example/x") == ("https", "b.example", 443)
    assert origin("http://b.example:8080") == ("http", "b.example", 8080)
    assert origin("https://[2001:db8::1") == ("", "", 0)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    error = read_go_error(text)
    assert (error.kind is Kind.HTTP) == bool(error.status)
    origin(text)
