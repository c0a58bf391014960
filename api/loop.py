"""Commands of the loop: dispatch, listen, report."""

import sys
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from api.daily import EVERY_S, daily, job
from api.settings import DATA, DATABASE, Data, Database, FolderRoot, MailFrom, SmtpUrl, WebhookAllow, WebhookSecret

loop = typer.Typer()
notes = Console(stderr=True, highlight=False)


@loop.command(epilog="e.g.  warnloop dispatch --metrics-port 9465")
def dispatch(
    database: Database = DATABASE,
    data: Data = DATA,
    webhook_allow: WebhookAllow = "",
    smtp_url: SmtpUrl = "",
    mail_from: MailFrom = "",
    folder_root: FolderRoot = None,
    metrics_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Serve Prometheus metrics on this port of 127.0.0.1; 0: do not.")
    ] = 0,
    disable_after_h: Annotated[
        float, typer.Option(min=24.0, help="A subscription that fails for this long without a success is disabled [h].")
    ] = 120.0,
    patience_s: Annotated[
        float, typer.Option(min=0.0, help="How long an absent database is waited for before giving up [s].")
    ] = 600.0,
) -> None:
    """推送。 Tell those concerned what has happened: by webhook, mail and folder, as they have subscribed.

    Each is told at least once, always under the same id. Start it several times and they share the work. The first
    Ctrl-C ends it in order, a second one at once.
    """
    from api import close
    from api.detect import log_to
    from api.dispatch import Job, Settings, borne
    from api.dispatch import dispatch as run
    from api.wiring import channel_settings, opened, reached, told
    from dispatch.courier import Settings as CourierSettings
    from ledger.attachments import SWEEP_S, sweep

    log_to(notes)
    ways = channel_settings(webhook_allow, smtp_url, mail_from, folder_root)
    with told(notes), reached(database, data) as url, opened(url, patience_s):
        courier = CourierSettings(url, patience=timedelta(hours=disable_after_h))
        jobs = [
            Job("close", borne(close.job), close.EVERY_S),
            Job("daily", borne(job), EVERY_S),
            Job("attachments", sweep, SWEEP_S),
        ]
        run(Settings(url, ways, courier, patience_s=patience_s), metrics_port, notes, jobs)


@loop.command(epilog="e.g.  warnloop listen --port 8090 --secret whsec_…")
def listen(
    secret: WebhookSecret,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the body, one JSON object a line.")] = False,
) -> None:
    """接收推送并显示。 Receive webhooks, verify their signatures, print a line for each event.

    An example of a receiver: what is not signed with the secret is answered with 401, repeats are printed once.
    """
    from threading import Event, Thread

    from api.listen import Receiver
    from api.signals import until_signalled
    from dispatch.channels.signature import SignatureError

    def show(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def warn(line: str) -> None:
        notes.print(line, style="yellow", soft_wrap=True, markup=False)

    stop = Event()
    try:
        receiver = Receiver(host, port, secret, show, warn, as_json=as_json)
    except SignatureError as error:
        raise typer.BadParameter(str(error), param_hint="--secret") from error
    except OSError as error:
        raise typer.BadParameter(f"{host}:{port}: {error.strerror}", param_hint="--port") from error
    with receiver, until_signalled(stop):
        thread = Thread(target=receiver.serve_forever)
        thread.start()
        notes.print(f"正在接收 listening on http://{host}:{port}/", soft_wrap=True, markup=False)
        stop.wait()
        receiver.shutdown()
        thread.join()


loop.add_typer(daily)
