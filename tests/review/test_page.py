"""The page in a browser: readable in a wide and a narrow window, light and dark."""

from pathlib import Path

import pytest

from review.formats.html import html
from tests.review.samples import HOSTILE, report
from tools.browser import Browser

CONTRAST = 4.5
"""What WCAG 2.2 asks of text, level AA."""
LOWEST = """
(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = text => {
    const [r, g, b] = parts(text).slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let lowest = 21;
  for (const element of document.body.querySelectorAll("*")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    lowest = Math.min(lowest, (a + .05) / (b + .05));
  }
  return lowest;
})()
"""  # noqa: E501 # the page's own language
HIDDEN = """
[...document.querySelectorAll("main td, main h2, main p, main li")].filter(
  element => element.checkVisibility() && element.textContent.trim() &&
    (element.getBoundingClientRect().right > innerWidth + 1 || element.getBoundingClientRect().width < 20)
).length
"""


@pytest.mark.parametrize("text", ["as it is", HOSTILE])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_can_be_read(browser: Browser, tmp_path: Path, width: int, dark: bool, text: str) -> None:
    page = tmp_path / "review.html"
    page.write_text(html(report(2, text, 3)), encoding="utf-8")
    browser.open(page, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(HIDDEN) == 0
    assert browser.evaluate(LOWEST) >= CONTRAST
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(15, 20, 25)" if dark else "rgb(255, 255, 255)"
    )
    assert browser.evaluate("document.scripts.length + performance.getEntriesByType('resource').length") == 0
    browser.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
