"""Health: what watches over this process asks; nobody need log in."""

from importlib.metadata import version

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.state import Db, Held
from ledger.migrate import version_of
from ledger.pool import server_version

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """That all is well, and versions."""

    status: str
    version: str
    database: str
    postgresql: str


@router.get("/healthz")
def health(connection: Db) -> Health:
    """See whether the database is reached."""
    return Health(
        status="ok",
        version=version("warnloop"),
        database=version_of(connection),
        postgresql=server_version(connection),
    )


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(held: Held) -> Response:
    """Metrics of this process, for Prometheus."""
    held.metrics.streams.set(held.streams)
    held.metrics.feed_number.set(held.live.feed_number)
    return Response(generate_latest(held.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
