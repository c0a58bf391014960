"""Subscriptions: their owner's alone, each change in the audit."""

import base64
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger import subscriptions
from ledger.database import DatabaseError, connect
from ledger.principal import CENTRE, Principal, Role
from ledger.subscriptions import FAILED, GONE, MOST, Created, Health, TooManySubscriptionsError
from tests.ledger.made import rows

OWNED = sorted((Path(__file__).parents[2] / "ledger" / "queries" / "owned").glob("*.sql"))
COUNTY, COMPANY = Principal(Role.COUNTY, "652301"), Principal(Role.COMPANY, "652301")
OTHERS = [CENTRE, Principal(Role.COUNTY, "652302"), COMPANY, Principal(Role.COMPANY, "%")]


@pytest.mark.parametrize("path", OWNED, ids=lambda path: path.stem)
def test_every_owned_query_is_bound_to_role_and_tenant(path: Path) -> None:
    words = " ".join(re.sub(r"--.*", "", path.read_text(encoding="utf-8")).split())
    if words.startswith("INSERT INTO"):
        assert "VALUES (%(role)s, %(tenant)s," in words
        return
    bound = re.findall(r"(?:WHERE|AND) (\w+)\.role = %\(role\)s AND \1\.tenant = %\(tenant\)s", words)
    assert len(bound) == 1
    assert re.search(rf"\b(FROM|UPDATE) \w+ AS {bound[0]}\b", words)
    while (inner := re.sub(r"\([^()]*\)", "", words)) != words:
        words = inner
    assert " OR " not in words, "an OR would open the bound"


def make(connection: Any, principal: Principal = COUNTY, **changes: Any) -> Created:
    given = {"name": "值班室", "channel": "webhook", "target": "https://example.org/"} | changes
    return subscriptions.create(connection, principal, "li", **given)


def test_create_and_list(database_url: str) -> None:
    with connect(database_url) as connection:
        made = make(connection, kinds=("V04",), topics=("violation",), least_severity=3, language="en")
        (row,) = subscriptions.listed(connection, COUNTY)
        assert subscriptions.read(connection, COUNTY, made.id) == row
    assert row["id"] == made.id
    assert (row["kinds"], row["topics"], row["least_severity"], row["language"]) == (["V04"], ["violation"], 3, "en")
    assert (row["created_by"], row["due"], row["last_sent_at"], row["disabled_at"]) == ("li", 0, None, None)
    assert "secret" not in row
    assert len(base64.b64decode(made.secret.removeprefix("whsec_"))) == 32
    audit = rows(database_url, "SELECT actor, action, subject, detail FROM audit")
    assert audit[0][:3] == ("li", "subscription.create", str(made.id))
    assert made.secret not in str(audit)


def test_secrets(database_url: str) -> None:
    with connect(database_url) as connection:
        one, other = make(connection), make(connection)
        assert one.secret != other.secret
        assert make(connection, secret=one.secret).secret == one.secret
        assert make(connection, channel="folder", target="x", secret=one.secret).secret == ""


def test_an_operator_acts_for_the_centre(database_url: str) -> None:
    with connect(database_url) as connection:
        made = make(connection, Principal(Role.OPERATOR))
        assert [row["id"] for row in subscriptions.listed(connection, CENTRE)] == [made.id]


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": "pigeon"},
        {"topics": ()},
        {"topics": ("x",)},
        {"least_severity": 9},
        {"language": "fr"},
        {"name": ""},
    ],
)
def test_what_the_database_refuses(database_url: str, changes: dict[str, Any]) -> None:
    with connect(database_url) as connection:
        with pytest.raises(DatabaseError):
            make(connection, **changes)
        assert subscriptions.listed(connection, COUNTY) == []
    assert rows(database_url, "SELECT * FROM audit") == []


def test_its_owner_manages_it_and_nobody_else(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = make(connection).id
        for other in OTHERS:
            assert subscriptions.listed(connection, other) == []
            assert subscriptions.read(connection, other, id_) is None
            assert not subscriptions.disable(connection, other, "x", id_, "")
            assert not subscriptions.end(connection, other, "x", id_)
        assert subscriptions.disable(connection, COUNTY, "li", id_, "休假")
        for other in OTHERS:
            assert not subscriptions.enable(connection, other, "x", id_)
        (row,) = subscriptions.listed(connection, COUNTY)
        assert row["disabled_reason"] == "休假"
        assert not subscriptions.disable(connection, COUNTY, "li", id_, "again")
        assert subscriptions.enable(connection, COUNTY, "li", id_)
        assert not subscriptions.enable(connection, COUNTY, "li", id_)
        assert subscriptions.end(connection, COUNTY, "li", id_)
        for again in (subscriptions.enable, subscriptions.end):
            assert not again(connection, COUNTY, "li", id_)
        assert subscriptions.listed(connection, COUNTY) == []
    actions = [row[0] for row in rows(database_url, "SELECT action FROM audit ORDER BY number")]
    assert actions == [f"subscription.{what}" for what in ("create", "disable", "enable", "end")]


def test_an_owner_has_so_many_and_no_more(database_url: str) -> None:
    def one(_: int) -> bool:
        with connect(database_url) as connection:
            try:
                make(connection)
            except TooManySubscriptionsError:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(MOST + 4))) == MOST
    with connect(database_url) as connection:
        make(connection, COMPANY)
        (first, *_) = subscriptions.listed(connection, COUNTY)
        assert subscriptions.disable(connection, COUNTY, "li", first["id"], "")
        with pytest.raises(TooManySubscriptionsError, match=str(MOST)):
            make(connection)
        assert subscriptions.end(connection, COUNTY, "li", first["id"])
        make(connection)


def test_only_a_success_proves_it(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = make(connection).id
        proven = "SELECT proven, failing_since IS NOT NULL FROM subscriptions"
        assert rows(database_url, proven) == [(False, False)], "never reached"
        health(database_url, Health(id_, True, False))
        assert rows(database_url, proven) == [(True, False)]
        health(database_url, Health(id_, False, False))
        assert rows(database_url, proven) == [(False, True)]
        assert subscriptions.disable(connection, COUNTY, "li", id_, "")
        assert subscriptions.enable(connection, COUNTY, "li", id_)
        assert rows(database_url, proven) == [(False, False)], "enabling proves nothing"


def health(url: str, *told: Health, patience: timedelta = timedelta(days=5)) -> list[uuid.UUID]:
    with connect(url) as connection, connection.transaction(), connection.cursor() as cursor:
        return subscriptions.note_health(cursor, told, patience)


def test_health(database_url: str) -> None:
    with connect(database_url) as connection:
        id_ = make(connection).id
    state = "SELECT failing_since IS NOT NULL, disabled_at IS NOT NULL, disabled_reason FROM subscriptions"
    failed, reached, gone = Health(id_, False, False), Health(id_, True, False), Health(id_, False, True)
    assert health(database_url, failed) == []
    assert rows(database_url, state) == [(True, False, "")]
    since = rows(database_url, "SELECT failing_since FROM subscriptions")
    assert health(database_url, failed) == []
    assert rows(database_url, "SELECT failing_since FROM subscriptions") == since, "since the first failure"
    assert health(database_url, reached) == []
    assert rows(database_url, state) == [(False, False, "")]
    assert health(database_url, failed, patience=timedelta()) == [], "a first failure is no long failure"
    since = rows(database_url, "SELECT failing_since FROM subscriptions")
    assert health(database_url, failed, patience=timedelta()) == [id_]
    assert rows(database_url, "SELECT failing_since FROM subscriptions") == since, "its owner sees since when"
    assert rows(database_url, state) == [(True, True, FAILED)]
    assert health(database_url, failed, patience=timedelta()) == []
    with connect(database_url) as connection:
        assert subscriptions.enable(connection, COUNTY, "li", id_)
    assert rows(database_url, state) == [(False, False, "")]
    assert health(database_url, gone) == [id_]
    assert rows(database_url, state) == [(True, True, GONE)]
