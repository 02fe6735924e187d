"""The templates of reports."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from review.formats import access, escape, view


def render(template: str, **values: Any) -> str:
    """Fill in a template of `templates/`; in those of pages, all that is filled in is escaped."""
    found = _environment(escaped=template.endswith(".html.j2")).get_template(template)
    return found.render(view=view, access_lines=access.lines, **values)


@cache
def _environment(*, escaped: bool) -> Environment:
    """The environment, which keeps the templates that it has compiled: a comment is filled in up to ten times."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=escaped,  # noqa: S701 # the others escape by name: each place of Markdown has its own way
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "plain": escape.plain, "marked": escape.marked, "code": escape.code, "hypertext": escape.hypertext,
        "short": view.short, "why": view.why, "where": view.where, "line": view.line, "violated": view.violated,
        "lost": view.lost, "costs": view.costs, "money": view.money,
        "access": access.counted,
    }  # fmt: skip
    return environment
