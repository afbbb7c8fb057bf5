"""The program: it runs the checks of `theory`, records what came of them, and shows it."""

from byzcheck.version import __version__

__all__ = ["__version__"]
