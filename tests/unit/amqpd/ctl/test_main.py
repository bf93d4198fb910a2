"""The command line of amqpctl, against an API that a test plays."""

import json
import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import select
from typing import Final

import pytest

from amqpd.ctl.completion import SHELLS
from amqpd.ctl.failure import DATA, FAILED, NO_PERMISSION, NO_USER, SOFTWARE, UNAVAILABLE, USAGE
from amqpd.ctl.main import COMMANDS, main

SECONDS: Final = 5.0
Answers = dict[tuple[str, str], tuple[int, object]]


class Played:
    """Answers as a test says, and keeps what was asked."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        """Status and JSON by method and path."""
        self.asked: list[tuple[str, str, object]] = []
        """Method, path and JSON."""
        played = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def answer(self) -> None:
                """Whatever the method."""
                size = int(self.headers.get("Content-Length") or 0)
                played.asked.append((self.command, self.path, json.loads(self.rfile.read(size)) if size else None))
                status, body = played.answers.get((self.command, self.path), (404, {"reason": "Not Found"}))
                self.send_response(status)
                self.end_headers()
                if status != 204:
                    self.wfile.write(json.dumps(body).encode())

            do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - as the library calls them

            def log_message(self, format: str, *arguments: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """An API at the URL that the environment tells."""
    played = Played()
    thread = threading.Thread(target=played.server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("AMQPCTL_URL", f"http://127.0.0.1:{played.server.server_port}")
    yield played
    played.server.shutdown()
    thread.join()
    played.server.server_close()


QUEUES = [
    {"name": "a", "messages": 3, "durable": True, "arguments": {"x-max-length": 5, "x-overflow": "drop-head"}},
    {"name": "b", "messages": 0, "durable": False, "arguments": {}, "message_stats": {"ack_details": {"rate": 1.5}}},
]


def test_a_list_has_tabs_between_its_columns(api: Played, capsys: pytest.CaptureFixture[str]) -> None:
    """As rabbitmqctl writes it; what is being done goes to standard error."""
    api.answers["GET", "/api/queues/%2F"] = (200, QUEUES)
    assert 0 == main(["list_queues"])
    output = capsys.readouterr()
    assert "name\tmessages\na\t3\nb\t0\n" == output.out
    assert "Listing queues for vhost / ...\n" == output.err


def test_columns_are_chosen(api: Played, capsys: pytest.CaptureFixture[str]) -> None:
    """Values that are no texts are written as rabbitmqctl does, and members of members are found."""
    api.answers["GET", "/api/queues/v"] = (200, QUEUES)
    assert 0 == main(["-p", "v", "list_queues", "name,durable", "arguments", "ack_rate", "--silent"])
    expected = 'a\ttrue\t[{"x-max-length",5},{"x-overflow","drop-head"}]\t\nb\tfalse\t[]\t1.5\n'
    assert expected == capsys.readouterr().out


@pytest.mark.parametrize(
    ("formatter", "expected"),
    [
        ("json", '[{"name": "a", "messages": 3}, {"name": "b", "messages": 0}]\n'),
        ("csv", '"name","messages"\n"a","3"\n"b","0"\n'),
    ],
)
def test_a_list_is_written_for_programs(api: Played, capsys: pytest.CaptureFixture[str], formatter: str, expected: str) -> None:
    """As JSON or CSV."""
    api.answers["GET", "/api/queues/%2F"] = (200, QUEUES)
    assert 0 == main(["list_queues", "--formatter", formatter, "-q"])
    assert expected == capsys.readouterr().out


def test_what_was_set_as_json_is_shown_as_json(api: Played, capsys: pytest.CaptureFixture[str]) -> None:
    """Definitions of policies."""
    policy = {"vhost": "/", "name": "p", "pattern": "^a", "apply-to": "all", "definition": {"max-length": 1}, "priority": 0}
    api.answers["GET", "/api/policies/%2F"] = (200, [policy])
    assert 0 == main(["list_policies", "-s"])
    assert '/\tp\t^a\tall\t{"max-length":1}\t0\n' == capsys.readouterr().out


@contextmanager
def terminal() -> Iterator[int]:
    """The other end of a terminal that the program reads from and tells its remarks."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stdin, os.fdopen(os.dup(theirs), "w") as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", stdin)
        patch.setattr("sys.stderr", stderr)
        yield ours
    os.close(ours)


def shown(user: int, text: str) -> str:
    """What the terminal has shown, as soon as the text is in it, or nothing follows any more."""
    seen = ""
    while text not in seen and select([user], [], [], SECONDS)[0]:
        seen += os.read(user, 4096).decode()
    return seen


@pytest.mark.parametrize(
    ("command", "path", "question"),
    [
        (["delete_queue", "q"], "/api/queues/%2F/q", "Delete queue q with 7 messages? "),
        (["purge_queue", "q"], "/api/queues/%2F/q/contents", "Purge 7 messages from queue q? "),
        (["delete_vhost", "v"], "/api/vhosts/v", "Delete virtual host v with 7 messages? "),
        (["cancel_scheduled_message", "e", "1.2"], "/api/exchanges/%2F/e/scheduled/1.2", "Cancel message 1.2 of exchange e? "),
    ],
)
def test_who_destroys_messages_on_a_terminal_is_asked(api: Played, command: list[str], path: str, question: str) -> None:
    """Nothing happens unless the answer is yes; --yes answers in advance."""
    api.answers["GET", "/api/queues/%2F/q"] = (200, {"messages": 7, "messages_ready": 7})
    api.answers["GET", "/api/vhosts/v"] = (200, {"messages": 7})
    api.answers["DELETE", path] = (204, None)
    with terminal() as user:
        os.write(user, b"n\n")
        assert USAGE == main(command)
        assert question in shown(user, question)
        assert [] == [path for method, path, _ in api.asked if method == "DELETE"]
        os.write(user, b"y\n")
        assert 0 == main(command)
        assert 0 == main([*command, "--yes"])
    assert [path] * 2 == [path for method, path, _ in api.asked if method == "DELETE"]


def test_a_script_is_not_asked(api: Played) -> None:
    """What was written for rabbitmqctl goes on as it is."""
    api.answers["GET", "/api/queues/%2F/q"] = (200, {"messages": 7})
    api.answers["DELETE", "/api/queues/%2F/q?if-empty=true"] = (204, None)
    assert 0 == main(["delete_queue", "q", "--if-empty"])


def test_a_virtual_host_that_exists_stays_as_it_is(api: Played) -> None:
    """Adding it once more succeeds, as rabbitmqctl's command does."""
    api.answers["GET", "/api/vhosts/v"] = (200, {"name": "v"})
    assert 0 == main(["add_vhost", "v", "--description", "other"])
    assert ["GET"] == [method for method, _, _ in api.asked]


def test_scheduled_messages_are_listed_page_by_page(api: Played, capsys: pytest.CaptureFixture[str]) -> None:
    """Up to the last page; payloads are not fetched unless they are shown."""
    pages = "/api/exchanges/%2F/e/scheduled?count=1000&truncate=0&after="
    first = {"id": "5.1", "due_at": 5, "routing_keys": ["a", "b"], "payload_bytes": 3}
    second = {"id": "6.2", "due_at": 6, "routing_keys": ["a"], "payload_bytes": 4}
    api.answers["GET", pages] = (200, {"messages": [first], "next": "5.1"})
    api.answers["GET", pages + "5.1"] = (200, {"messages": [second], "next": None})
    assert 0 == main(["list_scheduled_messages", "e"])
    expected = "id\tdue_at\trouting_keys\tpayload_bytes\n5.1\t5\t[a, b]\t3\n6.2\t6\t[a]\t4\n"
    assert expected == capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [(400, DATA), (401, NO_PERMISSION), (404, UNAVAILABLE), (405, UNAVAILABLE), (500, SOFTWARE), (503, UNAVAILABLE)],
)
def test_an_error_of_the_broker_has_an_exit_code(api: Played, status: int, exit_code: int) -> None:
    """By its HTTP status."""
    api.answers["GET", "/api/vhosts"] = (status, {"reason": "because"})
    assert exit_code == main(["list_vhosts"])


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        (["list_quues"], USAGE, "there is list_queues"),
        (["list_queues", "nonsense"], USAGE, "there is no column nonsense"),
        (["delete_queue"], USAGE, "required: QUEUE"),
        (["set_policy", "p", "^", "{"], DATA, "not JSON"),
        (["set_vhost_limits", "[]"], DATA, "must be a JSON object"),
        (["delete_user", "nobody"], NO_USER, 'User "nobody" does not exist'),
        (["delete_vhost", "none"], DATA, "Virtual host 'none' does not exist"),
        (["cancel_scheduled_message", "e", "1.2"], UNAVAILABLE, "there is no scheduled message 1.2 of exchange 'e'"),
        (["import_definitions", "/no/such/file"], DATA, "cannot read /no/such/file"),
        (["ping", "--url", "ftp://x"], USAGE, "no URL of a management API"),
        (["ping", "--timeout", "soon"], DATA, "number of seconds"),
        (["ping", "--url", "http://127.0.0.1:1"], UNAVAILABLE, "does not answer"),
    ],
)
def test_what_cannot_be_done_is_told(
    api: Played, capsys: pytest.CaptureFixture[str], arguments: list[str], exit_code: int, told: str
) -> None:
    """In one line, with an exit code."""
    del api
    assert exit_code == main(arguments)
    error = capsys.readouterr().err.splitlines()[-1]
    assert (True, True) == (error.startswith("Error: "), told in error)


def test_a_user_who_exists_is_not_created_again(api: Played) -> None:
    """Adding would change the password."""
    api.answers["GET", "/api/users/u"] = (200, {"name": "u"})
    assert SOFTWARE == main(["add_user", "u", "secret"])
    assert ["GET"] == [method for method, _, _ in api.asked]


def test_new_tags_leave_the_password_as_it_is(api: Played) -> None:
    """The hash is sent back."""
    api.answers["GET", "/api/users/u"] = (200, {"password_hash": "h", "hashing_algorithm": "sha256", "tags": ["a"]})
    api.answers["PUT", "/api/users/u"] = (204, None)
    assert 0 == main(["set_user_tags", "u", "x", "y"])
    body = {"tags": "x,y", "password_hash": "h", "hashing_algorithm": "sha256"}
    assert ("PUT", "/api/users/u", body) == api.asked[-1]


def test_tracing_leaves_the_rest_of_a_virtual_host_as_it_is(api: Played) -> None:
    """Description and tags are sent back."""
    api.answers["GET", "/api/vhosts/v"] = (200, {"name": "v", "description": "d", "tags": ["a", "b"], "tracing": False})
    api.answers["PUT", "/api/vhosts/v"] = (204, None)
    assert 0 == main(["trace_on", "-p", "v"])
    assert ("PUT", "/api/vhosts/v", {"description": "d", "tags": "a,b", "tracing": True}) == api.asked[-1]


def test_a_check_that_fails_has_an_exit_code_of_its_own(api: Played) -> None:
    """1: the broker answers, and is not well."""
    api.answers["GET", "/api/health/checks/alarms"] = (503, {"status": "failed", "reason": "disk"})
    assert FAILED == main(["check_alarms"])
    api.answers["GET", "/api/health/checks/alarms"] = (200, {"status": "ok"})
    assert 0 == main(["check_alarms"])


def test_messages_are_moved_until_the_target_takes_no_more(api: Played, capsys: pytest.CaptureFixture[str]) -> None:
    """In batches of at most a thousand."""
    api.answers["GET", "/api/queues/%2F/a"] = (200, {"messages_ready": 2500})
    api.answers["POST", "/api/queues/%2F/a/messages/move"] = (200, {"count": 1000, "refused": 0})
    assert 0 == main(["move_messages", "a", "b", "--count", "2000"])
    assert "name\tvalue\nmoved\t2000\nrefused\t0\n" == capsys.readouterr().out
    moves = [body for method, _, body in api.asked if method == "POST"]
    assert [{"queue": "b", "filter": {}, "count": 1000}] * 2 == moves
    api.answers["POST", "/api/queues/%2F/a/messages/move"] = (200, {"count": 5, "refused": 995})
    assert 0 == main(["move_messages", "a", "b", "-s"])
    assert "moved\t5\nrefused\t995\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "body", "remark"),
    [
        (
            ["set_vm_memory_high_watermark", "0.4"],
            {"vm_memory_high_watermark": {"relative": 0.4}},
            "Setting memory threshold on amqpd@host to 0.4 ...\n",
        ),
        (
            ["set_vm_memory_high_watermark", "absolute", "4GB"],
            {"vm_memory_high_watermark": {"absolute": "4GB"}},
            "Setting memory threshold on amqpd@host to 4GB bytes ...\n",
        ),
        (
            ["set_disk_free_limit", "50MB"],
            {"disk_free_limit": {"absolute": "50MB"}},
            "Setting disk free limit on amqpd@host to 50MB bytes ...\n",
        ),
        (
            ["set_disk_free_limit", "mem_relative", "1.5"],
            {"disk_free_limit": {"relative": 1.5}},
            "Setting disk free limit on amqpd@host to 1.5 times the total RAM ...\n",
        ),
    ],
)
def test_limits_are_changed(
    api: Played, capsys: pytest.CaptureFixture[str], command: list[str], body: object, remark: str
) -> None:
    """In the words of rabbitmqctl."""
    api.answers["GET", "/api/overview"] = (200, {"node": "amqpd@host"})
    api.answers["PUT", "/api/nodes/amqpd%40host/watermarks"] = (204, None)
    assert 0 == main(command)
    assert ("PUT", "/api/nodes/amqpd%40host/watermarks", body) == api.asked[-1]
    assert remark == capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        (["set_vm_memory_high_watermark", "2"], DATA),
        (["set_vm_memory_high_watermark", "much"], DATA),
        (["set_vm_memory_high_watermark"], USAGE),
        (["set_disk_free_limit", "mem_relative", "much"], DATA),
        (["set_disk_free_limit"], USAGE),
    ],
)
def test_limits_that_make_no_sense_are_not_sent(api: Played, command: list[str], exit_code: int) -> None:
    """The exit code is rabbitmqctl's."""
    assert exit_code == main(command)
    assert [] == api.asked


def test_an_option_counts_before_and_behind_the_command(api: Played) -> None:
    """What stands behind wins."""
    api.answers["GET", "/api/queues/late"] = (200, [])
    assert 0 == main(["--vhost", "early", "list_queues", "--vhost", "late"])
    assert ["/api/queues/late"] == [path for _, path, _ in api.asked]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And options of commands."""
    assert 0 == main(["completion", shell])
    script = capsys.readouterr().out
    assert [] == [command.name for command in COMMANDS if command.name not in script]
    assert "if-unused" in script


def test_names_of_commands_are_unique() -> None:
    """None hides another."""
    names = [command.name for command in COMMANDS]
    assert sorted(set(names)) == sorted(names)
