"""The API reference: what a package offers, as a table of first sentences and then one by one, from the docstrings.

Docstrings are prose with Unicode mathematics: |x| and x* are taken as they are written, and indices are set.
"""

from __future__ import annotations

import html
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.ext.autodoc import mock
from sphinx.util.docutils import SphinxDirective

from byzcheck.typeset.prose import scripted


def offered(module: ModuleType) -> list[tuple[str, Any]]:
    """The public classes and functions of a module, by name: those in `__all__`, or those that it defines."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = [(name, getattr(module, name)) for name in names]
    return [
        (name, one)
        for name, one in found
        if (inspect.isclass(one) or inspect.isroutine(one)) and within(one.__module__, module.__name__)
    ]


def within(module: str, package: str) -> bool:
    """Whether a module is a package or in it."""
    return module == package or module.startswith(f"{package}.")


class Public(SphinxDirective):
    """`.. public:: sims.aggregators` documents all that a module offers, or what `:only:` names of it."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Callable[[str], Any]] | None] = {"only": str.split}

    def run(self) -> list[nodes.Node]:
        """A table of all, then each."""
        name = self.arguments[0]
        with mock(self.config.autodoc_mock_imports):
            module = importlib.import_module(name)
            found = [(only, getattr(module, only)) for only in self.options.get("only", ())] or offered(module)
        lines = [f".. currentmodule:: {name}", "", ".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   {called}" for called, _ in found]
        for called, one in found:
            kind = "function" if inspect.isroutine(one) else "exception" if issubclass(one, Exception) else "class"
            lines += ["", f".. auto{kind}:: {name}.{called}", *(["   :members:"] if kind == "class" else [])]
        return self.parse_text_to_nodes("\n".join([*lines, ""]))


def as_written(app: Any, what: str, name: str, one: Any, options: Any, lines: list[str]) -> None:
    """Docstrings say what they say: outside of code nothing is a mark of reStructuredText.

    Code is what stands between backticks, after `>>>`, or indented below a line that ends with a colon.
    """
    example, indented = False, False
    for at, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        indented = line.startswith("    ") or (indented and not line.strip())
        if not example and not indented:
            opens = line.endswith(":") and "".join(lines[at + 1 : at + 3]).startswith("    ")
            lines[at] = _escaped(line) + (":" if opens else "")


def _escaped(line: str) -> str:
    parts = re.split(r"(`[^`]+`)", line)
    for at in range(0, len(parts), 2):
        text = re.sub(r"([\\*|`]|(?<=\w)_(?!\w))", r"\\\1", parts[at])
        before, after = at and text[:1].strip(), parts[at + 1 :] and text[-1:].strip()
        parts[at] = ("\\ " if before else "") + text + ("\\ " if after else "")
    return "".join(parts)


def told_by_a_base(app: Any, what: str, name: str, one: Any, skip: bool, options: Any) -> bool | None:
    """Leave out a method that a base class documents: what a rule does is said once, of `Rule`."""
    function = getattr(one, "fget", None) or getattr(one, "func", None) or one  # of a property, a cached one
    if what != "class" or not isinstance(getattr(function, "__qualname__", None), str):
        return None
    owner = inspect.getmodule(function)
    for part in function.__qualname__.split(".")[:-1]:
        owner = getattr(owner, part, None)
    bases = inspect.getmro(owner)[1:] if inspect.isclass(owner) else ()
    return True if any(name in vars(base) or name in inspect.get_annotations(base) for base in bases) else None


def same_name(app: Any, env: Any, node: addnodes.pending_xref, content: nodes.Element) -> nodes.Node | None:
    """A reference to a part by the module that defines it leads to where it is documented: the package that offers it.

    What a docstring has between backticks and nothing is called so is code.
    """
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    target, kinds = node["reftarget"].rpartition(".")[2], ("class", "exception", "function")
    found = [name for name, entry in domain.objects.items() if entry.objtype in kinds]
    found = [name for name in found if name.rpartition(".")[2] == target]
    if len(found) != 1:
        return content if node["reftype"] == "obj" else None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, content)


def set_scripts(app: Any, doctree: nodes.document) -> None:
    """Set indices and powers in the text of docstrings."""
    for text in [text for text in doctree.findall(nodes.Text) if _is_prose(text)]:
        parts = list(_split(text.astext()))
        if len(parts) > 1:
            text.parent.replace(text, parts)


def _is_prose(text: nodes.Text) -> bool:
    """Whether a text is a docstring's, and no code."""
    above = text.parent
    while above is not None and not isinstance(above, addnodes.desc_content):
        if isinstance(above, nodes.literal | nodes.literal_block | addnodes.desc_signature):
            return False
        above = above.parent
    return above is not None


def _split(text: str) -> Iterator[nodes.Node]:
    kinds = {"sub": nodes.subscript, "sup": nodes.superscript}
    for at, part in enumerate(re.split(r"(<su[bp]>.*?</su[bp]>)", scripted(text))):
        if at % 2:
            inside = html.unescape(part[5:-6])
            yield kinds[part[1:4]]("", inside)
        elif part:
            yield nodes.Text(html.unescape(part))


def setup(app: Any) -> dict[str, Any]:
    """Register the directive and what makes docstrings readable."""
    app.add_directive("public", Public)
    app.connect("autodoc-process-docstring", as_written)
    app.connect("autodoc-skip-member", told_by_a_base)
    app.connect("missing-reference", same_name)
    app.connect("doctree-read", set_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
