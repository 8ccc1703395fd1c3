"""The labelled texts below `corpus/`, and two that tests of several kinds begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
UNRESOLVED = (
    'Error response from daemon: Get "https://reg.corp.example/v2/": '
    "dial tcp: lookup reg.corp.example on 10.254.0.100:53: no such host"
)
ELSEWHERE = 'Get "https://bar.corp.example/v2/": Get "https://foo.corp.example/service/token?account=a&service=harbor-registry": '


@dataclass(frozen=True)
class Labelled:
    """A text with its cause, and with the other causes that are right too."""

    name: str
    label: str
    alternates: tuple[str, ...]
    text: str


def read(batch: Path) -> list[Labelled]:
    """The texts of one batch."""
    found = []
    for number, part in enumerate(batch.read_text(encoding="utf-8").split("\n=== ")):
        head, _, text = part.removeprefix("=== ").partition("\n")
        label, alternates, client, *_source = (field.strip() for field in head.split("|"))
        others = tuple(filter(None, alternates.split(",")))
        found.append(Labelled(f"{batch.stem}-{number}-{client}", label, others, text.rstrip("\n")))
    return found


BATCHES = sorted(FOLDER.glob("*.txt"))
TEXTS = [text for batch in BATCHES for text in read(batch)]
