"""Somebody who uses the web page with a browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:  # playwright is not everywhere where the tests run
    from collections.abc import Mapping

    from playwright.sync_api import ConsoleMessage, Locator, Page, Request


class Visitor:
    """Opens pages, presses buttons and fills in forms; notes what the browser complains about and whom it asks."""

    def __init__(self, page: Page, url: str) -> None:
        self.page: Final = page
        self.url: Final = url
        self.complaints: Final[list[str]] = []
        self.strangers: Final[list[str]] = []
        """Addresses outside of the broker that were asked for."""
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._check)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _check(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc != urlsplit(self.url).netloc:
            self.strangers.append(request.url)

    def log_in(self, name: str = "guest", password: str = "guest") -> None:
        """Go through the login form."""
        self.page.goto(f"{self.url}/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")

    def open(self, place: str, title: str) -> None:
        """Open the page at an address behind `#/`, which has this title."""
        self.page.goto(f"{self.url}/#/{place}")
        self.see_title(title)

    def see_title(self, title: str) -> None:
        """Wait for the page of this title."""
        self.page.get_by_role("heading", level=1, name=title, exact=True).wait_for()

    def see(self, text: str) -> None:
        """Wait for a text on the page."""
        self.page.get_by_text(text).first.wait_for()

    def miss(self, text: str) -> None:
        """Wait until no text like this is on the page."""
        self.page.locator("main").get_by_text(text, exact=True).first.wait_for(state="detached")

    def row(self, text: str) -> Locator:
        """The row of a table with this text in it."""
        return self.page.get_by_role("row").filter(has_text=text).first

    def press(self, name: str, where: Locator | None = None) -> None:
        """Press the first button of this name."""
        place = where if where is not None else self.page.locator("main")
        place.get_by_role("button", name=name, exact=True).first.click()

    def enter(self, values: Mapping[str, object]) -> None:
        """Fill in the dialog's fields by name; those that hide under a heading come out first."""
        dialog = self.page.locator("dialog[open]")
        dialog.wait_for()
        dialog.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        for name, value in values.items():
            field = dialog.locator(f'[name="{name}"]')
            if isinstance(value, bool):
                field.set_checked(value)
            elif field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(str(value))
            else:
                field.fill(json.dumps(value) if isinstance(value, dict) else str(value))

    def submit(self, values: Mapping[str, object] | None = None, told: str = "") -> None:
        """Fill in the dialog, send it, and read what the page says then."""
        self.enter(values or {})
        self.page.click("dialog[open] button[type=submit]")
        if told:
            self.page.locator(".toast").filter(has_text=told).last.wait_for()
