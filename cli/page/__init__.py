"""Pages that open without a network: one file, light and dark, for a phone and for paper."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, *, script: str | None = None, **values: Any) -> str:
    """A whole page from a template that extends ``base.html.j2``.

    Everything put in is escaped, apart from ``Markup``; a name that the template asks for and
    does not get is an error. A policy in the page's head allows what the page brings itself and
    nothing else: no request, and no script but this one, told by its hash.

    Parameters
    ----------
    script
        file among the templates: a script that adds to a page already complete without it.
    """
    style = Markup(_text("style.css"))
    code = None if script is None else Markup(_text(script))
    policy = _policy(code)
    page = _environment().get_template(template)
    return page.render(style=style, script=code, policy=policy, **values)


def _policy(script: str | None) -> str:
    """Content-Security-Policy of a page with that script.

    Styles are allowed inline as matplotlib's SVG writes them: they cannot fetch anything either.
    """
    allowed = "'none'"
    if script is not None:
        digest = hashlib.sha256(script.encode("utf-8")).digest()
        allowed = f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
