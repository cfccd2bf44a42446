"""The embedded servers by hand: `python -m infra.embedded start|stop|status|remove FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.embedded import servers
from infra.embedded.binaries import remove_copies
from infra.embedded.failure import EmbeddedServersError


def main(arguments: list[str]) -> int:
    """Do one act on one data folder; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.embedded", description=__doc__)
    parser.add_argument("act", choices=("start", "stop", "status", "remove"))
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args(arguments)
    try:
        _say(_act(wanted.act, wanted.folder))
    except EmbeddedServersError as error:
        _say(str(error))
        return 1
    return 0


def _act(act: str, folder: Path) -> str:
    if act == "start":
        servers.start(folder, report=_say)
        return "PostgreSQL and Redis are running"
    if act == "stop":
        return "stopped" if servers.stop(folder) else "nothing was running"
    if act == "remove":
        servers.remove(folder)
        remove_copies()
        return f"{folder} is gone"
    return str(servers.status(folder))


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
