"""Signatures of records by an SSH key: who vouches for this record, and for all before it.

The format is OpenSSH's own (PROTOCOL.sshsig): whoever has the allowed_signers file checks one without this program:
`ssh-keygen -Y verify -f allowed_signers -I NAME -n cargo-runbook-record -s manifest.json.sig < manifest.json`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cargo_runbook.archive.files import sync
from cargo_runbook.archive.places import MANIFEST, SIGNATURE
from cargo_runbook.archive.sealing.chain import Signer
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import tell

NAMESPACE = "cargo-runbook-record"
KEY_VARIABLE = "CARGO_RUNBOOK_SIGN_KEY"
"""Key that every record is signed with when no option names one: a private key, or a public one that an agent has."""
_SECONDS = 60


class SigningFailed(UsageError):
    """A record can't be signed with that key."""


@dataclass(frozen=True)
class Checked:
    """Whether a signature is good, and by whom; `problem` says why it is not."""

    signer: str = ""
    problem: str = ""


def sign_key(option: Path | None = None, variables: Mapping[str, str] | None = None) -> Path | None:
    """The key to sign with: the option, else CARGO_RUNBOOK_SIGN_KEY, else none."""
    named = (os.environ if variables is None else variables).get(KEY_VARIABLE, "")
    return option or (Path(named) if named else None)


def signer_with(key: Path) -> Signer:
    """Signs manifests with that key. It is tried at once: a run must not end with a key that does not work.

    Raises:
        SigningFailed: it can't be used without being asked for something.
    """
    key = key.expanduser()
    with tempfile.TemporaryDirectory(prefix="cargo-runbook-") as folder:
        trial = Path(folder) / MANIFEST
        trial.write_text("{}", encoding="utf-8")
        _sign(key, trial)
    return lambda manifest: _sign(key, manifest)


def check_signature(folder: Path, signers: Path) -> Checked:
    """Checks the signature of the record in a folder against an allowed_signers file (ssh-keygen(1))."""
    signature, manifest = folder / SIGNATURE, folder / MANIFEST
    if not signature.exists():
        return Checked(problem="it is not signed")
    found = _keygen("find-principals", "-f", str(signers), "-s", str(signature))
    names = found.stdout.decode("utf-8", "replace").split("\n")
    if found.returncode or not names[0]:
        return Checked(problem="the key of the signature is none of the allowed signers")
    name = names[0].split(",")[0]
    options = ("-f", str(signers), "-I", name, "-n", NAMESPACE, "-s", str(signature))
    done = _keygen("verify", *options, content=manifest.read_bytes())
    return Checked(signer=name) if done.returncode == 0 else Checked(problem="the signature does not fit the manifest")


def _sign(key: Path, manifest: Path) -> None:
    signature = manifest.with_name(SIGNATURE)
    signature.unlink(missing_ok=True)
    done = _keygen("sign", "-q", "-f", str(key), "-n", NAMESPACE, str(manifest))
    if done.returncode or not signature.exists():
        raise SigningFailed(
            tell(f"no record can be signed with {key}", f"无法用 {key} 为记录签名"),
            seen=done.stderr.decode("utf-8", "replace").strip().split("\n")[-1],
            next_step=tell(
                "Nobody is there to type a passphrase: add the key to ssh-agent, and name its .pub file.",
                "签名时无人输入口令：请把密钥加入 ssh-agent，并指定其 .pub 文件。",
            ),
        )
    sync(signature)


def _keygen(*arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command: Sequence[str] = ("ssh-keygen", "-Y", *arguments)
    # Without a terminal and without a window that asks.
    variables = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "SSH_ASKPASS": "", "DISPLAY": "", "LC_ALL": "C"}
    try:
        return subprocess.run(command, input=content, capture_output=True, env=variables, timeout=_SECONDS,
                              check=False, start_new_session=True)  # fmt: skip
    except FileNotFoundError:
        raise SigningFailed(
            tell("ssh-keygen is not installed", "没有安装 ssh-keygen"),
            next_step=tell("Install OpenSSH's client, 8.2 or later.", "请安装 8.2 或更高版本的 OpenSSH 客户端。"),
        ) from None
    except subprocess.TimeoutExpired:
        raise SigningFailed(
            tell(f"ssh-keygen did not end within {_SECONDS} s", f"ssh-keygen 在 {_SECONDS} 秒内未结束"),
            next_step=tell("Is ssh-agent silent?", "ssh-agent 是否没有响应？"),
        ) from None
