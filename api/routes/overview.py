"""Overview: what stands at a glance, and what codes mean."""

import inspect
from typing import Any

import msgspec
from fastapi import APIRouter, Response

from api import overview
from api.kinds import CLASS_NAMES, SEVERITIES, as_record
from api.permissions import Reader
from api.schemas import Catalogue, Company, Outlines, Page, Positions, Summary
from api.state import Db, Held
from detectors.catalogue import CATALOGUE
from ledger.directory import MODULES
from ledger.moves import MOVES, STATE_NAMES

router = APIRouter(tags=["overview"])

KEPT_S = 2.0
"""How long a summary may be old [s]."""


@router.get("/summary")
def summary(caller: Reader, connection: Db, held: Held) -> Summary:
    """Vehicles, violations of today and cases, by module and county."""
    principal = caller.principal
    found = held.kept.get(principal, KEPT_S, lambda: overview.summary(connection, principal, held.live))
    return Summary.model_validate(found)


@router.get("/counties")
def counties(_: Reader, held: Held) -> Outlines:
    """Outlines of the counties."""
    return Outlines.model_validate({"type": "FeatureCollection", "features": held.live.directory.outlines()})


@router.get("/companies")
def companies(caller: Reader, held: Held) -> Page[Company]:
    """Companies that the caller has to do with."""
    found = held.live.directory.companies_of(caller.principal)
    return Page(items=[Company.model_validate(one._asdict()) for one in found])


@router.get("/catalogue")
def catalogue(_: Reader) -> Catalogue:
    """Kinds of violations, and the names of what else is coded."""
    return Catalogue.model_validate(
        {
            "items": [
                {**as_record(kind), "rule": inspect.cleandoc(kind.doc).partition("\n\nParameters\n")[0]}
                for kind in CATALOGUE.values()
            ],
            "severities": {str(one): _names(text) for one, text in SEVERITIES.items()},
            "classes": {letter: _names(text) for letter, text in CLASS_NAMES.items()},
            "modules": {module: {"zh": zh, "en": en} for module, (zh, en, _) in MODULES.items()},
            "states": {str(state): {"zh": zh, "en": en} for state, (zh, en) in STATE_NAMES.items()},
            "moves": {move.name: {"zh": move.zh, "en": move.en} for move in MOVES.values()},
        }
    )


@router.get("/positions", response_model=Positions)
def positions(caller: Reader, held: Held) -> Response:
    """Where the caller's vehicles are."""
    picture = held.live.picture(caller.principal)
    return Response(msgspec.json.encode(picture.told()), media_type="application/json")


def _names(text: str) -> dict[str, Any]:
    """Chinese and English of a text that holds both."""
    zh, _, en = text.partition(" ")
    return {"zh": zh, "en": en}
