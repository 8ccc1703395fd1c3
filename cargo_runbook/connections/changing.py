"""The only way in which anything is changed: files of machines, and commands out of a short list.

Nothing of this can be reached from a diagnosis, which gets `ReadOnly` connections. What is read here is not redacted,
because an edit needs the true bytes: it stays in memory, or goes into the folder of the change (0600).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cargo_runbook.connections.api_calls import ApiCalls
from cargo_runbook.connections.base import Deadline, Failure, as_text
from cargo_runbook.connections.client import ClientCall
from cargo_runbook.connections.local import run as run_here
from cargo_runbook.connections.ssh.command import RemoteRun
from cargo_runbook.connections.ssh.config import DEFAULT_CONFIG, SshConfig
from cargo_runbook.connections.ssh.pool import TransportPool
from cargo_runbook.connections.trial import Trial, read_trial, trial_argv
from cargo_runbook.errors import ConnectionFailed, StaleState, UnknownEnvironment, UsageError
from cargo_runbook.inventory.models import Environment
from cargo_runbook.observations import Place, Vantage
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import say, tell

SECONDS = 30.0
TRIAL_SECONDS = 15
"""How long a script may take that is only tried."""

_READ = """f=$(readlink -f -- "$1") && [ -n "$f" ] || exit 66
[ -e "$f" ] || { printf '%s\\n-\\n' "$f"; exit 0; }
m=rename; while read -r a b c d e rest; do [ "$e" = "$f" ] && m=mount; done < /proc/self/mountinfo
printf '%s\\n%s %s\\n' "$f" "$(stat -c '%a %u:%g' -- "$f")" "$m"
cat -- "$f"
"""

# $1 file, $2 digest that it must have now ("-": it must not be there), $3 digest of what comes, $4 mode, $5 owner,
# $6 rename or mount. Exit 75: it is not what it was. 76: what arrived is not what was sent. 77: its SELinux label could
# not be kept.
_WRITE = """set -eu
umask 077
digest() { sha256sum <"$1" | cut -c1-64; }
f=$1
[ "$2" != - ] || mkdir -p -m 755 -- "$(dirname -- "$f")"
if [ "$6" = mount ]; then t=$(mktemp); else t=$(mktemp -- "$(dirname -- "$f")/.cargo-runbook.XXXXXX"); fi
trap 'rm -f -- "$t"' EXIT
cat >"$t"
[ "$(digest "$t")" = "$3" ] || exit 76
if [ "$2" = - ]; then [ ! -e "$f" ] || exit 75; else [ "$(digest "$f")" = "$2" ] || exit 75; fi
if [ "$6" = mount ]; then
  cat "$t" >"$f"
  sync -- "$f"
else
  if [ -e "$f" ]; then
    # Extended attributes and ACLs; the SELinux label is one of them, but by its own way where SELinux is at work.
    cp --attributes-only --preserve=all --no-preserve=timestamps -- "$f" "$t" 2>/dev/null || true
    chcon --reference="$f" -- "$t" 2>/dev/null || true
    label() { stat -c %C -- "$1" 2>/dev/null || true; }
    [ "$(label "$f")" = "$(label "$t")" ] || exit 77
  fi
  chown "$5" "$t"
  chmod "$4" "$t"
  sync -- "$t"
  mv -f -- "$t" "$f"
  sync -- "$(dirname -- "$f")"
fi
[ "$(digest "$f")" = "$3" ] || exit 76
"""

_REMOVE = """[ "$(sha256sum <"$1" | cut -c1-64)" = "$2" ] || exit 75
rm -f -- "$1"
"""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_FILE = r"/[^\0]+"
_COMPOSE = (
    rf"(?:docker-compose|docker compose)(?: -p {_NAME})?(?: -f {_FILE})+ up -d --no-deps(?: --force-recreate)? {_NAME}"
)
_ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"docker restart -t [0-9]+(?: {_NAME})+",
        rf"docker start(?: {_NAME})+",
        rf"docker stop -t [0-9]+(?: {_NAME})+",
        _COMPOSE,
    )
)
"""Commands that change something and may be part of a plan."""


def digest_of(content: bytes) -> str:
    """SHA-256 (hex)."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class FileState:
    """A file as it is now. `path` has no links in it; `content` is None where there is no file.

    `mode` is octal, `owner` is uid:gid; `mounted` says that it is a mount of its own, which can't be replaced by
    another file (a container's /etc/hosts).
    """

    vantage: Vantage
    path: str
    content: bytes | None
    mode: str = "644"
    owner: str = "0:0"
    mounted: bool = False

    @property
    def digest(self) -> str:
        """Of the content; `-` where there is no file."""
        return "-" if self.content is None else digest_of(self.content)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    exit_code: int | None
    output: str
    error: str


class Changing:
    """Changes the machines of one environment.

    Args:
        environment: whose hosts and nodes are meant.
        ssh_config: the operator's SSH configuration file.
        open_other: another environment of the inventory by name, whose APIs a plan may use as well.
        redactor: what the APIs answer passes through it.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        ssh_config: Path = DEFAULT_CONFIG,
        open_other: Callable[[str], Environment] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        def nobody(name: str) -> Environment:
            raise UnknownEnvironment(
                tell(
                    f"{name} is not an environment that can be changed from {environment.name}",
                    f"不能从 {environment.name} 修改环境 {name}",
                )
            )

        self._redactor = redactor or Redactor()
        self.apis = ApiCalls(environment, open_other or nobody, redactor)
        machines = [*environment.hosts, *(environment.kubernetes.nodes if environment.kubernetes else ())]
        self._aliases = {machine.name: machine.ssh_alias for machine in machines}
        self._config = SshConfig(ssh_config)
        self._pool = TransportPool()

    def read(self, vantage: Vantage, path: str) -> FileState:
        """The file, whole.

        Raises:
            ConnectionFailed: it could not be read.
        """
        ended, raw = self._run(vantage, ("/bin/sh", "-c", _READ, "sh", path), b"", SECONDS)
        if ended.exit_code != 0:
            raise self._failed(vantage, tell(f"{path} could not be read", f"无法读取 {path}"), ended)
        where, _, rest = raw.partition(b"\n")
        about, _, content = rest.partition(b"\n")
        words = as_text(about).split()
        if words == ["-"]:
            return FileState(vantage, as_text(where), None)
        mode, owner, kind = words
        return FileState(vantage, as_text(where), content, mode, owner, kind == "mount")

    def write(self, state: FileState, content: bytes | None) -> None:
        """Gives the file of `state` this content, whole or not at all; mode and owner stay. None takes it away.

        A mount of its own is written in place, and read back.

        Raises:
            StaleState: the file is not as in `state` any more; nothing was written.
            ConnectionFailed: it could not be written.
        """
        if content is None:
            script: tuple[str, ...] = (_REMOVE, "sh", state.path, state.digest)
        else:
            kind = "mount" if state.mounted else "rename"
            script = (_WRITE, "sh", state.path, state.digest, digest_of(content), state.mode, state.owner, kind)
        ended, _ = self._run(state.vantage, ("/bin/sh", "-c", *script), content or b"", SECONDS)
        if ended.exit_code == 75:
            raise StaleState(
                tell(
                    f"{state.path} has changed since the plan was made; it was left as it is",
                    f"方案生成之后 {state.path} 已发生变化，因此保持原样",
                ),
                vantage=str(state.vantage),
                next_step=tell("Look at it, then make the plan again.", "请检查后重新生成方案。"),
            )
        if ended.exit_code == 77:
            raise self._failed(
                state.vantage,
                tell(
                    f"the SELinux label of {state.path} could not be kept; it was left",
                    f"无法保留 {state.path} 的 SELinux 标签，因此没有写入",
                ),
                ended,
            )
        if ended.exit_code != 0:
            raise self._failed(
                state.vantage, tell(f"{state.path} could not be written", f"无法写入 {state.path}"), ended
            )

    def try_script(self, vantage: Vantage, root: str, script: str, arguments: Sequence[str]) -> Trial:
        """What a script of an installation would change: it runs on a copy, in namespaces of its own (`trial`).

        Raises:
            ConnectionFailed: the machine could not be reached, or the whole was not done in time.
        """
        argv = trial_argv(root, script, TRIAL_SECONDS, tuple(arguments))
        ended, raw = self._run(vantage, argv, b"", TRIAL_SECONDS + SECONDS)
        trial = read_trial(raw, ended.error)
        return replace(trial, said=self._redactor.redact(trial.said))

    def host_key(self, vantage: Vantage) -> str:
        """Fingerprint of the key that the machine shows (checked against known_hosts, as always); empty for the operator.

        Raises:
            ConnectionFailed: the machine could not be reached.
        """
        if vantage.place is not Place.CARGO_HOST:
            return ""
        try:
            route = self._config.route(self._aliases[vantage.host])
            return str(self._pool.get(route, Deadline(SECONDS)).transport.get_remote_server_key().fingerprint)
        except Failure as failure:
            raise ConnectionFailed(say(failure.sentence), vantage=str(vantage)) from failure

    def look_up(self, vantage: Vantage, name: str) -> ClientCall:
        """The name as clients on the machine look it up (getaddrinfo: what the hosts file has does not wait for a name
        server); a look-up that finds nothing does not work."""
        argv = ("getent", "ahostsv4", name)
        said = f"{' '.join(argv)} on {vantage.host}"
        try:
            ended, _ = self._run(vantage, argv, b"", SECONDS)
        except ConnectionFailed as error:
            return ClientCall(said, -1, str(error))
        return ClientCall(said, ended.exit_code, (ended.output + ended.error).strip())

    def run(self, vantage: Vantage, argv: Sequence[str], seconds: float = 120.0) -> Ended:
        """Runs a command that changes something.

        Raises:
            UsageError: it is not one of those that a plan may have.
            ConnectionFailed: the machine could not be reached, or the command was not done in time.
        """
        if not any(pattern.fullmatch(" ".join(argv)) for pattern in _ALLOWED):
            raise UsageError(
                tell(f"{' '.join(argv)!r} is no command that a plan may have", f"{' '.join(argv)!r} 不是方案允许的命令")
            )
        ended, _ = self._run(vantage, tuple(argv), b"", seconds)
        return ended

    def close(self) -> None:
        """Ends all connections."""
        self._pool.close()

    def _run(self, vantage: Vantage, argv: tuple[str, ...], stdin: bytes, seconds: float) -> tuple[Ended, bytes]:
        deadline = Deadline(seconds)
        try:
            if vantage.place is Place.OPERATOR:
                outcome = run_here(argv, deadline, stdin=stdin)
                if outcome.exit_code is None:
                    raise ConnectionFailed(
                        tell("the command was not done in time", "命令没有在限定时间内完成"), vantage=str(vantage)
                    )
                return Ended(outcome.exit_code, as_text(outcome.output), as_text(outcome.error)), outcome.output
            route = self._config.route(self._aliases[vantage.host])
            shared = self._pool.get(route, deadline)
            remote = RemoteRun(argv, stdin)
            try:
                remote.run(shared, deadline)
            except Failure:
                if not remote.answers:
                    self._pool.drop(route, shared)
                raise
            output = remote.output.content()
            return Ended(remote.exit_code, as_text(output), as_text(remote.complaint())), output
        except Failure as failure:
            raise ConnectionFailed(say(failure.sentence), vantage=str(vantage)) from failure

    def _failed(self, vantage: Vantage, what: str, ended: Ended) -> ConnectionFailed:
        return ConnectionFailed(what, vantage=str(vantage), seen=(ended.error or ended.output).strip()[-300:])
