"""The files of a Cargo host, as an engineer reads them."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cargo_sandbox.material import image
from cargo_sandbox.material.installation import render
from cargo_sandbox.services.tengine import checks_in, without_checks
from cargo_sandbox.topology import MASTER, SITES, site


def test_the_check_line_holds_backslash_r_backslash_n_as_letters_and_this_sites_domain():
    for each in SITES:
        line = next(line for line in render(each)["config/nginx/nginx.conf"].splitlines() if "check_http_send" in line)
        assert line.strip() == (rf'check_http_send "GET /registryproxy/v2 HTTP/1.0\r\nX-Cargo: {each.domain}\r\n\r\n";')


def test_variables_of_nginx_survive_the_template():
    assert "proxy_set_header  Host $http_host;" in render(site("cargo"))["config/nginx/nginx.conf"]


def test_the_token_service_stands_in_the_compose_file_and_in_the_settings():
    files = render(site("cargo"))
    compose = YAML(typ="safe").load(files["config/docker-compose-single.yml"])
    assert compose["services"]["proxy"]["extra_hosts"] == [f"cargo-admin:{MASTER.address}"]
    settings = YAML(typ="safe").load(files["env-single.yml"])
    assert settings["cargo_token_service"] == MASTER.address
    assert settings["cargo_domain"] == "cargo.caicloudprivatetest.com"


def test_the_files_of_a_cargo_of_several_hosts_are_named_after_ha_and_use_the_later_key():
    files = render(site("ha"))
    assert [name for name in files if "single" in name] == []
    compose = YAML(typ="safe").load(files["config/docker-compose-ha.yml"])
    assert compose["services"]["proxy"]["extra_hosts"] == [f"cargo-admin:{MASTER.address}"]
    settings = YAML(typ="safe").load(files["env-ha.yml"])
    assert settings["cargo_cluster_master_vip"] == MASTER.address
    assert "cargo_token_service" not in settings
    assert files["restart.sh"].count("docker-compose-ha.yml") == 2


def test_compose_starts_the_four_containers_of_the_guide_from_images_that_exist():
    services = YAML(typ="safe").load(render(site("devops"))["config/docker-compose-single.yml"])["services"]
    assert {s["container_name"] for s in services.values()} == {
        *("tengine", "harbor-registry", "harbor-ui", "harbor-jobservice")
    }
    made = {f"{image.REPOSITORY}/{each.tag}" for each in image.IMAGES}
    assert {s["image"] for s in services.values()} <= made


def test_the_registry_sends_clients_to_the_domain_of_its_own_site():
    for each in SITES:
        token = YAML(typ="safe").load(render(each)["config/registry/config.yml"])["auth"]["token"]
        assert token == {
            "issuer": "harbor-token-issuer",
            "realm": f"https://{each.domain}/service/token",
            "rootcertbundle": "/etc/registry/root.crt",
            "service": "harbor-registry",
        }


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("    check interval=3000 rise=1 fall=2;", False),
        ('    check_http_send "GET / HTTP/1.0\\r\\n\\r\\n";', False),
        ("\tcheck_http_expect_alive http_2xx;", False),
        ("    server checker:80;", True),
        ("    # check this", True),
    ],
)
def test_nginx_gets_the_file_without_tengines_directives(line: str, kept: bool):
    assert (without_checks(f"{line}\n") == f"{line}\n") is kept


def test_the_check_is_sent_as_it_stands_in_the_file_with_real_line_ends():
    (check,) = checks_in(render(site("cargo"))["config/nginx/nginx.conf"])
    assert (check.upstream, check.host, check.port) == ("token-service", "cargo-admin", 30099)
    assert check.request == b"GET /registryproxy/v2 HTTP/1.0\r\nX-Cargo: cargo.caicloudprivatetest.com\r\n\r\n"
    assert (check.interval, check.timeout, check.rise, check.fall) == (3.0, 2.0, 1, 2)


def test_a_server_whose_check_fails_is_taken_out_and_its_backup_stays():
    text = without_checks(render(site("cargo"))["config/nginx/nginx.conf"], frozenset({"token-service"}))
    assert "server cargo-admin:30099 max_fails=1 fail_timeout=5s down;" in text
    assert "server ui:8080 backup;" in text
    assert "server registry:5000;" in text


def test_an_image_archive_is_made_once_and_then_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(image, "PROGRAMS", (shutil.which("sed") or "/bin/sed",))
    monkeypatch.setattr(image, "_python_library", lambda: iter(()))
    built: list[bool] = []
    (tmp_path / "cargo-images-of-an-older-recipe.tar").touch()
    first = image.archive(tmp_path, on_build=lambda: built.append(True))
    again = image.archive(tmp_path, on_build=lambda: built.append(True))
    assert built == [True]
    assert first == again
    assert [path.name for path in tmp_path.iterdir()] == [first.name]
