"""Run the emulated shop alone: python -m connectors.catalog.shopify.emulator --port 8081."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from connectors.catalog.shopify.emulator.state import ShopState
from connectors.catalog.shopify.emulator.web import app


def main() -> None:
    """Read the options and serve on 127.0.0.1 until stopped."""
    parser = argparse.ArgumentParser(prog="shopify-emulator")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--hook-url", default="")
    parser.add_argument("--orders-per-s", type=float, default=0.0)
    parser.add_argument("--log", type=Path, default=None)
    parser.add_argument("--memory", type=Path, default=None)
    options = parser.parse_args()
    state = ShopState(
        seed=options.seed,
        hook_url=options.hook_url,
        orders_per_s=options.orders_per_s,
        log_path=options.log,
        memory_path=options.memory,
    )
    uvicorn.run(app(state), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
