"""known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): which keys a host may show.

Plain, hashed and wildcard names, `[host]:port` and `@revoked` are understood. Certificate authorities are not, so a
host that is known by `@cert-authority` only counts as unknown, never as trusted.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko

from cargo_runbook.errors import HostKeyError
from cargo_runbook.texts import Text, say


@dataclass(frozen=True)
class HostKey:
    """The key that a server showed.

    Args:
        name: the host as known_hosts names it.
        kind: key type (`ssh-ed25519`).
        blob: the public key in base64.
        file: known_hosts file in which it would be looked for first.
    """

    name: str
    kind: str
    blob: str
    file: str = ""

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as ssh-keygen -l shows it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


@dataclass(frozen=True)
class _Line:
    marker: str
    names: str
    kind: str
    blob: str


class KnownHosts:
    """The keys that some known_hosts files have for one name."""

    def __init__(self, files: Iterable[str], name: str) -> None:
        self._name = name
        found = [line for file in files for line in _lines(Path(file)) if _matches(line.names, name)]
        self._keys = [line for line in found if not line.marker]
        self._revoked = {line.blob for line in found if line.marker == "@revoked"}

    def fingerprints(self) -> tuple[str, ...]:
        """Those of the known keys, with their kinds: `ssh-ed25519 SHA256:...`."""
        return tuple(f"{line.kind} {HostKey(self._name, line.kind, line.blob).fingerprint}" for line in self._keys)

    def algorithms(self) -> tuple[str, ...]:
        """Host key algorithms of the known keys: what to ask the server for, so that it shows a key we know."""
        kinds = dict.fromkeys(line.kind for line in self._keys)
        wanted: list[str] = []
        for kind in kinds:
            wanted += ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
        return tuple(wanted)

    def check(self, key: paramiko.PKey) -> None:
        """Compares the key that the server showed with those that are known.

        Raises:
            HostKeyError: none is known, or another one is, or this one is revoked.
        """
        shown = HostKey(self._name, key.get_name(), key.get_base64())
        if shown.blob in self._revoked:
            raise HostKeyError(self._name, fingerprint=shown.fingerprint, known="revoked", next_step=say(_CHANGED))
        if any(line.blob == shown.blob for line in self._keys):
            return
        if self._keys:
            same_kind = [line for line in self._keys if line.kind == shown.kind] or self._keys
            known = HostKey(self._name, same_kind[0].kind, same_kind[0].blob)
            raise HostKeyError(
                self._name, fingerprint=shown.fingerprint, known=known.fingerprint, next_step=say(_CHANGED)
            )
        raise HostKeyError(self._name, fingerprint=shown.fingerprint, next_step=say(_UNKNOWN))


_UNKNOWN = Text(
    "Compare the fingerprint with one from the machine itself (ssh-keygen -lf), then add the key to known_hosts.",
    "请与该主机上 ssh-keygen -lf 显示的指纹核对，然后把密钥加入 known_hosts。",
)
_CHANGED = Text(
    "Find out why the key changed (a new installation, or somebody in between) before you connect again.",
    "再次连接之前，请先查明密钥为何改变（重装过系统，或有人处于中间）。",
)


def remember(key: HostKey) -> None:
    """Adds `key` to its known_hosts file, which is written anew and renamed into place (mode 0600)."""
    path = Path(key.file).expanduser()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    # A link stays a link: the file behind it is replaced.
    path = path.resolve()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".known_hosts", delete=False) as new:
        new.write(before + f"{key.name} {key.kind} {key.blob}\n".encode())
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(path)


def _lines(path: Path) -> Iterator[_Line]:
    if not path.is_file():
        return
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = text.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0].startswith("@") else ""
        if len(words) >= 3 and _is_base64(words[2]):
            yield _Line(marker, *words[:3])


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _matches(names: str, name: str) -> bool:
    """Whether a host field (patterns with commas, or one hash) names the host; a negated match wins."""
    if names.startswith("|1|"):
        return _hash_matches(names, name)
    found = False
    for pattern in names.lower().split(","):
        negated = pattern.startswith("!")
        # Brackets are literal in known_hosts ([host]:port), but not for fnmatch.
        glob = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(name.lower(), glob):
            if negated:
                return False
            found = True
    return found


def _hash_matches(field: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in field.split("|")[2:4])
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)
