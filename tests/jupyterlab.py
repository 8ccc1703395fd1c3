"""JupyterLab in a real browser: to step through a notebook with the keyboard, and to take the pictures of the docs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import BROWSERS, program

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SECONDS = 1000.0
PICTURES_VARIABLE = "CARGO_RUNBOOK_PICTURES"
"""Folder that pictures go to (`make pictures`); without it none are taken."""
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_IDLE = "Python 3 (ipykernel) | Idle"


def chromium() -> str:
    """The browser's program."""
    return next(path for name in BROWSERS if (path := program(name)))


@contextmanager
def window(executable: str, width: int = 1280, height: int = 1600) -> Iterator[Page]:
    """A browser's page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            yield page
        finally:
            browser.close()


class Notebook:
    """A notebook of a JupyterLab.

    Args:
        page: the browser's page.
        url: what `cargo-runbook notebook` printed.
        name: of the notebook.
    """

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page = page
        # A fresh workspace: JupyterLab would open again what another page had open.
        page.goto(f"{re.sub(r'tree/[^?]*', f'tree/{name}.ipynb', url)}&reset")
        self.opened()

    def opened(self) -> None:
        """Waits until the kernel listens, and goes to the first cell."""
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60 * SECONDS)
        self.idle()
        self.at(self.page.locator(".jp-NotebookPanel .jp-Cell").first)

    def idle(self) -> None:
        self.page.get_by_text(_IDLE).wait_for(timeout=60 * SECONDS)

    def at(self, place: Locator | str) -> None:
        """Goes to a cell, or to the heading with that text."""
        found = self.page.get_by_role("heading", name=place).first if isinstance(place, str) else place
        found.click()
        self.page.keyboard.press("Escape")

    def next(self) -> None:
        """Shift+Enter: runs the cell and goes on."""
        self.page.keyboard.press("Shift+Enter")
        self.page.wait_for_timeout(300)
        self.idle()

    def until(self, selector: str) -> Locator:
        """Shift+Enter, cell by cell, until something with that selector is shown."""
        for _ in range(40):
            found = self.page.locator(selector)
            if found.count():
                found.first.scroll_into_view_if_needed()
                return found.first
            self.next()
        raise AssertionError(f"no cell showed {selector}")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def picture(self, name: str, shown: Locator) -> None:
        """A picture for the docs, when they are wanted."""
        if folder := os.environ.get(PICTURES_VARIABLE):
            # The pointer shows hints, and the last focus a frame: a picture has neither.
            self.page.mouse.move(0, 0)
            shown.scroll_into_view_if_needed()
            self.page.wait_for_timeout(400)
            shown.screenshot(path=str(Path(folder) / f"{name}.png"))


READABLE = """
([inside]) => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = text => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = '#000'; canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data;
    return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (top, below, by) => [0, 1, 2].map(i => top[i] * by + below[i] * (1 - by));
  const behind = element => { const layers = [];
    for (let e = element; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] > 0) layers.push(c); if (c[3] === 1) break; }
    return layers.reverse().reduce((below, c) => over(c, below, c[3]), [255, 255, 255]); };
  const light = c => { const [r, g, b] = c.map(v => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const root of document.querySelectorAll(inside)) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const e = node.parentElement;
      if (!node.textContent.trim() || !e.getClientRects().length || e.closest('style, :disabled, .mod-disabled')) continue;
      const style = getComputedStyle(e), svg = e instanceof SVGElement;
      const colour = rgba(svg ? style.fill : style.color), back = behind(e);
      let opacity = colour[3];
      for (let p = e; p; p = p.parentElement) opacity *= Number(getComputedStyle(p).opacity);
      const [a, b] = [light(over(colour, back, opacity)), light(back)].sort((x, y) => y - x);
      found.push({text: node.textContent.trim().slice(0, 40), contrast: (a + 0.05) / (b + 0.05)});
    }
  }
  return found;
}
"""
"""Each text that can be seen in a page, with its contrast to what is behind it (WCAG 2.1, 1.4.3)."""

CUT = """
([inside]) => [...document.querySelectorAll(inside)].flatMap(root => [root, ...root.querySelectorAll('*')])
  .filter(e => e.getClientRects().length && !e.closest('pre, svg, textarea, select, .crb-path, style, .lm-mod-hidden'))
  .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).overflowX !== 'visible')
  .map(e => `${e.tagName} ${e.className}: ${e.textContent.trim().slice(0, 60)}`)
"""
"""What is wider than the room that it has, and is cut or has to be scrolled."""


def unreadable(page: Any, inside: str = ".crb, .crb-panel", least: float = 4.5) -> tuple[int, list[str]]:
    """How many texts were looked at, and those that have too little contrast."""
    found = page.evaluate(READABLE, [inside])
    return len(found), [f"{each['contrast']:.2f} {each['text']}" for each in found if each["contrast"] < least]
