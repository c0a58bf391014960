"""Guesses: passwords that are tried one after another get slower, and never keep others out.

Failures are counted by login and address, so that nobody who fails elsewhere locks out whoever knows the password.
Where many addresses fail at one login, each of them has only one free try.
"""

import hashlib
import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

import psycopg

FREE_TRIES = 5
"""Failures in a row from one address that cost no waiting."""

FIRST_WAIT_S, LONGEST_WAIT_S = 15, 60
"""Wait after that, doubled by each further failure, up to the longest [s]."""

MANY = 50
"""Failures at one login, at most `FREE_TRIES` of each address, from which on there is one free try."""

PLACES, PLACES_OF_ONE = 8, 4
"""So many logins are looked at or wait for it at once, of all and of one address."""

TURN_S = 5.0
"""How long one waits [s]."""

_HASHING = BoundedSemaphore(2)
"""So many passwords are hashed at once: each takes 19 MiB."""

_waiting: Counter[str] = Counter()
_lock = Lock()


class TooManyTriesError(Exception):
    """Too many failures, or too many at once.

    Attributes
    ----------
    retry_after_s : int
        When the next try is heard [s].
    """

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"尝试次数过多，请{retry_after_s}秒后再试 too many tries: wait for {retry_after_s} s")


@contextmanager
def turn(address: str) -> Iterator[None]:
    """Wait for one's turn to be looked at; before a connection is taken, which others need.

    Raises
    ------
    TooManyTriesError
        At once where so many wait already.
    """
    place = place_of(address)
    with _lock:
        if _waiting.total() >= PLACES or _waiting[place] >= PLACES_OF_ONE:
            raise TooManyTriesError(1)
        _waiting[place] += 1
    try:
        if not _HASHING.acquire(timeout=TURN_S):
            raise TooManyTriesError(1)
        try:
            yield
        finally:
            _HASHING.release()
    finally:
        with _lock:
            _waiting[place] -= 1
            if not _waiting[place]:
                del _waiting[place]


def waiting(address: str | None = None) -> int:
    """How many are looked at or wait, of all or of one address."""
    with _lock:
        return _waiting.total() if address is None else _waiting[place_of(address)]


def place_of(address: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits, which is one customer's."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def wait_s(cursor: psycopg.Cursor[Any], login: str, address: str) -> int:
    """How long the next try for a login from an address must wait; 0 for not at all [s].

    While one is being looked at, until the end of the cursor's transaction, another one has to wait.
    """
    key = _key(login, address)
    row = cursor.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%(login)s || ' ' || %(address)s, %(space)s))",
        {**key, "space": 0x77_6C_10},
    ).fetchone()
    if not row or not row[0]:
        return 1
    found = cursor.execute(
        "SELECT coalesce(max(count) FILTER (WHERE address = %(address)s), 0), "
        "coalesce(extract(epoch FROM now() - max(last_at) FILTER (WHERE address = %(address)s)), 0), "
        "coalesce(sum(least(count, %(free)s)), 0) "
        "FROM login_failures WHERE login = %(login)s AND last_at > now() - interval '1 hour'",
        {**key, "free": FREE_TRIES},
    ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate has a row
    here, since_s, everywhere = int(found[0]), int(found[1]), int(found[2])
    free = FREE_TRIES if everywhere < MANY else 1
    if here < free:
        return 0
    return max(0, min(FIRST_WAIT_S << min(here - free, 10), LONGEST_WAIT_S) - since_s)


def failed(cursor: psycopg.Cursor[Any], login: str, address: str) -> None:
    """Count a failure, and forget old ones."""
    cursor.execute(
        "INSERT INTO login_failures AS f (login, address, count) VALUES (%(login)s, %(address)s, 1) "
        "ON CONFLICT (login, address) DO UPDATE SET last_at = now(), "
        "count = CASE WHEN f.last_at > now() - interval '1 hour' THEN f.count + 1 ELSE 1 END",
        _key(login, address),
    )
    cursor.execute(
        "DELETE FROM login_failures WHERE (login, address) IN (SELECT login, address FROM login_failures "
        "WHERE last_at < now() - interval '1 hour' LIMIT 100 FOR UPDATE SKIP LOCKED)"
    )


def succeeded(cursor: psycopg.Cursor[Any], login: str, address: str) -> None:
    """Forget the failures from an address."""
    cursor.execute("DELETE FROM login_failures WHERE login = %(login)s AND address = %(address)s", _key(login, address))


def _key(login: str, address: str) -> dict[str, str]:
    hashed = hashlib.sha256(login.encode(errors="surrogatepass")).hexdigest()
    return {"login": hashed, "address": place_of(address)}
