"""What a page must have for people who don't see it, don't use a mouse, or read it in the dark: asked of a real browser."""

from __future__ import annotations

from typing import Any

NAMED = frozenset(
    ("link", "button", "textbox", "searchbox", "combobox", "radio", "checkbox", "image", "img", "region", "navigation")
)
"""Roles that a screen reader reads out by name."""

CONTRAST = """() => {
  const rgba = text => { const n = (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    return /^color\\(srgb/.test(text) ? [...n.slice(0, 3).map(v => v * 255), n[3] ?? 1] : [n[0], n[1], n[2], n[3] ?? 1]; };
  const over = (top, under) => { const a = top[3]; return [0, 1, 2].map(i => top[i] * a + under[i] * (1 - a)).concat(1); };
  const light = c => { const [r, g, b] = c.map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const probe = document.createElement('i'); probe.style.background = 'Canvas'; document.body.append(probe);
  const canvas = rgba(getComputedStyle(probe).backgroundColor); probe.remove();
  document.querySelectorAll('details').forEach(each => each.open = true);
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), own = walk.currentNode.parentElement;
    if (!text || ['STYLE', 'OPTION', 'TITLE', 'DESC'].includes(own.tagName.toUpperCase()) || !own.getClientRects().length) continue;
    let back = [], opacity = 1;
    for (let each = own; each; each = each.parentElement) {
      const style = getComputedStyle(each); opacity *= Number(style.opacity); back.push(rgba(style.backgroundColor)); }
    const ground = back.reverse().reduce((under, top) => over(top, under), canvas);
    const style = getComputedStyle(own), colour = rgba(own instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [light(over([colour[0], colour[1], colour[2], colour[3] * opacity], ground)), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found[`${own.tagName}.${own.getAttribute('class')} ${text.slice(0, 40)}`] = ratio.toFixed(2);
  }
  return found;
}"""
"""Texts with less than 4.5 to 1 against what is behind them (WCAG 2.1, 1.4.3), all folds open."""

STRUCTURE = """() => ({
  language: document.documentElement.lang, titles: document.title, main: document.querySelectorAll('main').length,
  headings: document.querySelectorAll('h1').length,
  bare: [...document.querySelectorAll('main > table th, main > div > table th')].filter(e => !e.scope).map(e => e.textContent),
  scripts: document.querySelectorAll('script').length,
})"""

TOO_WIDE = """() => { const width = document.documentElement.clientWidth;
  return document.documentElement.scrollWidth <= width ? [] : [...document.querySelectorAll('body *')]
    .filter(e => !e.closest('.wide, .notebook') && e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 120)); }"""
"""What makes the page itself scroll to the side."""

FOCUSED = """() => { const e = document.activeElement, s = getComputedStyle(e);
  return e === document.body ? null : {what: e.tagName + ' ' + (e.name || e.textContent.trim().slice(0, 60)),
    ring: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0}; }"""

REACHABLE = """() => [...document.querySelectorAll(
  'a[href], button, input:not([type=radio]):not([type=hidden]), select, summary, [tabindex="0"]')]
  .filter(e => e.checkVisibility()).length"""


def unnamed(page: Any) -> list[str]:
    """Roles on the page that should have a name and have none, as Chromium tells screen readers."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    found = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in NAMED and not str(node.get("name", {}).get("value", "")).strip():
            found.append(f"{role} {node.get('nodeId')}")
    return found


def by_tab(page: Any) -> list[dict[str, Any]]:
    """What the Tab key comes to, from the top of the page until it leaves it."""
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    met = []
    for _ in range(400):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        met.append(focused)
    return met
