"""What can be wrong with a JSON document: codes with a sentence each, and the limits."""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "payload.empty": "The message is empty. Send a JSON document.",
    "payload.unparseable": "The message is not valid JSON. Correct it at the place given.",
    "payload.wrong_media_type": "The message is not JSON but another format. Send JSON.",
    "payload.encoding": "The message is not plain UTF-8. Send UTF-8 without a byte order mark.",
    "payload.duplicate_key": "A field appears twice in one object. Send each field once.",
    "payload.too_deep": "The message is nested too deeply. Send a flatter document.",
    "payload.too_many_items": "The message has too many entries. Split it into smaller messages.",
    "payload.key_too_long": "A field name is too long. Shorten it.",
    "payload.not_object": "The message must be one JSON object. Wrap the value in an object.",
    "number.not_finite": "NaN and Infinity cannot be booked. Send a real number.",
    "number.out_of_range": "A number is far too large or small to be booked. Send the real value.",
    "number.too_long": "A number has too many digits. Send at most 30 digits.",
    "number.exponent": "A number's exponent is too large. Write the number in plain digits.",
    "number.locale": "A number has separators whose meaning is not certain. Use 1234.56.",
    "number.invalid": "A text that should be a number is none. Use plain digits, such as 1234.56.",
    "text.nul": "A text contains the character NUL, which no system can store. Remove it.",
    "text.surrogate": "A text contains half a character (a lone surrogate). Send whole ones.",
}


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """How much a document may ask of us.

    `max_depth` counts nesting levels, `max_items` members and elements of all containers together,
    `max_digits` digits before and after the dot; `max_exponent` bounds the power of ten of the
    first digit in numbers that are written with an exponent.
    """

    max_depth: int = 64
    max_items: int = 50_000
    max_key_chars: int = 256
    max_digits: int = 30
    max_exponent: int = 12


DEFAULT = JsonLimits()


class StrictJsonError(ValueError):
    """A document or number that is refused; never carries the offending value itself.

    code:    a key of `WORDS`
    pointer: JSON pointer (RFC 6901) of the value at fault; None where it is not known
    offset:  byte offset from 0 in the document; None where it is not known
    words:   one plain sentence and the way out
    """

    def __init__(self, code: str, pointer: str | None = None, offset: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.pointer = pointer
        self.offset = offset
        self.words = WORDS[code]
