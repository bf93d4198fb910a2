"""Export and import of definitions."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from helpers.api import Api
from helpers.broker import Broker


def names(document: dict[str, Any], section: str) -> set[str]:
    """The names in a section."""
    return {item["name"] for item in document[section]}


def test_vhost_survives_export_and_import(api: Api, vhost: str) -> None:
    """What was exported of one virtual host makes the same objects in another one."""
    api.put(f"/api/queues/{vhost}/q", {"durable": True, "arguments": {"x-max-length": 7}})
    api.put(f"/api/exchanges/{vhost}/x", {"type": "topic"})
    api.put(f"/api/policies/{vhost}/p", {"pattern": "^q", "definition": {"max-length": 5}})
    api.call("POST", f"/api/bindings/{vhost}/e/x/q/q", {"routing_key": "k", "arguments": {"a": 1}})
    exported = api.get(f"/api/definitions/{vhost}")
    assert 204 == api.delete(f"/api/vhosts/{vhost}")
    assert 201 == api.put(f"/api/vhosts/{vhost}")
    assert 204 == api.call("POST", f"/api/definitions/{vhost}", exported).status
    assert exported == api.get(f"/api/definitions/{vhost}")
    assert "p" == api.get(f"/api/queues/{vhost}/q")["policy"]


@pytest.mark.parametrize(
    ("section", "item"),
    [
        ("queues", {"name": "bad", "vhost": "/", "arguments": {"x-max-length": -1}}),
        ("exchanges", {"name": "bad", "vhost": "/", "type": "nonsense"}),
        ("bindings", {"source": "none", "vhost": "/", "destination": "none", "destination_type": "queue"}),
        ("queues", {"name": "bad", "vhost": "nowhere"}),
        ("users", {"name": 7}),
        ("permissions", {"user": "guest", "vhost": "/", "configure": "[", "write": "", "read": ""}),
        ("policies", {"name": "p", "vhost": "/", "pattern": "[", "definition": {}}),
    ],
)
def test_bad_document_changes_nothing(api: Api, vhost: str, section: str, item: dict[str, Any]) -> None:
    """A document with anything wrong in it is refused as a whole, naming what is wrong."""
    document: dict[str, list[Any]] = {"queues": [{"name": "good", "vhost": unquote(vhost), "durable": True}]}
    document.setdefault(section, []).append(item)
    reply = api.call("POST", "/api/definitions", document)
    assert 400 == reply.status
    assert reply.json["reason"].startswith(f"{section}: ")
    assert [] == api.get(f"/api/queues/{vhost}")


def test_document_of_an_old_rabbitmq(own_broker: Broker) -> None:
    """Tags as a text, passwords as MD5, virtual hosts without properties: RabbitMQ 3.5 exported such files."""
    document = {
        "rabbit_version": "3.5.7",
        "users": [
            {"name": "old", "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "tags": "administrator"}
        ],
        "vhosts": [{"name": "old"}],
        "permissions": [{"user": "old", "vhost": "old", "configure": ".*", "write": ".*", "read": ".*"}],
        "parameters": [],
        "policies": [
            {"vhost": "old", "name": "p", "pattern": ".*", "apply-to": "all", "definition": {"max-length": 1}, "priority": 0}
        ],
        "queues": [{"name": "q", "vhost": "old", "durable": True, "auto_delete": False, "arguments": {}}],
        "exchanges": [],
        "bindings": [],
    }
    api = Api(own_broker.http_url)
    assert 204 == api.call("POST", "/api/definitions", document).status
    user = api.get("/api/users/old")
    assert ("rabbit_password_hashing_md5", ["administrator"]) == (user["hashing_algorithm"], user["tags"])
    exported = api.get("/api/definitions")
    assert ({"q"}, {"p"}) == (names(exported, "queues"), names(exported, "policies"))


def form(document: str, further: str = "") -> bytes:
    """What a browser makes of a form with a file."""
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="d.json"\r\nContent-Type: application/json\r\n\r\n'
    return f"{head}{document}\r\n{further}--b--\r\n".encode()


def test_multipart_upload(api: Api, vhost: str) -> None:
    """The form of the web page uploads a file."""
    body = form(json.dumps({"queues": [{"name": "uploaded", "durable": True}]}))
    reply = api.call("POST", f"/api/definitions/{vhost}", body, Content_Type="multipart/form-data; boundary=b")
    assert 204 == reply.status
    assert ["uploaded"] == [found["name"] for found in api.get(f"/api/queues/{vhost}")]


@pytest.mark.parametrize("redirect", ["../#/import-succeeded", "#/done", "/#/done", "/page/#/done"])
def test_a_form_leads_to_a_page_of_this_server(api: Api, redirect: str) -> None:
    """As RabbitMQ's page has itself led on."""
    assert (303, redirect) == led(api, redirect)


@pytest.mark.parametrize(
    "redirect", ["//evil.example/#/", "/\\evil.example/#/", "https://evil.example/#", "javascript:#", ".."]
)
def test_a_form_leads_nowhere_else(api: Api, redirect: str) -> None:
    """Whoever wrote it."""
    assert (204, None) == led(api, redirect)


def led(api: Api, redirect: str) -> tuple[int, str | None]:
    """Status and Location of the answer to a form that wants its sender led on."""
    body = form("{}", f'--b\r\nContent-Disposition: form-data; name="redirect"\r\n\r\n{redirect}\r\n')
    assert api.authorization is not None
    headers = {"Authorization": api.authorization, "Content-Type": "multipart/form-data; boundary=b"}
    connection = HTTPConnection(urlsplit(api.url).netloc)
    connection.request("POST", "/api/definitions", body, headers)
    response = connection.getresponse()
    connection.close()
    return response.status, response.headers["Location"]


def test_download_has_a_harmless_file_name(api: Api) -> None:
    """The name of a download is told in a header that nothing can be smuggled into."""
    reply = api.call("GET", "/api/definitions?download=a%22%0d%0ab.json")
    assert 'attachment; filename="ab.json"' == reply.headers["Content-Disposition"]
