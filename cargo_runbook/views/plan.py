"""How a plan and its outcome look in a terminal: few words, the diff, what it costs, and how it is undone."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text as RichText

from cargo_runbook.connections.client import ClientCall
from cargo_runbook.remedies.actions import EFFECTS, ApiCall, FileEdit, RunCommand, place_of
from cargo_runbook.remedies.outcome import Outcome
from cargo_runbook.remedies.plan import Plan
from cargo_runbook.remedies.proof import Proof, Tried, how_to_prove
from cargo_runbook.secret import Redactor
from cargo_runbook.texts import Language, Text, language_from
from cargo_runbook.views.words import one_line, plain

PROOFS = {
    Proof.PROVEN: Text("proven", "已证实"),
    Proof.NOT_PROVEN: Text("not proven", "未证实"),
    Proof.NOT_REPRODUCED: Text("not reproduced", "未能复现"),
}
_STYLES = {Proof.PROVEN: "bold green", Proof.NOT_PROVEN: "bold red", Proof.NOT_REPRODUCED: "bold yellow"}
_DIFF = {"+": "green", "-": "red"}


def plan_card(plan: Plan, redactor: Redactor, language: Language | None = None) -> RenderableType:
    """The plan, to be read before it is confirmed."""
    lang = language or language_from()

    def say(en: str, zh: str) -> str:
        return Text(en, zh).say(lang)

    if not plan.actions:
        return RichText(
            say(f"{plan.code} on {plan.environment}: nothing to do", f"{plan.environment} 的 {plan.code}：无需修改")
        )
    parts: list[RenderableType] = [
        RichText(
            say(
                f"Fix for {plan.code} on {plan.environment} (stage: {plan.stage}), made from the state of {plan.made}",
                f"{plan.environment}（{plan.stage}）的 {plan.code} 修复方案，依据 {plan.made} 的状态",
            ),
            "bold",
        ),
        RichText(),
    ]
    for number, action in enumerate(plan.actions, start=1):
        head = RichText(f"{number:2} ")
        head.append(f"{EFFECTS[action.effect].say(lang)}  ", "bold")
        head.append(one_line(f"{place_of(action.vantage)}  {action.target}"))
        parts.append(head)
        if isinstance(action, FileEdit) and action.made_by:
            script = f"{one_line(action.made_by.command)}  SHA-256 {action.made_by.digest[:16]}"
            parts.append(RichText(say(f"     by {script}", f"     由 {script} 生成"), "dim"))
        if isinstance(action, RunCommand):
            parts.append(RichText(f"     {one_line(' '.join(action.argv))}", "dim"))
        if isinstance(action, ApiCall):
            parts.append(RichText(f"     {one_line(str(action.request))}", "dim"))
        parts += [
            RichText(f"     {plain(line)}", _DIFF.get(line[:1], "dim"))
            for line in redactor.redact(action.diff()).splitlines()[2:]
        ]
        parts.append(
            RichText(
                say(
                    f"     downtime: {action.downtime.en} · {action.durability.say().en} · undone by: {action.inverse.en}",
                    f"     停机：{action.downtime.zh} · {action.durability.say().zh} · 撤销方式：{action.inverse.zh}",
                ),
                "dim",
            )
        )
    parts += [RichText(), *(RichText(f" ! {note.say(lang)}", "yellow") for note in plan.notes)]
    parts.append(RichText(f" {how_to_prove(plan.code).say.say(lang)}"))
    parts.append(RichText(f" digest {plan.digest[:16]}", "bold"))
    return Group(*parts)


def outcome_card(outcome: Outcome, language: Language | None = None) -> RenderableType:
    """What was done, and what it proved."""
    lang = language or language_from()
    if outcome.before is None or outcome.after is None:
        return RichText(Text(f"rolled back: {outcome.change.id}", f"已回滚：{outcome.change.id}").say(lang))
    parts: list[RenderableType] = [RichText()]
    parts += _tries(Text("before", "修复前").say(lang), outcome.before)
    parts += _tries(Text("after", "修复后").say(lang), outcome.after)
    line = RichText(f"\n{PROOFS[outcome.proof].say(lang)}", _STYLES[outcome.proof])
    if outcome.rolled_back:
        line.append(Text(", and taken back", "，已自动回滚").say(lang))
    line.append(f"   {outcome.change.id}", "dim")
    return Group(*parts, line)


def _tries(title: str, tried: Tried) -> list[RenderableType]:
    return [RichText(title, "bold"), *(_call(call) for call in tried.calls), *(_call(call) for call in tried.control)]


def _call(call: ClientCall) -> RenderableType:
    last = (call.output.splitlines() or [""])[-1]
    line = RichText("  ● " if call.works else "  ✗ ", "green" if call.works else "red")
    line.append(one_line(call.command))
    if not call.works:
        line.append(f"\n      {one_line(last)}", "dim")
    return line
