"""How the documentation is built, by `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Structured Energy"
extensions = ["myst_parser", "registered", "patches"]
smartquotes = False
exclude_patterns = ["_build"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = project
html_show_copyright = False
