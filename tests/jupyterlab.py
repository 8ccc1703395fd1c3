"""JupyterLab in a real browser: to step through a notebook with the keyboard, and to take the pictures of the docs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import BROWSERS, program
from tests.waiting import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SECONDS = 1000.0
PICTURES_VARIABLE = "CARGO_RUNBOOK_PICTURES"
"""Folder that pictures go to (`make pictures`); without it none are taken."""
SCREENSHOTS_VARIABLE = "CARGO_RUNBOOK_SCREENSHOTS"
"""Folder for pictures of each panel in both themes at both widths, to be looked at; without it none are taken."""
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_IDLE = "Python 3 (ipykernel) | Idle"


def of_a_replay(folder: Path, language: str) -> tuple[list[str], dict[str, str]]:
    """Options of `cargo-runbook notebook` and environment variables, for a JupyterLab that answers from a recording and
    leaves nothing outside of `folder`."""
    options = [
        "--no-browser",
        "--port",
        str(free_port()),
        "--replay",
        "wrong-domain",
        "--reports",
        str(folder / "reports"),
    ]
    variables = {**os.environ, "CARGO_RUNBOOK_LANG": language, "HOME": str(folder)}
    return options, variables | {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data")}


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
([inside]) => {
  const found = [], tell = (why, e) => found.push(`${why}: ${e.tagName} ${e.getAttribute('class')}: ` +
    (e.value || e.innerText || e.textContent).trim().slice(0, 60));
  const shown = e => e.getClientRects().length && !e.closest('style, .lm-mod-hidden');
  for (const root of document.querySelectorAll(inside)) {
    for (const e of [root, ...root.querySelectorAll('*')]) {
      if (!shown(e) || e.closest('pre, svg, textarea, select')) continue;
      if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).overflowX !== 'visible')
        tell('cut', e);
    }
    const room = (root.closest('.jp-OutputArea-output') || root).getBoundingClientRect();
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const e = node.parentElement, range = document.createRange();
      if (!node.textContent.trim() || !shown(e) || e.closest('svg, select')) continue;
      range.selectNodeContents(node);
      if (range.getBoundingClientRect().right > room.right + 1) tell('beyond its place', e);
    }
    for (const list of root.querySelectorAll('select')) {
      if (!shown(list) || !list.value) continue;
      const pen = document.createElement('canvas').getContext('2d'), style = getComputedStyle(list);
      pen.font = style.font;
      const words = pen.measureText(list.selectedOptions[0].textContent).width;
      if (words > list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) + 1) tell('cut', list);
    }
    for (const svg of root.querySelectorAll('svg')) {
      if (!shown(svg)) continue;
      const frame = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')].filter(shown);
      if (!texts.length) tell('without a word', svg);
      const boxes = texts.map(text => text.getBoundingClientRect());
      boxes.forEach((a, i) => {
        if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1)
          tell('outside the drawing', texts[i]);
        if (a.height < 9) tell('too small', texts[i]);
        boxes.slice(i + 1).forEach((b, j) => { if (a.left < b.right && b.left < a.right && a.top + 3 < b.bottom &&
          b.top + 3 < a.bottom) tell(`over ${texts[i + 1 + j].textContent}`, texts[i]); });
      });
    }
  }
  return found;
}
"""
"""What is wider than the room that it has, is cut or covered, or has to be scrolled; a drawing's words as well."""

THEMES = ("JupyterLab Light", "JupyterLab Dark")
WIDTHS = (1280, 800)
_PANELS = ".crb, .crb-panel"


def unreadable(page: Any, inside: str = _PANELS, least: float = 4.5) -> tuple[int, list[str]]:
    """How many texts were looked at, and those that have too little contrast."""
    found = page.evaluate(READABLE, [inside])
    return len(found), [f"{each['contrast']:.2f} {each['text']}" for each in found if each["contrast"] < least]


def use_theme(page: Page, name: str) -> None:
    """Settings > Theme > `name`."""
    page.locator(".lm-MenuBar-item", has_text="Settings").click()
    page.locator(".lm-Menu-item[data-type=submenu]", has_text="Theme").first.hover()
    page.locator(".lm-Menu-item", has_text=name).first.click()
    dark = "false" if "Dark" in name else "true"
    page.locator(f"body[data-jp-theme-light={dark}]").wait_for(state="attached", timeout=20 * SECONDS)
    page.wait_for_timeout(250)


def misread(page: Page, name: str, *must_be_there: str, least: int = 1, height: int = 1600) -> dict[str, list[str]]:
    """What can't be read of all panels that are shown: in both themes, at both widths; too pale, cut, or covered.

    Args:
        name: of the pictures that are taken of each, when CARGO_RUNBOOK_SCREENSHOTS names a folder.
        must_be_there: selectors of what has to be among that which is looked at.
        least: how many texts there are at least.
        height: of the window; JupyterLab shows nothing of what lies far outside of it.
    """
    folder, wrong = os.environ.get(SCREENSHOTS_VARIABLE), {}
    for theme in THEMES:
        use_theme(page, theme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": height})
            for _ in range(20):
                page.wait_for_timeout(350)
                absent = [each for each in must_be_there if not page.locator(each).first.is_visible()]
                looked_at, pale = unreadable(page)
                if looked_at < least:
                    absent.append(f"{looked_at} texts")
                found = [*(f"absent: {each}" for each in absent), *pale, *page.evaluate(CUT, [_PANELS])]
                # On a busy machine the page is laid out anew some time after its window has another size.
                if not found:
                    break
            else:
                wrong[f"{theme}, {width}"] = found
            if folder:
                # What is higher than the window would not come out whole.
                page.set_viewport_size({"width": width, "height": max(height, 4000)})
                page.wait_for_timeout(1000)
            for selector in must_be_there if folder else ():
                part = re.sub(r"[^a-z-]", "", selector.lower())
                picture = f"{name}-{part}-{theme.split()[-1].lower()}-{width}.png"
                page.locator(selector).first.screenshot(path=str(Path(folder or "") / picture))
    use_theme(page, THEMES[0])
    page.set_viewport_size({"width": WIDTHS[0], "height": height})
    return wrong


def unreached(page: Page) -> list[str]:
    """What of the panels can be used, but not be reached with the Tab key."""
    usable = page.locator(".crb-panel, .crb").locator("button, input, select, textarea, summary, [tabindex]")
    hidden = "all => all.filter(e => e.tabIndex < 0 && e.getClientRects().length && !e.disabled).map(e => e.outerHTML)"
    return list(usable.evaluate_all(hidden))
