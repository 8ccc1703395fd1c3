"""Edits through a script of the installation where there is one that does them, else our own (the guide's
`change-domain.sh` and `change-token-servce.sh`).

The script is tried on a copy, in namespaces of its own (`Changing.try_script`), and what it made of the files is what
the plan shows, is bound to, and writes. It never runs on the files themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cargo_runbook.connections.changing import FileState
from cargo_runbook.connections.trial import Trial
from cargo_runbook.errors import ConnectionFailed
from cargo_runbook.inventory.models import Host
from cargo_runbook.remedies.actions import MadeBy
from cargo_runbook.remedies.workbench import Draft, Workbench, text_of
from cargo_runbook.texts import Text

Edit = Callable[[str], str]
_TEXTS = (".yml", ".yaml", ".conf", ".cfg", ".json", ".env", "/env", ".properties")
"""Ends of the names of files that a script may change: keys, certificates and programs are not among them."""


class _Unfit(Exception):
    """Why the result of a script is not taken; `always`: other arguments would not change that."""

    def __init__(self, en: str, zh: str, *, always: bool = False) -> None:
        super().__init__(en)
        self.why, self.always = Text(en, zh), always


@dataclass(frozen=True)
class _Script:
    """A script of a host: its path there, and what it was when it was read."""

    host: Host
    name: str
    digest: str


def edit_files(
    bench: Workbench,
    draft: Draft,
    host: Host,
    own: Mapping[str, Edit],
    *,
    scripts: Sequence[str],
    arguments: Sequence[tuple[str, ...]],
    kept: Sequence[str] = (),
) -> dict[str, str]:
    """Adds the edits of files below the installation of a host.

    Args:
        own: path below the installation -> our own edit; what a script makes must leave it nothing more to do.
        scripts: names of scripts that do it; the first that is there is tried.
        arguments: the command lines that it is tried with: the guide does not say which one a script expects.
        kept: paths of files that are edited later on all the same, so that a script may change them and need not.

    Returns:
        Path -> content, of each file that the draft changes.
    """
    states = {path: bench.file(bench.on(host), f"{host.root}/{path}") for path in own}
    wanted = {path: own[path](text_of(state)) for path, state in states.items() if state.content is not None}
    wanted = {path: text for path, text in wanted.items() if text != text_of(states[path])}
    if not wanted:
        return {}
    script, needed = _find(bench, host, scripts), {path: own[path] for path in wanted}
    through = _through(bench, draft, script, needed, arguments) if script else None
    made_by, result = through or (None, wanted)
    done = {}
    for path, text in result.items():
        if path in kept:
            done[path] = text
            continue
        state = states.get(path) or bench.file(bench.on(host), f"{host.root}/{path}")
        if draft.edit(state, text, made_by=made_by):
            done[path] = text
    return done


def _find(bench: Workbench, host: Host, names: Sequence[str]) -> _Script | None:
    for name in names:
        state: FileState = bench.file(bench.on(host), f"{host.root}/{name}")
        if state.content is not None:
            return _Script(host, name, state.digest)
    return None


def _through(
    bench: Workbench,
    draft: Draft,
    script: _Script,
    own: Mapping[str, Edit],
    arguments: Sequence[tuple[str, ...]],
) -> tuple[MadeBy, dict[str, str]] | None:
    """What the script makes of the files with the first command line that does what is needed; None with a note why
    none does."""
    reasons: list[Text] = []
    for words in dict.fromkeys(arguments):
        try:
            trial = bench.changing.try_script(bench.on(script.host), script.host.root, script.name, words)
            result = _fit(bench, script.host, trial, own)
            _repeat(bench, script, words, trial)
        except _Unfit as unfit:
            reasons.append(unfit.why)
            if unfit.always:
                break
            continue
        except ConnectionFailed as error:
            reasons.append(error.both)
            break
        _note_use(draft, script, words, trial)
        return MadeBy(" ".join((f"{script.host.root}/{script.name}", *words)), script.digest), result
    named = f"{script.name} (SHA-256 {script.digest[:16]})"
    why, why_zh = ("; ".join(dict.fromkeys(r.en for r in reasons)), "；".join(dict.fromkeys(r.zh for r in reasons)))
    draft.notes.append(
        Text(
            f"{script.host.name}: {named} was tried on a copy and is not used: {why}. The edits are our own.",
            f"{script.host.name}：已在副本上试运行 {named}，但不采用：{why_zh}。以下为本工具自己的修改。",
        )
    )
    return None


def _repeat(bench: Workbench, script: _Script, words: tuple[str, ...], trial: Trial) -> None:
    """A result that is another one each time could never be confirmed.

    Raises:
        _Unfit: it is.
    """
    again = bench.changing.try_script(bench.on(script.host), script.host.root, script.name, words)
    if again.changed != trial.changed:
        raise _Unfit("it makes something else each time", "每次执行的结果都不同")


def _fit(bench: Workbench, host: Host, trial: Trial, own: Mapping[str, Edit]) -> dict[str, str]:
    """Path -> text of each file that it changes.

    Raises:
        _Unfit: it can't be tried here, or does something else than was asked of it.
    """
    if not trial.ran:
        raise _Unfit(f"it can't be tried there ({trial.said})", f"无法在该主机上试运行（{trial.said}）", always=True)
    if trial.timed_out:
        raise _Unfit("it does not end", "它不会结束", always=True)
    if trial.elsewhere:
        raise _Unfit("it writes outside of the installation", "它会写入安装目录以外的文件")
    if trial.exit_code != 0:
        last = (trial.said.splitlines() or [""])[-1]
        raise _Unfit(f"it ends with exit code {trial.exit_code} ({last})", f"退出码为 {trial.exit_code}（{last}）")
    if trial.gone:
        raise _Unfit(f"it takes away {', '.join(trial.gone)}", f"它会删除 {', '.join(trial.gone)}")
    if trial.other:
        raise _Unfit(f"it changes what {', '.join(trial.other)} is", f"它会改变 {', '.join(trial.other)} 的类型或权限")
    befores = {path: bench.file(bench.on(host), f"{host.root}/{path}") for path in trial.changed}
    if more := sorted(trial.added.keys() - set(trial.copies)):
        raise _Unfit(f"it makes {', '.join(more)}", f"它会新建 {', '.join(more)}")
    result = {path: body.decode("utf-8", "surrogateescape") for path, body in sorted(trial.changed.items())}
    for path, text in result.items():
        _check(path, text_of(befores[path]), text)
    for path, edit in own.items():
        if path not in result or edit(result[path]) != result[path]:
            raise _Unfit(f"{path} is not as it must be after it", f"执行后 {path} 仍不正确")
    return result


def _check(path: str, before: str, after: str) -> None:
    if not path.endswith(_TEXTS):
        raise _Unfit(f"it changes {path}, which is no configuration", f"它会修改 {path}，而这不是配置文件")
    if path.endswith((".yml", ".yaml")) and _is_yaml(before) and not _is_yaml(after):
        raise _Unfit(f"{path} is no YAML any more after it", f"执行后 {path} 不再是有效的 YAML")


def _is_yaml(text: str) -> bool:
    try:
        YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return False
    return True


def _note_use(draft: Draft, script: _Script, words: tuple[str, ...], trial: Trial) -> None:
    said = " ".join((script.name, *words))
    en = f"{script.host.name}: what `{said}` made of a copy is written; the script itself does not run on the files."
    zh = f"{script.host.name}：写入的是 `{said}` 在副本上得到的结果；脚本不会直接在原文件上运行。"
    if trial.calls:
        en += f" Its calls of {', '.join(trial.calls)} are not made: the plan restarts what is needed."
        zh += f" 它对 {', '.join(trial.calls)} 的调用不会执行：需要的重启由本方案完成。"
    if trial.copies:
        en += f" Its copies ({', '.join(trial.copies)}) are not made: this change keeps its own."
        zh += f" 它的备份文件（{', '.join(trial.copies)}）不会生成：本次变更自带备份。"
    draft.notes.append(Text(en, zh))
