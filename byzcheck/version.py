"""The version of the program, and its year: what `--version`, `cite` and the package's metadata say."""

__version__ = "0.1.0"
YEAR = 2026
