"""Take out what looks like a secret or a card number before anything is written down."""

from __future__ import annotations

import re

from infra.luhn import passes_luhn

REDACTED = "[redacted]"

_MAX_CHARS = 2_000
_SECRETS = re.compile(
    r"""
    -----BEGIN[ A-Z]+-----.*?(?:-----END[ A-Z]+-----|\Z)      # private keys, certificates
  | \b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}               # Authorization values
  | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*    # JSON web tokens
  | \b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}              # Stripe keys
  | \bwhsec_[A-Za-z0-9+/=]{8,}                                # Standard Webhooks secrets
  | \bshp(?:at|ca|pa|ss)_[A-Fa-f0-9]{8,}                      # Shopify tokens
  | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                             # AWS key ids
  | \bAtz[ar]\|[A-Za-z0-9_+/=-]{8,}                           # Amazon SP-API tokens
  | (?<=://)[^\s/@:]*:[^\s/@]+(?=@)                           # user:password in a URL
  | (?<![A-Za-z])(?:password|passwd|secret|token|api_?key|access_key|signature)["']?\s*[=:]\s*
    (?:"[^"]*"|'[^']*'|[^\s,;&"']+)                           # named values
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CARD_LIKE = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")


def redacted(text: str) -> str:
    """Give the text without secrets and card numbers, cut to 2,000 characters."""
    cut = text[:_MAX_CHARS]
    return _CARD_LIKE.sub(_card_or_not, _SECRETS.sub(REDACTED, cut))


def _card_or_not(found: re.Match[str]) -> str:
    digits = found.group().replace(" ", "").replace("-", "")
    return REDACTED if passes_luhn(digits.encode()) else found.group()
