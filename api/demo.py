"""Demo: what `warnloop run` sets up so that a newcomer sees the whole loop: logins, keys, receivers, a fleet.

Passwords and keys are drawn at random and stand in a file that only its owner can read; a second start finds
them there.
"""

import json
import secrets
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import msgspec
import psycopg

from api.run import Demo, Login
from api.simulate import Fleet
from ingest.log import Log
from ingest.registry import read_source
from ledger import accounts, keys, registries, subscriptions
from ledger.principal import CENTRE, Principal, Role

ACTOR = "demo"


def set_up(connection: psycopg.Connection, log: Log, fleet: Fleet, folder: Path, receiver_url: str) -> Demo:
    """Import the fleet's registry; at the first start, make accounts, a key and subscriptions as well."""
    source = read_source(fleet.registry)
    registries.store(connection, source, ACTOR)
    registries.announce(connection, log)
    kept = folder / "demo.json"
    if kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=Demo)
    county, company = _busiest(fleet)
    names = {row.text("company"): row.text("name") for row in source.tables["companies"]}
    names |= {row.text("county"): row.text("name") for row in source.tables["counties"]}
    logins = [
        Login(login, secrets.token_urlsafe(9), role, tenant, names.get(tenant, name))
        for login, role, tenant, name in (
            ("centre", "centre", "", "州运行监测中心"),
            ("operator", "operator", "", "中心值班员"),
            ("county", "county", county, county),
            ("company", "company", company, company),
        )
    ]
    with connection.transaction():
        for one in logins:
            accounts.create(connection, one.login, one.password, Principal(Role(one.role), one.tenant), ACTOR)
        _, key = keys.create(connection, CENTRE, "模拟车队 demo fleet", ("ingest",), ACTOR)
        secret = ""
        for principal in (Principal(Role.COUNTY, county), Principal(Role.COMPANY, company)):
            name = "演示接收端 demo receiver"
            made = subscriptions.create(
                connection, principal, ACTOR, name=name, channel="webhook", target=receiver_url, secret=secret
            )
            secret = made.secret
    demo = Demo(logins, key, secret)
    part = kept.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(asdict(demo), ensure_ascii=False, indent=1))
    part.rename(kept)
    return demo


def _busiest(fleet: Fleet) -> tuple[str, str]:
    """County and company whose vehicles have the most planted violations: their inboxes are not empty."""
    registered = read_source(fleet.registry).vehicles
    owners = {row.text("plate"): (row.text("county"), row.text("company")) for row in registered}
    lines = fleet.labels.read_bytes().splitlines()
    plates = [msgspec.json.decode(line)["plate"] for line in lines]
    counted = Counter(owners[plate] for plate in plates)
    return counted.most_common(1)[0][0] if counted else next(iter(owners.values()))
