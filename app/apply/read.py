"""Read a configuration file; every fault is named with the file and the place in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr, ValidationError

from app.apply.document import Document, SecretReference
from infra.errors import FieldError, PlatformError

MAX_FILE_BYTES = 1_048_576
MAX_SECRET_FILE_BYTES = 65_536


class FileUnusable(PlatformError):
    """The configuration file cannot be read or breaks a rule; nothing was changed."""

    status = 422
    code = "apply.file_unusable"


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key written twice, of which YAML would silently drop one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        """Build one mapping; raises ConstructorError at the second use of a key."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value} is written twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_document(path: Path) -> Document:
    """Read and check a configuration file; raises FileUnusable listing every fault."""
    try:
        content = _loaded(path)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 0
        raise FileUnusable(f"{path}: line {line}: {fault.problem}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise FileUnusable(f"{path} is not readable as YAML.") from None
    except OSError as fault:
        raise FileUnusable(f"{path} cannot be read: {fault.strerror}.") from None
    try:
        return Document.model_validate(content if content is not None else {})
    except ValidationError as faults:
        raise _refused(path, faults) from None


def read_secret(reference: SecretReference, folder: Path, place: str) -> SecretStr:
    """Read the credential a reference names; `place` says which, in a fault.

    Takes:  the folder of the configuration file, against which `file` is read.
    Raises: FileUnusable, never with the value.
    """
    if reference.env is not None:
        value = os.environ.get(reference.env, "")
        where = f"the environment variable {reference.env}"
    else:
        where = f"the file {reference.file}"
        value = _secret_text(folder / (reference.file or ""), place, where)
    if not value:
        raise FileUnusable(f"{place}: {where} is not set or empty.")
    return SecretStr(value)


def _loaded(path: Path) -> Any:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise FileUnusable(f"{path} is larger than {MAX_FILE_BYTES} bytes.")
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader


def _refused(path: Path, faults: ValidationError) -> FileUnusable:
    errors = [
        FieldError(
            _place(each["loc"]), f"apply.{each['type']}", each["msg"].removeprefix("Value error, ")
        )
        for each in faults.errors(include_url=False, include_input=False)
    ]
    lines = "\n".join(f"  {each.pointer}: {each.detail}" for each in errors)
    return FileUnusable(f"{path} cannot be used:\n{lines}", errors=errors)


def _place(loc: tuple[int | str, ...]) -> str:
    """Write a place as people count: partners[1].retailers[1].connections[2].settings."""
    written = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc)
    return written.removeprefix(".") or "the whole file"


def _secret_text(path: Path, place: str, where: str) -> str:
    try:
        if path.stat().st_size > MAX_SECRET_FILE_BYTES:
            raise FileUnusable(f"{place}: {where} is too large for a credential.")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise FileUnusable(f"{place}: {where} cannot be read.") from None
