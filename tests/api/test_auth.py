"""Who gets in: sessions, keys, forged and expired ones, guesses, other sites."""

import re
from uuid import uuid4

import httpx

from api.app import make_app
from ledger import accounts
from ledger.database import connect
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
    answer = web.nobody(
        "POST", "/session", json={"login": "county", "password": RIGHT}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "Secure" in answer.headers["set-cookie"]


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
    for _ in range(accounts.FREE_TRIES):
        answer = web.nobody("POST", "/session", json=guess)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/wrong-login")
        assert "set-cookie" not in answer.headers
    answer = web.nobody("POST", "/session", json={"login": "county2", "password": RIGHT})
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-tries")
    assert 0 < int(answer.headers["retry-after"]) <= accounts.FIRST_WAIT_S
    assert web.people["county2"].get("/session")  # who is in stays in
    assert len(web.audited("login.fail")) == accounts.FREE_TRIES


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
    assert (health["status"], health["database"]) == ("ok", "0005")
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
