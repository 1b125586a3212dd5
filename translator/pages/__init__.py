"""Pages: what was found and what was built, as self-contained HTML, and explanations for the terminal."""

from translator.pages.explanation_page import explanation_html
from translator.pages.explanation_terminal import explanation_lines
from translator.pages.report_page import report_html

__all__ = ["explanation_html", "explanation_lines", "report_html"]
