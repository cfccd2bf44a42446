"""The operating-system account which runs the servers; PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

UNPRIVILEGED_NAME = "nobody"


class ProcessOptions(TypedDict, total=False):
    """What `subprocess.run` needs to become another user; empty means stay who we are."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user id and its group; `is_other` when it is not the one we run as."""

    uid: int
    gid: int
    is_other: bool

    def process_options(self) -> ProcessOptions:
        """Give the arguments that make a child process run under this account."""
        if not self.is_other:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make a file or folder belong to this account."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, folder: Path) -> bool:
        """Tell whether this account may enter and list a folder."""
        if not self.is_other:
            return os.access(folder, os.R_OK | os.X_OK)
        shell = shutil.which("sh") or "/bin/sh"
        command = [shell, "-c", 'cd "$1" && test -r .', "sh", str(folder)]
        # /: the current folder may itself be closed to the account.
        tried = subprocess.run(
            command, check=False, capture_output=True, cwd="/", **self.process_options()
        )
        return tried.returncode == 0


def server_account(data_dir: Path) -> Account:
    """Choose who runs the servers; never adds a user.

    Rules: an ordinary user runs them. Root lets the owner of an existing data folder run them, so
           that this user can go on later, and `nobody` when root owns the folder.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), is_other=False)
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        return Account(data_dir.stat().st_uid, data_dir.stat().st_gid, is_other=True)
    entry = pwd.getpwnam(UNPRIVILEGED_NAME)
    return Account(entry.pw_uid, entry.pw_gid, is_other=True)
