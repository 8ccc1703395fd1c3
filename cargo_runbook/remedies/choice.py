"""Which finding is meant, and which of its remedies."""

from __future__ import annotations

from cargo_runbook.errors import UsageError
from cargo_runbook.findings import Diagnosis, Finding, Health, Verdict
from cargo_runbook.remedies.remedy import Remedy
from cargo_runbook.remedies.table import REMEDIES
from cargo_runbook.remedies.workbench import Draft, NoRemedy, Workbench
from cargo_runbook.texts import language_from, tell


def fault_of(diagnosis: Diagnosis, code: str) -> Finding | None:
    """The finding that is at fault; None where it is not.

    Raises:
        UsageError: the code is unknown here.
    """
    found = [finding for finding in diagnosis.findings if finding.code == code]
    fault = next((finding for finding in found if finding.status is Verdict.FAULT), None)
    if fault is None and diagnosis.status is not Health.HEALTHY and found and found[0].status is not Verdict.OK:
        raise UsageError(
            tell(
                f"{code} could not be tested on {diagnosis.environment} ({found[0].summary.en})",
                f"无法在 {diagnosis.environment} 上检验 {code}（{found[0].summary.zh}）",
            ),
            next_step=tell(
                f"Root causes found: {', '.join(diagnosis.root_causes) or 'none'}.",
                f"已发现的根因：{', '.join(diagnosis.root_causes) or '无'}。",
            ),
        )
    return fault


def draft_for(finding: Finding, wanted: str, bench: Workbench) -> tuple[Remedy, Draft]:
    """The remedy of that name, or the first that has something to do, and what that is.

    Raises:
        UsageError: the finding has no remedy of that name.
        NoRemedy: none has; the reason is that of the first.
    """
    why: NoRemedy | None = None
    for remedy in remedies_for(finding, wanted):
        assert remedy.build is not None
        try:
            draft = remedy.build(bench)
        except NoRemedy as reason:
            why = why or reason
            continue
        if draft.actions:
            return remedy, draft
    if why is None or not wanted:
        by_hand = [_how(REMEDIES[name]) for name in finding.remedies if REMEDIES[name].build is None]
        said = tell(
            f"what {finding.code} can be set to from here is set already, and the fault stands",
            f"可在这里为 {finding.code} 设置的都已设置，但故障仍然存在",
        )
        why = why or NoRemedy(said, section=finding.section)
        why.next_step = "\n  ".join(part for part in (why.next_step, *by_hand) if part)
    raise why


def remedies_for(finding: Finding, wanted: str) -> list[Remedy]:
    """The remedy of that name, or all that can be done from here, the usual one first.

    Raises:
        UsageError: the finding has no remedy of that name.
        NoRemedy: none can be done from here.
    """
    known = [REMEDIES[name] for name in finding.remedies if name in REMEDIES]
    if wanted and wanted not in [remedy.name for remedy in known]:
        raise UsageError(
            tell(f"{wanted!r} is no remedy for {finding.code}", f"{wanted!r} 不是 {finding.code} 的修复方法"),
            next_step=tell(
                f"There are: {', '.join(r.name for r in known) or 'none'}.",
                f"可用的有：{', '.join(r.name for r in known) or '无'}。",
            ),
        )
    if able := [remedy for remedy in known if remedy.build is not None and wanted in ("", remedy.name)]:
        return able
    by_hand = "; ".join(_how(remedy) for remedy in known)
    raise NoRemedy(
        tell(
            f"{finding.code} ({finding.title.en}) has no remedy that can be done from here",
            f"{finding.code}（{finding.title.zh}）没有可在这里执行的修复方法",
        ),
        next_step=by_hand
        or tell("See what the verdict says, and the section of the guide.", "请查看结论和指南的相应章节。"),
        section=finding.section,
    )


def _how(remedy: Remedy) -> str:
    return remedy.how.say(language_from())
