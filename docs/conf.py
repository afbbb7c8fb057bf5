"""How the documentation is built (`make docs`): Markdown by MyST, formulas as MathML, nothing from any network."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from byzcheck import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "byzcheck"
author = "The byzcheck authors"
version = release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "formulas", "statements", "reference"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["dollarmath", "deflist"]
myst_dmath_allow_space = False  # as byzcheck.typeset.prose reads formulas
myst_dmath_double_inline = True
myst_heading_anchors = 3
html_math_renderer = "mathml"

autosummary_generate = False
autodoc_mock_imports = [] if find_spec("torch") else ["torch"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
nitpick_ignore_regex = [  # other libraries' pages are elsewhere, and no network is asked for them
    ("py:.*", r"(collections|contextlib|flint|fractions|hypothesis|inspect|numpy|os|pathlib|pyarrow|scipy|torch)\..*"),
    ("py:.*", r"sims\.(engine\.round|kernels|neural\.flat|sweep\.cell)\..*|.*\.(Kept|Task)|Split"),  # not public
]
default_role = "py:obj"  # `Krum` in a docstring is a link where something is called so, and code where nothing is

html_theme = "furo"
html_title = f"byzcheck {version}"
FONT = "../byzcheck/report/font"  # the report's, for formulas
html_static_path = ["_static", f"{FONT}/stix-two-math.woff2", f"{FONT}/OFL.txt"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}
