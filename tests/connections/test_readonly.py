"""The read-only list."""

from __future__ import annotations

import shlex

import pytest

from cargo_runbook.connections import ReadOnly, ReplayConnections
from cargo_runbook.observations import (
    Command,
    DnsQuery,
    HttpRequest,
    KubeCommand,
    Place,
    Question,
    Status,
    TlsHandshake,
    Vantage,
)

GUARD = ReadOnly(ReplayConnections([]), ["/opt/cargo"])
HOST = Vantage(Place.CARGO_HOST, "cargo1")

ALLOWED = """
cat /etc/hosts
cat /compass/cargo-ansible/cargo/config/registry/config.yml /etc/resolv.conf
cat /opt/cargo/config/nginx/nginx.conf
ls -la /compass/cargo-ansible
stat -c %s /etc/hosts
tail -n 100 /var/log/harbor/registry.log
df -P -k /storage
df -P -i /compass/cargo-ansible/cargo/data/registry
getent hosts cargo.caicloudprivatetest.com
getent ahosts cargo.test
getent ahostsv4 cargo.test
date -u +%s
ping -c 1 -W 2 cargo.caicloudprivatetest.com
nslookup cargo.test 10.254.0.100
docker ps -a --no-trunc
docker inspect --format '{{json .HostConfig.ExtraHosts}}' tengine
docker logs --tail 200 harbor-registry
docker logs --tail=200 harbor-registry
docker network inspect cargo_cargo
curl -s -S -m 5 -x http://10.0.0.9:3128 --noproxy '' -o /dev/null -w '%{http_connect}' https://cargo.test/v2/
curl -sS -i -m 5 -H X-Cargo:cargo.test http://10.0.0.1:30099/registryproxy/v2
openssl x509 -in /compass/cargo-ansible/cargo/config/registry/root.crt -noout -pubkey
"""

REFUSED = """
rm -rf /compass
cat /root/.ssh/id_rsa
cat /etc/../root/.docker/config.json
cat //etc/shadow2
cat etc/hosts
cat
cat -
sh -c id
bash -c id
/bin/cat /etc/hosts
sudo cat /etc/hosts
env cat /etc/hosts
tee /etc/hosts
sed -i s/a/b/ /etc/hosts
tail -f /var/log/harbor/registry.log
df
df /storage
df -P
df -P storage
df -P --sync /storage
df -P /storage /etc
date -s 12:00
hostname other
ip addr add 10.0.0.1/8 dev lo
ip route add default via 10.0.0.1
ping cargo.test
ping -f -c 1 cargo.test
docker restart tengine
docker exec tengine cat /etc/hosts
docker run --rm x
docker rm tengine
docker logs -f --tail 1 tengine
docker logs tengine
docker system prune -f
docker network rm cargo
docker --host tcp://x ps
docker-compose up -d
curl -X POST -m 5 http://10.0.0.1/
curl -m 5 -o /etc/hosts http://10.0.0.1/
curl -m 5 -d x http://10.0.0.1/
curl -m 5 -K /etc/hosts
curl -m 5 file:///etc/passwd
curl -m 5 -H @/etc/hosts http://10.0.0.1/
curl -m 5 -H Authorization:x http://10.0.0.1/
curl -m 5 http://u:p@10.0.0.1/
curl http://10.0.0.1/
curl -m 5 -x http://u:p@10.0.0.9:3128 -o /dev/null https://cargo.test/v2/
curl -m 5 -x http://10.0.0.9:3128 -o /etc/hosts https://cargo.test/v2/
curl -m 5 -x http://10.0.0.9:3128 -w @/etc/passwd https://cargo.test/v2/
curl -m 5 -o /dev/null https://cargo.test/v2/
openssl x509 -in /root/key -noout
openssl x509 -in /etc/a.crt -out /etc/b.crt
openssl s_client -connect a:1
"""

KUBE_ALLOWED = """
get configmap kube-dns -n kube-system -o json
get svc -A -o wide
get pods -n kube-system -l k8s-app=kube-dns -o jsonpath={.items[*].status.phase}
get deploy/kube-dns -n kube-system -o json
describe pod kube-dns-1 -n kube-system
logs kube-dns-1 -n kube-system -c dnsmasq --tail=50
version -o json
config view --minify
auth can-i get configmaps -n kube-system
exec deploy/pipeline -n ci -c step -- getent hosts cargo.test devops.test
exec pipeline-1 -- nslookup cargo.test 10.254.0.100
exec pipeline-1 -- getent ahostsv4 cargo.test
exec pipeline-1 -- cat /etc/hosts /etc/resolv.conf
"""

KUBE_REFUSED = """
apply -f x
delete pod x
edit configmap kube-dns
patch configmap kube-dns -p {}
exec x -- id
exec x
exec x getent hosts cargo.test
exec x -- sh -c id
exec -it x -- getent hosts cargo.test
exec -i x -- nslookup cargo.test
exec x y -- nslookup cargo.test
exec x -- cat /etc/passwd
exec x -- cat /var/run/secrets/kubernetes.io/serviceaccount/token
exec x -- getent passwd root
exec x -- nslookup cargo.test -- id
exec x --
exec -f pod.yml -- nslookup cargo.test
exec x --context=other -- nslookup cargo.test
run x -- getent hosts cargo.test
attach x
cp x:/etc/hosts hosts
port-forward x 53
logs -f x
get pods -w
get pods --watch
get secrets
get secret harbor -o yaml
get configmap,secret
get configmap,secrets,pods
get Secret/harbor
get secrets.v1
get --raw /api/v1/secrets
get pods --token=x
get pods --kubeconfig=/tmp/x
get pods --as=admin
get pods --context other
get pods -o go-template-file=/etc/passwd
config view
config view --minify --raw
config use-context other
config set-context x
rollout restart deploy/kube-dns
scale deploy/x --replicas=0
--context other get pods
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("line", lines(ALLOWED))
def test_looking_is_allowed(line: str) -> None:
    assert GUARD.allows(Command(vantage=HOST, argv=tuple(shlex.split(line))))


@pytest.mark.parametrize("line", lines(REFUSED))
def test_anything_else_is_withheld(line: str) -> None:
    question = Command(vantage=HOST, argv=tuple(line.split(" ")))
    seen = GUARD.ask(question)
    assert (seen.status, seen.data["reason"]) == (Status.WITHHELD, "not_read_only")
    assert seen.error == f"not sent: {line} is not on the read-only list"


@pytest.mark.parametrize("line", lines(KUBE_ALLOWED))
def test_reading_a_cluster_is_allowed(line: str) -> None:
    assert GUARD.allows(KubeCommand(args=tuple(line.split(" "))))


@pytest.mark.parametrize("line", lines(KUBE_REFUSED))
def test_changing_a_cluster_or_reading_its_secrets_is_withheld(line: str) -> None:
    assert not GUARD.allows(KubeCommand(args=tuple(line.split(" "))))


@pytest.mark.parametrize(("method", "allowed"), [("GET", True), ("HEAD", True), ("POST", False), ("get", False)])
def test_only_get_and_head_are_sent(method: str, allowed: bool) -> None:
    assert GUARD.allows(HttpRequest(url="https://cargo.test/", method=method)) is allowed


@pytest.mark.parametrize(
    "question", [DnsQuery(name="a.test", server="10.0.0.1"), TlsHandshake(address="a.test", server_name="a.test")]
)
def test_look_ups_and_handshakes_are_always_allowed(question: Question) -> None:
    seen = GUARD.ask(question)
    assert seen.data["reason"] == "not_recorded", "it was passed on"


def test_an_argument_with_a_line_break_or_a_nul_is_no_path_and_no_name() -> None:
    for argv in (("cat", "/etc/hosts\n/root/x"), ("getent", "hosts", "a\nb"), ("docker", "inspect", "a\0b")):
        assert not GUARD.allows(Command(vantage=HOST, argv=argv)), argv


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    [
        ("POST", "/api/targets/ping", '{"id": 3}', True),
        ("POST", "/api/targets/ping", '{"id":3}', True),
        ("POST", "/api/targets/ping", '{"endpoint": "https://x", "username": "a", "password": "b"}', False),
        ("POST", "/api/targets/ping", "", False),
        ("POST", "/api/targets/ping/1", '{"id": 3}', False),
        ("POST", "/api/targets", '{"id": 3}', False),
        ("POST", "/api/replications", '{"policy_id": 1}', False),
        ("PUT", "/api/targets/ping", '{"id": 3}', False),
        ("DELETE", "/api/targets/ping", '{"id": 3}', False),
        ("POST", "/x?y=/api/targets/ping", '{"id": 3}', False),
    ],
)
def test_the_only_thing_that_is_posted_is_a_ping_of_a_saved_target(
    method: str, path: str, body: str, allowed: bool
) -> None:
    question = HttpRequest(url=f"https://cargo.test{path}", method=method, body=body)
    assert GUARD.allows(question) is allowed
