"""What a diagnosis may send: a list. Anything that is not on it is withheld, so that looking can't change anything.

The table is data. An entry allows one program (and subcommand) with the options and operands that are named; a
program that could write, run another program or follow for ever is not in it, or not with the options for that.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cargo_runbook.connections.base import Connections
from cargo_runbook.observations import Command, HttpRequest, KubeCommand, Observation, Question, Status

FOLDERS = ("/etc", "/compass", "/proc/net", "/var/log/harbor", "/usr/share/nginx", "/usr/local/share/ca-certificates")
"""Folders from which files may be read; the roots of the environment's hosts are added."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.:/@-]*"
_HOST = r"[A-Za-z0-9][A-Za-z0-9_.:-]*"
_NUMBER = r"[0-9]{1,6}"
_TEXT = r"[^-].*"
_FOLDER = r"/[A-Za-z0-9_./@+-]*"
_PATH = "PATH"
"""Operands that are checked against the folders instead of a pattern."""

_HEADER = r"(?i)(?!authorization|proxy-authorization|cookie|@)[a-z0-9-]+:.*"


@dataclass(frozen=True)
class Allowed:
    """One entry.

    Args:
        words: program and subcommands, as they must stand at the front.
        flags: options without a value.
        valued: options with a value (`-n 1`, `--tail 5`, `--tail=5`), and the pattern of the value.
        operand: pattern of each operand, or PATH.
        least, most: how many operands.
        needed: options one of which must be there, where the program would run for ever or write without.
    """

    words: tuple[str, ...]
    flags: frozenset[str] = frozenset()
    valued: dict[str, str] = field(default_factory=dict)
    operand: str = _NAME
    least: int = 0
    most: int = 0
    needed: frozenset[str] = frozenset()


def _flags(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMANDS = (
    Allowed(("cat",), operand=_PATH, least=1, most=20),
    Allowed(("head",), valued={"-n": _NUMBER, "-c": _NUMBER}, operand=_PATH, least=1, most=20),
    Allowed(("tail",), valued={"-n": _NUMBER, "-c": _NUMBER}, operand=_PATH, least=1, most=20),
    Allowed(("ls",), flags=_flags("-l -a -la -al -d -ld -1 -n -ln"), operand=_PATH, least=1, most=20),
    Allowed(("stat",), flags=_flags("-L"), valued={"-c": _TEXT, "--format": _TEXT}, operand=_PATH, least=1, most=20),
    Allowed(("readlink",), flags=_flags("-f -e"), operand=_PATH, least=1, most=20),
    # Both ask the kernel how full a file system is, and open nothing: so any folder, and no option but these.
    Allowed(("stat", "-f"), valued={"-c": r"[%A-Za-z ]+"}, operand=_FOLDER, least=1, most=1, needed=_flags("-c")),
    Allowed(("df",), flags=_flags("-P -k -i"), operand=_FOLDER, least=1, most=1, needed=_flags("-P")),
    Allowed(("sha256sum",), operand=_PATH, least=1, most=20),
    Allowed(("getent",), operand=_HOST, least=1, most=40),
    Allowed(("date",), flags=_flags("-u +%s +%FT%TZ +%Y-%m-%dT%H:%M:%SZ")),
    Allowed(("hostname",), flags=_flags("-f -I -s")),
    Allowed(("uname",), flags=_flags("-a -r -m -n -s")),
    Allowed(("id",), flags=_flags("-u -un")),
    Allowed(("uptime",)),
    Allowed(("ip", "addr"), most=0),
    Allowed(("ip", "route"), most=0),
    Allowed(("ss",), flags=_flags("-l -t -n -H -ltn -Hltn -ltnp")),
    Allowed(
        ("ping",),
        valued={"-c": _NUMBER, "-W": _NUMBER, "-w": _NUMBER},
        operand=_HOST,
        least=1,
        most=1,
        needed=_flags("-c"),
    ),
    Allowed(("nslookup",), operand=_HOST, least=1, most=2),
    Allowed(
        ("curl",),
        flags=_flags("-s -S -sS -i -I -q"),
        operand=r"https?://[^@\s]+",
        least=1,
        most=1,
        valued={"-m": _NUMBER, "--max-time": _NUMBER, "-H": _HEADER},
        needed=_flags("-m --max-time"),
    ),
    # What an HTTP proxy answers to CONNECT; what comes through it is thrown away.
    Allowed(
        ("curl",),
        flags=_flags("-s -S -sS -q"),
        operand=r"https://[^@\s]+",
        least=1,
        most=1,
        valued={
            "-m": _NUMBER,
            "-x": r"https?://[A-Za-z0-9.:\[\]-]+",
            "--noproxy": "",
            "-o": "/dev/null",
            "-w": r"%\{http_connect\}",
        },
        needed=_flags("-x"),
    ),
    Allowed(
        ("openssl", "x509"),
        flags=_flags("-noout -text -subject -issuer -dates -fingerprint -pubkey -sha256"),
        valued={"-in": _PATH},
        needed=_flags("-in"),
    ),
    Allowed(("docker", "ps"), flags=_flags("-a --all --no-trunc"), valued={"--format": _TEXT, "--filter": _TEXT}),
    Allowed(("docker", "inspect"), valued={"--format": _TEXT, "-f": _TEXT, "--type": _NAME}, least=1, most=50),
    Allowed(
        ("docker", "logs"),
        flags=_flags("-t --timestamps"),
        least=1,
        most=1,
        valued={"--tail": _NUMBER, "--since": _NAME, "--until": _NAME},
        needed=_flags("--tail --since"),
    ),
    Allowed(("docker", "version"), valued={"--format": _TEXT, "-f": _TEXT}),
    Allowed(("docker", "info"), valued={"--format": _TEXT, "-f": _TEXT}),
    Allowed(("docker", "images"), flags=_flags("--no-trunc --digests"), valued={"--format": _TEXT}, most=1),
    Allowed(("docker", "port"), least=1, most=1),
    Allowed(("docker", "network", "ls"), valued={"--format": _TEXT}),
    Allowed(("docker", "network", "inspect"), least=1, most=20),
)
"""Commands at the operator, on Cargo hosts, and in containers (docker exec is the vantage, never part of the argv)."""

_NAMESPACE = {"-n": _NAME, "--namespace": _NAME}
_OUTPUT = r"json|yaml|wide|name|jsonpath=.*|custom-columns=.*"
# Looking at Secrets is no part of a diagnosis.
_RESOURCE = r"(?i)(?!secrets?(?:[./,]|$))(?!.*,secrets?(?:[./,]|$))[a-z0-9][a-z0-9_.:/,-]*"

KUBECTL = (
    Allowed(
        ("get",),
        flags=_flags("-A --all-namespaces --ignore-not-found --show-labels --no-headers"),
        valued={
            **_NAMESPACE,
            "-o": _OUTPUT,
            "--output": _OUTPUT,
            "-l": _TEXT,
            "--selector": _TEXT,
            "--field-selector": _TEXT,
        },
        operand=_RESOURCE,
        least=1,
        most=10,
    ),
    Allowed(("describe",), flags=_flags("-A"), valued={**_NAMESPACE, "-l": _TEXT}, operand=_RESOURCE, least=1, most=10),
    Allowed(
        ("logs",),
        flags=_flags("--timestamps --previous -p --all-containers"),
        least=0,
        most=1,
        valued={
            **_NAMESPACE,
            "-c": _NAME,
            "--container": _NAME,
            "-l": _TEXT,
            "--tail": r"-1|[0-9]{1,6}",
            "--since": _NAME,
        },
    ),
    Allowed(("version",), flags=_flags("--client --short"), valued={"-o": r"json|yaml", "--output": r"json|yaml"}),
    Allowed(
        ("config", "view"),
        flags=_flags("--minify"),
        valued={"-o": _OUTPUT, "--output": _OUTPUT},
        needed=_flags("--minify"),
    ),
    Allowed(("config", "get-contexts"), valued={"-o": r"name"}),
    Allowed(("api-resources",), valued={"-o": r"name|wide"}),
    Allowed(("cluster-info",)),
    Allowed(("auth", "can-i"), valued=_NAMESPACE, operand=_NAME, least=2, most=3),
)
"""kubectl, after `--context`."""

IN_POD = (
    Allowed(("getent", "hosts"), operand=_HOST, least=1, most=10),
    Allowed(("getent", "ahostsv4"), operand=_HOST, least=1, most=1),
    Allowed(("nslookup",), operand=_HOST, least=1, most=2),
    Allowed(("cat",), operand=r"/etc/(hosts|resolv\.conf)", least=1, most=2),
)
"""Commands in a pod: how it resolves names, and nothing else of it."""

_EXEC = Allowed(("exec",), valued={**_NAMESPACE, "-c": _NAME, "--container": _NAME}, least=1, most=1)

METHODS = frozenset({"GET", "HEAD"})

POSTS = ((r"/api/targets/ping", r'\{"id": ?[0-9]{1,9}\}'),)
"""Paths that may be posted to, and the body: requests that only look. Harbor 1.4 pings a saved target by POST."""


class ReadOnly:
    """Passes on what the list allows; answers the rest itself, with status `withheld`.

    Args:
        inner: who answers.
        folders: folders that may be read beside FOLDERS.
    """

    def __init__(self, inner: Connections, folders: Iterable[str] = ()) -> None:
        self._inner = inner
        self._folders = (*FOLDERS, *(posixpath.normpath(folder) for folder in folders if folder.startswith("/")))

    def ask(self, question: Question) -> Observation:
        """The answer, or an observation with reason `not_read_only`; then nothing was sent."""
        if self.allows(question):
            return self._inner.ask(question)
        return Observation(
            question=question,
            status=Status.WITHHELD,
            error=f"not sent: {question} is not on the read-only list",
            data={"reason": "not_read_only"},
            started=datetime.now(UTC),
            duration=0.0,
        )

    def close(self) -> None:
        self._inner.close()

    def allows(self, question: Question) -> bool:
        """Whether the list has it. DNS look-ups and TLS handshakes are always allowed."""
        match question:
            case Command():
                return any(self._fits(entry, question.argv) for entry in COMMANDS)
            case KubeCommand():
                return any(self._fits(entry, question.args) for entry in KUBECTL) or self._looks_in_pod(question.args)
            case HttpRequest():
                return question.method in METHODS or (question.method == "POST" and _only_looks(question))
            case _:
                return True

    def _looks_in_pod(self, args: tuple[str, ...]) -> bool:
        """Whether these are the words of `kubectl exec POD -- COMMAND` with a command of the list."""
        if "--" not in args:
            return False
        place = args.index("--")
        return self._fits(_EXEC, args[:place]) and any(self._fits(entry, args[place + 1 :]) for entry in IN_POD)

    def _fits(self, entry: Allowed, argv: tuple[str, ...]) -> bool:
        count = len(entry.words)
        if argv[:count] != entry.words:
            return False
        words, operands, seen = list(argv[count:]), 0, set[str]()
        while words:
            word = words.pop(0)
            if word in entry.flags:
                seen.add(word)
            elif word.startswith(("-", "+")):
                option, equals, value = word.partition("=")
                if option not in entry.valued or not (equals or words):
                    return False
                if not self._is(entry.valued[option], value if equals else words.pop(0)):
                    return False
                seen.add(option)
            elif self._is(entry.operand, word):
                operands += 1
            else:
                return False
        return entry.least <= operands <= entry.most and (not entry.needed or bool(entry.needed & seen))

    def _is(self, pattern: str, word: str) -> bool:
        if pattern != _PATH:
            return re.fullmatch(pattern, word) is not None
        # A path that normalises to something else (`..`, `//`) is not looked at any further.
        return (
            word.isprintable()
            and posixpath.normpath(word) == word
            and any(word.startswith(f"{folder}/") for folder in self._folders)
        )


def _only_looks(question: HttpRequest) -> bool:
    try:
        path = urlsplit(question.url).path
    except ValueError:
        return False
    return any(re.fullmatch(where, path) and re.fullmatch(body, question.body) for where, body in POSTS)
