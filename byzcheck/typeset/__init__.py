"""Formulas and prose, from one source for the terminal and for a page: LaTeX in Markdown."""
