"""Compressed bodies: one layer of gzip, bounded in size and ratio (BI-059, BI-060)."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest

from infra.web.body import BodyRefused, check_json_media_type, decode_body

GZIP = [(b"content-encoding", b"gzip")]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_003])
def test_one_gzip_layer_is_unpacked_whole(size: int) -> None:
    plain = os.urandom(size)

    assert decode_body(GZIP, gzip.compress(plain)) == plain


@pytest.mark.parametrize("headers", [[], [(b"content-encoding", b"identity")], [(b"x", b"gzip")]])
def test_plain_body_passes_unchanged(headers: list[tuple[bytes, bytes]]) -> None:
    raw = gzip.compress(b"looks packed")

    assert decode_body(headers, raw) is raw


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-encoding", b"gzip, gzip")],
        [*GZIP, *GZIP],
        [(b"content-encoding", b"br")],
        [(b"content-encoding", b"zstd")],
        [(b"content-encoding", b"deflate")],
        [(b"content-encoding", b"x-gzip")],
    ],
)
def test_bi_060_anything_but_one_gzip_layer_is_415(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BodyRefused) as refused:
        decode_body(headers, gzip.compress(b"{}"))

    assert (refused.value.status, refused.value.code) == (415, "body.encoding_unsupported")


def test_bi_059_bomb_is_stopped_by_its_ratio() -> None:
    bomb = gzip.compress(b"0" * 1_000_000)

    with pytest.raises(BodyRefused) as refused:
        decode_body(GZIP, bomb)

    assert len(bomb) * 100 < 1_000_000
    assert (refused.value.status, refused.value.code) == (413, "body.too_large")


def test_bi_059_large_body_is_stopped_by_its_size() -> None:
    packed = gzip.compress(os.urandom(500_000))

    with pytest.raises(BodyRefused) as refused:
        decode_body(GZIP, packed, max_bytes=499_999)

    assert (refused.value.status, refused.value.code) == (413, "body.too_large")
    assert len(decode_body(GZIP, packed, max_bytes=500_000)) == 500_000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        gzip.compress(b"cut off in the middle", mtime=0)[:-9],
        gzip.compress(b"first", mtime=0) + gzip.compress(b"second", mtime=0),
        gzip.compress(b"tail", mtime=0) + b"junk",
        gzip.compress(b"bad sum", mtime=0)[:-8] + b"\x00" * 8,
        zlib.compress(b"other wrapper"),
    ],
)
def test_broken_gzip_is_400(raw: bytes) -> None:
    with pytest.raises(BodyRefused) as refused:
        decode_body(GZIP, raw)

    assert (refused.value.status, refused.value.code) == (400, "body.encoding_broken")


@pytest.mark.parametrize(
    "value", [b"application/json", b"Application/JSON; charset=utf-8", b"application/ld+json"]
)
def test_json_media_types_pass(value: bytes) -> None:
    check_json_media_type([(b"content-type", value)])


@pytest.mark.parametrize("value", [b"text/json", b"application/x-json", b"", b"application/+json"])
def test_bi_027_other_media_types_are_415(value: bytes) -> None:
    with pytest.raises(BodyRefused) as refused:
        check_json_media_type([(b"content-type", value)])

    assert (refused.value.status, refused.value.code) == (415, "body.wrong_media_type")
