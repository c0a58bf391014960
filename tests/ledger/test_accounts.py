"""Accounts: who gets in, for how long, and how guessing is slowed."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger import accounts
from ledger.accounts import AccountError, TooManyTriesError, WrongLoginError, create, log_in, of_token
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from tests.ledger.made import rows

RIGHT = "correct horse"
COUNTY = Principal(Role.COUNTY, "652301")


def test_a_session_is_opened_recognised_and_ended(database_url: str) -> None:
    with connect(database_url) as connection:
        create(connection, "county", RIGHT, COUNTY, "test")
        opened = log_in(connection, "county", RIGHT)
        session = of_token(connection, opened.token)
        assert session == opened.session
        assert (opened.session.login, opened.session.principal) == ("county", COUNTY)
        assert of_token(connection, opened.token[:-1]) is None
        assert of_token(connection, "") is None
        accounts.log_out(connection, opened.token, "county")
        assert of_token(connection, opened.token) is None
    kept = str(rows(database_url, "SELECT * FROM accounts")) + str(rows(database_url, "SELECT * FROM sessions"))
    assert "$argon2id$" in kept
    told = str(rows(database_url, "SELECT actor, action, subject, detail FROM audit"))
    for secret in (RIGHT, opened.token, "argon2"):
        assert secret not in told
    assert [row[0] for row in rows(database_url, "SELECT action FROM audit ORDER BY number")] == [
        "account.create", "login", "logout",
    ]  # fmt: skip


def test_an_expired_session_is_none(database_url: str) -> None:
    with connect(database_url) as connection:
        create(connection, "centre", RIGHT, CENTRE, "test")
        opened = log_in(connection, "centre", RIGHT)
        connection.execute("UPDATE sessions SET expires_at = now() - interval '1 second'")
        assert of_token(connection, opened.token) is None
        log_in(connection, "centre", RIGHT)
        assert rows(database_url, "SELECT count(*) FROM sessions") == [(1,)], "the expired one is gone"


@pytest.mark.parametrize("change", ["disable", "password"])
def test_a_change_ends_sessions(database_url: str, change: str) -> None:
    with connect(database_url) as connection:
        create(connection, "centre", RIGHT, CENTRE, "test")
        id_ = create(connection, "county", RIGHT, COUNTY, "test")
        opened = log_in(connection, "county", RIGHT)
        if change == "disable":
            assert accounts.disable(connection, id_, "centre")
            with pytest.raises(WrongLoginError):
                log_in(connection, "county", RIGHT)
            assert accounts.enable(connection, id_, "centre")
            log_in(connection, "county", RIGHT)
        else:
            assert accounts.set_password(connection, id_, "another horse", "centre")
            with pytest.raises(WrongLoginError):
                log_in(connection, "county", RIGHT)
            log_in(connection, "county", "another horse")
        assert of_token(connection, opened.token) is None


def test_guessing_is_slowed_for_known_and_unknown_logins_alike(database_url: str) -> None:
    with connect(database_url) as connection:
        create(connection, "centre", RIGHT, CENTRE, "test")
        for login in ("centre", "nobody"):
            for _ in range(accounts.FREE_TRIES):
                with pytest.raises(WrongLoginError):
                    log_in(connection, login, "wrong password")
            with pytest.raises(TooManyTriesError) as refused:
                log_in(connection, login, RIGHT)  # the right one too
            assert 0 < refused.value.retry_after_s <= accounts.FIRST_WAIT_S
        connection.execute("UPDATE login_failures SET last_at = now() - interval '20 seconds'")
        with pytest.raises(WrongLoginError):
            log_in(connection, "centre", "wrong password")
        with pytest.raises(TooManyTriesError) as refused:
            log_in(connection, "centre", RIGHT)
        assert accounts.FIRST_WAIT_S < refused.value.retry_after_s <= 2 * accounts.FIRST_WAIT_S
        connection.execute("UPDATE login_failures SET last_at = now() - interval '1 hour', count = 1000")
        log_in(connection, "centre", RIGHT)
        for _ in range(accounts.FREE_TRIES):  # counted anew
            with pytest.raises(WrongLoginError):
                log_in(connection, "centre", "wrong password")
    told = rows(database_url, "SELECT DISTINCT subject FROM audit WHERE action = 'login.fail' ORDER BY 1")
    assert told == [("?",), ("centre",)], "what is no login may be a password: it is not kept"
    assert "nobody" not in str(rows(database_url, "SELECT * FROM login_failures"))


def test_guesses_at_once_are_no_faster(database_url: str) -> None:
    with connect(database_url) as connection:
        create(connection, "centre", RIGHT, CENTRE, "test")

    def guess(_: int) -> type[Exception]:
        with connect(database_url) as own:
            try:
                log_in(own, "centre", "wrong password")
            except (WrongLoginError, TooManyTriesError) as error:
                return type(error)
        raise AssertionError

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(guess, range(24)))
    assert 1 <= outcomes.count(WrongLoginError) <= accounts.FREE_TRIES


def test_an_unknown_login_takes_as_long(database_url: str) -> None:
    def took(connection: Any, login: str) -> float:
        connection.execute("DELETE FROM login_failures")
        began = time.perf_counter()
        with pytest.raises(WrongLoginError):
            log_in(connection, login, "wrong password")
        return time.perf_counter() - began

    with connect(database_url) as connection:
        create(connection, "centre", RIGHT, CENTRE, "test")
        known, unknown = (min(took(connection, login) for _ in range(5)) for login in ("centre", "nobody"))
    assert unknown > known / 2


@pytest.mark.parametrize("login", ["", " ", "a b", " a", "a\0", "a\n", "a" * 65, "a\u202eb"])
def test_a_login_that_is_none(database_url: str, login: str) -> None:
    with connect(database_url) as connection:
        with pytest.raises(AccountError):
            create(connection, login, RIGHT, CENTRE, "test")
        with pytest.raises(WrongLoginError):
            log_in(connection, login, RIGHT)


@pytest.mark.parametrize("password", ["", "123456789", "a" * 201, "\ud800" * 12])
def test_a_password_that_is_none(database_url: str, password: str) -> None:
    with connect(database_url) as connection:
        with pytest.raises(AccountError):
            create(connection, "centre", password, CENTRE, "test")
        with pytest.raises(WrongLoginError):
            log_in(connection, "centre", password)


def test_a_login_is_taken_once_and_the_last_centre_stays(database_url: str) -> None:
    with connect(database_url) as connection:
        first = create(connection, "centre", RIGHT, CENTRE, "test")
        with pytest.raises(AccountError, match="already"):
            create(connection, "centre", RIGHT, COUNTY, "test")
        with pytest.raises(AccountError, match="last"):
            accounts.disable(connection, first, "centre")
        second = create(connection, "other", RIGHT, CENTRE, "test")
        assert accounts.disable(connection, first, "other")
        with pytest.raises(AccountError, match="last"):
            accounts.disable(connection, second, "other")
        listed = {row["login"]: row["disabled_at"] is None for row in accounts.listed(connection)}
    assert listed == {"centre": False, "other": True}
