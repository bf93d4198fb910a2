"""The web page in a browser: every page opens, every action on queues, exchanges and connections works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from pika.adapters.blocking_connection import BlockingChannel

    from helpers.api import Api
    from helpers.broker import Broker
    from helpers.visitor import Visitor

PAGES: Final = {
    "": "Overview",
    "?range=3600": "Overview",
    "connections": "Connections",
    "channels": "Channels",
    "exchanges": "Exchanges",
    "exchanges/%2F/amq.default": "(default exchange)",
    "exchanges/%2F/amq.topic": "amq.topic",
    "queues": "Queues",
    "bindings": "Bindings",
    "bindings/table": "Bindings",
    "admin": "Users",
    "admin/users": "Users",
    "admin/users/guest": "guest",
    "admin/vhosts": "Virtual hosts",
    "admin/policies": "Policies",
    "admin/limits": "Limits",
    "admin/definitions": "Definitions",
    "nowhere": "Nothing here",
}
"""Titles by what stands behind `#/`."""


def shape(api: Api, queue: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The queue as the API shows it."""
    return api.get(f"/api/queues/%2F/{queue}")


def publish(api: Api, queue: str, *payloads: str, **properties: object) -> None:
    """Publish messages to a queue."""
    for payload in payloads:
        body = {"routing_key": queue, "properties": properties, "payload": payload, "payload_encoding": "string"}
        assert {"routed": True} == api.post("/api/exchanges/%2F/amq.default/publish", body)


# --- getting around ----------------------------------------------------------------------------------------------------


def test_wrong_password_is_explained(visit: Callable[..., Visitor]) -> None:
    """Who mistypes his password is told so and may try again."""
    visitor = visit()
    visitor.log_in("guest", "wrong")
    visitor.see("User or password are wrong.")
    assert [] == [complaint for complaint in visitor.complaints if "401" not in complaint]
    visitor.complaints.clear()
    visitor.log_in()
    visitor.see_title("Overview")


def test_login_survives_a_reload_and_ends_with_logging_out(visitor: Visitor) -> None:
    """The session outlives a reload; after logging out its token opens nothing."""
    visitor.page.reload()
    visitor.see_title("Overview")
    visitor.press("Log out", visitor.page.locator("aside"))
    visitor.page.locator("input[name=password]").wait_for()
    assert "null" == visitor.page.evaluate("String(localStorage.getItem('amqpd.token'))")


def test_every_page_opens(visitor: Visitor) -> None:
    """Every page opens at its address."""
    for place, title in PAGES.items():
        visitor.open(place, title)


def test_every_view_of_a_queue_opens(visitor: Visitor, queue: str) -> None:
    """Every view of one queue opens at its address, and its link is marked."""
    for view in ("", "/consumers", "/bindings", "/messages", "/unacked"):
        visitor.open(f"queues/%2F/{queue}{view}", queue)
        visitor.page.locator(f"nav.tabs a[aria-current=page][href$='{queue}{view}']").wait_for()


def test_keys_lead_everywhere(visitor: Visitor) -> None:
    """`g` and a letter go somewhere, `/` filters, `?` explains, Escape closes."""
    keyboard = visitor.page.keyboard
    keyboard.press("g")
    keyboard.press("e")
    visitor.see_title("Exchanges")
    keyboard.press("/")
    keyboard.type("amq.topic")
    visitor.miss("amq.fanout")
    visitor.page.locator("h1").focus()
    keyboard.press("j")
    keyboard.press("Enter")
    visitor.see_title("amq.topic")
    keyboard.press("?")
    visitor.see("Keyboard shortcuts")
    keyboard.press("Escape")
    visitor.page.locator("dialog").wait_for(state="detached")


def test_dark_and_light_follow_the_system_until_chosen(visit: Callable[..., Visitor]) -> None:
    """The page is dark where the system is; the switch makes it light, also after a reload."""
    visitor = visit(color_scheme="dark")
    visitor.log_in()
    visitor.see_title("Overview")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = visitor.page.evaluate(ground)
    visitor.press("Switch between dark and light", visitor.page.locator("aside"))
    light = visitor.page.evaluate(ground)
    visitor.page.reload()
    visitor.see_title("Overview")
    assert ("rgb(16, 20, 21)", "rgb(246, 247, 247)") == (dark, light)
    assert light == visitor.page.evaluate(ground)


def test_phone_shows_everything_in_its_width(visit: Callable[..., Visitor], queue: str) -> None:
    """On a phone the menu unfolds, tables are cards, and nothing is wider than the screen."""
    visitor = visit(viewport={"width": 375, "height": 700}, has_touch=True)
    visitor.log_in()
    for place in ("Queues", "Exchanges", "Admin", "Overview"):
        visitor.press("Menu", visitor.page.locator(".top"))
        visitor.page.locator("aside").get_by_role("link", name=place, exact=True).click()
        visitor.see_title("Users" if place == "Admin" else place)
        assert 375 == visitor.page.evaluate("document.documentElement.scrollWidth")
    visitor.open(f"queues/%2F/{queue}", queue)
    assert 375 == visitor.page.evaluate("document.documentElement.scrollWidth")


def test_names_are_shown_as_they_are(visitor: Visitor, api: Api) -> None:
    """Markup and separators in a name are text."""
    name = "<img src=x onerror=alert(1)>/%2F?#&"
    path = f"/api/queues/%2F/{quote(name, safe='')}"
    assert 201 == api.put(path)
    visitor.open(f"queues?name={quote('<img', safe='')}", "Queues")
    visitor.page.get_by_role("link", name=name, exact=True).click()
    visitor.see_title(name)
    assert 204 == api.delete(path)


def test_long_list_is_cut_into_pages_by_the_broker(visitor: Visitor, api: Api, vhost: str) -> None:
    """A list is paged, filtered and sorted by the broker; the page holds no more rows than it shows."""
    queues = [{"name": f"many-{number:04}", "durable": True, "auto_delete": False, "arguments": {}} for number in range(1200)]
    assert 204 == api.call("POST", f"/api/definitions/{vhost}", {"queues": queues}).status
    visitor.page.reload()
    visitor.page.locator(".vhost select").select_option(vhost)
    visitor.open("queues", "Queues")
    visitor.see("1–50 of 1,200")
    assert 50 == visitor.page.locator("tbody tr").count()
    visitor.page.keyboard.press("]")
    visitor.see("51–100 of 1,200")
    visitor.page.get_by_role("link", name="Name", exact=True).click()
    visitor.see("many-0000")
    visitor.page.get_by_role("link", name="Name", exact=True).click()
    visitor.see("many-1199")
    visitor.page.get_by_role("searchbox").fill("many-0007")
    visitor.page.get_by_role("link", name="many-0007").click()
    visitor.see_title("many-0007")
    assert f"#/queues/{vhost}/many-0007" in visitor.page.url


def test_vanished_queue_is_told_kindly(visitor: Visitor) -> None:
    """An address of something that is gone says so."""
    visitor.page.goto(f"{visitor.url}/#/queues/%2F/never-declared")
    visitor.see("It may have been deleted meanwhile")
    assert [] == [complaint for complaint in visitor.complaints if "404" not in complaint]
    visitor.complaints.clear()


# --- queues ------------------------------------------------------------------------------------------------------------


def test_queue_is_declared_changed_and_deleted(visitor: Visitor, api: Api, name: str) -> None:
    """A queue's life, from the form to its end."""
    visitor.open("queues", "Queues")
    visitor.press("New queue")
    visitor.submit({"name": name, "x-max-length": 10, "x-max-priority": 3}, told="is declared")
    visitor.see_title(name)
    assert {"x-max-length": 10, "x-max-priority": 3} == shape(api, name)["arguments"]
    visitor.press("Change limits")
    visitor.submit({"x-max-length": 20, "x-message-ttl": 5000}, told="limits are changed")
    assert {"x-max-length": 20, "x-max-priority": 3, "x-message-ttl": 5000} == shape(api, name)["arguments"]
    visitor.press("Delete")
    visitor.submit(told="is deleted")
    visitor.see_title("Queues")
    assert 404 == api.call("GET", f"/api/queues/%2F/{name}").status


def test_refusal_is_shown_in_the_form(visitor: Visitor) -> None:
    """What the broker refuses stays in the form together with the reason."""
    visitor.open("queues", "Queues")
    visitor.press("New queue")
    visitor.submit({"name": "amq.mine"})
    visitor.page.locator("dialog .problem:not([hidden])").wait_for()
    visitor.enter({"others": "no JSON"})
    visitor.submit()
    visitor.see("this is not JSON")
    visitor.complaints.clear()


def test_messages_are_published_got_and_purged(visitor: Visitor, api: Api, queue: str) -> None:
    """Publish with properties, get with and without putting back, purge."""
    visitor.open(f"queues/%2F/{queue}", queue)
    visitor.press("Publish")
    visitor.submit({"payload": "first", "headers": {"attempt": 1}, "message_id": "m1"}, told="is published")
    visitor.press("Publish")
    visitor.submit({"payload": "second"}, told="is published")
    visitor.press("Get")
    visitor.submit({"count": 1})
    dialog = visitor.page.locator("dialog")
    dialog.get_by_text("first", exact=True).wait_for()
    dialog.get_by_text("attempt").wait_for()
    visitor.press("Close", dialog)
    assert 2 == shape(api, queue)["messages_ready"]
    visitor.press("Get")
    visitor.submit({"count": 1, "ackmode": "ack_requeue_false"})
    dialog.get_by_text("redelivered").wait_for()
    visitor.press("Close", dialog)
    assert 1 == shape(api, queue)["messages_ready"]
    visitor.press("Purge")
    visitor.submit(told="is purged")
    assert 0 == shape(api, queue)["messages_ready"]


def test_messages_are_browsed_copied_moved_and_deleted(visitor: Visitor, api: Api, queue: str) -> None:
    """Browsing filters and leaves messages alone; chosen ones are copied, moved and deleted."""
    target = f"{queue}-target"
    assert 201 == api.put(f"/api/queues/%2F/{target}")
    publish(api, queue, "red one", headers={"colour": "red"})
    publish(api, queue, "blue one", "blue two", headers={"colour": "blue"})
    visitor.open(f"queues/%2F/{queue}/messages", queue)
    visitor.page.fill(".filters [name=header]", "colour=blue")
    visitor.press("Filter")
    visitor.see("2 messages shown of 3 ready")
    tools = visitor.page.locator(".browse")
    visitor.press("Copy", tools)
    visitor.submit({"queue": target}, told="2 messages copied")
    visitor.page.get_by_role("article").filter(has_text="blue two").get_by_role("checkbox").check()
    visitor.press("Move", tools)
    visitor.submit({"queue": target}, told="1 message moved")
    visitor.see("1 message shown of 2 ready")
    visitor.press("Choose all", tools)
    visitor.press("Delete", tools)
    visitor.submit(told="1 message deleted")
    visitor.see("None of these messages")
    assert (1, 3) == (shape(api, queue)["messages_ready"], shape(api, target)["messages_ready"])
    visitor.press("Move")
    visitor.submit({"queue": target}, told="1 message moved")
    assert (0, 4) == (shape(api, queue)["messages_ready"], shape(api, target)["messages_ready"])
    assert 204 == api.delete(f"/api/queues/%2F/{target}")


def test_queue_is_paused_and_resumed(visitor: Visitor, api: Api, queue: str) -> None:
    """The button pauses a queue, then offers to resume it."""
    visitor.open(f"queues/%2F/{queue}", queue)
    visitor.press("Pause")
    visitor.see("Consumers get nothing")
    assert "paused" == shape(api, queue)["state"]
    visitor.press("Resume")
    visitor.see("Consumers get messages again")
    assert "running" == shape(api, queue)["state"]


# --- exchanges and bindings --------------------------------------------------------------------------------------------


def test_exchange_is_declared_bound_and_deleted(visitor: Visitor, api: Api, queue: str) -> None:
    """An exchange is declared, bound, drawn, published to, unbound and deleted."""
    visitor.open("exchanges", "Exchanges")
    visitor.press("New exchange")
    visitor.submit({"name": queue, "type": "topic"}, told="is declared")
    visitor.see_title(queue)
    visitor.press("Bind")
    visitor.submit({"destination": queue, "routing_key": "a.*"}, told="Bound")
    visitor.page.locator(".graph .key", has_text="a.*").wait_for()
    visitor.press("Publish")
    visitor.submit({"routing_key": "a.b", "payload": "x"}, told="is published")
    visitor.press("Publish")
    visitor.submit({"routing_key": "b", "payload": "x"}, told="No queue took the message")
    visitor.open(f"bindings?name={queue}", "Bindings")
    visitor.page.get_by_role("link", name=f"queue {queue}").click()
    visitor.see_title(queue)
    assert 1 == shape(api, queue)["messages_ready"]
    visitor.open(f"queues/%2F/{queue}/bindings", queue)
    visitor.press("Unbind", visitor.row("a.*"))
    visitor.submit(told="Unbound")
    visitor.open(f"exchanges/%2F/{queue}", queue)
    visitor.see("Leads nowhere")
    visitor.press("Delete")
    visitor.submit(told="is deleted")
    assert 404 == api.call("GET", f"/api/exchanges/%2F/{queue}").status


# --- connections and channels ------------------------------------------------------------------------------------------


def test_connection_is_followed_to_its_messages_and_closed(
    visitor: Visitor, api: Api, broker: Broker, pika_channel: Callable[[Broker], BlockingChannel], queue: str
) -> None:
    """From a connection to its channel and its queue with the messages that it holds; closing ends it."""
    publish(api, queue, "held")
    channel = pika_channel(broker)
    channel.basic_consume(queue, lambda *_: None)
    channel.connection.process_data_events(1)
    held_by = shape(api, queue)["consumer_details"][0]["channel_details"]
    visitor.open(f"queues/%2F/{queue}/unacked", queue)
    visitor.row(held_by["name"]).get_by_role("link", name=held_by["name"]).click()
    visitor.see_title(held_by["name"])
    visitor.row(queue).wait_for()
    visitor.page.get_by_role("link", name=held_by["connection_name"], exact=True).click()
    visitor.see_title(held_by["connection_name"])
    visitor.press("Close connection")
    visitor.submit({"reason": "maintenance"}, told="is closed")
    visitor.see_title("Connections")
    assert 404 == api.call("GET", f"/api/connections/{quote(held_by['connection_name'], safe='')}").status


def test_scheduled_messages_are_shown_and_cancelled(visitor: Visitor, api: Api, unique_name: str) -> None:
    """A delaying exchange's page lists what it holds back, and a message can be cancelled."""
    path = f"/api/exchanges/%2F/{quote(unique_name, safe='')}"
    assert 201 == api.put(path, {"type": "x-delayed-message", "arguments": {"x-delayed-type": "direct"}})
    properties = {"headers": {"x-delay": 3_600_000}}
    for payload in ("kept for later", "not wanted"):
        body = {"routing_key": payload, "properties": properties, "payload": payload, "payload_encoding": "string"}
        assert {"routed": True} == api.post(f"{path}/publish", body)
    visitor.open(f"exchanges/%2F/{quote(unique_name, safe='')}", unique_name)
    visitor.see("2 messages held back")
    visitor.press("Cancel", visitor.page.locator("article", has_text="not wanted"))
    visitor.press("Cancel the message", visitor.page.locator("dialog"))
    visitor.see("1 message held back")
    visitor.see("kept for later")
    assert ["kept for later"] == [found["payload"] for found in api.get(f"{path}/scheduled")["messages"]]
    api.delete(path)


def test_queue_named_like_a_folder(visitor: Visitor, api: Api) -> None:
    """Names that a browser would resolve in a path open like any other."""
    for name in (".", ".."):
        assert 201 == api.put(f"/api/queues/%2F/%0A{name}")
        visitor.open(f"queues/%2F/{name}", name)
        visitor.press("Pause")
        visitor.see("Consumers get nothing until the queue is resumed.")
        assert "paused" == api.get(f"/api/queues/%2F/%0A{name}")["state"]
    visitor.open("exchanges", "Exchanges")  # A page of a queue that is gone would complain.
    for name in (".", ".."):
        api.delete(f"/api/queues/%2F/%0A{name}")
