"""A real browser: Chromium through Playwright. Tests skip, saying why, where either is absent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .plan_files import hostile_plan, written

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Visit:
    """A page open in the browser, and what went wrong with it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (extra dev)"
    )
    if CHROMIUM is None:
        pytest.skip("no chromium on the path")
    with sync_api.sync_playwright() as playwright:
        # without the sandbox, which root (as in containers) may not have; pages are our own
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Open:
    """``with visit(path, width=…, scheme=…, scripts=…)``: afterwards nothing has complained."""

    @contextmanager
    def visiting(
        path: Path, *, width: int = 1280, scheme: str = "light", scripts: bool = True
    ) -> Iterator[Visit]:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        page = context.new_page()
        found = Visit(page)
        page.on("console", lambda message: found.complaints.append(message.text))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (found.complaints.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: found.requests.append(request.url))
        try:
            page.goto(path.as_uri())
            yield found
            assert found.complaints == []
            assert [url for url in found.requests if url.split("#")[0] != path.as_uri()] == []
        finally:
            context.close()

    return visiting


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a plan whose titles would like to be more than text."""
    return written(hostile_plan(), tmp_path_factory.mktemp("hostile") / "report.html")
