"""Who may ask the pages, what they say, and what they never let run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from cargo_runbook.archive.record import Record
from tests.archive.kept import STARTED, keep, keep_old
from tests.pages.serving import place_of, served

pytestmark = pytest.mark.services


class Site:
    """The pages, asked with the token's cookie."""

    def __init__(self, url: str, records: list[Record]) -> None:
        self.host, self.port, self.token = place_of(url)
        self.records = records
        self.cookie = f"cargo-runbook-{self.port}={self.token}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        connection = HTTPConnection(self.host, self.port, timeout=20)
        connection.request(
            method, path, headers={"Cookie": self.cookie, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, {name.lower(): value for name, value in answer.getheaders()}

    def page(self, path: str) -> str:
        status, body, _ = self.ask(path)
        assert status == 200, body
        return body


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    reports = tmp_path_factory.mktemp("reports")
    records = [keep(reports, name, STARTED + timedelta(hours=n)) for n, name in enumerate(("cargo", "devops", "cargo"))]
    keep_old(reports, "ancient")
    with served(reports) as url:
        yield Site(url, records)


@pytest.mark.parametrize("path", ["/", "/verify", "/nowhere", "/?token=wrong", "/records/x"])
def test_nothing_is_told_without_the_token(site: Site, path: str) -> None:
    status, body, headers = site.ask(path, Cookie="")
    assert status == 403
    assert "records serve" in body
    assert site.records[0].header.record not in body
    assert site.token not in body
    assert "set-cookie" not in headers


def test_the_address_that_was_printed_gives_a_cookie_and_hides_its_token(site: Site) -> None:
    status, _, headers = site.ask(f"/?token={site.token}", Cookie="")
    assert (status, headers["location"]) == (302, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]


def test_another_name_for_this_machine_is_refused(site: Site) -> None:
    assert site.ask("/", Host=f"rebound.example:{site.port}")[0] == 403
    assert site.ask("/", Host=f"localhost:{site.port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(site: Site, method: str) -> None:
    assert site.ask("/", method)[0] == 405


def test_every_answer_forbids_scripts(site: Site) -> None:
    for path in ("/", "/verify", "/nowhere", f"/records/{site.records[0].header.record}"):
        _, body, headers = site.ask(path)
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "script-src" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "<script" not in body


def test_the_list_is_filtered_searched_and_complete(site: Site) -> None:
    every = site.page("/")
    assert all(record.header.record in every for record in site.records)
    assert "not sealed" in every
    assert "devops" not in site.page("/?env=cargo").split("<tbody>")[1]
    assert "No record fits" in site.page("/?status=healthy")
    assert site.page(f"/?q={quote('域名')}").count('class="record"') >= 1
    assert "is no time" in site.page("/?since=yesterday")
    assert "no word to search" in site.page(f"/?q={quote('!')}")


def test_a_record_is_verified_when_it_is_looked_at(site: Site) -> None:
    record = site.records[0]
    assert 'data-seal="whole"' in site.page(f"/records/{record.header.record}")
    path = record.path / "evidence.jsonl"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
        broken = site.page(f"/records/{record.header.record}")
        assert 'data-seal="broken"' in broken
        assert "evidence.jsonl" in broken.split("data-seal")[1][:300]
        assert 'data-archive="broken"' in site.page("/verify")
    finally:
        path.write_bytes(content)
    assert 'data-archive="whole"' in site.page("/verify")
    assert 'data-archive="broken"' in site.page(f"/verify?head={'0' * 64}")


def test_two_records_are_compared(site: Site) -> None:
    one, other = (record.header.record for record in site.records[1:])
    page = site.page(f"/compare?a={one}&b={other}")
    assert "Both came to the same" in page
    assert "environment" in page
    status, body, _ = site.ask(f"/compare?a={one}")
    assert (status, "no healthy run" in body) == (404, True)


def test_an_incident_is_a_timeline_that_leads_to_its_records(site: Site, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    record = keep(reports, "cargo", incident="INC-7")
    with served(reports) as url:
        page = Site(url, []).page("/incidents/INC-7")
    assert f'href="/records/{record.header.record}' in page
    assert record.head[:12] in page
    assert "CRG201" in page
    assert "not seen yet" in page


def test_what_is_not_there_is_a_sentence(site: Site) -> None:
    for path in ("/records/nothing", "/incidents/nothing", "/records/..%2f..%2fetc", "/compare?a=&b="):
        status, body, _ = site.ask(path)
        assert status == 404, path
        assert "Traceback" not in body


def test_the_pages_speak_chinese(site: Site) -> None:
    assert "记录" in site.page("/?lang=zh")
    status, body, _ = site.ask("/", Accept_Language="zh-CN,zh;q=0.9")
    assert (status, "记录" in body) == (200, True)


def test_what_a_host_printed_is_shown_and_not_obeyed(site: Site, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    record = keep(tmp_path, "hostile")
    path = record.path / "evidence.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["output"] = hostile
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with served(tmp_path) as url:
        page = Site(url, []).page(f"/records/{record.header.record}")
    assert hostile not in page
    assert "&lt;script&gt;alert(2)" in page


def test_a_path_is_no_id_and_a_page_far_away_is_no_error(site: Site, tmp_path: Path) -> None:
    """What is shown lies in this archive, whoever writes the address."""
    elsewhere = keep(tmp_path, "elsewhere")
    for path in (elsewhere.path, Path("/etc")):
        for address in (f"/records/{quote(str(path), safe='')}", f"/compare?a={quote(str(path), safe='')}"):
            status, body, _ = site.ask(address)
            assert status == 404
            assert "there is no record" in body
    for number in ("9" * 5000, "9" * 19):
        assert site.ask(f"/?page={number}")[0] == 200
