"""Time grows with the length and with nothing else. CPU time, so that a busy machine fails nothing."""

from __future__ import annotations

import time
from statistics import median

import pytest

from cargo_runbook.symptoms import explain, shipped
from tests.symptoms.corpus import TEXTS

pytestmark = pytest.mark.slow

HOSTILE = {
    "spaces": " ",
    "newlines": "\n",
    "escapes": "\x1b[",
    "backslashes": "\\",
    "quotes": '\\"',
    "requests": 'Get "https://a.example/token?service=',
    "lookups": "lookup a on :",
    "codes": "denied: unauthorized: 401 ",
    "arguments": "docker pull -a -a -a ",
    "names": "a.b/c:d/",
    "replication": "[ERROR] transfer.go 401 ",
    "one kind": "connection refused image\n",
    "colons": "error:\n",
    "requests from a shell": "curl -a -a -a ",
    "statuses": "unexpected status from HEAD request to https://a.example/",
    "wrappers": "500 Server Error for url: http://a.example: Internal Server Error ",
    "weak words": "manifest registry 401 npm err ",
    "reasons": "unauthorized: token account key ",
    "tokens": "failed to fetch a token ",
    "moved images": "pull the the the the image pulling a ",
    "connections": "dial tcp a: read tcp b: lookup c: ",
    "plain words": "docker registry storage volume host write certificate ",
    "refused tokens": "?service=a scope=b status code from a b c ",
    "reasons that forbid": "denied: a unauthorized: b digest upload ",
}


def seconds(text: str) -> float:
    started = time.process_time()
    explain(text)
    return time.process_time() - started


def test_the_median_of_the_texts_is_below_two_milliseconds() -> None:
    shipped()
    assert median(seconds(text.text) for text in TEXTS) < 0.002


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    shipped()
    assert seconds(piece * (1_000_000 // len(piece))) < 4


def test_many_different_token_requests_take_no_longer_than_as_many_alike() -> None:
    shipped()
    asked = 'Get "https://a{0}.example/token?scope=repository%3Ap{0}%2Fq%3Apull&service=s{0}": '
    assert seconds("".join(asked.format(number) for number in range(12_000))) < 4


def test_ten_megabytes_of_log_take_less_than_five_seconds() -> None:
    shipped()
    line = '2024-01-01T00:00:{:02} level=error msg="blob unknown" http.request.uri="/v2/p/{}/blobs" http.response.status=404\n'
    log = "".join(line.format(n % 60, f"{n:x}" + "ghijklmnop"[n % 10] * (n % 40)) for n in range(90_000))
    assert len(log) > 10_000_000
    assert seconds(log) < 5
