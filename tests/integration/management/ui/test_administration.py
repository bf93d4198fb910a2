"""The administration's pages in a browser: every action works."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helpers.api import Api
    from helpers.visitor import Visitor


def test_user_is_created_granted_rights_and_deleted(
    visitor: Visitor, visit: Callable[..., Visitor], api: Api, name: str
) -> None:
    """A new user with permissions can log in, and sees no administration unless he has the tag."""
    visitor.open("admin/users", "Users")
    visitor.press("New user")
    visitor.submit({"name": name, "password": "secret", "management": True}, told="is created")
    visitor.see_title(name)
    visitor.press("Grant")
    visitor.submit({"configure": "^$"}, told="permissions are granted")
    visitor.press("Grant topics")
    visitor.submit({"write": "^a"}, told="topic permissions are granted")
    assert "^$" == api.get(f"/api/permissions/%2F/{name}")["configure"]
    user = visit()
    user.log_in(name, "secret")
    user.see_title("Overview")
    assert 0 == user.page.get_by_role("link", name="Admin", exact=True).count()
    visitor.press("Change")
    visitor.submit({"policymaker": True}, told="is changed")
    assert ["policymaker", "management"] == api.get(f"/api/users/{name}")["tags"]
    visitor.press("Withdraw", visitor.row("amq.topic"))
    visitor.submit(told="are withdrawn")
    visitor.see("No topic permissions")
    visitor.press("Delete")
    visitor.submit(told="is deleted")
    assert 404 == api.call("GET", f"/api/users/{name}").status


def test_virtual_host_is_created_changed_and_deleted(visitor: Visitor, api: Api, name: str) -> None:
    """A virtual host appears in the choice at the top, and goes only after its name was repeated."""
    visitor.open("admin/vhosts", "Virtual hosts")
    visitor.press("New virtual host")
    visitor.submit({"name": name, "description": "made by hand"}, told="is created")
    visitor.row(name).wait_for()
    assert name in visitor.page.locator(".vhost select").inner_text()
    visitor.press("Change", visitor.row(name))
    visitor.submit({"tags": "a, b", "tracing": True}, told="is changed")
    found = api.get(f"/api/vhosts/{name}")
    assert (["a", "b"], True, "made by hand") == (found["tags"], found["tracing"], found["description"])
    visitor.press("Delete", visitor.row(name))
    visitor.submit({"name": "another"})
    visitor.see("That is another name.")
    visitor.submit({"name": name}, told="is deleted")
    assert 404 == api.call("GET", f"/api/vhosts/{name}").status


@pytest.mark.parametrize(("kind", "noun"), [("policies", "policy"), ("operator-policies", "operator policy")])
def test_policy_is_set_changed_and_deleted(visitor: Visitor, api: Api, name: str, kind: str, noun: str) -> None:
    """Policies of both kinds: a mistake is explained, a correct one is saved."""
    visitor.open("admin/policies", "Policies")
    visitor.press(f"New {noun}")
    visitor.submit({"name": name, "pattern": f"^{name}$", "definition": {"max-length": "many"}})
    visitor.see("Validation failed")
    visitor.complaints.clear()
    visitor.submit({"definition": {"max-length": 5}}, told="is saved")
    visitor.press("Change", visitor.row(name))
    visitor.submit({"priority": 7}, told="is saved")
    found = api.get(f"/api/{kind}/%2F/{name}")
    assert (7, {"max-length": 5}, "queues") == (found["priority"], found["definition"], found["apply-to"])
    visitor.press("Delete", visitor.row(name))
    visitor.submit(told="is deleted")
    assert 404 == api.call("GET", f"/api/{kind}/%2F/{name}").status


@pytest.mark.parametrize(
    ("button", "kind", "owner", "limit"),
    [("Limit virtual hosts", "vhost-limits", "/", "max-queues"), ("Limit users", "user-limits", "guest", "max-channels")],
)
def test_limit_is_set_and_lifted(visitor: Visitor, api: Api, button: str, kind: str, owner: str, limit: str) -> None:
    """Limits of virtual hosts and of users."""
    visitor.open("admin/limits", "Limits")
    visitor.press(button)
    visitor.submit({"name": owner, "limit": limit, "value": 54321}, told="limit is set")
    assert {limit: 54321} == api.get(f"/api/{kind}/{quote(owner, safe='')}")[0]["value"]
    visitor.press("Lift", visitor.row("54,321"))
    visitor.submit(told="limit is lifted")
    assert [] == api.get(f"/api/{kind}/{quote(owner, safe='')}")


def test_definitions_are_exported_and_imported(visitor: Visitor, api: Api, queue: str, tmp_path: Path) -> None:
    """What is exported brings a deleted queue back; a file that is none is refused."""
    visitor.open("admin/definitions", "Definitions")
    visitor.press("Export")
    with visitor.page.expect_download() as download:
        visitor.submit(told="in your downloads")
    file = tmp_path / "definitions.json"
    download.value.save_as(file)
    assert queue in [found["name"] for found in json.loads(file.read_text())["queues"]]
    assert 204 == api.delete(f"/api/queues/%2F/{queue}")
    visitor.press("Import")
    visitor.page.locator("dialog [name=file]").set_input_files(file)
    visitor.submit(told="Imported")
    assert queue == api.get(f"/api/queues/%2F/{queue}")["name"]
    visitor.press("Import")
    visitor.page.locator("dialog [name=file]").set_input_files({"name": "x.json", "mimeType": "text/plain", "buffer": b"{"})
    visitor.submit()
    visitor.see("The file is not JSON.")
