"""`tillwire articles`: begin with the list of one system, and find its articles in another's list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from app.cli.answer import AsJson, plainly, show_rows
from app.cli.names import find_connection, in_retailer
from app.identities.article_list import ArticleList, NoArticleList, read_articles
from app.identities.bindings import Name
from app.identities.load import load_objects
from app.identities.resolve import resolve_names
from app.identities.review import propose_matches
from app.identities.suggest import Described
from infra import clock
from infra.database.unit import Session
from infra.errors import PlatformError
from infra.ids import Id

LIST_MAX_BYTES = 100_000_000

commands = typer.Typer(no_args_is_help=True)

_T = TypeVar("_T")
Act = Callable[[Session], Awaitable[_T]]
RetailerName = Annotated[str, typer.Argument(help="partner/retailer")]
ConnectionName = Annotated[str, typer.Argument(help="Name of the connection.")]
ListFile = Annotated[
    Path, typer.Argument(help="CSV with external_id, sku, gtin, title.", exists=True)
]


@commands.callback()
def articles() -> None:
    """Articles of a retailer, as its systems list them."""


@commands.command("load")
@plainly
def load(
    retailer: RetailerName,
    connection: ConnectionName,
    file: ListFile,
    *,
    reason: Annotated[str, typer.Option(help="Stands in the audit log.")] = "First list.",
    as_json: AsJson = False,
) -> None:
    """Begin with the articles of one system, such as the ERP; loading a list again adds what is new."""
    listed = _read(file)
    labels = {name: each.title or each.sku for name, each in listed.articles.items()}

    async def act(session: Session) -> int:
        connection_id = await find_connection(session, connection)
        return await load_objects(session, connection_id, "variant", labels, reason)

    made = asyncio.run(in_retailer(retailer, act))
    show_rows("Articles", [{"listed": len(labels), "new": made}], as_json=as_json)
    _tell_faults(listed)


@commands.command("propose")
@plainly
def propose(
    retailer: RetailerName,
    connection: ConnectionName,
    file: ListFile,
    known: Annotated[str, typer.Argument(help="Connection whose articles are known.")],
    known_file: ListFile,
    *,
    as_json: AsJson = False,
) -> None:
    """Find the articles of a new system among those of a known one; a person says which are right."""
    newcomers, ours = _read(file), _read(known_file)

    async def act(session: Session) -> dict[str, int]:
        new_id = await find_connection(session, connection)
        found = await _known(session, await find_connection(session, known), ours.articles)
        names = {Name(new_id, "variant", name): each for name, each in newcomers.articles.items()}
        return {
            "listed": len(names),
            "known": len(found),
            "to decide": await propose_matches(session, names, found),
        }

    show_rows("Matches", [asyncio.run(in_retailer(retailer, act))], as_json=as_json)
    _tell_faults(newcomers)
    _tell_faults(ours)


async def _known(
    session: Session, connection_id: Id, listed: dict[str, Described]
) -> dict[Id, Described]:
    """Give what is known of those articles that have an object of ours."""
    now = clock.now()
    asked = [(Name(connection_id, "variant", name), now) for name in listed]
    found = await resolve_names(session, asked)
    pairs = zip(found, listed.values(), strict=True)
    return {each.present_id: described for each, described in pairs if each is not None}


def _read(file: Path) -> ArticleList:
    """Read a list from a file; raises PlatformError for what is none."""
    try:
        if file.stat().st_size > LIST_MAX_BYTES:
            raise NoArticleList("It is larger than 100 MB.")
        return read_articles(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, NoArticleList) as fault:
        words = str(fault) if isinstance(fault, NoArticleList) else "It cannot be read as text."
        raise PlatformError(f"{file.name}: {words}", code="cli.file_unusable") from None


def _tell_faults(listed: ArticleList) -> None:
    for number, words in listed.faults:
        typer.echo(f"Row {number} was left out: {words}", err=True)
