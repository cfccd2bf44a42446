"""Our own number of an object: what the first system calls it, where that is not taken."""

from __future__ import annotations

from collections.abc import Sequence

from app.connections.tenant import acting_tenant
from app.identities.bindings import Kind
from infra.database.unit import Session

# Between a name that another object of ours has as its number, and a figure.
MARK = "~"

_TAKEN = """
select code from identity where tenant_id = $1 and kind = $2
    and (code = any($3) or split_part(code, '~', 1) = any($4))
"""


async def free_codes(session: Session, kind: Kind, wanted: Sequence[str]) -> list[str]:
    """Give a number for each name, in their order; call it under the lock of names.

    A recycled SKU is another article, and so another number: `SKU-1~2`. Persons have none: their
    number in one system is no number for all.
    """
    if kind == "customer":
        return [""] * len(wanted)
    rows = await session.fetch(
        _TAKEN, acting_tenant(session), kind, list(wanted), [each.split(MARK)[0] for each in wanted]
    )
    taken = {row["code"] for row in rows}
    codes = []
    for name in wanted:
        code = _free(name, taken)
        taken.add(code)
        codes.append(code)
    return codes


def _free(name: str, taken: set[str]) -> str:
    if not name or name not in taken:
        return name
    stem = name.split(MARK, maxsplit=1)[0]
    figure = 2
    while f"{stem}{MARK}{figure}" in taken:
        figure += 1
    return f"{stem}{MARK}{figure}"
