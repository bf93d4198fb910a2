"""A browser and somebody who uses it."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from helpers.visitor import Visitor

if TYPE_CHECKING:  # playwright is not everywhere where the tests run
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext

    from helpers.api import Api
    from helpers.broker import Broker

TIMEOUT_MILLISECONDS: Final = 20_000
ARGUMENTS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


# Playwright's loop runs as long as its browser does, so that no other test of the process could run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    if "AMQPD_TEST_URL" in os.environ:
        pytest.skip("the broker that runs already may have another page")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def name(api: Api, unique_name: str) -> Iterator[str]:
    """A name for a queue and an exchange in the default virtual host, which are gone after the test."""
    short = re.sub(r"\W+", "-", unique_name)[-40:]
    yield short
    api.delete(f"/api/queues/%2F/{short}")
    api.delete(f"/api/exchanges/%2F/{short}")


@pytest.fixture
def queue(api: Api, name: str) -> str:
    """The name of a durable queue."""
    assert 201 == api.put(f"/api/queues/%2F/{name}", {"durable": True})
    return name


# It asks for the name so that pages are closed before what they show is deleted.
@pytest.fixture
def visit(browser: Browser, broker: Broker, name: str) -> Iterator[Callable[..., Visitor]]:  # noqa: ARG001 - for its end
    """A function that lets somebody new come; a browser's settings as arguments."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def come(**settings: object) -> Visitor:
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        contexts.append(context)
        visitors.append(Visitor(context.new_page(), broker.http_url))
        return visitors[-1]

    yield come
    for context in contexts:
        context.close()
    assert [] == [stranger for visitor in visitors for stranger in visitor.strangers]
    assert [] == [complaint for visitor in visitors for complaint in visitor.complaints]


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """Somebody who is logged in as guest; what the browser complains about, and requests to other hosts, fail the test."""
    guest = visit(viewport={"width": 1280, "height": 800})
    guest.log_in()
    guest.see_title("Overview")
    return guest
