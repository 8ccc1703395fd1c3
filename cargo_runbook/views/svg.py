"""The way of a pull, a push or a login as a drawing: stations from the client on, and where it breaks.

It stands in two layouts, from left to right and from top to bottom; the style of the page (`notebook.css`) shows the
one that there is room for, so that no word is ever made smaller. Without that style it is the first one.
"""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape

from cargo_runbook.findings import LOGIN, PULL, PUSH, Diagnosis, Verdict
from cargo_runbook.texts import Text
from cargo_runbook.views import words
from cargo_runbook.views.way import Station, operation_of, stations

STEP = 84
"""Pixels from one station to the next, from left to right; so many per station have to be there."""
_LINE, _ROW, _RADIUS, _DOWN_WIDTH = 30, 44, 13, 300
# Middle tones that can be told apart on white and on black; words are in the colour of the page's own.
_COLOURS = {Verdict.OK: "#2f9e55", Verdict.FAULT: "#e03e3e", Verdict.UNKNOWN: "#c98a1b", Verdict.SKIPPED: "#8b919a"}
_TITLES = {
    PULL: Text("Path of a pull", "拉取路径"),
    PUSH: Text("Path of a push", "推送路径"),
    LOGIN: Text("Path of a login", "登录路径"),
}


def picture(diagnosis: Diagnosis) -> str:
    """The drawing as one `<svg>` element, equal for equal diagnoses, without scripts, styles or references."""
    way, operation = stations(diagnosis), operation_of(diagnosis)
    heard = Text("; ".join(station.told.en for station in way), "；".join(station.told.zh for station in way))
    description = escape(f"{heard.en} · {heard.zh}")
    mark = hashlib.sha256(f"{diagnosis.environment}\n{operation}\n{description}".encode()).hexdigest()[:10]
    named = _TITLES[operation]
    title = escape(words.one_line(f"{named.en}, {diagnosis.environment} · {named.zh}"))
    width, high, down = STEP * len(way), 108 if any(each.request for each in way) else 92, _ROW * len(way)
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{high}" role="img" '
            f'class="crb-way crb-way-{len(way)}" style="--crb-down:{down}px" aria-labelledby="t{mark} d{mark}" '
            f'font-family="sans-serif">',
            f'<title id="t{mark}">{title}</title><desc id="d{mark}">{description}</desc>',
            f'<svg class="crb-across" width="{width}" height="{high}">{_across(way)}</svg>',
            f'<svg class="crb-down" width="{_DOWN_WIDTH}" height="{down}" display="none">{_down(way)}</svg></svg>',
        )
    )


def _across(way: tuple[Station, ...]) -> str:
    drawn = []
    for number, station in enumerate(way):
        x = STEP * number + STEP // 2
        if number:
            drawn.append(_link(x - STEP + _RADIUS, _LINE, x - _RADIUS, _LINE, station.verdict))
        drawn.append(f"<g>{_sign(x, _LINE, station.verdict)}")
        if station.code:
            drawn.append(_text(x, 11, 12, station.code, bold=True, middle=True))
        # Each line begins below the one before it, so that a hidden language leaves no gap.
        lines = "".join(
            f'<tspan x="{x}" dy="{down}"{_look(size, language, station.verdict)}>{escape(said)}</tspan>'
            for down, size, language, said in (
                (18, 13, "en", station.label.en),
                (19, 12, "zh", station.label.zh),
                (18, 11, "", station.request),
            )
            if said
        )
        drawn.append(f'<text y="{_LINE + 14}" text-anchor="middle" fill="currentColor">{lines}</text></g>')
    return "".join(drawn)


def _down(way: tuple[Station, ...]) -> str:
    drawn = []
    for number, station in enumerate(way):
        x, y = _RADIUS + 2, _ROW * number + _ROW // 2
        if number:
            drawn.append(_link(x, y - _ROW + _RADIUS, x, y - _RADIUS, station.verdict))
        line = y - 3 if station.request else y + 5
        # Spans follow each other however wide the letters are.
        parts = [(13, "en", station.label.en), (12, "zh", station.label.zh), (12, "code", station.code)]
        spans = [
            f"<tspan{_look(size, language, station.verdict)}>{escape(said)} </tspan>"
            for size, language, said in parts
            if said
        ]
        drawn.append(f"<g>{_sign(x, y, station.verdict)}")
        drawn.append(f'<text x="{x + 24}" y="{line}" fill="currentColor">{"".join(spans)}</text>')
        drawn.append(f"{_text(x + 24, y + 14, 11, station.request) if station.request else ''}</g>")
    return "".join(drawn)


def _look(size: int, language: str, verdict: Verdict) -> str:
    """With the class by which the switch of the language hides it, and the language for who reads it out."""
    bold = language == "code" or (language == "en" and verdict is Verdict.FAULT)
    weight = ' font-weight="bold"' if bold else ""
    kind = f' class="crb-{language}" lang="{language}"' if language in ("en", "zh") else ""
    return f' font-size="{size}"{weight}{kind}'


def _text(x: int, y: int, size: int, said: str, *, bold: bool = False, middle: bool = False) -> str:
    weight, anchor = ' font-weight="bold"' if bold else "", ' text-anchor="middle"' if middle else ""
    return f'<text x="{x}" y="{y}" font-size="{size}"{weight}{anchor} fill="currentColor">{escape(said)}</text>'


def _link(x: int, y: int, to_x: int, to_y: int, verdict: Verdict) -> str:
    dash = "" if verdict is Verdict.OK else ' stroke-dasharray="6 5"'
    return f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="{_COLOURS[verdict]}" stroke-width="3"{dash}/>'


def _sign(x: int, y: int, verdict: Verdict) -> str:
    colour = _COLOURS[verdict]
    filled = verdict in (Verdict.OK, Verdict.FAULT)
    # Signs are drawn, not typed: a font without them must not change the meaning.
    signs = {
        Verdict.OK: f'<path d="M{x - 6} {y + 1}l4 4l8 -9" fill="none" stroke="#fff" stroke-width="2.5"/>',
        Verdict.FAULT: f'<path d="M{x - 5} {y - 5}l10 10m0 -10l-10 10" fill="none" stroke="#fff" stroke-width="2.8"/>',
        Verdict.UNKNOWN: _text(x, y + 6, 16, "?", bold=True, middle=True),
        Verdict.SKIPPED: "",
    }
    return (
        f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="{colour if filled else "none"}" stroke="{colour}" '
        f'stroke-width="2"/>{signs[verdict]}'
    )
