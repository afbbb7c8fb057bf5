"""Downloading a published data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sims.neural.data.sources import Source

SECONDS = 20  # without an answer


def download(source: Source, where: Path) -> str:
    """Fill a data set's first folder below `where`, each file checked by its MD5; why that was not possible, if not."""
    try:
        import pooch
    except ImportError:
        return ", and nothing is downloaded without pooch (pip install pooch)"
    patient: Any = pooch.HTTPDownloader(timeout=SECONDS)  # whose declared type is not the one that is asked for
    for address, name, md5 in source.downloads:
        try:
            pooch.retrieve(
                address,
                known_hash=f"md5:{md5}",
                fname=name,
                path=where / source.folders[0],
                downloader=patient,
            )
        except (OSError, ValueError) as error:  # the network, the disk, or another content than expected
            return f", and {address} could not be downloaded ({told(error)})"
    return ""


def told(error: Exception) -> str:
    """The kind of an error of the network, for its text is a page; other errors in their own words."""
    return type(error).__name__ if type(error).__module__.startswith("requests") else str(error)
