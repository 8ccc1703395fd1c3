"""`cargo-runbook records verify|reindex`: is everything as it was sealed? And the index made anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.archive.keeping.seal import Problem
from cargo_runbook.archive.record import reports_folder
from cargo_runbook.cli.console import JsonOption, ReportsOption, message, print_json, tell
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import Text, language_from
from cargo_runbook.views.words import one_line

if TYPE_CHECKING:
    from cargo_runbook.archive.keeping.verify import Verification

_VERIFY_HELP = tell(
    """Check every byte of every record, and that none is missing.

One head stands for its record and for all before it. That nothing was cut off at the end can only be told by a head
that is known from elsewhere, such as the ticket that it was pasted into: --head.

\b
Examples:
  cargo-runbook records verify
  cargo-runbook records verify --head 3f9c02d1a7e4
  cargo-runbook records verify --reports /srv/records --json
  cargo-runbook records verify INC-42.zip --head 3f9c02d1a7e4
  cargo-runbook records verify --signers allowed_signers

Exit code: 0 all as sealed, 1 something is not.
""",
    """校验每条记录的每个字节，并确认没有缺失。

一个校验值代表该记录及其之前的所有记录。末尾是否被截断，只能用在别处保存的校验值（例如工单中的）来判断：--head。

\b
示例：
  cargo-runbook records verify
  cargo-runbook records verify --head 3f9c02d1a7e4
  cargo-runbook records verify --reports /srv/records --json
  cargo-runbook records verify INC-42.zip --head 3f9c02d1a7e4
  cargo-runbook records verify --signers allowed_signers

退出码：0 与封存时一致，1 有不一致。
""",
)
_REINDEX_HELP = tell(
    """Make the index anew from the folders, and the chain's file where it is missing.

Needed only for folders that were copied without chain.jsonl: the index itself catches up whenever it is looked into.

\b
Examples:
  cargo-runbook records reindex
""",
    """根据目录重建索引；缺少链文件时一并重建。

只有在复制目录时遗漏了 chain.jsonl 才需要：索引在每次查询时会自动更新。

\b
示例：
  cargo-runbook records reindex
""",
)
_SHORTEST_HEAD = 12


def register(records: typer.Typer) -> None:
    """Adds the commands."""
    records.command("verify", help=_VERIFY_HELP)(verify)
    records.command("reindex", help=_REINDEX_HELP)(reindex)


def verify(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help=tell("An exported zip file instead.", "或导出的 zip 文件。"), show_default=False
        ),
    ] = None,
    head: Annotated[
        str,
        typer.Option("--head", metavar="HEAD", help=tell("A head that must be there.", "必须存在的校验值。")),
    ] = "",
    signers: Annotated[
        Path | None,
        typer.Option(
            "--signers",
            metavar="FILE",
            help=tell(
                "Check the signatures too, against this allowed_signers file (ssh-keygen).",
                "同时用该 allowed_signers 文件校验签名（ssh-keygen）。",
            ),
            show_default=False,
        ),
    ] = None,
    reports: ReportsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verifies the archive, or a bundle; the problems are data, so they go to standard output."""
    from cargo_runbook.archive.keeping.verify import verify as check
    from cargo_runbook.archive.keeping.verify import verify_all

    folder = reports_folder(reports)
    if head and (len(head) < _SHORTEST_HEAD or set(head.lower()) - set("0123456789abcdef")):
        raise UsageError(
            tell(f"{head!r} is no head", f"{head!r} 不是有效的 head"),
            next_step=tell(
                f"Give its {_SHORTEST_HEAD} first hex digits, or all 64.",
                f"给出其前 {_SHORTEST_HEAD} 位或全部 64 位十六进制数。",
            ),
        )
    if signers and not signers.is_file():
        raise UsageError(tell(f"{signers} is no file with allowed signers", f"{signers} 不是允许的签名者文件"))
    if bundle:
        from cargo_runbook.archive.sharing.bundle import opened

        with opened(bundle) as (content, part):
            result = check(content, head=head, part=part)
            signatures = _signatures(content, signers)
    elif folder.is_dir():
        result = verify_all(folder, head=head, progress=_told)
        signatures = _signatures(folder, signers)
    else:
        raise UsageError(
            tell(f"there is no archive: {folder} is not a folder", f"没有归档：{folder} 不是目录"),
            next_step=tell("Name it with --reports.", "用 --reports 指定。"),
        )
    result = replace(result, problems=(*result.problems, *signatures.problems))
    if as_json:
        counts = {"records": result.records, "unsealed": result.unsealed, "pruned": result.pruned}
        problems = [problem.to_json() for problem in result.problems]
        signed = {"signers": dict(signatures.by)} if signers else {}
        print_json({"ok": result.ok, **counts, "head": result.head, **signed, "problems": problems})
    else:
        _print(result, signatures)
    raise typer.Exit(0 if result.ok else 1)


def reindex(reports: ReportsOption = None, as_json: JsonOption = False) -> None:
    """Makes index and chain anew."""
    from cargo_runbook.archive.index import Index
    from cargo_runbook.archive.sealing.chain import locked, settle

    folder = reports_folder(reports)
    if not folder.is_dir():
        raise UsageError(
            tell(f"there is no archive: {folder} is not a folder", f"没有归档：{folder} 不是目录"),
            next_step=tell("Name it with --reports.", "用 --reports 指定。"),
        )
    with locked(folder):
        settle(folder)
    with Index(folder, anew=True, progress=_told) as index:
        count = len(index)
    if as_json:
        print_json({"records": count})
    else:
        print(tell(f"{count} records", f"{count} 条记录"))


def _print(result: Verification, signatures: Signatures) -> None:
    say = language_from()
    if result.problems:
        for p in result.problems:
            place = "  ".join(one_line(part) for part in (p.record, p.file) if part)
            print(f"{place}\n    {p.problem.say(say)}")
        print()
    more = [
        tell(f"{count} {en}", f"{zh} {count}")
        for count, en, zh in ((result.pruned, "pruned", "已清理"), (result.unsealed, "not sealed", "未封存"))
        if count
    ]
    more += [tell(f"{count} signed by {name}", f"{count} 条由 {name} 签名") for name, count in signatures.by.items()]
    told = tell(f"{result.records} records", f"{result.records} 条记录")
    verdict = tell("all as sealed", "与封存时一致") if result.ok else tell("NOT as sealed", "与封存时不一致")
    print(f"{', '.join([told, *more])}: {verdict}")
    if result.head:
        print(f"{tell('head', '校验')}  {result.head}")


@dataclass(frozen=True)
class Signatures:
    """Whose signatures are good, each with their number, and what is wrong with others."""

    by: Counter[str]
    problems: tuple[Problem, ...] = ()


def _signatures(folder: Path, signers: Path | None) -> Signatures:
    """Checks every signature of an archive; a record without one counts as none, and the one after it vouches for it."""
    if signers is None:
        return Signatures(Counter())
    from cargo_runbook.archive.places import SIGNATURE, folder_of
    from cargo_runbook.archive.sealing.chain import Entry, lines
    from cargo_runbook.archive.sealing.signature import check_signature

    by: Counter[str] = Counter()
    problems, last_signed = [], True
    for _, line in lines(folder):
        try:
            entry = Entry.of(line)
        except ValueError:
            continue
        last_signed = bool(entry.signature)
        if last_signed:
            checked = check_signature(folder_of(folder, entry.record), signers)
            by[checked.signer] += not checked.problem
            if checked.problem:
                said = Text(checked.problem, f"签名无效：{checked.problem}")
                problems.append(Problem(entry.record, SIGNATURE, said))
    if not last_signed:
        said = Text("the last record is not signed: nobody vouches for it", "最后一条记录没有签名")
        problems.append(Problem(entry.record, SIGNATURE, said))
    return Signatures(+by, tuple(problems))


def _told(done: int) -> None:
    if done % 10_000 == 0:
        message(tell(f"{done} records verified", f"已校验 {done} 条记录"))
