"""Remark 2: what memory has to do with identities."""

from theory.remark_2_memoryless.statement import STATEMENT

__all__ = ["STATEMENT"]
