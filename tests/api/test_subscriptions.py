"""Subscriptions over the API: so many a party, and another is said to be too many."""

from ledger import subscriptions
from tests.api.world import Web


def test_one_too_many_is_a_conflict(web: Web) -> None:
    wanted = {"name": "x", "channel": "webhook", "target": "https://example.org/"}
    county = web.people["county"]
    left = subscriptions.MOST - len(county.get("/subscriptions")["items"])
    answers = [county("POST", "/subscriptions", json=wanted) for _ in range(left + 1)]
    assert [answer.status_code for answer in answers] == [201] * left + [409]
    assert answers[-1].json()["type"] == "/problems/conflict"
    assert str(subscriptions.MOST) in answers[-1].json()["detail"]
    ended = answers[0].json()["id"]
    assert county("DELETE", f"/subscriptions/{ended}").status_code == 204
    assert county("POST", "/subscriptions", json=wanted).status_code == 201
