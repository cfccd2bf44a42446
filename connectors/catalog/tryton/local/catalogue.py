"""What the seeded shop sells: the same list for the web shop, the tills and the ERP."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Article(BaseModel):
    """One article: `price` is per unit without tax, `stock` is what lies in the store at the start.

    `unit` is `EA` for pieces and `KGM` for weighed goods (UN/ECE Recommendation 20).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: str = Field(min_length=1)
    name: str = Field(min_length=1)
    price: Decimal = Field(ge=0)
    stock: Decimal = Decimal(100)
    unit: str = "EA"


_ARTICLES = TypeAdapter(list[Article])

SAMPLE = tuple(
    Article(sku=f"SKU-{number:03d}", name=f"Article {number:03d}", price=Decimal(10 + number))
    for number in range(1, 21)
)


def read_catalogue(path: Path) -> tuple[Article, ...]:
    """Read a JSON list of articles; raises pydantic.ValidationError naming the field."""
    return tuple(_ARTICLES.validate_json(path.read_bytes()))


def as_json(articles: tuple[Article, ...]) -> str:
    """Write articles as the JSON list that `read_catalogue` reads; equal lists are equal text."""
    return json.dumps(_ARTICLES.dump_python(list(articles), mode="json"), sort_keys=True)
