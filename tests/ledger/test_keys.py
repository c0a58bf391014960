"""Keys: made, found, revoked; each principal's own."""

from uuid import uuid4

import pytest

from ledger import accounts, keys
from ledger.database import connect
from ledger.principal import CENTRE, Principal, Role
from tests.ledger.made import rows

COUNTY, OTHER = Principal(Role.COUNTY, "652301"), Principal(Role.COUNTY, "652302")


def test_a_key_is_found_until_it_is_revoked(database_url: str) -> None:
    with connect(database_url) as connection:
        id_, key = keys.create(connection, COUNTY, "接口 one", ("read", "casework", "read"), "county")
        found = keys.find(connection, key)
        assert found is not None
        assert (found.id, found.name, found.principal) == (id_, "接口 one", COUNTY)
        assert found.scopes == {"read", "casework"}
        for forged in (key[:-1], key + "x", key[3:], "wl_", "", "wl_\ud800"):
            assert keys.find(connection, forged) is None
        assert not keys.revoke(connection, OTHER, "other", id_)
        assert not keys.revoke(connection, Principal(Role.COMPANY, "652301"), "other", id_)
        assert keys.find(connection, key) == found
        assert keys.revoke(connection, COUNTY, "county", id_)
        assert keys.find(connection, key) is None
        assert not keys.revoke(connection, COUNTY, "county", uuid4())
        (listed,) = keys.listed(connection, COUNTY)
        assert listed["revoked_at"] is not None
        assert keys.listed(connection, OTHER) == keys.listed(connection, CENTRE) == []
    everything = str(rows(database_url, "SELECT to_jsonb(k) FROM api_keys AS k")) + str(
        rows(database_url, "SELECT actor, action, subject, detail FROM audit")
    )
    assert key not in everything
    assert key[3:] not in everything


def test_keys_of_a_disabled_account_rest(database_url: str) -> None:
    with connect(database_url) as connection:
        mine, others = (accounts.create(connection, login, "correct horse", COUNTY, "test") for login in ("li", "wu"))
        _, key = keys.create(connection, COUNTY, "x", ("read",), "li", mine)
        _, other = keys.create(connection, COUNTY, "x", ("read",), "wu", others)
        _, machine = keys.create(connection, COUNTY, "x", ("read",), "command line")
        assert accounts.disable(connection, mine, "test")
        assert keys.find(connection, key) is None
        assert keys.find(connection, other) is not None
        assert keys.find(connection, machine) is not None
        assert accounts.enable(connection, mine, "test")
        found = keys.find(connection, key)
        assert found is not None
        assert found.account_id == mine


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ("read",)), (" ", ("read",)), ("x", ()), ("x", ("all",)), ("a\nb", ("read",))]
)
def test_a_key_that_is_none(database_url: str, name: str, scopes: tuple[str, ...]) -> None:
    with connect(database_url) as connection, pytest.raises(ValueError, match="须为"):
        keys.create(connection, COUNTY, name, scopes, "county")
