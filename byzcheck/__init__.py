"""The program: it runs the checks of `theory`, records what came of them, and shows it."""

__version__ = "0.1.0"
