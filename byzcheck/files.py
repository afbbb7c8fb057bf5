"""Writing files whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path


def check_writable(path: Path) -> None:
    """Raise an `OSError` or a `ValueError` if `path` could not be written."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not a file")
    if path.exists():
        if not os.access(path, os.W_OK):
            raise ValueError(f"{path} is not writable")
        if not path.is_file():
            return  # a pipe or a device
    folder = path.resolve().parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"cannot write into {folder}: {error.strerror}") from error


Content = str | bytes


def _write_to(path: Path, content: Content) -> None:
    try:
        path.write_bytes(_encoded(content))
    except OSError as error:  # which does not name the file if it is told when it is closed
        raise OSError(error.errno, error.strerror, str(path)) from error


def _encoded(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def write_all(contents: Mapping[Path, Content]) -> None:
    """Write every file or, if one cannot be written, none: all beside their targets first, then moved into place."""
    waiting: list[tuple[Path, Path]] = []
    try:
        for path, content in contents.items():
            if path.exists() and not path.is_file():
                _write_to(path, content)  # a pipe or a device has no old content to lose
                continue
            target = path.resolve()
            beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
            waiting.append((beside, target))
            with beside.open("xb") as file:
                file.write(_encoded(content))
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
        while waiting:
            os.replace(*waiting[0])
            waiting.pop(0)
    finally:
        for beside, _ in waiting:
            beside.unlink(missing_ok=True)
