"""Logging in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from amqpd.management.body import LOGIN_BYTES, TooLong
from amqpd.management.call import MANAGEMENT_TAGS, NO_CONTENT, Call
from amqpd.management.logins import TOKEN_SECONDS
from amqpd.management.refusal import bad_request, not_authorised
from amqpd.management.views.overview import user_words

FIELDS_MAX: Final = 16
"""Of the form that is sent to log in."""


async def log_in(call: Call) -> object:
    """Exchange a name and a password, sent as a form or as JSON, for a session token."""
    name, password = await _credentials(call)
    user = await call.site.logins.login(name, password, call.request.remote or "")
    if MANAGEMENT_TAGS.isdisjoint(user.tags):
        raise not_authorised("Not management user")
    token = call.site.logins.tokens.issue(user)
    return {
        "token": {"type": "bearer", "value": token},
        "user": user_words(user),
        "login_session_timeout": int(TOKEN_SECONDS / 60),
    }


async def _credentials(call: Call) -> tuple[str, str]:
    try:
        sent = await call.sent(LOGIN_BYTES)
    except TooLong:
        raise TooLong(413) from None
    given: Mapping[str, Any]
    if sent.lstrip().startswith(b"{"):
        given = await call.body("username", "password")
    else:
        given = _form(sent)
    name, password = given.get("username"), given.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise bad_request("username and password are needed")
    return name, password


def _form(sent: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise bad_request("too many fields") from None


async def log_out(call: Call) -> object:
    """Forget the session token that the request was sent with."""
    scheme, _, token = call.request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        call.site.logins.tokens.revoke(token.strip())
    return NO_CONTENT


async def count_attempts(call: Call) -> object:
    """How many logins there were over HTTP."""
    logins = call.site.logins
    return [
        {
            "protocol": "http",
            "auth_attempts": logins.succeeded + logins.failed,
            "auth_attempts_failed": logins.failed,
            "auth_attempts_succeeded": logins.succeeded,
        }
    ]


async def forget_attempts(call: Call) -> object:
    """Count logins from zero."""
    call.site.logins.succeeded = call.site.logins.failed = 0
    return NO_CONTENT


async def show_auth(call: Call) -> object:
    """That there is no other way to log in."""
    return {"oauth_enabled": False}
