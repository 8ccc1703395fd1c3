"""Builds the documentation as a site, in English and Chinese, and fails on whatever mkdocs warns of: a dead link, a lost page.

    python tools/docs_site.py [FOLDER]       FOLDER: where the site goes, default build/site

The pages of docs/ are laid out in a folder for each language first: NAME.zh.md takes the place of NAME.md on the Chinese
side, and what pages link to outside docs/ (a notebook, a script) is copied to `project/`, where their links then lead.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# mkdocs-material tells of its successor at every build (see docs/decisions/0012-documentation-as-a-site.md).
os.environ["NO_MKDOCS_2_WARNING"] = "1"

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("en", "zh")
PROJECT = "project"
_LINK = re.compile(r"(?P<open>\]\()(?P<target>[^)\s#:]+)(?P<rest>(?:#[^)\s]*)?\))")
_FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)


def build_site(site: Path) -> None:
    """Build both languages into `site`: English at its root, Chinese below `zh`.

    Raises:
        Abort: mkdocs had to warn.
    """
    with tempfile.TemporaryDirectory() as folder:
        for language in LANGUAGES:
            pages = Path(folder) / language
            lay_out(language, pages)
            build(load_config(str(ROOT / "mkdocs.yml"), strict=True, **_settings(language, pages, site)))


def lay_out(language: str, pages: Path) -> None:
    """Write the pages of one language, and all that they link to, into the folder `pages`."""
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("*.zh.md"))
    if language != "en":
        for page in (ROOT / "docs").rglob(f"*.{language}.md"):
            name = page.relative_to(ROOT / "docs")
            shutil.copyfile(page, pages / name.with_name(name.name.replace(f".{language}.md", ".md")))
    waiting = [path.relative_to(pages).as_posix() for path in pages.rglob("*.md")]
    while waiting:
        uri = waiting.pop()
        text = (pages / uri).read_text("utf-8")
        for source in _outside(text, uri):
            target = pages / _uri(source)
            if (ROOT / source).is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / source, target)
                if target.suffix == ".md":
                    waiting.append(_uri(source))
        (pages / uri).write_text(_led(text, uri), "utf-8")


def _settings(language: str, pages: Path, site: Path) -> dict[str, Any]:
    """What is different in the settings of one language."""
    own = YAML(typ="safe").load(ROOT / "mkdocs.yml")
    settings: dict[str, Any] = {"docs_dir": str(pages), "site_dir": str(site if language == "en" else site / language)}
    if language != "en":
        up = [{**entry, "link": f"../{entry['link']}"} for entry in own["extra"]["alternate"]]
        settings["extra"] = {**own["extra"], "alternate": up}
        settings["theme"] = {**own["theme"], "language": language}
        settings["nav"] = _translated(own["nav"], own["extra"][language])
    return settings


def _translated(nav: Any, titles: dict[str, str]) -> Any:
    if isinstance(nav, list):
        return [_translated(entry, titles) for entry in nav]
    if isinstance(nav, dict):
        return {titles[title]: _translated(entry, titles) for title, entry in nav.items()}
    return nav


def _outside(text: str, uri: str) -> Iterator[str]:
    """The files of the project outside docs/ that a page links to."""
    for link in _LINK.finditer(_FENCED.sub("", text)):
        source = _beside(_source(uri), link["target"])
        if not source.startswith("docs/"):
            yield source


def _led(text: str, uri: str) -> str:
    """The page with its links to files of the project led to where these are in the site."""

    def led(link: re.Match[str]) -> str:
        target = _uri(_beside(_source(uri), link["target"]))
        return f"{link['open']}{posixpath.relpath(target, posixpath.dirname(uri) or '.')}{link['rest']}"

    return "".join(part if part.startswith("```") else _LINK.sub(led, part) for part in _FENCED.split(text))


def _beside(source: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _source(uri: str) -> str:
    """Where a page of the site stands in the project."""
    return uri.removeprefix(f"{PROJECT}/") if uri.startswith(f"{PROJECT}/") else f"docs/{uri}"


def _uri(source: str) -> str:
    """Where a file of the project stands in the site."""
    return source.removeprefix("docs/") if source.startswith("docs/") else f"{PROJECT}/{source}"


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="docs: %(message)s")
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    try:
        build_site(where.absolute())
    except Abort as warned:
        sys.exit(f"docs: not built: {warned}")
    print(f"docs: {where}/index.html")
