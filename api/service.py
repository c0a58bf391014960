"""Commands that serve: run (all in one), gateway, serve, simulate."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from api.settings import DATA, DATABASE, Data, Database

service = typer.Typer()
notes = Console(stderr=True, highlight=False)

Host = Annotated[str, typer.Option(envvar="WARNLOOP_HOST", metavar="ADDRESS", help="Address to listen on.")]
Vehicles = Annotated[int, typer.Option(min=1, max=100_000, help="Size of the simulated fleet, at its first start.")]
Seed = Annotated[int, typer.Option(min=0, help="Which fleet it is.")]


@service.command(epilog="e.g.  warnloop run    then open  http://127.0.0.1:8080")
def run(
    database: Database = DATABASE,
    data: Data = DATA,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="WARNLOOP_PORT", min=1, max=65535, help="Port of the screens.")] = 8080,
    gateway_port: Annotated[int, typer.Option(min=1, max=65535, help="Port that positions are posted to.")] = 8081,
    receiver_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the demo's receiver.")] = 8082,
    demo: Annotated[bool, typer.Option(help="With a simulated fleet and logins to try; on this machine only.")] = True,
    vehicles: Vehicles = 300,
    seed: Seed = 1,
) -> None:
    """一条命令启动全部。 Run it all: database, gateway, detection, pushes, screens, and a fleet to look at.

    The address and the demo's logins are printed when it is ready. Ctrl-C stops every process in order; the next start
    goes on where this one stopped. Each part also runs alone: gateway, detect, dispatch, serve.
    """
    from api.children import GivenUpError
    from api.run import Plan, RunError
    from api.run import run as start
    from api.wiring import reached, told

    plan = Plan(data.resolve(), host, port, gateway_port, receiver_port, vehicles if demo else 0, seed)
    with told(notes):
        try:
            plan.check()
            with reached(database, data) as url:
                start(plan, url, notes)
        except (RunError, GivenUpError) as error:
            notes.print(str(error), style="red", soft_wrap=True, markup=False)
            sys.exit(1)


@service.command(
    epilog="e.g.  curl -H 'Authorization: Bearer wl_…' --data-binary @positions.ndjson http://127.0.0.1:8081/ingest"
)
def gateway(
    database: Database = DATABASE,
    data: Data = DATA,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that positions are posted to.")] = 8081,
) -> None:
    """接收定位数据。 Take positions over HTTP: POST /ingest, NDJSON or CSV, with an API key of scope ingest.

    It answers 200 when the log has the lines durably, and not before; while the log takes nothing it answers 503.
    What is no position ends up in quarantine with its reason.
    """
    from api.gateway import serve
    from api.wiring import opened, reached, told

    with told(notes), reached(database, data) as url, opened(url, 60.0) as log:
        serve(log, url, host, port)


@service.command(epilog="e.g.  warnloop serve --host 127.0.0.1 --port 8080")
def serve(
    database: Database = DATABASE,
    data: Data = DATA,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="WARNLOOP_PORT", min=1, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """提供界面与接口。 Serve the screens and the HTTP API.

    Make the first login with `warnloop account add`. Behind a proxy on this machine that speaks HTTPS, cookies are
    marked as secure by what it says in X-Forwarded-Proto.
    """
    from api.detect import log_to
    from api.serve import serve as start
    from api.wiring import opened, reached, told

    log_to(notes)
    with told(notes), reached(database, data) as url:
        with opened(url, 60.0):
            pass
        if not start(url, host, port):
            sys.exit(1)


@service.command(epilog="e.g.  WARNLOOP_KEY=wl_… warnloop simulate --to http://127.0.0.1:8081")
def simulate(
    to: Annotated[str, typer.Option(metavar="URL", help="The gateway.")] = "http://127.0.0.1:8081",
    key: Annotated[str, typer.Option(envvar="WARNLOOP_KEY", help="API key with the scope ingest.")] = "",
    data: Data = DATA,
    vehicles: Vehicles = 300,
    seed: Seed = 1,
) -> None:
    """模拟车队实时上报。 Let a synthetic fleet drive now and post its positions to a gateway.

    It begins with yesterday and catches up with the present; stopped and started again it goes on where it was.
    """
    from api.signals import until_signalled
    from api.simulate import Fleet, Simulation, SimulationError

    simulation = Simulation(Fleet(data / "demo", vehicles, seed), to, key)
    with until_signalled(simulation.stop):
        try:
            simulation.run(lambda line: notes.print(line, soft_wrap=True, markup=False))
        except SimulationError as error:
            notes.print(str(error), style="red", soft_wrap=True, markup=False)
            sys.exit(1)
