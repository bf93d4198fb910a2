"""Who asks, over HTTP."""

import asyncio
import base64

import pytest

from amqpd.broker import passwords
from amqpd.broker.patience import FAILURES, PAUSE
from amqpd.broker.users import User, Users
from amqpd.management.logins import TOKEN_SECONDS, TOKENS_OF_USER_MAX, Logins, Tokens, Unknown, internal_alone
from amqpd.management.refusal import Refusal


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def users() -> Users:
    """One user, `ada` with password `secret`."""
    users = Users()
    users.by_name["ada"] = User("ada", passwords.hash_password("secret"), passwords.SHA256, ("management",))
    return users


def logins(users: Users, time: Time) -> Logins:
    """Logins of these users alone."""
    return Logins(users, internal_alone(users), time)


def basic(name: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_basic_credentials_name_the_user(users: Users) -> None:
    """The scheme's case does not matter, and a password may hold colons."""
    users.by_name["bob"] = User("bob", passwords.hash_password("a:b"), passwords.SHA256, ())
    assert "bob" == asyncio.run(logins(users, Time()).user(basic("bob", "a:b").replace("Basic", "bAsIc"), "::1")).name


@pytest.mark.parametrize("header", ["Basic !", "Basic bm9jb2xvbg==", "Digest x", "", "Bearer x"])
def test_header_that_is_no_credentials(users: Users, header: str) -> None:
    """Whatever else is sent is refused as unknown."""
    with pytest.raises(Unknown):
        asyncio.run(logins(users, Time()).user(header, "::1"))


def test_token_lives_as_long_as_it_is_used(users: Users) -> None:
    """Each use of a token renews it; without use it expires."""
    time = Time()
    checked = logins(users, time)
    token = checked.tokens.issue(users.by_name["ada"])
    for _ in range(3):
        time.now += TOKEN_SECONDS - 1
        assert "ada" == asyncio.run(checked.user(f"Bearer {token}", "::1")).name
    time.now += TOKEN_SECONDS + 1
    with pytest.raises(Unknown):
        asyncio.run(checked.user(f"Bearer {token}", "::1"))


def test_tokens_of_others_are_not_lost(users: Users) -> None:
    """Who logs in all the time loses the tokens that he does not use, and nobody else does."""
    time = Time()
    tokens = logins(users, time).tokens
    users.by_name["bob"] = User("bob", passwords.hash_password("b"), passwords.SHA256, ())
    his = tokens.issue(users.by_name["bob"])
    first, second = tokens.issue(users.by_name["ada"]), tokens.issue(users.by_name["ada"])
    time.now += 1
    assert users.by_name["ada"] is tokens.user(first, users)
    for _ in range(TOKENS_OF_USER_MAX - 1):
        newest = tokens.issue(users.by_name["ada"])
    found = [tokens.user(token, users) for token in (his, first, second, newest)]
    assert ["bob", "ada", None, "ada"] == [user.name if user is not None else None for user in found]


def test_tokens_have_a_limit(users: Users) -> None:
    """That of all users, of whom the one who was away for longest has to log in again."""
    time = Time()
    tokens = Tokens(time, 10)
    ada = users.by_name["ada"]
    away, here = tokens.issue(ada), tokens.issue(ada)
    time.now += 1
    assert ada is tokens.user(here, users)
    for number in range(9):
        tokens.issue(User(str(number), "", "", ()))
    assert [None, ada] == [tokens.user(token, users) for token in (away, here)]


def test_patience_ends_and_returns(users: Users) -> None:
    """After too many failures even the right password has to wait, and is accepted once the time is over."""
    time = Time()
    checked = logins(users, time)
    for _ in range(FAILURES):
        with pytest.raises(Unknown):
            asyncio.run(checked.login("ada", "wrong", "10.0.0.1"))
    with pytest.raises(Refusal) as refused:
        asyncio.run(checked.login("ada", "secret", "10.0.0.1"))
    assert 429 == refused.value.status
    assert "ada" == asyncio.run(checked.login("ada", "secret", "10.0.0.2")).name
    time.now += PAUSE
    assert "ada" == asyncio.run(checked.login("ada", "secret", "10.0.0.1")).name
