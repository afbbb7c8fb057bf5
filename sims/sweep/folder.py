"""A folder of files that are there whole or not at all, on a disk or wherever pyarrow or fsspec can go."""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import stat
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from pyarrow import fs

from sims.checked import words

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
BESIDE = re.compile(r"\..+\.(?P<place>[^.]+)\.(?P<process>\d+)\.[0-9a-f]{16}\.tmp")


def open_folder(where: str | Path) -> Folder:
    """The folder at a path or URI, which need not exist; `ValueError` if no library knows such a URI, or it is a file.

    Nor is it the empty text, which would be the current folder.

    >>> str(open_folder("results"))
    'results'
    """
    where = where if isinstance(where, Path) else words("Results", "where", where)
    if isinstance(where, Path) or not URI.match(where):
        return LocalFolder(Path(where))
    shown = re.sub(r"//[^/@]*@", "//", where)  # no password in a message
    try:
        system, path = fs.FileSystem.from_uri(where)
    except ValueError:
        try:
            system, path = fs.FileSystem.from_uri(f"fsspec+{where}")
        except (ImportError, ValueError) as error:
            raise ValueError(f"neither pyarrow nor fsspec opens {shown}: {error}") from error
    return LocalFolder(Path(path)) if isinstance(system, fs.LocalFileSystem) else RemoteFolder(system, path, shown)


class Folder(ABC):
    """A folder, to list, read and write; its text is what a person calls it."""

    @abstractmethod
    def names(self) -> list[str]:
        """Of all that lies in it, sorted; none if there is no such folder, `ValueError` if it is a file."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of a file; `OSError` if it cannot be read."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""

    @abstractmethod
    def below(self, name: str) -> Folder:
        """The folder of this name in this one."""

    @abstractmethod
    def _make(self) -> None:
        """See to it that the folder exists."""

    @abstractmethod
    def _create(self, name: str, content: bytes) -> None:
        """Make a new file and see its bytes through to the disk."""

    @abstractmethod
    def _rename(self, old: str, new: str) -> None:
        """Put a file under another name, durably, and instead of what had it before."""

    def write(self, name: str, content: bytes) -> None:
        """Make a file, or put it in the place of an older one, which survives until the new one is durable.

        Raises `OSError` with one sentence that names the folder and the reason; then nothing has changed, and nothing
        is left lying about. (Only if the very last step fails, may the new file stand there already, whole.)
        """
        beside = beginning(name)
        try:
            self._make()
            try:
                self._create(beside, content)
                self._rename(beside, name)
            except BaseException:
                with suppress(OSError):
                    self.remove(beside)
                raise
        except OSError as error:
            raise in_one_sentence(f"cannot write into {self}", error) from error

    def sweep_leftovers(self) -> None:
        """Remove what killed processes of this host had begun to write; files of others are left alone."""
        for name in self.names():
            begun = BESIDE.fullmatch(name)
            if begun and begun["place"] == place() and not alive(int(begun["process"])):
                with suppress(OSError):
                    self.remove(name)


class LocalFolder(Folder):
    """A folder that the operating system mounts; what is written is durable when `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        """As for every folder."""
        try:
            return sorted(os.listdir(self.path))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise self._a_file() from None
        except OSError as error:
            raise in_one_sentence(f"cannot read {self}", error) from error

    def read(self, name: str) -> bytes:
        """As for every folder."""
        # a pipe of this name is opened without waiting for somebody to write into it
        number = os.open(self.path / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise OSError("no file, but something else of its name")
            with open(number, "rb", buffering=0, closefd=False) as file:
                return file.readall()
        finally:
            os.close(number)

    def remove(self, name: str) -> None:
        """As for every folder."""
        (self.path / name).unlink(missing_ok=True)

    def below(self, name: str) -> LocalFolder:
        """As for every folder."""
        return LocalFolder(self.path / name)

    def _make(self) -> None:
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.is_dir()]
        for folder in reversed(missing):
            try:
                folder.mkdir(exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise self._a_file() from None
            synchronize(folder.parent)

    def _create(self, name: str, content: bytes) -> None:
        number = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(number, left) :]
            os.fsync(number)
        finally:
            os.close(number)

    def _rename(self, old: str, new: str) -> None:
        os.replace(self.path / old, self.path / new)
        synchronize(self.path)

    def _a_file(self) -> ValueError:
        return ValueError(f"results are kept in a folder, and {self} is none")


class RemoteFolder(Folder):
    """A folder of a file system that pyarrow or fsspec opens; how durable it is, is that system's affair."""

    def __init__(self, system: fs.FileSystem, path: str, shown: str) -> None:
        self.system, self.path, self.shown = system, path.rstrip("/"), shown.rstrip("/")

    def __str__(self) -> str:
        return self.shown

    def names(self) -> list[str]:
        """As for every folder."""
        try:
            if isinstance(self.system, fs.PyFileSystem):
                self.system.handler.fs.invalidate_cache()  # fsspec remembers what others have changed since
            if self.system.get_file_info(self.path).type == fs.FileType.File:
                raise ValueError(f"results are kept in a folder, and {self} is none")
            found = self.system.get_file_info(fs.FileSelector(self.path, allow_not_found=True))
        except OSError as error:
            raise in_one_sentence(f"cannot read {self}", error) from error
        return sorted(info.base_name for info in found)

    def read(self, name: str) -> bytes:
        """As for every folder."""
        with self.system.open_input_stream(f"{self.path}/{name}", compression=None) as file:
            return file.read()

    def remove(self, name: str) -> None:
        """As for every folder."""
        with suppress(FileNotFoundError):
            self.system.delete_file(f"{self.path}/{name}")

    def below(self, name: str) -> RemoteFolder:
        """As for every folder."""
        return RemoteFolder(self.system, f"{self.path}/{name}", f"{self.shown}/{name}")

    def _make(self) -> None:
        self.system.create_dir(self.path, recursive=True)

    def _create(self, name: str, content: bytes) -> None:
        with self.system.open_output_stream(f"{self.path}/{name}", compression=None) as file:
            file.write(content)

    def _rename(self, old: str, new: str) -> None:
        self.system.move(f"{self.path}/{old}", f"{self.path}/{new}")


def beginning(name: str) -> str:
    """What a file is called while it is written, from which can be told whether somebody still does."""
    return f".{name}.{place()}.{os.getpid()}.{secrets.token_hex(8)}.tmp"


def synchronize(folder: Path) -> None:
    """See the names in a folder through to the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # there are file systems that cannot, and say so
            raise
    finally:
        os.close(number)


def place() -> str:
    """Where process numbers mean what they mean here: the host, and the namespace of a container on it."""
    host = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:64] or "host"
    try:
        return f"{host}-{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return host


def alive(process: int) -> bool:
    """Whether a process of this number runs here."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def in_one_sentence(what: str, error: OSError) -> OSError:
    """An error that says what could not be done, and why."""
    told = OSError(f"{what}: {error.strerror or error}")
    told.errno = error.errno
    return told
