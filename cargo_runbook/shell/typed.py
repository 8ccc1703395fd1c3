"""One question as it is typed: the same words that the connections send, quoted for a POSIX shell.

No secret stands in a command line, where every user of the machine can read it: passwords are typed at a prompt into a
variable, and reach curl through its standard input (`-K -`), like the tokens that come back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cargo_runbook.connections.kube import kubectl_argv
from cargo_runbook.connections.network.sockets import split_address
from cargo_runbook.connections.ssh import container_argv, quote
from cargo_runbook.inventory.models import DOCKER_LOGIN, Environment
from cargo_runbook.observations import (
    OPERATOR,
    Command,
    DnsQuery,
    HttpRequest,
    KubeCommand,
    Observation,
    Place,
    Question,
    TlsHandshake,
    Vantage,
)
from cargo_runbook.probes.registry import TOKEN_PATH
from cargo_runbook.shell.expected import FILL_INS
from cargo_runbook.texts import Text

CA = "CARGO_CA"
FUNCTIONS = r"""[ -z "${ZSH_VERSION:-}" ] || setopt interactivecomments
export LC_ALL=C
command -v nslookup >/dev/null || nslookup() { busybox nslookup "$@"; }
login() { printf 'user = "%s:%s"\n' "$1" "$(printf %s "$2" | sed 's/[\\"]/\\&/g')"; }
bearer() { printf 'header = "Authorization: Bearer %s"\n' "$1"; }
token() {
  printf -v "$1" %s "$(printf %s "$2" | sed -n 's/.*"token" *: *"\([^"]*\)".*/\1/p')"
  printf '%s\n' "$2" | sed 's/\("[a-z_]*token" *: *"\)[^"]*/\1(kept back)/g'
  printf %s "$2" | sed -n 's/.*"token" *: *"[^".]*\.\([^".]*\).*/\1==/p' | tr -- '-_' '+/' | base64 -d 2>/dev/null
  echo
}"""
"""What the commands at the operator use: how a password or a token gets to curl, and what is shown of a token's answer."""

_WHERE = re.compile("|".join(re.escape(text) for text in FILL_INS))


@dataclass(frozen=True)
class Prompt:
    """A password (or user name) that is asked for once: the variable, and the line that asks."""

    variable: str
    line: str


@dataclass(frozen=True)
class Typed:
    """A question to type.

    Args:
        vantage: the machine to type it on; what is asked in a container is typed on its host.
        asks: the question itself.
        line: the command, one line.
        prompts: what must have been asked for before.
        fill_ins: stand-ins of `expected.FILL_INS` that are variables in the line.
    """

    vantage: Vantage
    asks: Question
    line: str
    prompts: tuple[Prompt, ...] = ()
    fill_ins: tuple[str, ...] = ()


class Typist:
    """Types the questions of one environment.

    Args:
        environment: whose domain, CA and accounts count.
        lookup: another environment of the inventory by name, for questions that are about one.
    """

    def __init__(self, environment: Environment, lookup: Callable[[str], Environment]) -> None:
        self._environment = environment
        self._lookup = lookup
        self._tokens: dict[str, str] = {}
        self._answered: dict[str, str] = {}

    def note(self, observation: Observation) -> None:
        """Remembers which question a token came from: it is asked with later."""
        token = observation.data.get("token")
        if isinstance(token, Mapping) and token.get("ref"):
            self._answered.setdefault(str(token["ref"]), observation.question.key())

    def type(self, question: Question) -> Typed:
        """The question as a command."""
        match question:
            case Command():
                vantage = question.vantage
                if vantage.place is Place.CONTAINER:
                    inside = container_argv(vantage.container, question.argv)
                    return _typed(Vantage(Place.CARGO_HOST, vantage.host), question, words(inside))
                return _typed(vantage, question, words(question.argv))
            case KubeCommand():
                return _typed(OPERATOR, question, words(kubectl_argv(question)))
            case DnsQuery():
                return _typed(OPERATOR, question, _dns(question))
            case TlsHandshake():
                return _typed(OPERATOR, question, self._tls(question))
            case HttpRequest():
                return self._http(question)
        raise TypeError(f"{question.kind} can't be typed")

    def _of(self, question: Question) -> Environment:
        return self._lookup(question.environment) if question.environment else self._environment

    def ca(self, environment: Environment) -> str:
        """The variable with the path of the environment's CA file; empty where it has none."""
        if not environment.ca:
            return ""
        return CA if environment == self._environment else f"{CA}_{_variable(environment.name)}"

    def _tls(self, question: TlsHandshake) -> str:
        place = f"[{question.address}]" if ":" in question.address else question.address
        argv = ["openssl", "s_client", "-connect", f"{place}:{question.port}"]
        argv += ["-servername", question.server_name, "-verify_hostname", question.server_name]
        ca = self.ca(self._of(question))
        return words(argv) + (f' -CAfile "${ca}"' if ca else "") + " </dev/null"

    def _http(self, question: HttpRequest) -> Typed:
        environment = self._of(question)
        source, prompts = self._credentials(question, environment)
        ca = self.ca(environment) if urlsplit(question.url).scheme == "https" else ""
        line = source + words(curl_argv(question, stdin=bool(source)))
        line += f' --cacert "${ca}"' if ca else ""
        line += " " + words([question.url])
        if urlsplit(question.url).path == TOKEN_PATH:
            name = self._tokens.setdefault(question.key(), f"TOKEN_{len(self._tokens) + 1}")
            line = f'ANSWER=$({line}); token {name} "$ANSWER"'
        return _typed(OPERATOR, question, line, prompts)

    def _credentials(self, question: HttpRequest, environment: Environment) -> tuple[str, tuple[Prompt, ...]]:
        if question.bearer:
            name = self._tokens[self._answered[question.bearer]]
            return f'bearer "${name}" | ', ()
        if not question.account:
            return "", ()
        who = environment.account_named(question.account)
        user = who.username if who else question.account
        suffix = _variable(question.account) + (f"_{_variable(question.environment)}" if question.environment else "")
        password = f"PASSWORD_{suffix}"
        named = user or DOCKER_LOGIN
        prompts = [Prompt(password, _ask(f"password of {named} for {environment.domain}: ", f"read -rs {password}"))]
        if user:
            return f'login {words([user])} "${password}" | ', tuple(prompts)
        variable = f"USER_{suffix}"
        asked = Prompt(
            variable, _ask(f"user that docker is logged in as at {environment.domain}: ", f"read -r {variable}")
        )
        return f'login "${variable}" "${password}" | ', (asked, *prompts)


def curl_argv(question: HttpRequest, *, stdin: bool = False) -> list[str]:
    """curl's words for a request, but for the CA and the URL: no configuration of the user's, no proxy, no redirect."""
    argv = ["curl", "-q", "-sS", "-g", "--http1.1", "--noproxy", "*", "-m", str(math.ceil(question.deadline))]
    argv += ["-I"] if question.method == "HEAD" else ["-i"]
    argv += ["-X", question.method] if question.method not in ("GET", "HEAD") else []
    argv += ["-K", "-"] if stdin else []
    if question.connect_to:
        parts = urlsplit(question.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address, other = split_address(question.connect_to, port)
        argv += ["--connect-to", f"{parts.hostname}:{port}:{f'[{address}]' if ':' in address else address}:{other}"]
    for name, value in question.headers:
        argv += ["-H", f"{name}: {value}"]
    if question.body:
        argv += ["-H", "Content-Type: application/json", "--data-raw", question.body]
    return argv


def words(argv: Sequence[str]) -> str:
    """Words for a shell. A stand-in becomes a variable in double quotes."""
    return " ".join(_word(word) for word in argv)


def _word(word: str) -> str:
    parts, at = [], 0
    for found in _WHERE.finditer(word):
        parts += [quote([word[at : found.start()]]) if found.start() > at else ""]
        parts += [f'"${{{FILL_INS[found[0]].variable}}}"']
        at = found.end()
    rest = word[at:]
    return "".join(parts) + (quote([rest]) if rest or not parts else "")


def _typed(vantage: Vantage, question: Question, line: str, prompts: tuple[Prompt, ...] = ()) -> Typed:
    fill_ins = tuple(text for text, each in FILL_INS.items() if f'"${{{each.variable}}}"' in line)
    return Typed(vantage, question, line, prompts, fill_ins)


def _dns(question: DnsQuery) -> str:
    if not question.server:
        return words(["getent", "ahostsv4", question.name])
    server, port = split_address(question.server, 53)
    other = [] if port == 53 else [f"-port={port}"]
    return words(["nslookup", f"-type={question.rdtype}", *other, question.name, server])


def _ask(text: str, read: str) -> str:
    return f"printf %s {quote([text])}; {read}; echo"


def _variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def place_of(vantage: Vantage, environment: Environment) -> Text:
    """Where to type it, as a heading."""
    if vantage.place is Place.OPERATOR:
        return Text("operator: your own computer", "operator：你自己的电脑")
    nodes = environment.kubernetes.nodes if environment.kubernetes else ()
    machine = next((each for each in (*environment.hosts, *nodes) if each.name == vantage.host), None)
    way = f"ssh {quote([machine.ssh_alias])}" if machine else ""
    zh = {Place.CARGO_HOST: "Cargo 主机", Place.NODE: "节点"}.get(vantage.place, str(vantage.place))
    shown = f": {way}" if way else ""
    return Text(f"{vantage}{shown}", f"{zh} {vantage.host}{shown}")
