"""Run: the whole product in one command: database, gateway, detection, pushes, screens, and a fleet to look at."""

import ipaddress
import socket
import time
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Event

from rich.console import Console

from api.children import Child, Children
from api.signals import until_signalled

READY_S = 60.0
"""How long the screens may take to answer [s]."""

PARTITIONS = 8


@dataclass(frozen=True, slots=True)
class Login:
    """A demo login."""

    login: str
    password: str
    role: str
    tenant: str
    name: str


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo has set up.

    Attributes
    ----------
    logins : list of Login
        One a role.
    ingest_key : str
        What the simulated fleet posts with.
    webhook_secret : str
        What pushes to the demo's receiver are signed with.
    """

    logins: list[Login]
    ingest_key: str
    webhook_secret: str


class RunError(Exception):
    """It cannot run like this; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run, and where.

    Attributes
    ----------
    host : str
        Address that the screens and the gateway listen on.
    port, gateway_port, receiver_port : int
        Of the screens, of the gateway, of the demo's receiver of pushes.
    vehicles : int
        Size of the demo's fleet; 0 for no demo.
    """

    data: Path
    host: str
    port: int
    gateway_port: int
    receiver_port: int
    vehicles: int
    seed: int

    def check(self) -> None:
        """Refuse what cannot work, before anything is started.

        Raises
        ------
        RunError
        """
        if self.vehicles and not ipaddress.ip_address(socket.gethostbyname(self.host)).is_loopback:
            raise RunError(
                f"演示模式只能在本机地址上运行 the demo has known logins: it listens on loopback, not on {self.host}; "
                "use --no-demo to listen elsewhere"
            )
        for port in (self.port, self.gateway_port, *([self.receiver_port] if self.vehicles else [])):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.host, port))
                except OSError as error:
                    raise RunError(
                        f"端口 {port} 不可用 port {port} of {self.host} cannot be used ({error.strerror}): "
                        "does another warnloop run here? Name others with --port, --gateway-port, --receiver-port"
                    ) from error


def run(plan: Plan, url: str, notes: Console) -> None:
    """Run until a signal comes.

    Parameters
    ----------
    url : str
        Of the database.

    Raises
    ------
    RunError, GivenUpError
    """
    stop = Event()
    with until_signalled(stop):
        logs = plan.data / "log"
        logs.mkdir(parents=True, exist_ok=True)
        children = Children(lambda line: notes.print(line, soft_wrap=True, markup=False))
        try:
            environment = {"WARNLOOP_DATABASE": url, "WARNLOOP_DATA": str(plan.data)}
            demo = _aside(plan, url)
            for child in _planned(plan, logs, environment, demo):
                children.add(child)
            address = f"http://{plan.host}:{plan.port}"
            _until_ready(f"{address}/healthz", children, stop)
            if not stop.is_set():
                _welcome(plan, address, demo, notes)
            while not stop.wait(1.0):
                children.watch()
        finally:
            notes.print("正在停止 stopping")
            children.stop()
            notes.print("已停止，再次启动将从此处继续 stopped; the next start goes on from here")


def _aside(plan: Plan, url: str) -> Demo | None:
    """Set up in a process that ends with it: what that takes in memory is not held for the life of the product.

    Raises
    ------
    RunError
        The process died.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(_set_up, plan, url).result()
        except BrokenProcessPool as error:
            raise RunError("准备过程中断 the set-up was interrupted: start again") from error


def _set_up(plan: Plan, url: str) -> Demo | None:
    """Bring the database up to date, compile what detection needs, and set up the demo if there is to be one."""
    from api.demo import set_up
    from api.simulate import Fleet
    from detectors.catalogue import CATALOGUE
    from detectors.prepare import prepare
    from ledger.database import connect
    from ledger.migrate import migrate
    from ledger.tablelog import TableLog

    migrate(url)
    TableLog.create(url, PARTITIONS)
    prepare(CATALOGUE)
    if not plan.vehicles:
        return None
    folder = plan.data / "demo"
    log = TableLog(url)
    try:
        with connect(url) as connection:
            fleet = Fleet(folder, plan.vehicles, plan.seed)
            return set_up(connection, log, fleet, folder, f"http://{plan.host}:{plan.receiver_port}/")
    finally:
        log.close()


def _planned(plan: Plan, logs: Path, base: Mapping[str, str], demo: Demo | None) -> list[Child]:
    """The processes, those that take things in first: they are stopped first."""

    def child(name: str, *options: str, **environment: str) -> Child:
        return Child(name, options, logs / f"{name}.log", {**base, **environment})

    at = ("--host", plan.host)
    planned = [
        child("gateway", *at, "--port", str(plan.gateway_port)),
        child("detect"),
        child("serve", *at, "--port", str(plan.port)),
    ]
    if demo is None:
        return [*planned, child("dispatch")]
    receiver = ("--port", str(plan.receiver_port))
    allowed = f"{socket.gethostbyname(plan.host)}/32:{plan.receiver_port}"
    gateway = f"http://{plan.host}:{plan.gateway_port}"
    return [
        child("simulate", "--to", gateway, "--vehicles", str(plan.vehicles), "--seed", str(plan.seed),
              WARNLOOP_KEY=demo.ingest_key),
        *planned,
        child("listen", *receiver, WARNLOOP_WEBHOOK_SECRET=demo.webhook_secret),
        child("dispatch", WARNLOOP_WEBHOOK_ALLOW=allowed,
              WARNLOOP_FOLDER_ROOT=str(plan.data / "outbox")),
    ]  # fmt: skip


def _until_ready(url: str, children: Children, stop: Event) -> None:
    """Wait until the screens answer.

    Raises
    ------
    RunError
        They do not, in time.
    """
    until = time.monotonic() + READY_S
    while not stop.is_set():
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http address
                if answer.status == 200:
                    return
        except OSError:
            children.watch()
        if time.monotonic() > until:
            raise RunError(f"界面未能启动 the screens do not answer at {url}: see the logs")
        stop.wait(0.2)


def _welcome(plan: Plan, address: str, demo: Demo | None, notes: Console) -> None:
    """Say where it is, and how to get in."""
    lines = [
        "",
        f"warnloop 已启动 is running: {address}   Ctrl-C 停止 stops it",
        f"定位接入 positions go to: POST http://{plan.host}:{plan.gateway_port}/ingest",
        f"日志 logs: {plan.data / 'log'}",
    ]
    if demo is None:
        lines.append("新建账号 make an account:  warnloop account add NAME --role centre")
    else:
        lines += [
            f"演示车队 demo fleet: {plan.vehicles} 辆 vehicles; 推送 pushes: {plan.data / 'log' / 'listen.log'}",
            "演示账号 demo logins (仅限本机 on this machine only):",
            *(f"  {login.login:10s} {login.password:14s} {login.name}" for login in demo.logins),
        ]
    for line in lines:
        notes.print(line, soft_wrap=True, markup=False)
