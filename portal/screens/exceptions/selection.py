"""What the list of exceptions is asked for, by its address; the address is the whole state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import ValidationError

from app.api.exception_filter import FilterFields
from app.exceptions.hold import HoldSort
from infra.errors import Unprocessable

SORTS: tuple[tuple[HoldSort, str], ...] = (
    ("deadline", "Next due first"),
    ("money", "Most money first"),
    ("age", "Oldest first"),
    ("newest", "Newest first"),
)
OWNERS = (("", "Anybody"), ("me", "Me"), ("nobody", "Nobody"))
STATES = (
    ("open", "To decide"),
    ("released", "Released"),
    ("edited", "Corrected"),
    ("discarded", "Discarded"),
    ("healed", "Went by themselves"),
    ("any", "All"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it was asked, and as it stands in an address."""

    filter: FilterFields
    told: Mapping[str, str]

    def address(self, **further: str) -> str:
        """Write the part of an address behind the question mark; an empty value leaves a part out."""
        return urlencode({key: value for key, value in {**self.told, **further}.items() if value})


def asked(query: Mapping[str, str]) -> Asked:
    """Read the filter of an address; raises Unprocessable when a part of it is not possible."""
    told = {
        key: value for key, value in query.items() if value and key in FilterFields.model_fields
    }
    try:
        wanted = FilterFields.model_validate({"sort": "deadline", **told})
    except ValidationError:
        raise Unprocessable("A part of the filter is not possible.", code="portal.filter") from None
    return Asked(wanted, told)
