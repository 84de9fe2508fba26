"""Text from files reaches the page as text only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import weakreset

PAGES = sorted((Path(weakreset.__file__).parent / "app").rglob("*.py"))
MARKUP = {
    "html", "markdown", "restructured_text", "mermaid", "add_head_html", "add_body_html", "run_javascript", "editor",
}


def markup_in(source: str) -> set[str]:
    """Parts of the framework that take markup, and properties that hold it."""
    tree = ast.parse(source)
    called = {
        node.func.attr for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name) and node.func.value.id == "ui"
    }
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return (called & MARKUP) | {word for word in ("innerHTML", "v-html", ":html", "html=") for t in texts if word in t}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_part_of_the_page_takes_markup(path):
    assert markup_in(path.read_text()) == set()


def test_markup_would_be_seen():
    assert markup_in("ui.html(name)") == {"html"}
    assert markup_in("ui.label('x').props('innerHTML=x')") == {"innerHTML"}
