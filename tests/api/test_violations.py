"""Violations as they are listed, filtered, read and moved; what is refused, and how."""

import socket
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from ledger.database import connect
from tests.api.world import API, PNG, Someone, Web, fix, now_ms, raise_violation


def pages(someone: Someone, **filters: Any) -> list[dict[str, Any]]:
    """All pages of a list, two at a time."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {**filters, "limit": 2}
    while True:
        page = someone.get("/violations", params=asked)
        assert len(page["items"]) <= 2
        found += page["items"]
        if page["next"] is None:
            return found
        asked["after"] = page["next"]


def test_pages_give_each_once_and_in_order(web: Web) -> None:
    with connect(web.world.url) as connection:
        at = now_ms()
        for one in range(5):  # some at the same instant
            begins_ms = at - 10_000 * one
            times = {"begins_ms": begins_ms, "ends_ms": begins_ms + 10, "raised_ms": at - 1000 * (one // 2)}
            raise_violation(connection, "652301-L001", kind="V09", **times)
    centre = web.people["centre"]
    found = pages(centre)
    assert [one["id"] for one in found] == [one["id"] for one in centre.get("/violations")["items"]]
    assert len({one["id"] for one in found}) == len(found) == 11
    for first, second in pairwise(found):
        assert (-first["raised_ms"], first["id"]) < (-second["raised_ms"], second["id"])


def test_by_due_the_longest_due_come_first(web: Web) -> None:
    violations = web.world.violations
    with connect(web.world.url) as connection:
        late = violations["652301-F001"][0]
        connection.execute("UPDATE cases SET due_at = now() - interval '1 hour' WHERE violation_id = %s", (late,))
    county = web.people["county"]
    found = pages(county, order="due")
    assert [one["id"] for one in found] == [str(late), str(violations["652301-L001"][0])]
    assert [one["case"]["overdue"] for one in found] == [True, False]
    assert [one["id"] for one in pages(county, overdue=True)] == [str(late)]
    assert str(late) not in {one["id"] for one in pages(county, overdue=False)}
    assert county.get("/summary")["overdue"] == 1


FILTERS: tuple[tuple[dict[str, Any], int], ...] = (
    ({}, 6), ({"kind": "V03"}, 3), ({"kind": ["V03", "V01"]}, 6), ({"kind": "V99"}, 0), ({"severity": 1}, 3),
    ({"severity": [1, 3]}, 6), ({"state": "submitted"}, 2), ({"state": ["submitted", "pushed"]}, 3),
    ({"status": "open"}, 6), ({"status": "withdrawn"}, 0), ({"county": "652301"}, 4),
    ({"company": "652302-H001"}, 2), ({"place_county": "652302"}, 6), ({"plate": "H001"}, 2), ({"plate": "h001"}, 2),
    ({"plate": "%"}, 0), ({"lead": "true"}, 0), ({"lead": "false"}, 6), ({"superseded": "true"}, 0),
    ({"superseded": "false"}, 6), ({"module": "L"}, 2), ({"module": "P"}, 0), ({"module": "H", "severity": 3}, 1),
    ({"module": "S"}, 6), ({"from_ms": 0}, 6), ({"to_ms": 1000}, 0), ({"day": "2020-01-01"}, 0),
)  # fmt: skip


def test_filters(web: Web) -> None:
    for filters, expected in FILTERS:
        found = web.people["centre"].get("/violations", params=filters)
        assert (len(found["items"]), found["next"]) == (expected, None), filters


def test_a_day_is_a_beijing_day(web: Web) -> None:
    midnight_ms = 1_795_795_200_000  # 2026-11-28 00:00 +08:00
    with connect(web.world.url) as connection:
        for raised_ms in (midnight_ms - 1, midnight_ms, midnight_ms + 86_399_999, midnight_ms + 86_400_000):
            plate = "652301-F001" if raised_ms % 2 else "652301-L001"
            raise_violation(connection, plate, kind="V20", begins_ms=raised_ms, raised_ms=raised_ms, ends_ms=raised_ms)
    found = web.people["centre"].get("/violations", params={"day": "2026-11-28", "kind": "V20"})["items"]
    assert [one["raised_ms"] - midnight_ms for one in found] == [86_399_999, 0]


def test_a_superseded_one_says_by_what(web: Web) -> None:
    with connect(web.world.url) as connection:
        raise_violation(connection, "652301-L001", kind="V04", severity=4)
    company = web.people["company"]
    (found,) = company.get("/violations", params={"superseded": True})["items"]
    assert (found["kind"], found["superseded_by"]) == ("V01", "V04")
    assert company.get("/summary")["severity"] == {"1": 1, "2": 0, "3": 0, "4": 1}


def test_a_violation_in_full(web: Web) -> None:
    id_ = web.world.violations["652301-L001"][0]
    found = web.people["county"].get(f"/violations/{id_}")
    assert found["case"]["state"] == "submitted"
    assert "111.5" in found["explanation"]["zh"]["measured"]
    assert "111.5" in found["explanation"]["en"]["measured"]
    assert found["clause"].startswith("《道路交通安全法》")
    assert [one["fact"] for one in found["revisions"]] == ["raised"]
    assert [(one["number"], one["move"], one["role"]) for one in found["moves"]] == [
        (1, "open", "system"), (2, "submit", "company"),
    ]  # fmt: skip
    (file,) = found["moves"][1]["attachments"]
    assert (file["name"], file["media_type"]) == ("证据.png", "image/png")
    answer = web.people["county"]("GET", f"/attachments/{file['sha256']}")
    assert len(answer.content) == file["bytes"]
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_track_is_bounded_and_its_reading_is_audited(web: Web) -> None:
    id_ = web.world.violations["652301-L001"][0]
    with connect(web.world.url) as connection:
        for one in range(20):
            fix(connection, "652301-L001", 100 + one, lon=[87.5], lat=[44.0], speed_kmh=[float("nan")])
    county = web.people["county"]
    track = county.get(f"/violations/{id_}/fixes", params={"limit": 5})
    assert (len(track["items"]), track["cut"]) == (5, True)
    whole = county.get(f"/violations/{id_}/fixes")
    assert (len(whole["items"]), whole["cut"], whole["limit_kmh"]) == (21, False, 100.0)
    times = [one["time_ms"] for one in whole["items"]]
    assert times == sorted(times)
    assert [one["time_ms"] for one in track["items"]][-1] == times[-1]
    assert whole["items"][-1]["speed_kmh"] is None
    assert {one["limit_kmh"] for one in whole["items"]} == {100.0}  # the default of its class: no road is known
    assert web.audited("track.read") == [("county", "track.read", str(id_))] * 2


def test_the_way_of_a_case(web: Web) -> None:
    id_ = web.world.violations["652301-L001"][0]
    county, company = web.people["county"], web.people["company"]
    assert [one["move"] for one in company.get(f"/violations/{id_}/moves/legal")["legal"]] == []
    legal = county.get(f"/violations/{id_}/moves/legal")
    assert {one["move"] for one in legal["legal"]} == {"accept", "return", "false_alarm"}
    moves = f"/violations/{id_}/moves"
    no_words = county("POST", moves, json={"move": "return"})
    assert (no_words.status_code, no_words.json()["type"]) == (422, "/problems/invalid")
    returned = county("POST", moves, json={"move": "return", "words": "请补充", "expected": legal["number"]})
    assert (returned.status_code, returned.json()["state"], returned.json()["number"]) == (200, "returned", 3)
    late = county("POST", moves, json={"move": "accept", "expected": legal["number"]})
    assert late.status_code == 409
    assert (late.json()["type"], late.json()["state"], late.json()["number"]) == (
        "/problems/illegal-move",
        "returned",
        3,
    )
    assert late.json()["legal"] == county.get(f"{moves}/legal")["legal"]
    stored = company("POST", "/attachments", files={"file": ("../../图 片.png", PNG)}).json()
    assert (stored["name"], stored["bytes"], stored["media_type"]) == ("图 片.png", len(PNG), "image/png")
    hung = [{"name": stored["name"], "sha256": stored["sha256"]}]
    again = company("POST", moves, json={"move": "submit", "words": "已整改", "attachments": hung})
    assert again.json()["state"] == "submitted"
    for move, state in (("accept", "accepted"), ("close", "closed")):
        assert county("POST", moves, json={"move": move}).json()["state"] == state
    assert county("POST", moves, json={"move": "close"}).status_code == 409
    found = web.people["centre"].get(f"/violations/{id_}")
    assert [one["to_state"] for one in found["moves"]][-4:] == ["returned", "submitted", "accepted", "closed"]
    assert found["case"]["due_at"] is None


def test_files_are_found_through_ones_own_cases_only(web: Web) -> None:
    sha256 = web.world.files["652302-H001"]
    for who, status in (("company2", 200), ("county2", 200), ("centre", 200), ("company", 404), ("county", 404)):
        assert web.people[who]("GET", f"/attachments/{sha256}").status_code == status, who
    fresh = web.people["company"]("POST", "/attachments", files={"file": ("a.png", PNG)}).json()["sha256"]
    assert web.people["company"]("GET", f"/attachments/{fresh}").status_code == 404, "it hangs on no case"


UNFIT = (
    ("a.png", b"<html><script>alert(1)</script>", 415), ("a.exe", b"MZ" + bytes(100), 415),
    ("a.jpg", PNG, 415), ("a.png", b"", 415), ("a.png", PNG + b"<script>", 415), ("\u202e", PNG, 415),
    ("a.png", PNG[:-4] + bytes(11 << 20), 413),
)  # fmt: skip


def test_disguised_and_large_files_are_refused(web: Web) -> None:
    for name, content, status in UNFIT:
        answer = web.people["company"]("POST", "/attachments", files={"file": (name, content, "image/png")})
        assert answer.status_code == status, (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    with connect(web.world.url) as connection:
        assert connection.execute("SELECT count(*) FROM attachments").fetchone() == (2,)


NO_FORMS = (
    b"", b"rubbish", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--',
)  # fmt: skip


def test_forms_that_are_none(web: Web) -> None:
    for body in NO_FORMS:
        for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "application/json"):
            answer = web.people["company"]("POST", "/attachments", content=body, headers={"Content-Type": kind})
            assert answer.status_code in (400, 422), (kind, answer.text)
            assert answer.json()["type"] in ("/problems/bad-request", "/problems/invalid")


@pytest.mark.parametrize("chunked", [False, True])
def test_two_gigabytes_are_refused_early(web: Web, chunked: bool) -> None:
    """The sender hears of it after far less; nothing of it is kept."""
    token = web.people["company"].headers["Cookie"]
    place = urlsplit(str(web.client.base_url))
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {2 << 30}"
    head = (
        f"POST {API}/attachments HTTP/1.1\r\nHost: x\r\nCookie: {token}\r\nX-Warnloop: 1\r\n{size}\r\n"
        'Content-Type: multipart/form-data; boundary=x\r\n\r\n'
    ).encode()  # fmt: skip
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG[:60]
    chunk = bytes(1 << 20)
    sent, answer = 0, b""
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as sock:
        sock.sendall(head)
        try:
            for part in (start, *[chunk] * 2048):
                sock.sendall(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
                sent += len(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = sock.recv(4096)
        except ConnectionResetError:
            assert sent < 64 << 20
            return
    assert b" 413 " in answer.splitlines()[0]
    assert sent < 64 << 20


WRONG = (
    ("/violations?limit=0", "query.limit"), ("/violations?limit=201", "query.limit"),
    ("/violations?severity=5", "query.severity.0"), ("/violations?state=lost", "query.state.0"),
    ("/violations?day=2026-13-01", "query.day"), ("/violations?plate=%00", "query.plate"),
    ("/violations?after=x", "query.after"), ("/violations?after=W10", "query.after"),
    ("/violations/none", "path.violation_id"), ("/reports?after=e30", "query.after"),
    ("/violations?from_ms=-1", "query.from_ms"), ("/violations?from_ms=99999999999999999999", "query.from_ms"),
    ("/attachments/xyz", "path.sha256"), ("/violations?module=X", "query.module"),
)  # fmt: skip


def test_what_is_wrong_is_named(web: Web) -> None:
    for path, field in WRONG:
        answer = web.people["centre"]("GET", path)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid"), path
        assert [one["field"] for one in answer.json()["errors"]] == [field]


NO_MOVES = (
    b"{", b"[]", b'"x"', b"\xff", b'{"move": "submit", "words": "\\ud800"}', b'{"move": "submit", "words": "\\u0000"}',
    b'{"move": "x\\u0000"}', b'{"move": "open"}', b'{"move": "supersede"}', b'{"move": "accept", "words": 3}',
    b'{"move": "accept", "surprise": 1}', b'{"move": "accept", "expected": 99999999999}',
)  # fmt: skip


def test_moves_that_are_none(web: Web) -> None:
    path = f"/violations/{web.world.violations['652301-L001'][0]}/moves"
    for body in NO_MOVES:
        answer = web.people["county"]("POST", path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), (body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_cursor_of_one_order_is_none_of_another(web: Web) -> None:
    after = web.people["centre"].get("/violations", params={"limit": 1})["next"]
    answer = web.people["centre"]("GET", "/violations", params={"after": after, "order": "due"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")


def test_unknown_paths_and_methods(web: Web) -> None:
    assert web.people["centre"]("GET", "/nothing").json()["type"] == "/problems/no-such"
    assert web.people["centre"]("PATCH", "/violations").json()["type"] in ("/problems/not-allowed", "/problems/no-such")
    assert web.people["centre"]("GET", f"/violations/{uuid4()}").json()["type"] == "/problems/no-such"
