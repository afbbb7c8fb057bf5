"""How records look: on a terminal, and in paper_checks.md."""
