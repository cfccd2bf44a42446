"""What we sign verifies in another language's library, and what that library signs verifies here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.sdk.manifest import Webhook
from connectors.sdk.signatures import Refused, Verified, sign_standard, verify

ROOT = Path(__file__).parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
WEBHOOK = Webhook(scheme="standard_webhooks")
BODY = '{"test": 2432232314, "café": "☕"}'

VERIFY = """
const { Webhook } = require("standardwebhooks");
const { secret, body, headers } = JSON.parse(require("fs").readFileSync(0, "utf8"));
try { new Webhook(secret).verify(body, headers); console.log("verified"); }
catch (fault) { console.log("refused"); }
"""
SIGN = """
const { Webhook } = require("standardwebhooks");
const { secret, body, id, seconds } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(new Webhook(secret).sign(id, new Date(seconds * 1000), body));
"""


def in_node(script: str, told: dict[str, object]) -> str:
    """Run a script with the npm library; skips where Node or the library is missing."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "standardwebhooks").is_dir():
        pytest.skip("no Node with the npm library: `make setup` installs it where npm is present")
    done = subprocess.run(
        [node, "-e", script],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=30,
    )
    return done.stdout.strip()


def seconds_now() -> int:
    """Ask Node's own clock, so that both sides agree on the moment."""
    return int(in_node("console.log(Math.floor(Date.now() / 1000))", {}))


def test_what_we_sign_is_verified_by_the_npm_library() -> None:
    headers = sign_standard(SECRET, MESSAGE_ID, seconds_now(), BODY.encode())

    told: dict[str, object] = {"secret": SECRET, "body": BODY, "headers": headers}
    assert in_node(VERIFY, told) == "verified"
    assert in_node(VERIFY, told | {"body": BODY + " "}) == "refused"


def test_what_the_npm_library_signs_is_verified_here() -> None:
    seconds = seconds_now()
    signature = in_node(
        SIGN, {"secret": SECRET, "body": BODY, "id": MESSAGE_ID, "seconds": seconds}
    )
    headers = {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature,
    }

    assert isinstance(verify(WEBHOOK, headers, BODY.encode(), [SECRET], seconds), Verified)
    assert isinstance(verify(WEBHOOK, headers, BODY.encode() + b" ", [SECRET], seconds), Refused)
