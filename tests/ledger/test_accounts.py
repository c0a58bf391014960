"""Accounts: who gets in, for how long, and how guessing is slowed."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from ledger import accounts, guesses
from ledger.accounts import AccountError, WrongLoginError, create, log_in, of_token
from ledger.database import connect
from ledger.guesses import TooManyTriesError
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
            for _ in range(guesses.FREE_TRIES):
                with pytest.raises(WrongLoginError):
                    log_in(connection, login, "wrong password")
            with pytest.raises(TooManyTriesError) as refused:
                log_in(connection, login, RIGHT)  # the right one too
            assert 0 < refused.value.retry_after_s <= guesses.FIRST_WAIT_S
        connection.execute("UPDATE login_failures SET last_at = now() - interval '20 seconds'")
        with pytest.raises(WrongLoginError):
            log_in(connection, "centre", "wrong password")
        with pytest.raises(TooManyTriesError) as refused:
            log_in(connection, "centre", RIGHT)
        assert guesses.FIRST_WAIT_S < refused.value.retry_after_s <= 2 * guesses.FIRST_WAIT_S
        connection.execute("UPDATE login_failures SET last_at = now() - interval '1 minute', count = 1000")
        log_in(connection, "centre", RIGHT)
        for _ in range(guesses.FREE_TRIES):  # counted anew
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
    assert 1 <= outcomes.count(WrongLoginError) <= guesses.FREE_TRIES


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


def fail(connection: Any, login: str, address: str, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongLoginError):
            log_in(connection, login, "wrong password", address)


def test_who_guesses_locks_out_nobody_elsewhere(database_url: str) -> None:
    with connect(database_url) as connection:
        create(connection, "centre", RIGHT, CENTRE, "test")
        fail(connection, "centre", "192.0.2.1", guesses.FREE_TRIES)
        fail(connection, "centre", "2001:db8::1", guesses.FREE_TRIES)
        for here in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2"):  # a network of 64 bits is one place
            with pytest.raises(TooManyTriesError):
                log_in(connection, "centre", RIGHT, here)
        fail(connection, "centre", "192.0.2.2", 2)  # few have failed: a slip costs nothing
        log_in(connection, "centre", RIGHT, "192.0.2.2")
        connection.execute("UPDATE login_failures SET count = 1000000")
        fail(connection, "centre", "192.0.2.2", 2)  # nor does one place's persistence
        connection.execute("DELETE FROM login_failures")
        for number in range(guesses.MANY // guesses.FREE_TRIES):
            fail(connection, "centre", f"198.51.100.{number}", guesses.FREE_TRIES)
        fail(connection, "centre", "192.0.2.3")
        with pytest.raises(TooManyTriesError):  # many fail: one try each
            log_in(connection, "centre", RIGHT, "192.0.2.3")
        log_in(connection, "centre", RIGHT, "192.0.2.4")  # who has not failed gets in, whatever others do


def test_a_try_elsewhere_at_the_same_time_is_none_too_many(database_url: str) -> None:
    with connect(database_url) as connection, connect(database_url) as other:
        create(connection, "centre", RIGHT, CENTRE, "test")
        with other.transaction(), other.cursor() as cursor:
            assert guesses.wait_s(cursor, "centre", "192.0.2.1") == 0
            with pytest.raises(TooManyTriesError):
                log_in(connection, "centre", RIGHT, "192.0.2.1")
            log_in(connection, "centre", RIGHT, "192.0.2.2")


def test_old_failures_are_forgotten_by_new_ones(database_url: str) -> None:
    with connect(database_url) as connection:
        fail(connection, "a", "192.0.2.1", guesses.FREE_TRIES)
        fail(connection, "b", "192.0.2.1")
        connection.execute("UPDATE login_failures SET last_at = now() - interval '2 hours'")
        fail(connection, "a", "192.0.2.1")
        assert rows(database_url, "SELECT count FROM login_failures") == [(1,)]


def test_who_waits_is_bounded_of_all_and_of_one_address() -> None:
    with ExitStack() as looked_at:
        for _ in range(2):
            looked_at.enter_context(guesses.turn("192.0.2.1"))
        with ThreadPoolExecutor(guesses.PLACES) as pool:
            go = Event()

            def wait(address: str) -> None:
                with guesses.turn(address):
                    assert go.wait(10)

            def full(address: str) -> bool:
                try:
                    with guesses.turn(address):
                        return False
                except TooManyTriesError as error:
                    return error.retry_after_s == 1

            waiting = [pool.submit(wait, "192.0.2.1") for _ in range(guesses.PLACES_OF_ONE - 2)]
            until = time.monotonic() + 3
            while guesses.waiting("192.0.2.1") < guesses.PLACES_OF_ONE:
                assert time.monotonic() < until
            assert full("192.0.2.1")
            waiting += [pool.submit(wait, f"198.51.100.{n}") for n in range(guesses.PLACES - guesses.PLACES_OF_ONE)]
            while guesses.waiting() < guesses.PLACES:
                assert time.monotonic() < until
            began = time.monotonic()
            assert full("192.0.2.9")
            assert time.monotonic() - began < 1, "at once"
            looked_at.close()
            go.set()
            for one in waiting:
                one.result(10)
    assert guesses.waiting() == 0


@pytest.mark.parametrize("login", ["", " ", "a b", " a", "a\0", "a\n", "a" * 65, "a\u202eb", "аdmin", "张"])
def test_a_login_that_is_none(database_url: str, login: str) -> None:
    with connect(database_url) as connection:
        with pytest.raises(AccountError):
            create(connection, login, RIGHT, CENTRE, "test")
        with pytest.raises(WrongLoginError):
            log_in(connection, login, RIGHT)


@pytest.mark.parametrize("login", ["dispatch", "WarnLoop", "system", "demo", "key"])
def test_a_login_that_is_the_programs_own(database_url: str, login: str) -> None:
    with connect(database_url) as connection, pytest.raises(AccountError, match="own"):
        create(connection, login, RIGHT, CENTRE, "test")


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
