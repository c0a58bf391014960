"""Every route × every role × another tenant's id."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from api.app import make_app
from api.permissions import ADMINISTRATOR, CASE_MOVER, MANAGER, MEMBER, READER, REGISTRAR, SUBSCRIBER, Permission
from ledger.principal import Role
from tests.api.world import PEOPLE, PNG, Someone, Web

OPEN = {("GET", "/healthz"), ("GET", "/metrics"), ("POST", "/api/v1/session")}
"""Routes that nobody need log in for; and /openapi.json and the screens, which are no routes of ours."""

NEEDS = {
    MEMBER: {("GET", "/session"), ("DELETE", "/session")},
    READER: {
        ("GET", "/violations"), ("GET", "/violations/{violation_id}"), ("GET", "/violations/{violation_id}/fixes"),
        ("GET", "/attachments/{sha256}"), ("GET", "/summary"), ("GET", "/counties"), ("GET", "/companies"),
        ("GET", "/catalogue"), ("GET", "/positions"), ("GET", "/stream"), ("GET", "/reports"),
        ("GET", "/reports/{report_id}"), ("GET", "/reports/{report_id}/files/{form}"),
        ("GET", "/reports/{report_id}/deliveries"), ("GET", "/warnings"), ("GET", "/warnings/outcomes"),
    },
    CASE_MOVER: {
        ("GET", "/violations/{violation_id}/moves/legal"), ("POST", "/violations/{violation_id}/moves"),
        ("POST", "/attachments"),
    },
    MANAGER: {("GET", "/keys"), ("POST", "/keys"), ("DELETE", "/keys/{key_id}")},
    SUBSCRIBER: {
        ("GET", "/subscriptions"), ("POST", "/subscriptions"), ("GET", "/subscriptions/{subscription_id}"),
        ("DELETE", "/subscriptions/{subscription_id}"), ("POST", "/subscriptions/{subscription_id}/enable"),
        ("POST", "/subscriptions/{subscription_id}/disable"), ("GET", "/subscriptions/{subscription_id}/deliveries"),
        ("GET", "/deliveries/{delivery_id}"),
    },
    REGISTRAR: {
        ("POST", "/registry/imports"), ("GET", "/registry/versions"),
        ("GET", "/registry/versions/{version}/tables/{table}"), ("GET", "/parameters"), ("POST", "/parameters"),
        ("GET", "/exemptions"),
    },
    ADMINISTRATOR: {
        ("GET", "/accounts"), ("POST", "/accounts"), ("POST", "/accounts/{account_id}/disable"),
        ("POST", "/accounts/{account_id}/enable"), ("PUT", "/accounts/{account_id}/password"),
    },
}  # fmt: skip
"""Permission to the routes that need it, written down by hand."""

MAY = {
    MEMBER: {"centre", "operator", "county", "company"},
    READER: {"centre", "operator", "county", "company"},
    CASE_MOVER: {"centre", "operator", "county", "company"},
    MANAGER: {"centre", "county", "company"},
    SUBSCRIBER: {"centre", "county", "company"},
    REGISTRAR: {"centre"},
    ADMINISTRATOR: {"centre"},
}
SCOPES = {
    MEMBER: set(), READER: {"read"}, CASE_MOVER: {"casework"}, MANAGER: {"manage"}, SUBSCRIBER: {"manage", "read"},
    REGISTRAR: {"registry"}, ADMINISTRATOR: set(),
}  # fmt: skip

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/violations/{violation_id}/moves"): {"json": {"move": "false_alarm", "words": "no"}},
    ("POST", "/attachments"): {"files": {"file": ("a.png", PNG, "image/png")}},
    ("POST", "/subscriptions"): {"json": {"name": "x", "channel": "webhook", "target": "https://example.org/"}},
    ("POST", "/keys"): {"json": {"name": "x", "scopes": ["read"]}},
    ("POST", "/accounts"): {"json": {"login": "somebody", "password": "correct horse", "role": "centre"}},
    ("POST", "/registry/imports"): {"files": {"file": ("parameters.csv", b"group,name,value\n", "text/csv")}},
    ("POST", "/parameters"): {
        "json": {"parameter": "V01.margin_kmh", "value": 4, "valid_from": "2026-12-01", "why": "a trial"}
    },
    ("PUT", "/accounts/{account_id}/password"): {"json": {"password": "correct horse"}},
}


def walk(routes: Any, prefix: str = "") -> Iterator[tuple[str, APIRoute]]:
    """All routes, those of routers within routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield prefix + route.path, route
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes, prefix + route.include_context.prefix)
        else:
            assert getattr(route, "name", "") in ("openapi", "screens"), f"{route} is known to nobody"


def permissions(dependant: Any) -> Iterator[Permission]:
    for one in dependant.dependencies:
        if isinstance(one.call, Permission):
            yield one.call
        yield from permissions(one)


def test_every_route_has_exactly_one_permission() -> None:
    app = make_app("postgresql://nowhere/none")
    found = {}
    for path, route in walk(app.routes):
        for method in route.methods or ():
            found[method, path] = list(permissions(route.dependant))
    described = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    assert set(found) == described
    assert {one for one, needs in found.items() if not needs} == OPEN
    expected = {(method, f"/api/v1{path}"): need for need, those in NEEDS.items() for method, path in those}
    assert {one: needs[0] for one, needs in found.items() if needs} == expected
    assert all(len(needs) < 2 for needs in found.values())


def test_permissions_are_what_is_written_down() -> None:
    assert {need: {str(role) for role in need.roles} for need in NEEDS} == MAY
    assert {need: set(need.scopes) for need in NEEDS} == SCOPES
    assert [need for need in NEEDS if need.people] == [ADMINISTRATOR]


def ids(web: Web, whose: str) -> dict[str, str]:
    """Ids of what belongs to a tenant; what belongs to nobody where there is no such tenant."""
    world = web.world
    company = {"county": "652301-L001", "company": "652301-L001", "county2": "652302-H001", "company2": "652302-H001"}
    of = company.get(whose, "652301-L001")
    found = {
        "violation_id": world.violations[of][0], "sha256": world.files[of], "form": "pdf",
        "report_id": world.reports.get(whose), "subscription_id": world.subscriptions.get(whose),
        "delivery_id": world.deliveries.get(whose), "key_id": world.keys.get(whose),
    }  # fmt: skip
    return {name: str(value) for name, value in found.items()}


def nobodys() -> dict[str, str]:
    names = ("violation_id", "report_id", "subscription_id", "delivery_id", "key_id", "account_id")
    return {name: str(uuid4()) for name in names} | {
        "sha256": 64 * "0", "form": "pdf", "version": "999", "table": "vehicles",
    }  # fmt: skip


def others(web: Web, who: str) -> dict[str, str]:
    """Ids that somebody may not see: another tenant's; for the centre, which sees all, those of nothing."""
    if who == "centre":
        # subscriptions, deliveries and keys are their owner's alone, whoever asks
        own = {
            name: id_
            for name, id_ in ids(web, "county").items()
            if name in ("subscription_id", "delivery_id", "key_id")
        }
        return nobodys() | own
    if who == "operator":
        return nobodys()
    return nobodys() | ids(web, f"{who}2")


def ask(someone: Someone, method: str, path: str, given: dict[str, str]) -> int:
    return someone(method, path.format(**given), **BODIES.get((method, path), {})).status_code


def test_the_matrix(web: Web) -> None:
    wrong, asked = [], 0
    for need, routes in NEEDS.items():
        for method, path in sorted(routes):
            if path == "/session" and method == "DELETE":
                continue
            outcomes: dict[str, tuple[int, tuple[int, ...]]] = {}
            outcomes["nobody"] = ask(web.nobody, method, path, nobodys()), (401,)
            for who in ("centre", "operator", "county", "company"):
                if path == "/stream" and who in MAY[need]:
                    continue  # endless: tests/api/test_stream.py
                expected: tuple[int, ...] = (403,) if who not in MAY[need] else (404,) if "{" in path else (200, 201)
                outcomes[who] = ask(web.people[who], method, path, others(web, who)), expected
                principal = PEOPLE[who]
                if need.people:
                    every = web.by_key(principal, "ingest", "read", "casework", "manage", "registry")
                    outcomes[f"{who}, key"] = ask(every, method, path, others(web, who)), (403,)
                for scope in SCOPES[need]:
                    small = web.by_key(principal, *({"ingest", "read", "casework", "manage", "registry"} - {scope}))
                    outcomes[f"{who}, no {scope}"] = ask(small, method, path, others(web, who)), (403,)
                    if who in MAY[need] and path not in ("/stream", "/keys"):
                        fit = web.by_key(principal, *SCOPES[need])
                        outcomes[f"{who}, key"] = ask(fit, method, path, others(web, who)), expected
            for who, (status, expected) in outcomes.items():
                asked += 1
                if status not in expected:
                    wrong.append((method, path, who, status, expected))
    assert not wrong
    assert asked > 250


def test_ones_own_is_there(web: Web) -> None:
    """The same ids do work for their owners: the 404s above are no broken routes."""
    for who in ("county", "company"):
        given = ids(web, who)
        for method, path in sorted(NEEDS[READER] | NEEDS[CASE_MOVER] | NEEDS[MANAGER] | NEEDS[SUBSCRIBER]):
            if "{" in path and method == "GET":
                assert ask(web.people[who], method, path, given) == 200, (who, path)
    for path in ("/subscriptions/{subscription_id}/disable", "/subscriptions/{subscription_id}/enable"):
        assert ask(web.people["county"], "POST", path, ids(web, "county")) == 200
    for path in ("/subscriptions/{subscription_id}", "/keys/{key_id}"):
        assert ask(web.people["county"], "DELETE", path, ids(web, "county")) == 204
        assert ask(web.people["county2"], "GET", "/subscriptions/{subscription_id}", ids(web, "county2")) == 200
    assert ask(web.people["county"], "POST", "/violations/{violation_id}/moves", ids(web, "county")) == 200


@pytest.mark.parametrize("whose", ["county", "company"])
def test_lists_hold_ones_own(web: Web, whose: str) -> None:
    someone, principal = web.people[whose], PEOPLE[whose]
    field = "county" if principal.role is Role.COUNTY else "company"
    for path in ("/violations", "/reports", "/companies"):
        found = someone.get(path)["items"]
        assert found
        assert {one[field] for one in found} == {principal.tenant}
    for path, kept in (("/subscriptions", web.world.subscriptions), ("/keys", web.world.keys)):
        assert [one["id"] for one in someone.get(path)["items"]] == [str(kept[whose])]
    positions = someone.get("/positions")["vehicles"]
    assert {row[3 if field == "company" else 4] for row in positions} == {principal.tenant}
    summary = someone.get("/summary")
    assert summary["vehicles"] == {"county": 3, "company": 2}[whose], "one is registered and was never heard of"
    everything = web.people["centre"].get("/summary")
    assert everything["vehicles"] == 4
    assert everything["online"] == 3
    assert sum(everything["severity"].values()) > sum(summary["severity"].values()) > 0
    # a filter narrows what is one's own, and opens nothing
    assert someone.get("/violations", params={"county": "652302"})["items"] == []
    assert someone.get("/violations", params={"company": "652302-H001"})["items"] == []
