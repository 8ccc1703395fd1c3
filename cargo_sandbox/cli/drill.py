"""drill: something is broken without saying what; the verdict is scored."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cargo_runbook.cli.console import JsonOption, message, print_json, print_table, tell
from cargo_runbook.errors import UsageError
from cargo_runbook.texts import Text, language_from
from cargo_sandbox.cli.options import NameOption, name_option, state_of
from cargo_sandbox.paths import DEFAULT_NAME
from cargo_sandbox.topology import OPERATOR

if TYPE_CHECKING:
    from cargo_sandbox.drill import Drill, GameDay, Result

app = typer.Typer(rich_markup_mode=None)

_WORDS = {"right": Text("right", "正确"), "partly": Text("partly right", "部分正确"), "wrong": Text("wrong", "错误")}


@app.command(
    help=tell(
        """A game day: break something without saying what, show what the client prints, and score your verdict.

Two minutes are free; then each half minute costs a point, down to half. What was broken is healed afterwards.

\b
Examples:
  cargo-runbook sandbox drill                     begin; look for the cause in another terminal
  cargo-runbook sandbox drill --answer CRG201     your verdict, now or later
  cargo-runbook sandbox drill --seed 7            the drill that a colleague had
  cargo-runbook sandbox drill --reveal            give up: the truth, and everything is healed
  cargo-runbook sandbox drill --list              the drills of this sandbox and their points
""",
        """演练：注入一个故障但不说明是什么，显示客户端的报错，并为你的判断打分。

前两分钟不扣分，之后每半分钟扣一分，最多扣到一半。结束后自动恢复。

\b
示例：
  cargo-runbook sandbox drill                     开始；在另一个终端中排查
  cargo-runbook sandbox drill --answer CRG201     提交判断，可以稍后再提交
  cargo-runbook sandbox drill --seed 7            与同事相同的演练
  cargo-runbook sandbox drill --reveal            放弃：显示答案并恢复
  cargo-runbook sandbox drill --list              该沙箱的演练及得分
""",
    )
)
def drill(
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help=tell("The same number breaks the same.", "相同的数字注入相同的故障。")),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            metavar="CODE",
            help=tell(
                "Your verdict: the code of the root cause; may be given again.", "你的判断：根因代码；可多次给出。"
            ),
        ),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help=tell("Give up.", "放弃。"))] = False,
    list_past: Annotated[bool, typer.Option("--list", help=tell("What was done so far.", "已完成的演练。"))] = False,
    name: NameOption = DEFAULT_NAME,
    as_json: JsonOption = False,
) -> None:
    from cargo_sandbox import lab
    from cargo_sandbox.drill import GameDay
    from cargo_sandbox.machines.operator_shell import machine_of

    if sum((bool(answer), reveal, list_past, seed is not None)) > 1:
        raise UsageError(
            tell(
                "one of --seed, --answer, --reveal and --list at a time",
                "--seed、--answer、--reveal、--list 只能给出一个",
            )
        )
    state = state_of(name)
    machine_of(state, OPERATOR.name)
    game = GameDay(state)
    if list_past:
        _print_past(game, as_json)
        return
    if answer or reveal:
        with lab.only_one(state):
            _print_result(game.answer(answer or ()), as_json)
        return
    with lab.only_one(state):
        begun = game.start(seed)
    _print_begun(begun, name, as_json)
    if as_json or not sys.stdin.isatty():
        return
    while given := _asked():
        try:
            with lab.only_one(state):
                result = game.answer(given)
        except UsageError as error:
            # A code that does not exist; the drill may also have been answered from elsewhere.
            if game.current() is None:
                raise
            message(str(error))
        else:
            _print_result(result, as_json)
            return


def _asked() -> list[str]:
    """The verdict of whoever sits there; nothing when it is to come later."""
    message(
        tell("Your verdict (a code, or several; Enter: answer later)", "你的判断（一个或多个代码；直接回车则稍后提交）")
    )
    try:
        return input("> ").replace(",", " ").split()
    except EOFError:
        return []


def _print_begun(begun: Drill, name: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "drill": begun.seed,
                "environment": begun.environment,
                "command": list(begun.command),
                "symptom": begun.symptom,
            }
        )
        return
    environment = begun.environment
    print(tell(f"Drill {begun.seed}: a user of {environment} says:", f"演练 {begun.seed}：{environment} 的用户反馈："))
    print()
    if begun.command:
        print(f"  $ {shlex.join(begun.command)}")
    for line in begun.symptom.splitlines():
        print(f"  {line}")
    print()
    option = name_option(name)
    print(tell("The clock runs. Look for the cause:", "计时开始。排查："))
    print(f"  cargo-runbook sandbox shell{option}")
    print(tell("and answer:", "提交判断："))
    print(f"  cargo-runbook sandbox drill{option} --answer CODE")


def _print_result(result: Result, as_json: bool) -> None:
    from cargo_runbook.rules.catalog import titles
    from cargo_sandbox.faults.catalog import fault

    if as_json:
        print_json(asdict(result))
        return
    say = language_from()
    minutes, seconds = divmod(int(result.seconds), 60)
    if result.answer:
        verdict = _WORDS[result.verdict].say(say)
        print(tell(f"Your verdict is {verdict}: {result.points} points, after {minutes} min {seconds} s.",
                   f"判断{verdict}：{result.points} 分，用时 {minutes} 分 {seconds} 秒。"))  # fmt: skip
    truth = ", ".join(f"{code} {titles()[code].say(say)}" for code in result.truth)
    print(tell(f"The truth: {truth}", f"答案：{truth}"))
    broken = fault(result.fault)
    print(tell(f"  {broken.name}: {broken.text.en}", f"  {broken.name}：{broken.text.zh}"))
    print(tell(f"  section of the guide: {broken.section}", f"  指南章节：{broken.section}"))
    print(tell("Everything is healed.", "已全部恢复。"))


def _print_past(game: GameDay, as_json: bool) -> None:
    past, going_on = game.past(), game.current()
    if as_json:
        body = [asdict(result) for result in past]
        print_json({"drills": body, "points": sum(r.points for r in past), "going_on": going_on is not None})
        return
    say = language_from()
    rows = [
        (
            str(result.seed),
            result.fault,
            ", ".join(result.truth),
            ", ".join(result.answer),
            _WORDS[result.verdict].say(say) if result.answer else tell("given up", "放弃"),
            f"{result.seconds:.0f} s",
            str(result.points),
        )
        for result in past
    ]
    if rows:
        headings = (
            ("drill", "演练"),
            ("fault", "故障"),
            ("truth", "答案"),
            ("verdict", "判断"),
            ("", "结果"),
            ("time", "用时"),
            ("points", "得分"),
        )
        print_table([tell(*heading) for heading in headings], rows)
    if going_on:
        message(tell(f"Drill {going_on.seed} goes on.", f"演练 {going_on.seed} 正在进行。"))
    elif not rows:
        message(tell("There was no drill yet: cargo-runbook sandbox drill", "还没有演练：cargo-runbook sandbox drill"))
