"""How the documentation is built, by `make docs`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Structured Energy"
version = release = version_of("structured-energy")
extensions = ["myst_parser", "sphinx.ext.autodoc", "docstrings", "registered", "patches", "methods"]
smartquotes = False
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["attrs_block", "colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
html_theme = "furo"
html_title = project
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["landing.css"]
