"""A sheet of commands as text: all that is not a command is a comment, so that any part of it can be pasted as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cargo_runbook.connections.ssh import quote
from cargo_runbook.guide import NOTEBOOKS
from cargo_runbook.observations import OPERATOR, Command, KubeCommand, Vantage
from cargo_runbook.shell.expected import FILL_INS
from cargo_runbook.shell.sheet import Sheet, SheetStep
from cargo_runbook.shell.typed import FUNCTIONS, Prompt, Typed, place_of
from cargo_runbook.texts import Language, Text
from cargo_runbook.views.words import one_line

_ONLY_LOOKS = Text(
    "Every command only looks; nothing is changed anywhere. Numbers are those of --json.",
    "所有命令都只读取信息，不做任何修改。编号与 --json 一致。",
)
_FIRST = Text(
    "First, on the operator (bash or zsh); paste it as one piece.", "首先在 operator 上整段粘贴（bash 或 zsh）。"
)
_PROMPTS = Text(
    "Then these, one at a time: each waits for what you type, and shows no password.",
    "然后逐行执行：每行都会等待输入，密码不会显示。",
)
_ELSEWHERE = Text(
    "On the other machines first:  export LC_ALL=C PATH=\"$PATH:/usr/sbin:/sbin\"",
    '其他机器上先执行：export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"',
)  # fmt: skip
_DEEPER = Text("Only where something above is wrong:", "仅当以上结果有异常时：")
_NOTHING = Text("Nothing more is asked: read it out of the answers above.", "无需再执行命令：从以上结果中判断。")
_FILL_IN = Text("fill in: {where}", "请填写：{where}")


def prompts_of(sheet: Sheet) -> tuple[Prompt, ...]:
    """What is asked for once, before all commands."""
    return tuple(dict.fromkeys(prompt for typed in sheet.commands for prompt in typed.prompts))


def preamble(sheet: Sheet) -> str:
    """What the operator's shell must know before any command."""
    return "\n".join([FUNCTIONS, *(f"{name}={quote([path])}" for name, path in sorted(sheet.cas.items()))])


def as_script(sheet: Sheet, language: Language) -> str:
    """The whole sheet."""
    environment = one_line(sheet.environment.name)
    sections = ", ".join(section for section, notebook in NOTEBOOKS.items() if notebook == sheet.runbook)
    lines = [f"# {sheet.runbook}, {environment}: {sections}", f"# {_ONLY_LOOKS.say(language)}", ""]
    lines += [f"# {_FIRST.say(language)}", preamble(sheet), ""]
    if prompts := prompts_of(sheet):
        lines += [f"# {_PROMPTS.say(language)}", *(prompt.line for prompt in prompts), ""]
    lines += [f"# {_ELSEWHERE.say(language)}"]
    printer = _Printer(sheet, language)
    for place, step in enumerate(sheet.steps, 1):
        lines += ["", *printer.step(place, step)]
    return "\n".join(lines) + "\n"


class _Printer:
    """Prints the steps in turn: commands are counted, and each value to fill in is asked for once."""

    def __init__(self, sheet: Sheet, language: Language) -> None:
        self._sheet = sheet
        self._say = language
        self._count = 0
        self._filled: set[str] = set()

    def step(self, place: int, step: SheetStep) -> Iterator[str]:
        yield f"# ==== {place}. {step.title.say(self._say)}  ({', '.join(step.sections)})"
        if not step.commands and not step.deeper:
            yield f"# {_NOTHING.say(self._say)}"
        yield from self._commands(step.commands)
        if step.deeper:
            yield f"# .... {_DEEPER.say(self._say)}"
            yield from self._commands(step.deeper)

    def _commands(self, commands: Sequence[Typed]) -> Iterator[str]:
        vantage: Vantage | None = None
        for typed in commands:
            if typed.vantage != vantage:
                vantage = typed.vantage
                yield f"# ---- {place_of(vantage, self._sheet.environment).say(self._say)}"
            for text in typed.fill_ins:
                yield from self._fill_in(text, vantage)
            self._count += 1
            # A command says itself what it asks.
            told = "" if isinstance(typed.asks, Command | KubeCommand) else f" {one_line(_asks(typed))}"
            yield f"# [{self._count}]{told}"
            yield typed.line

    def _fill_in(self, text: str, vantage: Vantage) -> Iterator[str]:
        key = f"{text} {vantage}"
        if key in self._filled:
            return
        self._filled.add(key)
        each = FILL_INS[text]
        yield f"{each.variable}=''  # {_FILL_IN.fill({'where': each.where.say(self._say)}).say(self._say)}"


def _asks(typed: Typed) -> str:
    """The question in words, with the names of variables where an answer is to be filled in."""
    asked = str(typed.asks)
    for text, each in FILL_INS.items():
        asked = asked.replace(text, f"${each.variable}")
    container = typed.asks.vantage.container
    return f"{container}: {asked}" if container else asked


def as_data(sheet: Sheet) -> dict[str, object]:
    """The sheet as data for machines."""
    numbers = iter(range(1, 1 + sum(1 for _ in sheet.commands)))

    def command(typed: Typed, deeper: bool) -> dict[str, object]:
        return {
            "number": next(numbers),
            "vantage": str(typed.vantage),
            "host": typed.vantage.host if typed.vantage != OPERATOR else "",
            "asks": _asks(typed),
            "question": typed.asks.key(),
            "command": typed.line,
            "variables": [prompt.variable for prompt in typed.prompts],
            "fill_in": {FILL_INS[text].variable: FILL_INS[text].where.en for text in typed.fill_ins},
            "only_where_wrong": deeper,
        }

    return {
        "environment": sheet.environment.name,
        "runbook": sheet.runbook,
        "preamble": preamble(sheet),
        "prompts": [{"variable": prompt.variable, "command": prompt.line} for prompt in prompts_of(sheet)],
        "steps": [
            {
                "step": step.name,
                "title": step.title.en,
                "title_zh": step.title.zh,
                "sections": list(step.sections),
                "commands": [
                    *(command(typed, False) for typed in step.commands),
                    *(command(typed, True) for typed in step.deeper),
                ],
            }
            for step in sheet.steps
        ],
    }
