"""What a connection says about one retailer's Tryton: the ids of the records the connector uses."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from connectors.sdk.message import JsonObject


class Settings(BaseModel):
    """Ids are Tryton's own; see `manifest.toml` for what each is and `setup.md` for where to find it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    database: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    company: int
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    location: str = "main"
    storage_location: int | None = None
    pos: int | None = None
    payment_methods: dict[str, int] = {}
    payment_term: int | None = None
    taxes: dict[str, int] = {}
    tax_difference: int | None = None
    party: int | None = None
    unmapped_product: int | None = None
    refund_product: int | None = None
    products: dict[str, int] = {}
    countries: dict[str, int] = {}
    price_decimals: int = Field(default=4, ge=2, le=10)
    customer_prefix: str = "C-"


def read_settings(settings: JsonObject) -> Settings:
    """Check a connection's settings; raises pydantic.ValidationError naming the field."""
    return Settings.model_validate(settings)
