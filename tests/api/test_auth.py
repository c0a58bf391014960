"""Who gets in: sessions, keys, forged and expired ones, guesses, other sites."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import uuid4

import httpx
from psycopg_pool import ConnectionPool

from api.app import make_app
from ledger import guesses
from ledger.database import connect
from ledger.migrate import versions
from tests.api.world import API, PEOPLE, RIGHT, Someone, Web, serving


def test_log_in_look_log_out(web: Web) -> None:
    answer = web.nobody("POST", "/session", json={"login": "county", "password": RIGHT})
    web.client.cookies.clear()
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(r"warnloop=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict", cookie)
    me = answer.json()
    assert (me["role"], me["tenant"], me["tenant_name"]) == ("county", "652301", "甲市")
    assert me["can"] == ["read", "casework", "manage"]
    someone = web.log_in("county")
    assert someone.get("/session") | {"now_ms": 0, "expires_at": ""} == me | {"now_ms": 0, "expires_at": ""}
    assert someone("DELETE", "/session").status_code == 204
    assert someone("GET", "/session").status_code == 401
    assert [row[:2] for row in web.audited("login", "logout")][-3:] == [
        ("county", "login"), ("county", "login"), ("county", "logout"),
    ]  # fmt: skip


def test_the_cookie_is_secure_where_the_way_is(web: Web) -> None:
    encrypted = {"X-Forwarded-Proto": "https"}
    answer = web.nobody("POST", "/session", json={"login": "county", "password": RIGHT}, headers=encrypted)
    web.client.cookies.clear()
    cookie, *marks = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-warnloop=")
    assert {"Secure", "Path=/", "HttpOnly"} <= set(marks)
    for name, status in ((cookie, 200), (cookie.removeprefix("__Host-"), 401)):  # a neighbouring host can set the other
        assert web.nobody("GET", "/session", headers=encrypted | {"Cookie": name}).status_code == status
    gone = web.nobody("DELETE", "/session", headers=encrypted | {"Cookie": cookie}).headers["set-cookie"]
    assert gone.startswith('__Host-warnloop="";')
    assert "Secure" in gone


FORGED = (
    {"Cookie": "warnloop=forged"},
    {"Cookie": "warnloop=" + 43 * "A"},
    {"Cookie": 'warnloop="; DROP TABLE sessions"'},
    {"Authorization": "Bearer wl_forged"},
    {"Authorization": "Bearer"},
    {"Authorization": "Basic Y2VudHJlOmNvcnJlY3QgaG9yc2U="},
    {"Authorization": "Bearer wl_\xff\xfe"},
)


def test_forged_ones_are_told_so(web: Web) -> None:
    for headers in FORGED:
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        for method, path in (("GET", "/violations"), ("POST", f"/violations/{uuid4()}/moves"), ("DELETE", "/session")):
            answer = web.nobody(method, path, headers=sent)
            assert answer.status_code == 401, (headers, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["type"] == "/problems/not-logged-in"


def test_expired_disabled_and_revoked_ones_are_out(web: Web) -> None:
    someone, other = web.log_in("county"), web.log_in("company")
    with connect(web.world.url) as connection:
        connection.execute(
            "UPDATE sessions SET expires_at = now() WHERE account_id = (SELECT id FROM accounts WHERE login = 'county')"
        )
    assert someone("GET", "/violations").status_code == 401
    people = {one["login"]: one["id"] for one in web.people["centre"].get("/accounts")["items"]}
    assert web.people["centre"]("POST", f"/accounts/{people['company']}/disable").json()["disabled_at"] is not None
    assert other("GET", "/violations").status_code == 401
    assert web.nobody("POST", "/session", json={"login": "company", "password": RIGHT}).status_code == 401
    made = web.people["county2"]("POST", "/keys", json={"name": "x", "scopes": ["read"]}).json()
    program = Someone(web.client, {"Authorization": f"Bearer {made['key']}"})
    assert program.get("/violations")["items"]
    assert web.people["county2"]("DELETE", f"/keys/{made['id']}").status_code == 204
    assert program("GET", "/violations").status_code == 401
    assert made["key"] not in str(web.audited("key.create", "key.revoke"))


def test_keys_of_a_disabled_account_rest(web: Web) -> None:
    centre = web.people["centre"]
    made = web.people["county"]("POST", "/keys", json={"name": "x", "scopes": ["read", "manage"]}).json()
    program = Someone(web.client, {"Authorization": f"Bearer {made['key']}"})
    made = program("POST", "/keys", json={"name": "its own", "scopes": ["read"]}).json()
    its_own = Someone(web.client, {"Authorization": f"Bearer {made['key']}"})
    own = next(one["id"] for one in centre.get("/accounts")["items"] if one["login"] == "county")
    for change, status in (("disable", 401), ("enable", 200)):
        assert centre("POST", f"/accounts/{own}/{change}").status_code == 200
        for one in (program, its_own):
            assert one("GET", "/violations").status_code == status


def test_no_key_makes_accounts(web: Web) -> None:
    """Not even the centre's with every scope: it would be as good as a login of the centre."""
    program = web.by_key(PEOPLE["centre"], "ingest", "read", "casework", "manage")
    own = next(one["id"] for one in web.people["centre"].get("/accounts")["items"] if one["login"] == "centre")
    wanted = {"login": "zhang", "password": "long enough", "role": "centre"}
    assert program("POST", "/accounts", json=wanted).status_code == 403
    assert program("PUT", f"/accounts/{own}/password", json={"password": "long enough"}).status_code == 403
    assert "administer" not in program.get("/session")["can"]


def test_who_manages_without_reading_subscribes_to_nothing(web: Web) -> None:
    wanted = {"name": "x", "channel": "webhook", "target": "https://example.org/"}
    assert web.by_key(PEOPLE["centre"], "manage")("POST", "/subscriptions", json=wanted).status_code == 403
    assert web.by_key(PEOPLE["centre"], "manage", "read")("POST", "/subscriptions", json=wanted).status_code == 201


def test_guesses_elsewhere_lock_out_nobody(web: Web) -> None:
    guess = {"json": {"login": "centre", "password": "wrong password"}, "headers": {"X-Forwarded-For": "192.0.2.1"}}
    for _ in range(guesses.FREE_TRIES):
        assert web.nobody("POST", "/session", **guess).status_code == 401
    assert web.nobody("POST", "/session", **guess).status_code == 429
    assert web.log_in("centre").get("/session")["role"] == "centre"


def pool_of(web: Web) -> ConnectionPool:
    found = web.app.state.held.pool._pool
    assert isinstance(found, ConnectionPool)
    return found


def test_who_waits_for_a_turn_holds_no_connection(web: Web) -> None:
    """However many passwords are waiting to be looked at, others are answered, and who is one too many is told so."""
    with ExitStack() as busy:
        for _ in range(2):
            busy.enter_context(guesses.turn("192.0.2.9"))
        with ThreadPoolExecutor(guesses.PLACES_OF_ONE) as pool:
            asked = {"json": {"login": "county", "password": RIGHT}}
            waiting = [pool.submit(web.nobody, "POST", "/session", **asked) for _ in range(guesses.PLACES_OF_ONE)]
            until = time.monotonic() + 4
            while guesses.waiting() < guesses.PLACES_OF_ONE + 2:
                assert time.monotonic() < until
            while (stats := pool_of(web).get_stats())["pool_available"] < stats["pool_size"]:
                assert time.monotonic() < until, "somebody holds a connection"
            refused = web.nobody("POST", "/session", **asked)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            busy.close()
            statuses = [one.result().status_code for one in waiting]
    assert 200 in statuses
    assert set(statuses) <= {200, 429}


def test_logins_are_told_to_their_own_party_and_the_centre(web: Web) -> None:
    violation = web.world.violations["652301-L001"][0]
    moved = web.people["centre"]("POST", f"/violations/{violation}/moves", json={"move": "return", "words": "x"})
    assert moved.status_code == 200
    web.people["county"].get(f"/reports/{web.world.reports['county']}")
    hidden = {"centre": set(), "operator": set(), "county": {"company", "centre"}, "company": {"centre"}}
    for who, others in hidden.items():
        moves = web.people[who].get(f"/violations/{violation}")["moves"]
        assert [(one["role"], one["actor"]) for one in moves] == [
            (role, "" if role in others else actor)
            for role, actor in (("system", "warnloop"), ("company", "company"), ("centre", "centre"))
        ]
    receipts = f"/reports/{web.world.reports['county']}/deliveries"
    for who in ("centre", "county"):
        assert [one["reader"] for one in web.people[who].get(receipts)["receipts"]] == ["county"]
    receipts = f"/reports/{web.world.reports['company']}/deliveries"
    web.people["company"].get(f"/reports/{web.world.reports['company']}")
    (receipt,) = web.people["county"].get(receipts)["receipts"]
    assert (receipt["reader"], receipt["role"], receipt["tenant_name"]) == ("", "company", "示范L公司")


def test_a_day_has_no_time(web: Web) -> None:
    for path in ("/violations", "/reports"):
        assert web.people["county"]("GET", path, params={"day": "2026-11-28"}).status_code == 200
        for day in ("2026-11-28T00:00", "2026-11-28T00:00:00Z", "1795795200", "2026-11-31", "20261128", "２026-11-28"):
            answer = web.people["county"]("GET", path, params={"day": day})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.day"), day


def test_another_site_cannot_act_with_a_cookie(web: Web) -> None:
    someone = web.log_in("county")
    del someone.headers["X-Warnloop"]
    move = {"json": {"move": "return", "words": "x"}}
    violation = web.world.violations["652301-L001"][0]
    answer = someone("POST", f"/violations/{violation}/moves", **move)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/forbidden")
    assert someone("DELETE", "/session").status_code == 403
    assert someone("GET", "/violations").status_code == 200
    program = web.by_key(PEOPLE["county"], "casework")  # no cookie, no harm
    assert program("POST", f"/violations/{violation}/moves", **move).status_code == 200


def test_guesses_are_slowed(web: Web) -> None:
    guess = {"login": "county2", "password": "wrong password"}
    for _ in range(guesses.FREE_TRIES):
        answer = web.nobody("POST", "/session", json=guess)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/wrong-login")
        assert "set-cookie" not in answer.headers
    answer = web.nobody("POST", "/session", json={"login": "county2", "password": RIGHT})
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-tries")
    assert 0 < int(answer.headers["retry-after"]) <= guesses.FIRST_WAIT_S
    assert web.people["county2"].get("/session")  # who is in stays in
    assert len(web.audited("login.fail")) == guesses.FREE_TRIES


def test_a_key_gives_no_more_than_it_has(web: Web) -> None:
    program = web.by_key(PEOPLE["county"], "manage")
    assert program("POST", "/keys", json={"name": "x", "scopes": ["read"]}).status_code == 403
    assert program("POST", "/keys", json={"name": "x", "scopes": ["manage"]}).status_code == 201
    ingest = {"name": "x", "scopes": ["ingest"]}
    assert web.people["county"]("POST", "/keys", json=ingest).status_code == 403
    assert web.people["centre"]("POST", "/keys", json=ingest).status_code == 201
    assert web.by_key(PEOPLE["centre"], "manage")("POST", "/keys", json=ingest).status_code == 403
    assert program.get("/session")["can"] == ["manage"]


def test_accounts_are_the_centres_to_make(web: Web) -> None:
    centre = web.people["centre"]
    wanted = {"login": "zhang", "password": "long enough", "role": "company", "tenant": "652301-F001"}
    made = centre("POST", "/accounts", json=wanted)
    assert (made.status_code, made.json()["tenant_name"]) == (201, "示范F公司")
    again = centre("POST", "/accounts", json=wanted)
    assert (again.status_code, again.json()["type"]) == (422, "/problems/invalid")
    for change in (
        {"tenant": ""},
        {"role": "centre"},
        {"role": "king"},
        {"password": "short"},
        {"login": "a b"},
        {"login": "张"},
        {"login": "System"},
        {"tenant": "652301-F002"},
        {"role": "county", "tenant": "652309"},
        {"x": 1},
    ):
        answer = centre("POST", "/accounts", json=wanted | {"login": "li"} | change)
        assert answer.status_code == 422, change
        assert "long enough" not in answer.text
    changed = centre("PUT", f"/accounts/{made.json()['id']}/password", json={"password": "another one"})
    assert changed.status_code == 204
    assert web.nobody("POST", "/session", json={"login": "zhang", "password": "another one"}).status_code == 200
    own = next(one["id"] for one in centre.get("/accounts")["items"] if one["login"] == "centre")
    last = centre("POST", f"/accounts/{own}/disable")
    assert (last.status_code, last.json()["type"]) == (409, "/problems/conflict")
    told = str(web.audited("account.create", "account.password", "account.disable"))
    assert "zhang" in told
    assert "long enough" not in told


def test_every_answer_has_its_guards(web: Web) -> None:
    for method, path in (("GET", "/violations"), ("GET", "/nothing"), ("POST", "/session")):
        headers = web.nobody(method, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_screens_are_served_with_their_tags(web: Web) -> None:
    page = web.client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    again = web.client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304
    for path in ("/js", "/js/", "/../api/app.py", "/%2e%2e/app.py", "/..%2fapp.py", "/nothing.html"):
        answer = web.client.get(path)
        assert answer.status_code == 404, path


def test_health_metrics_and_description_need_no_login(web: Web) -> None:
    health = web.client.get("/healthz").json()
    assert (health["status"], health["database"]) == ("ok", versions()[-1])
    web.people["county"].get("/violations")
    metrics = web.client.get("/metrics").text
    assert 'warnloop_http_requests_total{method="GET",route="/api/v1/violations",status="200"} 1.0' in metrics
    described = web.client.get("/openapi.json").json()
    assert f"{API}/violations" in described["paths"]


def test_a_database_out_of_reach_is_said() -> None:
    app = make_app("postgresql://warnloop@127.0.0.1:9/none", patience_s=0.5)
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        for path in ("/healthz", f"{API}/violations"):
            answer = client.get(path, headers={"Cookie": "warnloop=x"})
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
            assert answer.headers["retry-after"] == "5"
            assert "127.0.0.1" not in answer.text
