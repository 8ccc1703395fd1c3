"""The path of a pull as a drawing: stations from the client to the image, and where it breaks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

from cargo_runbook.findings import Diagnosis, Verdict
from cargo_runbook.texts import Text
from cargo_runbook.views import words

_STEP, _MARGIN, _LINE, _RADIUS = 104, 52, 30, 13
# Middle tones that can be told apart on white and on black; words are in the colour of the page's own.
_COLOURS = {Verdict.OK: "#2f9e55", Verdict.FAULT: "#e03e3e", Verdict.UNKNOWN: "#c98a1b", Verdict.SKIPPED: "#8b919a"}
_CLIENT = Text("client", "客户端")


@dataclass(frozen=True)
class Station:
    """One station with how the way to it ended."""

    label: Text
    verdict: Verdict
    code: str = ""

    def __str__(self) -> str:
        code = f" {self.code}" if self.code else ""
        return f"{self.label.en} ({self.label.zh}): {words.MEANINGS[self.verdict].en}{code}"


def stations(diagnosis: Diagnosis) -> tuple[Station, ...]:
    """The stations of a pull in their order, the client first (where the look started from, so never in doubt)."""
    way = [Station(_CLIENT, Verdict.OK)]
    for check, verdict in diagnosis.cells().items():
        code = ""
        if verdict is Verdict.FAULT:
            code = min(
                (f.code for f in diagnosis.findings if f.check == check and f.status is Verdict.FAULT),
                key=lambda c: (c not in diagnosis.root_causes, c),
            )
        way.append(Station(words.STATIONS[check], verdict, code))
    return tuple(way)


def pull_path(diagnosis: Diagnosis) -> str:
    """The drawing as one `<svg>` element, equal for equal diagnoses, without scripts, styles or references."""
    way = stations(diagnosis)
    description = escape("; ".join(str(station) for station in way))
    mark = hashlib.sha256(f"{diagnosis.environment}\n{description}".encode()).hexdigest()[:10]
    title = escape(words.one_line(f"Path of a pull, {diagnosis.environment} · 拉取路径"))
    width = 2 * _MARGIN + _STEP * (len(way) - 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 92" width="{width}" height="92" role="img" '
        f'style="max-width:100%;height:auto" aria-labelledby="t{mark} d{mark}" font-family="sans-serif">',
        f'<title id="t{mark}">{title}</title><desc id="d{mark}">{description}</desc>',
    ]
    for number, station in enumerate(way[1:], start=1):
        parts.append(_link(_MARGIN + _STEP * (number - 1), _MARGIN + _STEP * number, station.verdict))
    for number, station in enumerate(way):
        parts.append(_station(_MARGIN + _STEP * number, station))
    parts.append("</svg>")
    return "".join(parts)


def _link(start: int, end: int, verdict: Verdict) -> str:
    dash = "" if verdict is Verdict.OK else ' stroke-dasharray="6 5"'
    return (
        f'<line x1="{start + _RADIUS}" y1="{_LINE}" x2="{end - _RADIUS}" y2="{_LINE}" '
        f'stroke="{_COLOURS[verdict]}" stroke-width="3"{dash}/>'
    )


def _station(x: int, station: Station) -> str:
    colour = _COLOURS[station.verdict]
    filled = station.verdict in (Verdict.OK, Verdict.FAULT)
    # Signs are drawn, not typed: a font without them must not change the meaning.
    signs = {
        Verdict.OK: f'<path d="M{x - 6} {_LINE + 1}l4 4l8 -9" fill="none" stroke="#fff" stroke-width="2.5"/>',
        Verdict.FAULT: (
            f'<path d="M{x - 5} {_LINE - 5}l10 10m0 -10l-10 10" fill="none" stroke="#fff" stroke-width="2.8"/>'
        ),
        Verdict.UNKNOWN: (
            f'<text x="{x}" y="{_LINE + 6}" font-size="16" font-weight="bold" text-anchor="middle" '
            f'fill="currentColor">?</text>'
        ),
        Verdict.SKIPPED: "",
    }
    bold = ' font-weight="bold"' if station.verdict is Verdict.FAULT else ""
    code = (
        f'<text x="{x}" y="11" font-size="12" font-weight="bold" text-anchor="middle" fill="currentColor">'
        f"{escape(station.code)}</text>"
        if station.code
        else ""
    )
    return (
        f'<g><circle cx="{x}" cy="{_LINE}" r="{_RADIUS}" fill="{colour if filled else "none"}" stroke="{colour}" '
        f'stroke-width="2"/>{signs[station.verdict]}{code}'
        f'<text x="{x}" y="62" font-size="13" text-anchor="middle" fill="currentColor"{bold}>{escape(station.label.en)}</text>'
        f'<text x="{x}" y="81" font-size="12" text-anchor="middle" fill="currentColor">{escape(station.label.zh)}</text></g>'
    )
