# SPDX-License-Identifier: GPL-2.0-only
"""A headless Chromium without a network, led by the DevTools protocol on two pipes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # it refuses to run as root with one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


class Browser:
    """One page; `events` are all that it told, by method and parameters."""

    def __init__(self, sending: int, receiving: int) -> None:
        self._out, self._in = os.fdopen(sending, "wb", 0), os.fdopen(receiving, "rb", 1 << 16)
        self._rest, self._number, self._session = b"", 0, ""
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self._session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **parameters: Any) -> Mapping[str, Any]:
        """Ask for something and wait for the answer; what is told meanwhile is kept."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        asked |= {"sessionId": self._session} if self._session else {}
        self._out.write(json.dumps(asked).encode() + b"\0")
        while (told := self._told()).get("id") != self._number:
            self.events.append((told.get("method", ""), told.get("params", {})))
        assert "error" not in told, told
        answer: Mapping[str, Any] = told["result"]
        return answer

    def open(self, page: Path, width: int, *, dark: bool = False, scripts: bool = True) -> None:
        """Load a file in a window of that width, and wait until all of it is there."""
        self.events.clear()
        wish = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self("Emulation.setEmulatedMedia", features=wish)
        self("Emulation.setScriptExecutionDisabled", value=not scripts)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self("Emulation.setDeviceMetricsOverride", **size)
        self("Page.navigate", url=page.absolute().as_uri())
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            told = self._told()
            self.events.append((told.get("method", ""), told.get("params", {})))

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is on the page."""
        found = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, height: int) -> bytes:
        """The top of the page as PNG."""
        width = self.value("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shown = self("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shown["data"])

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and what the page's policy refused."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        return [json.dumps(told) for method, told in self.events if method in kinds]

    @property
    def addresses(self) -> list[str]:
        """All that the page asked for."""
        asked = (told for method, told in self.events if method == "Network.requestWillBeSent")
        return [told["request"]["url"] for told in asked]

    def _told(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._in.fileno(), 1 << 20)
            assert piece, "the browser ended"
            self._rest += piece
        told, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(told)
        return answer


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile folder of its own, ended by its pid."""
    assert PROGRAM is not None
    here_in, there_out = os.pipe()
    there_in, here_out = os.pipe()
    words = [PROGRAM, *_FLAGS, f"--user-data-dir={profile}"]
    # it reads from 3 and writes to 4, whatever the pipes' numbers are here
    shell = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
    chromium = subprocess.Popen(
        ["bash", "-c", shell, "sh", str(there_in), str(there_out), *words],
        pass_fds=(there_in, there_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(there_in)
    os.close(there_out)
    try:
        yield Browser(here_out, here_in)
    finally:
        chromium.terminate()
        chromium.wait(20)
