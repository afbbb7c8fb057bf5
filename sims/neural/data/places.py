"""Where the files of a published data set are."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from sims.neural.data.content import Published, content, fill, verify
from sims.neural.data.dataset import DataMissing
from sims.neural.data.sources import Arrays, Form, Source, known


@dataclass(frozen=True)
class Found:
    """A form of a data set whose files are here: `paths` are its files, or one path of its archive."""

    form: Form
    paths: tuple[Path, ...]
    archived: bool

    def arrays(self) -> Arrays:
        """Images and labels to train and to test, from files that are right to the last bit.

        Raises `ValueError` with the name of the file that is not.
        """
        return self.form.read(self._archived() if self.archived else self._plain())

    def _plain(self) -> Iterator[tuple[int, np.ndarray]]:
        sums = known()
        for number, (path, wanted) in enumerate(zip(self.paths, self.form.files, strict=True)):
            yield number, content(path, wanted, sums)

    def _archived(self) -> Iterator[tuple[int, np.ndarray]]:
        (path,), archive = self.paths, self.form.archive
        assert archive is not None
        verify(path, archive, known())
        numbers = {file.name: number for number, file in enumerate(self.form.files)}
        try:
            with tarfile.open(path, "r|gz") as members:
                for member in members:
                    number = numbers.pop(PurePosixPath(member.name).name, None)
                    stream = members.extractfile(member) if number is not None else None
                    if number is not None and stream is not None:
                        read = np.empty(self.form.files[number].size, dtype=np.uint8)
                        fill(stream, read, path)
                        yield number, read
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise ValueError(f"{path} cannot be unpacked: {error}") from error
        if numbers:
            raise ValueError(f"{path} lacks {', '.join(numbers)}")


def locate(source: Source, where: Path) -> Found | None:
    """The first form of a data set that is whole in one of its usual folders; None if there is none."""
    for folder in places(source, where):
        for form in source.forms:
            paths = [named(folder, file) for file in form.files]
            if all(paths):
                return Found(form, tuple(path for path in paths if path), archived=False)
            if form.archive and (archive := named(folder, form.archive)):
                return Found(form, (archive,), archived=True)
    return None


def lacking(source: Source, where: Path) -> list[str]:
    """What is not in those folders that have some of the files of a form."""
    told = []
    for folder in places(source, where):
        for form in source.forms:
            names = [file.name for file in form.files if named(folder, file) is None]
            if len(names) < len(form.files):
                told.append(f"{folder} lacks {' and '.join(names)}")
    return told


def places(source: Source, where: Path) -> list[Path]:
    """The folders that there are of those in which a data set usually lies below `where`."""
    return [folder for folder in (where / name for name in source.folders) if folder.is_dir()]


def named(folder: Path, file: Published) -> Path | None:
    """A file under one of the names that it goes by: gzipped or not, with a dot before what it is or a hyphen."""
    spellings = [file.name] if file.packed else [file.name, file.name.replace("-idx", ".idx")]
    names = [f"{name}{end}" for name in spellings for end in (("",) if file.packed else ("", ".gz"))]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def missing(source: Source, where: Path, why: str = "") -> DataMissing:
    """One sentence: which files are wanted, where they were looked for, and where to get them."""
    if partly := lacking(source, where):
        return DataMissing(f"{source.name} is not whole: {', '.join(partly)}{why}; {get(source)}")
    forms = [", ".join(file.name for file in form.files) for form in source.forms]
    archives = [form.archive.name for form in source.forms if form.archive]
    folders = ", ".join(str(folder) for folder in places(source, where)) or f"{where}, which is no folder"
    wanted = ", or ".join([*forms, *archives])
    return DataMissing(f"{source.name} is not here: looked in {folders} for {wanted}{why}; {get(source)}")


def get(source: Source) -> str:
    """What to do about it."""
    return f"get them from {source.page} and name their folder by --data DIR or in BYZCHECK_DATA"


def cache() -> Path:
    """The folder of this user for what can be had again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "byzcheck"
