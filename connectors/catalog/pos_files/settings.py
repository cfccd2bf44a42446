"""What a connection says about its till files: dialect, time zone, currency, columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from connectors.catalog.pos_files.encoding import codec_name
from connectors.sdk.message import HoldRecord, JsonObject

POSLOG_NCR = "poslog_ncr"
TLOG_CSV = "tlog_csv"
DIALECTS = (POSLOG_NCR, TLOG_CSV)
# What a file is when the connection does not say, by the end of its name.
BY_EXTENSION = {
    ".xml": POSLOG_NCR,
    ".poslog": POSLOG_NCR,
    ".csv": TLOG_CSV,
    ".tlog": TLOG_CSV,
    ".txt": TLOG_CSV,
}
DEFAULT_ENCODING = "utf-8"


@dataclass(frozen=True, slots=True)
class TillSettings:
    """The settings that both dialects share; missing ones are empty and refused where needed."""

    zone: ZoneInfo | None
    currency: str
    encoding: str
    has_key_per_operator: bool
    weight_uom: str


def till_settings(settings: JsonObject) -> TillSettings:
    """Read the shared settings; raises HoldRecord naming the setting that is wrong."""
    return TillSettings(
        zone=_zone(str(settings.get("timezone") or "")),
        currency=str(settings.get("currency") or ""),
        encoding=encoding_of(settings),
        has_key_per_operator=bool(settings.get("sequence_resets_per_operator")),
        # The unit of NCR weights is not in the file; North American scales weigh in pounds (LBR).
        weight_uom=str(settings.get("weight_uom") or "LBR"),
    )


def encoding_of(settings: JsonObject) -> str:
    """Give the encoding that the connection reads, UTF-8 when it does not say."""
    return codec_name(str(settings.get("encoding") or DEFAULT_ENCODING))


def dialect_of(name: str, settings: JsonObject) -> str:
    """Say how a file is read: as the connection says, else by the end of its name."""
    dialect = settings.get("dialect") or BY_EXTENSION.get(PurePosixPath(name.lower()).suffix)
    if dialect not in DIALECTS:
        raise HoldRecord(
            "file.dialect_unknown",
            "/settings/dialect",
            "This file is neither known as POSLog XML nor as a T-log CSV. "
            f"Set the connection's dialect to one of: {', '.join(DIALECTS)}.",
        )
    return str(dialect)


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise HoldRecord(
            "time.zone_unknown",
            "/settings/timezone",
            "The connection's time zone is not one that exists. "
            "Choose one such as America/New_York in the connection's settings.",
        ) from None
