"""How Sphinx builds the site of these pages: `make docs`."""

from __future__ import annotations

from sphinx.application import Sphinx

from trigger_ad import __version__

project = "trigger-ad"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
autodoc_typehints = "description"
autodoc_preserve_defaults = True
# docstrings mark code by single backticks
default_role = "literal"
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"trigger-ad {__version__}"
html_show_copyright = False
html_copy_source = False
html_use_index = False
# quotes and hyphens may be part of what is to be typed
smartquotes = False
# blocks that name no language are commands and drawings
highlight_language = "none"
# links name sections by the anchors that git hosts make of headings
myst_heading_anchors = 4


def setup(app: Sphinx) -> None:
    """Has links that leave this folder lead to files: pages beyond it, such as README.md, are none of the site's."""
    app.connect("source-read", _mark_outside)


def _mark_outside(app: Sphinx, page: str, source: list[str]) -> None:
    outside = "../" * (page.count("/") + 1)
    source[0] = source[0].replace(f"]({outside}", f"](path:{outside}")
