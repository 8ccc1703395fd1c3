"""What a place in a text is about: an image operation, a replication, or somebody else's trouble."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache
from itertools import islice
from string import ascii_lowercase, digits

from cargo_runbook.data import read_data
from cargo_runbook.literals import Literals
from cargo_runbook.symptoms.cleaning import Paste
from cargo_runbook.symptoms.patterns import Needs

# An image by its full name, HOST/PATH:TAG or @DIGEST, is as good as a word. A line of a Go stack trace looks alike, and so does
# an address as Java prints it, NAME/ADDRESS:PORT.
_IMAGE_NAME = re.compile(
    r"(?<![/\w.-])(?:[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}(?::\d{2,5})?|[\w-]{1,63}:\d{2,5})"
    r"(?!/\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}:)(?:/[\w.-]{1,128}){1,6}"
    r"(?<!\.go)(?<!\.py)(?<!\.js)(?<!\.java)(?<!\.ts)(?::[\w.-]{1,128}|@sha256:)"
)
# Somebody moves an image or a part of one: a verb and its object.
_MOVES_AN_IMAGE = re.compile(
    r"\b(?:pull|push|fetch|copy|copi|download|upload|inspect|scan|resolv|mirror|import)(?:s|es|ed|ing)?\b"
    r"(?: (?:to|from|of|the|a|an|my|your|this|any|specified|source|docker|container|oci|base|new|private|remote|dependent)){0,4}"
    r" (?:images?|repositor(?:y|ies)|layers?|blobs?|manifests?|registry)\b"
    r"|\b[0-9a-f]{12}: (?:retrying in|waiting|pushing|downloading|verifying)\b"
    r"|\b(?:upstream|remote|oci|image|container|docker|private|source|destination|target|insecure|mirror) registr(?:y|ies)\b"
)
# One of these is not much by itself.
_HINTS_AT_IMAGE = re.compile(
    r"(?<![\w/.-])(?:docker|podman|registr(?:y|ies)|blobs?|digests?(?! auth)|containerd)(?![\w/.])"
    r"|(?<![\w/-])pu(?:ll|sh)(?:ing|ed)?(?![\w/.])|\bregistry[_-]\d\b|\d:5000: "
    r"|\bdocker(?:\.(?:service|sock)|_(?:host|tls|cert|config|auth)\w{0,20})\b|\bshort-name\b|\bimage ?pull ?secrets?\b"
)
# Somebody asks a registry by hand: what curl says then is about it.
_ASKED_BY_HAND = re.compile(
    r"\b(?:curl|wget)\b[^\n]{0,200}https?://[^\s/\"']{1,255}/(?:v2/|service/token|v1/_ping|api/v2\.0/)"
)
_ASKING_BY_HAND = ("curl: (", "wget: ")
# A request of a registry's own API, or of charts that are in one: whoever else is named in the line, it is about that.
_ASKS_A_REGISTRY = re.compile(
    r"(?:Get|Head|Post|Put|Patch|GET|HEAD|POST|PUT|PATCH) \"?https?://[^\s/\"]{1,255}/v2/(?:\"|:|[^\s\"]{1,300}/(?:manifests|blobs|tags)/)"
    r"|looks like \"(?:oci://|https?://[^\s\"]{0,200}(?:harbor|chartrepo|chartmuseum))"
)
# A line of a proxy's log tells what it was asked for: a path that no registry has is another program's.
_ASKED_OF_A_PROXY = re.compile(r"request: \"[a-z]{3,7} (/[^\s\"]{0,300})")
_PATH_OF_A_REGISTRY = re.compile(r"/(?:$|v[12](?:/|$)|service/|api/|c/|chartrepo/|token|jwt/|auth)")
_HINTS_AT_REPLICATION = re.compile(r"\breplicat(?:ion|e|ing)s?\b")
# A line of Harbor's own log.
_HARBOR_LOG = re.compile(
    r"\[(?:DEBUG|INFO|WARNING|ERROR|FATAL)\] \[/?[\w/.-]{3,120}\.go:\d{1,5}\]"
    r"|\b(?:proxy|core|ui|registry|registryctl|adminserver|portal)\[\d{1,7}\]: "
)
# A word that one of these stands before is the end of another. Chinese has no spaces.
_SIGNS_OF_WORDS = frozenset(ascii_lowercase + digits)
# But for names of hosts, which are made of words: myharbor.corp.example.
_REST_OF_A_HOST = re.compile(r"[\w-]{0,60}(?:\.[a-z]|:\d{2})")
# Words count this far before and after a place. In a long log other things happen elsewhere.
_NEAR = 2500


@dataclass(frozen=True)
class Words:
    """The lists of `contexts.yml`."""

    image: tuple[str, ...]
    perhaps: tuple[str, ...]
    replication: tuple[str, ...]
    foreign: tuple[str, ...]
    command: tuple[str, ...]
    elsewhere: tuple[str, ...]
    endings: tuple[str, ...]


@cache
def words() -> Words:
    """The lists that come with the program."""
    table = read_data("cargo_runbook.symptoms", "contexts.yml")
    return Words(**{each.name: tuple(table[each.name]) for each in fields(Words)})


@dataclass
class Surroundings:
    """Answers what stands near a place of a text. Near places share an answer, so that a long log costs no more.

    Args:
        lenient: a word that hints at an image is enough where nothing in the whole text is another tool's. Once nothing
            else is found, a short text is more likely about what it was pasted for than about something else.
    """

    paste: Paste
    lenient: bool = False
    _known: dict[tuple[int, Needs], bool] = field(default_factory=dict)
    _foreign: dict[tuple[int, int], bool] = field(default_factory=dict)

    def meets(self, needs: Needs, start: int, end: int) -> bool:
        """Whether what a pattern needs is there for a line from `start` to `end`."""
        if needs is Needs.NOTHING:
            return True
        if needs is Needs.NOTHING_ELSE and not self.lenient:
            return False
        if self.is_foreign(start, end):
            return False
        if needs is Needs.NO_OTHER_TOOL:
            return True
        if self.lenient:
            key = (-1, needs)
            if key not in self._known:
                self._known[key] = self._hints(needs)
            return self._known[key]
        block = start // _NEAR
        key = (block, needs)
        if key not in self._known:
            around = ((block - 1) * _NEAR, (block + 2) * _NEAR)
            self._known[key] = self._speaks(needs, *around) and not (
                needs is Needs.IMAGE and next(self._held(words().command, max(0, around[0]), around[1]), "")
            )
        if self._known[key] or self._speaks(needs, start, end):
            return True
        text = self.paste.text
        return needs is Needs.IMAGE and bool(
            _IMAGE_NAME.search(text, start, end) or _HARBOR_LOG.search(text, start, end)
        )

    def is_foreign(self, start: int, end: int) -> bool:
        """Whether the line from `start` to `end` belongs to git, npm, a database, or another tool that is none of ours."""
        if (start, end) not in self._foreign:
            self._foreign[start, end] = any(
                not (word in _ASKING_BY_HAND and self._asked_by_hand(start))
                for word in _words_of_others(self.paste.lower[start:end])
            ) and not _ASKS_A_REGISTRY.search(self.paste.text, start, end)
        return self._foreign[start, end]

    def _asked_by_hand(self, place: int) -> bool:
        """Whether the commands before `place` ask a registry."""
        return bool(_ASKED_BY_HAND.search(self.paste.text, max(0, place - _NEAR), place))

    def _hints(self, needs: Needs) -> bool:
        """Whether the whole text hints at a replication or an image, and no other tool speaks in it."""
        text = self.paste.lower
        if self.is_foreign(0, len(text)) or next(self._held(words().command, 0, len(text)), ""):
            return False
        if needs is Needs.NOTHING_ELSE and self._speaks(Needs.IMAGE, 0, len(text)):
            return True
        asked = _ASKED_OF_A_PROXY.findall(text)
        if asked and not any(map(_PATH_OF_A_REGISTRY.match, asked)):
            return False
        hint = _HINTS_AT_REPLICATION if needs is Needs.REPLICATION else _HINTS_AT_IMAGE
        return bool(hint.search(text)) and not _elsewhere().search(text)

    def _speaks(self, needs: Needs, start: int, end: int) -> bool:
        """Whether the text from `start` to `end` is about a replication or, by a word or two weak ones, about an image."""
        first = max(0, start)
        if needs is Needs.REPLICATION:
            if next(self._held(words().replication, first, end), ""):
                return True
            # The word alone may be a database's or Kubernetes'; in a line of Harbor's log it is not.
            return "replication" in self.paste.lower[first:end] and bool(
                _HARBOR_LOG.search(self.paste.text, first, end)
            )
        if next(self._held(words().image, first, end), "") or _MOVES_AN_IMAGE.search(self.paste.lower, first, end):
            return True
        weak = list(islice(self._held(words().perhaps, first, end), 2))
        return len(weak) == 2 and not self.is_foreign(max(0, first - _NEAR), end + _NEAR)

    def _held(self, wanted: Iterable[str], start: int, end: int) -> Iterator[str]:
        """Those of `wanted` that stand in the text by themselves, or in a host name: not `layer` in `player`."""
        lower = self.paste.lower
        for word in wanted:
            place = lower.find(word, start, end)
            while (
                place > 0
                and word[0] in _SIGNS_OF_WORDS
                and lower[place - 1] in _SIGNS_OF_WORDS
                and not _REST_OF_A_HOST.match(lower, place + len(word))
            ):
                place = lower.find(word, place + 1, end)
            if place >= 0:
                yield word


def _words_of_others(text: str) -> Iterator[str]:
    """The words of other tools that stand in `text` by themselves: `fatal:` is git's, `isfatal:` is not; those with `^`, where
    a line begins so."""
    foreign = _foreign()
    # The first line begins as every other does.
    for number, place in foreign.places(f"\n{text}"):
        word = foreign.texts[number]
        if place == 1 or not (word[0].isalnum() and text[place - 2].isalnum()):
            yield word


@cache
def _foreign() -> Literals:
    return Literals(re.sub(r"^\^", "\n", word) for word in words().foreign)


@cache
def _elsewhere() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words().elsewhere))})(?!\w)")


@cache
def _wrappers() -> re.Pattern[str]:
    return re.compile("|".join(read_data("cargo_runbook.symptoms", "contexts.yml")["wrappers"]))


def without_wrappers(paste: Paste) -> Paste:
    """`paste` with blanks where a tool's own status stands around the error that it was told."""
    text = _wrappers().sub(lambda match: " " * len(match.group()), paste.text)
    return replace(paste, text=text, lower=text.lower()) if text != paste.text else paste
