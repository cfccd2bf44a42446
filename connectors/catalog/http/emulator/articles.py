"""What the recording target knows of articles: with a list of them it refuses all others, by line."""

from __future__ import annotations

import msgspec


class _Line(msgspec.Struct):
    sku: str | None = None


class _Data(msgspec.Struct):
    lines: list[_Line] = []


class _Told(msgspec.Struct):
    data: _Data = msgspec.field(default_factory=_Data)


_DECODER = msgspec.json.Decoder(_Told)


def unknown_article(body: bytes, known: frozenset[str]) -> bytes | None:
    """Write the problem document (RFC 9457) about the first article we do not know; None if all are.

    A body that is no object with lines knows no article, and so none that is unknown.
    """
    try:
        lines = _DECODER.decode(body).data.lines
    except msgspec.DecodeError:
        return None
    for place, line in enumerate(lines):
        if line.sku is not None and line.sku not in known:
            fault = {"pointer": f"#/data/lines/{place}/sku", "code": "article.unknown"}
            return msgspec.json.encode({"title": "This article is unknown.", "errors": [fault]})
    return None
