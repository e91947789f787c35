"""What Sphinx is told: nothing is executed, nothing is fetched when the book is read, and how it looks."""

from pathlib import Path

from helpers import course

project = course.course().title
author = copyright = f"the {project} authors, CC BY 4.0"
language = "en"

extensions = ["myst_nb"]
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
# A live control needs a kernel. A page has none, so the figure and the sentence stored beside each control stand here:
# a slider that moves and changes nothing would only puzzle, and costs a megabyte of scripts.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
myst_enable_extensions = ["attrs_inline", "deflist", "dollarmath"]
myst_dmath_allow_digits = myst_dmath_allow_space = False  # "from $2 to $3" is no mathematics
myst_heading_anchors = 3

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = str(Path(__file__).parent / "icon.svg")
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_copy_source = html_show_sphinx = html_use_index = False
html_theme_options = {
    "use_download_button": False,  # a lesson runs in a clone of the project only, since it imports helpers
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the column at the left has the search already
    "show_toc_level": 2,
    "search_bar_text": "Search the book",
}
if course.course().repository:
    html_theme_options |= {
        "repository_url": course.course().repository,
        "repository_branch": "HEAD",
        "use_repository_button": True,
        "path_to_docs": "notebooks",
        "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"},
    }


def setup(app) -> None:
    """Tells Sphinx how a formula becomes MathML, which browsers draw and read out without any script."""
    app.add_html_math_renderer("mathml", inline_renderers=(_formula, None), block_renderers=(_formula, None))
    app.connect("build-finished", _name_what_unfolds)


def _formula(translator, node) -> None:
    from docutils import nodes
    from docutils.utils.math.latex2mathml import tex2mathml

    translator.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


def _name_what_unfolds(app, failure) -> None:
    """What screen readers say of a fold: the theme gives those of the contents no name, myst-nb gives all the same."""
    for page in [] if failure else Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = text.replace(
            '<summary><span class="toctree-toggle"', '<summary aria-label="Its lessons"><span class="toctree-toggle"'
        )
        text = text.replace('<summary aria-label="Toggle hidden content">', "<summary>")
        page.write_text(text, encoding="utf-8")
