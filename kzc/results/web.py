# SPDX-License-Identifier: GPL-2.0-only
"""Kept runs in a browser: a list to narrow, the page of each run, its logs and other reports.

Nothing is ever written. Logs go out as text and under a policy that lets nothing of them run; the
host that a request names is checked, so that no web page elsewhere can read runs through a name of
its own that leads here (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kzc.errors import KzcError, UsageError
from kzc.results.browse import CHOICES, Runs, listing
from kzc.results.formats import EXPORTS, FORMATS
from kzc.results.html import policy, rendered
from kzc.results.logs import safe
from kzc.results.page import page
from kzc.results.wanted import Wanted
from kzc.values import Run

LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")
FORMS = ("text", "markdown", "json", "junit", "ktap")
"""Other reports that a page links to."""

_CHUNK = 1 << 16
_BINARY = (".pcap",)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LOG_POLICY = "default-src 'none'; sandbox"


def application(runs: Runs, hosts: Sequence[str] = ()) -> Starlette:
    """The pages over these runs; `hosts` are names that requests may call this server by, besides
    those of the loopback."""
    pages = _Pages(runs)
    routes = [
        Route("/", pages.index),
        Route("/runs/{run}/", pages.run),
        Route("/runs/{run}/report.{form}", pages.report),
        Route("/runs/{run}/{log:path}", pages.log),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(_Strict),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL, *hosts], www_redirect=False),
        ],
        exception_handlers={KzcError: _said},
    )


class _Strict:
    """Puts the headers on every answer, refusals too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Content-Security-Policy", _LOG_POLICY)
            await send(message)

        await self.app(scope, receive, headed)


class _Pages:
    """What answers; each in a thread of its own, as reading and rendering take their time."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def index(self, request: Request) -> Response:
        asked = request.query_params
        tree, series, suite, verdict = (asked.get(name, "") for name in CHOICES)
        wanted = Wanted(tree=tree, series=series, suite=suite, verdict=verdict)
        number = asked.get("page", "1")
        found = listing(self.runs, wanted, int(number) if number.isdecimal() else 1)
        return _page(rendered("index.html.j2", list=found))

    def run(self, request: Request) -> Response:
        run = self._run(request)

        def link(log: str) -> str:
            return f"/runs/{run.id}/{log}" if safe(log) else ""

        shown = page(run, self.runs.logs(run), self.runs.sections(run))
        return _page(rendered("served.html.j2", page=shown, link=link, forms=FORMS))

    def report(self, request: Request) -> Response:
        run, form = self._run(request), request.path_params["form"]
        if form not in FORMS:
            return _absent(f"there is no report {form}")
        exports: dict[str, Callable[[Run, Path], str]] = {**FORMATS, **EXPORTS}
        text = exports[form](run, Path())
        kind = "application/json" if form == "json" else "text/plain"
        return Response(text.encode(errors="backslashreplace"), media_type=kind)

    def log(self, request: Request) -> Response:
        run, path = self._run(request), request.path_params["log"]
        stream = self.runs.logs(run)(path) if safe(path) else None
        if stream is None:
            return _absent("there is no such log")
        if path.endswith(_BINARY):
            name = {"Content-Disposition": "attachment"}
            return StreamingResponse(
                _pieces(stream), headers=name, media_type="application/octet-stream"
            )
        return StreamingResponse(_pieces(stream), media_type="text/plain")

    def _run(self, request: Request) -> Run:
        name = request.path_params["run"]
        run = self.runs.load(name)
        if run.id != name:
            raise UsageError(f"no run is called {name!r}")
        return run


def _page(text: str) -> Response:
    data = text.encode(errors="backslashreplace")
    return HTMLResponse(data, headers={"Content-Security-Policy": policy()})


def _absent(why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status_code=404)


def _said(_request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, UsageError) else 500
    return PlainTextResponse(f"{ascii(str(error))[1:-1]}\n", status_code=status)


def _pieces(stream: AbstractContextManager[BinaryIO]) -> Iterator[bytes]:
    with stream as file:
        while piece := file.read(_CHUNK):
            yield piece
