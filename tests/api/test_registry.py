"""The registry over HTTP: imports, versions and their rows, parameters, exemptions."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from ledger.database import connect
from ledger.tablelog import TableLog
from tests.api.world import Web
from tests.ledger.test_registries import told

PERMITS = "permit,plate,number,valid_from,valid_to\nrelay,测L0010,1,2026-03-01,2026-03-31\n"


def post(web: Web, files: Mapping[str, bytes | str], who: str = "centre", **fields: str) -> httpx.Response:
    given = [("file", (name, text.encode() if isinstance(text, str) else text)) for name, text in files.items()]
    return web.people[who]("POST", "/registry/imports", files=given, data=fields)


def test_an_import_is_a_version_of_its_own(web: Web) -> None:
    TableLog.create(web.world.url, 2)
    answer = post(web, {"permits.csv": PERMITS})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "version": 2, "new": 1, "gone": 0, "rows": {"permits": 1}, "left_out": 0, "faults": [],
    }  # fmt: skip
    centre = web.people["centre"]
    first, second = centre.get("/registry/versions")["items"]
    assert (first["version"], first["imported_by"], second["version"]) == (2, "centre", 1)
    assert first["announced_at"]
    page = centre.get("/registry/versions", params={"limit": 1})
    assert centre.get("/registry/versions", params={"after": page["next"]}) == {"items": [second], "next": None}
    (row,) = centre.get("/registry/versions/2/tables/permits")["items"]
    assert (row["place"], row["content"]["number"], row["since_version"]) == (1, "1", 2)
    assert centre.get("/registry/versions/1/tables/permits")["items"] == []
    assert len(centre.get("/registry/versions/2/tables/vehicles")["items"]) == 4, "they stayed"
    for path in ("3/tables/permits", "2/tables/accounts"):
        assert centre("GET", f"/registry/versions/{path}").status_code == 404
    assert web.audited("registry.import")[-1] == ("centre", "registry.import", "version 2")
    assert told(web.world.url) == [(0, b"2"), (1, b"2")]


def test_bad_rows_are_told_and_may_be_left_out(web: Web) -> None:
    bad = PERMITS + "".join(f"passport,测L0010,{at},,\n" for at in range(30))
    answer = post(web, {"permits.csv": bad, "counties.csv": "county,name\n,x\n"})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["detail"].startswith("31 行有误")
    assert len(problem["errors"]) == 20
    assert problem["errors"][0]["field"] == "counties.csv:2"
    assert problem["errors"][1]["field"] == "permits.csv:3"
    assert problem["errors"][1]["detail"].startswith("permits.csv, line 3, field 'permit': expected one of relay")
    assert len(web.people["centre"].get("/registry/versions")["items"]) == 1
    done = post(web, {"permits.csv": bad}, partial="1").json()
    assert (done["version"], done["left_out"], len(done["faults"]), done["rows"]) == (2, 30, 20, {"permits": 1})
    assert done["faults"][0]["file"] == "permits.csv"
    more = post(web, {"permits.csv": PERMITS.replace("relay", "detour")}, add="1").json()
    assert (more["version"], more["rows"]) == (3, {"permits": 2})


def test_what_is_no_import(web: Web) -> None:
    for files, fields in (
        ({"x.csv": "a\n"}, {}),
        ({"permits.csv": PERMITS}, {"datum": "mars"}),
        ({"permits.csv": PERMITS}, {"only": "passports"}),
        ({"..": "x"}, {}),
        ({"permits.xlsx": b"PK"}, {}),
    ):
        answer = post(web, files, **fields)
        assert answer.status_code == 422, (files, answer.text)
        assert "warnloop-import" not in answer.text, "where files lie meanwhile is nobody's business"
    assert web.people["centre"]("POST", "/registry/imports", data={"add": "1"}).status_code in (400, 415, 422)
    fence: dict[str, Any] = {"type": "FeatureCollection", "features": []}
    assert post(web, {"sub/fences.geojson": json.dumps(fence)}).status_code == 200, "its name is what counts"


def test_parameters(web: Web) -> None:
    centre = web.people["centre"]
    wanted = {"parameter": "V01.margin_kmh", "value": 5, "valid_from": "2026-12-01", "classes": "LC", "why": "试点"}
    answer = centre("POST", "/parameters", json=wanted)
    assert (answer.status_code, answer.json()) == (201, {"version": 2, "new": 1, "gone": 0})
    (row,) = centre.get("/parameters")["items"]
    assert row == {
        "group": "V01", "name": "margin_kmh", "value": "5.0", "class": "LC", "valid_from": "2026-12-01", "by": "centre",
        "why": "试点",
    }  # fmt: skip
    for change, field in (
        ({"parameter": "V01.pints"}, "'name'"),
        ({"fence": "nowhere"}, "'fence'"),
        ({"valid_from": "soon"}, "'valid_from'"),
    ):
        refused = centre("POST", "/parameters", json=wanted | change)
        assert refused.status_code == 422
        assert field in refused.json()["errors"][0]["detail"]
    assert centre("POST", "/parameters", json={**wanted, "why": ""}).status_code == 422
    with connect(web.world.url) as connection:
        detail = connection.execute("SELECT detail FROM audit WHERE action = 'parameter.set'").fetchone()
    assert detail is not None
    assert (detail[0]["by"], detail[0]["why"]) == ("centre", "试点")


def test_exemptions(web: Web) -> None:
    text = "number,kind,reason,county,valid_from,valid_to\nE1,V01,暴雪,652301,2026-12-01,2026-12-02\n"
    assert post(web, {"豁免.csv": text}).status_code == 200
    assert web.people["centre"].get("/exemptions") == {
        "version": 2,
        "items": [
            {
                "number": "E1", "kind": "V01", "reason": "暴雪", "county": "652301", "valid_from": "2026-12-01",
                "valid_to": "2026-12-02",
            }
        ],
    }  # fmt: skip


def test_a_key_of_the_scope_is_the_centres_alone(web: Web) -> None:
    made = web.people["centre"]("POST", "/keys", json={"name": "registry", "scopes": ["registry"]})
    assert made.status_code == 201
    refused = web.people["county"]("POST", "/keys", json={"name": "registry", "scopes": ["registry"]})
    assert refused.status_code == 403
