"""What a browser itself says of every page: WCAG 2.2 A and AA, nothing sideways, no stranger's word run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.visitor import PASSWORD
from tests.journeys.conftest import PHONE, WIDE
from tests.stories import told
from tests.web.conftest import Town
from tests.web.test_every_page import busy

__all__ = ["busy"]

AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js"
FINGER = 44
"""Pixels a target has on a phone, both ways; a word within a sentence is as high as its line."""
SMALL = """least => [...document.querySelectorAll('a, button, input, select, textarea, summary')].filter(one => {
  const box = one.getBoundingClientRect(), label = one.labels && one.labels[0];
  if (one.type === 'hidden' || one.closest('.visually-hidden, .skip, .seg') && one.tagName === 'INPUT' || one.matches('.visually-hidden, .skip')) return false;
  if (!box.width || getComputedStyle(one).visibility === 'hidden' || getComputedStyle(one).display === 'inline') return false;
  if (['checkbox', 'radio'].includes(one.type) && label) return label.getBoundingClientRect().height < least - .5;
  return box.width < least - .5 || box.height < least - .5;
}).map(one => `${one.outerHTML.slice(0, 90)} ${Math.round(one.getBoundingClientRect().width)}x${Math.round(one.getBoundingClientRect().height)}`)"""
NARROW = {"width": 320, "height": 640}
"""What is left of a wide screen at 400 %, too."""
HALF = {"width": 800, "height": 900}
"""A tablet, half a window, or a page at 150 %."""
WITHOUT_RING = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const frame = getComputedStyle(one.closest('.composer, .seg label') || one);
  const ringed = style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2 || one.matches('input, select, textarea') && frame.boxShadow !== 'none';
  return one === document.body || ringed || one.closest('.seg') && frame.outlineStyle === 'solid' ? null : one.outerHTML.slice(0, 90);
}"""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["wide light", "phone dark"])
def test_pages_have_no_barrier(town: Town, busy: dict[str, list[str]], window: Callable[..., Any], phone: bool, dark: bool) -> None:
    source = AXE.read_text()
    found: list[str] = []
    seen: set[str] = set()
    for who in ("ada", "cleo", "tim", "max"):
        page = window(who, phone=phone, dark=dark)
        for url in busy[who]:
            if url in seen or ("{me}" in url and who != "ada"):
                continue
            seen.add(url)
            page.goto(url.format(me=town.people[who].id))
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found.append(f"{url}: scrolls sideways")
            page.set_viewport_size(NARROW if phone else HALF)
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                found.append(f"{url}: scrolls sideways on a narrower screen")
            page.set_viewport_size(PHONE if phone else WIDE)
            if phone and (small := page.evaluate(SMALL, FINGER)):
                found.append(f"{url}: {len(small)} targets are smaller than a finger: {small[:3]}")
            # At its end, a page has nothing left under the bar that decides.
            page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
            page.evaluate(source)
            for violation in page.evaluate("rules => axe.run(document, rules).then(r => r.violations)", RULES):
                nodes = "; ".join(f"{node['html'][:120]} ({node['failureSummary'][:160]})" for node in violation["nodes"][:2])
                found.append(f"{url}: {violation['id']}: {nodes}")
    assert found == []


def test_no_strangers_word_runs(town: Town, busy: dict[str, list[str]], window: Callable[..., Any]) -> None:
    """Hostile posts, names, notes and replies on every page: no dialog opens, nothing is asked of another host."""
    opened: list[str] = []
    asked: list[str] = []
    for who in ("ada", "cleo", "tim"):
        page = window(who)
        page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url) if "127.0.0.1" not in request.url and not request.url.startswith("data:") else None)
        for url in busy[who]:
            page.goto(url.format(me=town.people[who].id), wait_until="domcontentloaded")
            assert page.evaluate("document.querySelectorAll('main script, main img, main iframe, [onerror], [onload]').length") == 0, url
    assert opened == []
    assert asked == []


def test_whoever_walks_by_keyboard_sees_where_they_are(town: Town, busy: dict[str, list[str]], window: Callable[..., Any]) -> None:
    """Each stop of the Tab key wears a ring of 2 pixels, or the frame of its field; the list of keys names each key once."""
    for who, url in (("ada", "/desk"), ("cleo", "/reviews"), ("max", "/settings")):
        page = window(who)
        page.emulate_media(reduced_motion="reduce")
        page.goto(url)
        bare: list[str] = []
        for _ in range(30):
            page.keyboard.press("Tab")
            page.wait_for_timeout(20)
            if found := page.evaluate(WITHOUT_RING):
                bare.append(found)
        assert bare == [], url
    told(town.brand, "How do I reset the hub?", author="petra")
    told(town.brand, "Which socket is for the printer?", author="sven")
    page = window("ben")
    page.goto("/desk")
    page.keyboard.press("?")
    keys = page.locator("[data-keys-list] dt").all_inner_texts()
    assert "C" in keys
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("chosen", [False, True], ids=["the device is dark", "dark was chosen"])
def test_what_is_printed_is_ink_on_paper(town: Town, window: Callable[..., Any], chosen: bool) -> None:
    page = window("ada", dark=True)
    page.goto("/me/outcomes")
    if chosen:
        page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    colours = "[document.body, document.querySelector('h1, h2')].map(one => getComputedStyle(one)).map((one, n) => n ? one.color : one.backgroundColor)"
    assert page.evaluate(colours) != ["rgb(255, 255, 255)", "rgb(35, 29, 25)"]
    page.emulate_media(media="print")
    assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(35, 29, 25)"]
    assert page.evaluate("[...document.querySelectorAll('.btn, .rail, .bell')].filter(one => one.offsetParent !== null).length") == 0


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_signing_in_has_no_barrier(town: Town, chromium: Any, address: str, phone: bool) -> None:
    context = chromium.new_context(base_url=address, viewport=PHONE if phone else WIDE)
    page = context.new_page()
    page.goto("/login")
    page.evaluate(AXE.read_text())
    violations = page.evaluate("rules => axe.run(document, rules).then(r => r.violations.map(v => v.id))", RULES)
    requests: list[int] = []
    page.on("response", lambda answer: requests.append(1))
    page.get_by_label("E-mail").fill(town.ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    context.close()
    assert violations == []


def test_the_first_load_is_small(town: Town, chromium: Any, address: str) -> None:
    """At most 6 requests and 120 KB over the wire."""
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto("/login", wait_until="networkidle")
    context.close()
    assert len(sizes) <= 6
    assert 10_000 < sum(sizes) <= 120_000
