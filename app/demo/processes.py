"""The processes of the demo as commands: the product's own, exactly as in production, and the shop."""

from __future__ import annotations

import sys

from app.demo.children import Child
from app.demo.left_overs import mark_of
from app.demo.place import Options
from app.demo.world import SEED, Addresses

PROGRAM = (sys.executable, "-m", "main")
SHOP = (sys.executable, "-m", "connectors.catalog.shopify.emulator")
POLL_S = "0.5"


def web_process(options: Options, addresses: Addresses) -> Child:
    """Describe the process that accepts webhooks, files and API calls."""
    command = [*PROGRAM, "web", "--folder", str(options.inbox.resolve())]
    return Child("web", command, _environment(options, addresses))


def worker_process(options: Options, addresses: Addresses) -> Child:
    """Describe the process that prepares, delivers and polls."""
    return Child("worker", [*PROGRAM, "worker"], _environment(options, addresses))


def scheduler_process(options: Options, addresses: Addresses) -> Child:
    """Describe the process that sweeps and checks the books."""
    return Child("scheduler", [*PROGRAM, "scheduler"], _environment(options, addresses))


def shop_process(options: Options, addresses: Addresses, hook: str) -> Child:
    """Describe the emulated web shop, which sells and tells the hook about it."""
    command = [*SHOP, "--seed", str(SEED), "--port", str(addresses.shop)]
    command += ["--orders-per-s", str(options.orders_per_s)]
    command += ["--hook-url", f"http://127.0.0.1:{options.port}{hook}"]
    command += ["--memory", str(options.data / "shop-memory.json")]
    return Child("shop", command, mark_of(options.data))


def _environment(options: Options, addresses: Addresses) -> dict[str, str]:
    return {
        **mark_of(options.data),
        "TILLWIRE_BIND_PORT": str(options.port),
        "TILLWIRE_POLL_S": POLL_S,
        "EGRESS_ALLOW": f"127.0.0.1:{addresses.shop},127.0.0.1:{addresses.erp}",
    }
