"""What makes a page usable by everybody, asked of the page: axe-core's rules, large targets, no sideways scroll."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 800}
TARGET_PX = 44
"""WCAG 2.2, 2.5.5 Target Size (Enhanced)."""

ANOTHER_ON_A_DESK = ".on-desk, .day-map, .book-map"
"""What is shown there looks unlike what a phone shows."""

_AXE = """async (rules) => {
    /* What fades in is judged as it will stand. */
    const ends = one => one.effect.getComputedTiming().endTime < Infinity;
    document.getAnimations().filter(ends).forEach(one => one.finish());
    const found = await axe.run({ resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}) });
    const why = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message).join(' ');
    return found.violations.flatMap(({ id, impact, nodes }) =>
        nodes.map((node) => `${id} (${impact}): ${node.html.slice(0, 160)} ${why(node)}`));
}"""

_SMALL = """(least) => {
    const fields = 'input:not([type=hidden]), select, textarea';
    const controls = `a[href], button, summary, ${fields}, [role=button], [role=option]`;
    const isShown = node => node.checkVisibility({ visibilityProperty: true, opacityProperty: true })
        && !node.closest('.unseen, .skip:not(:focus)');
    /* A link in a sentence is as tall as its line, which 2.5.5 allows; a map's credits are such a line. */
    const isInText = node => {
        if (node.tagName !== 'A' || getComputedStyle(node).display !== 'inline') return false;
        let line = node.parentElement;
        while (getComputedStyle(line).display === 'inline') line = line.parentElement;
        const others = [...line.childNodes].filter(child => !child.contains(node));
        return line.matches('.leaflet-control-attribution') || others.some(child => child.textContent.trim()
            && (child.nodeType === Node.TEXT_NODE || getComputedStyle(child).display === 'inline'));
    };
    /* The label of a box that is ticked counts, and so does a ring that is laid around a small mark. */
    const size = (node, side) => {
        const labels = ['checkbox', 'radio'].includes(node.type) ? [...node.labels] : [];
        const ring = getComputedStyle(node, '::after');
        const around = ring.content !== 'none' && ring.position === 'absolute' ? parseFloat(ring[side]) : 0;
        return Math.max(around, ...[node, ...labels].map(one => one.getBoundingClientRect()[side]));
    };
    return [...document.querySelectorAll(controls)].filter(node => isShown(node) && !isInText(node))
        .map(node => [Math.min(size(node, 'width'), size(node, 'height')), node.outerHTML.slice(0, 160)])
        .filter(([smaller]) => smaller < least - 0.01).map(([smaller, html]) => `${smaller.toFixed(1)} px: ${html}`);
}"""


@cache
def _axe() -> str:
    """axe-core as the build hook has installed it."""
    return (Path(__file__).parents[1] / "vendor" / "axe-core" / "axe.min.js").read_text("utf-8")


def unfold(page: Page) -> None:
    """Open all that folds out, but for the menu, which would cover what is under it."""
    page.evaluate("document.querySelectorAll('details:not(.who)').forEach(node => node.open = true)")


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core has against the page as it stands, by these of its rules or by all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: list[str] = page.evaluate(_AXE, list(rules) or None)
    return found


def small_targets(page: Page) -> list[str]:
    """Controls that a thumb does not hit for sure."""
    found: list[str] = page.evaluate(_SMALL, TARGET_PX)
    return found


def sideways_px(page: Page) -> int:
    """How far the page scrolls sideways."""
    wider: Any = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return int(wider)


def problems(page: Page) -> list[str]:
    """Whatever is wrong with the page that is open, on a phone in light and in dark, and on a desk."""
    found = []
    page.set_viewport_size(PHONE)
    for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += [f"{scheme}, {said}" for said in violations(page, *rules)]
    page.emulate_media(color_scheme="light")
    if wider := sideways_px(page):
        found.append(f"on a phone {wider} px wider than the screen")
    found += [f"on a phone, {said}" for said in small_targets(page)]
    page.set_viewport_size(DESK)
    found += [f"on a desk, {said}" for said in small_targets(page)]
    if page.locator(ANOTHER_ON_A_DESK).count():
        found += [f"on a desk, {said}" for said in violations(page, "color-contrast")]
    page.set_viewport_size(PHONE)
    return found
