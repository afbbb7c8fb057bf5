"""What an audit measures of a rule, one subject a module, beside contracts and constants: each says it in lines."""

from byzcheck.audit.line import How, Line

__all__ = ["How", "Line"]
