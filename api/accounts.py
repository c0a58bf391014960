"""The commands for accounts: add, list, disable, enable, password.

`account` is mounted in the command line as ``warnloop account``.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.settings import ACTOR, DATA, DATABASE, Actor, Data, Database

if TYPE_CHECKING:
    import psycopg

account = typer.Typer(
    name="account",
    help="账号：新建、列出、停用、改密码。 Accounts of people. The first one of an installation is made here.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
notes = Console(stderr=True, highlight=False)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What the person types to log in.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="First line is the password; **-** reads standard input."),
]


@account.command(epilog="e.g.  warnloop account add zhang --role county --tenant 652301")
def add(
    login: Login,
    role: Annotated[str, typer.Option(help="**centre**, **operator**, **county** or **company**.")] = "centre",
    tenant: Annotated[str, typer.Option(help="Code of the county or the company, as in the registry.")] = "",
    password_file: PasswordFile = None,
    database: Database = DATABASE,
    data: Data = DATA,
    actor: Actor = ACTOR,
) -> None:
    """新建账号。 Make an account. The password is asked for, unless a file has it."""
    from ledger import accounts
    from ledger.directory import load
    from ledger.principal import Principal, Role
    from ledger.registries import latest

    try:
        principal = Principal(Role(role), tenant)
    except ValueError as error:
        expected = "centre and operator have no tenant, county and company have one"
        raise typer.BadParameter(f"no such role and tenant, {role!r} and {tenant!r}: {expected}") from error
    password = _password(password_file)
    with _connected(database, data) as connection:
        if not load(connection, latest(connection)[0]).knows(principal):
            raise accounts.AccountError(
                f"登记信息中没有此县市或企业，请先导入 the registry knows no {role} {tenant}: import it first"
            )
        accounts.create(connection, login, password, principal, actor)
    notes.print(f"已新建账号 made the account {login}, {role} {tenant}", markup=False)


@account.command("list", epilog="e.g.  warnloop account list")
def list_(database: Database = DATABASE, data: Data = DATA) -> None:
    """列出账号。 Print all accounts: login, role, tenant, since when, whether disabled."""
    from ledger import accounts

    with _connected(database, data) as connection:
        for row in accounts.listed(connection):
            ended = f"已停用 disabled {row['disabled_at']:%Y-%m-%d}" if row["disabled_at"] else ""
            typer.echo(
                f"{row['login']}\t{row['role']}\t{row['tenant']}\t{row['created_at']:%Y-%m-%d}\t{ended}".rstrip()
            )


@account.command(epilog="e.g.  warnloop account disable zhang")
def disable(login: Login, database: Database = DATABASE, data: Data = DATA, actor: Actor = ACTOR) -> None:
    """停用账号。 Disable an account and end its sessions."""
    from ledger import accounts

    with _connected(database, data) as connection:
        accounts.disable(connection, accounts.id_of(connection, login), actor)
    notes.print(f"已停用 disabled {login}", markup=False)


@account.command(epilog="e.g.  warnloop account enable zhang")
def enable(login: Login, database: Database = DATABASE, data: Data = DATA, actor: Actor = ACTOR) -> None:
    """启用账号。 Enable an account again."""
    from ledger import accounts

    with _connected(database, data) as connection:
        accounts.enable(connection, accounts.id_of(connection, login), actor)
    notes.print(f"已启用 enabled {login}", markup=False)


@account.command(epilog="e.g.  warnloop account password zhang")
def password(
    login: Login,
    password_file: PasswordFile = None,
    database: Database = DATABASE,
    data: Data = DATA,
    actor: Actor = ACTOR,
) -> None:
    """修改密码。 Give an account another password and end its sessions."""
    from ledger import accounts

    text = _password(password_file)
    with _connected(database, data) as connection:
        accounts.set_password(connection, accounts.id_of(connection, login), text, actor)
    notes.print(f"已修改密码 changed the password of {login}", markup=False)


def _password(file: Path | None) -> str:
    """What is typed, twice, or stands in a file: never on a command line, which everybody can read."""
    if file is None:
        return str(typer.prompt("密码 password", hide_input=True, confirmation_prompt=True, err=True))
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    return text.splitlines()[0] if text else ""


@contextmanager
def _connected(database: str, data: Path) -> Iterator["psycopg.Connection"]:
    """Yield a connection to the migrated database; what cannot be done is told in one line, the exit code is then 1."""
    from api.wiring import opened, reached, told
    from ledger.accounts import AccountError
    from ledger.database import connect

    with told(notes), reached(database, data) as url, opened(url), connect(url) as connection:
        try:
            yield connection
        except AccountError as error:
            notes.print(str(error), style="red", soft_wrap=True, markup=False)
            sys.exit(1)
