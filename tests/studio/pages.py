"""Pages in headless Chromium: who came in, what is typed and pressed, and what is waited for."""

from __future__ import annotations

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import Sandbox
from tests.studio.visitor import one_time_address
from tools.browser import ARRIVED, Browser

DEADLINE = 30.0


class Person:
    """A persona in front of a browser.

    Args:
        browser: The browser.
        sandbox: Whose studio it is.
        persona: Who signs in.
    """

    def __init__(self, browser: Browser, sandbox: Sandbox, persona: str = "owner") -> None:
        self.browser = browser
        address = one_time_address(sandbox, persona)
        parts = urlsplit(address)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        browser.go(address)
        self.wait("location.pathname !== '/login'", "the way in")

    def go(self, path: str) -> None:
        """Opens a page."""
        self.browser.go(self.origin + path)

    def wait(self, condition: str, what: str = "") -> None:
        """Waits until an expression holds; `what` says in a failure what was waited for."""
        end = time.monotonic() + DEADLINE
        while not self.browser.evaluate(condition):
            assert time.monotonic() < end, f"{what or condition} did not come: {self.text()[:3000]}"
            time.sleep(0.05)

    def wait_for_text(self, text: str) -> None:
        """Waits until the page shows a text."""
        self.wait(f"document.body.innerText.includes({json.dumps(text)})", text)

    def text(self) -> str:
        """What the page shows."""
        return str(self.browser.evaluate("document.body ? document.body.innerText : ''"))

    def press(self, selector: str) -> None:
        """Presses what a selector finds, which leads to another page."""
        self.browser.evaluate("window.left = true")
        found = self.browser.evaluate(f"(e => e && (e.click(), true))(document.querySelector({json.dumps(selector)}))")
        assert found, f"{selector} is not on the page: {self.text()[:2000]}"
        self.wait(ARRIVED, selector)

    def fill(self, selector: str, text: str) -> None:
        """Puts a text into a field."""
        self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")

    def picture(self, file: Path) -> None:
        """What the window shows, for whoever wants to see why a test fails."""
        self.browser.picture(file)
