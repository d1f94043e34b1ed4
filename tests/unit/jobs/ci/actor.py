# SPDX-License-Identifier: GPL-2.0-only
"""Plays kzc for jobs of a CI run: `python actor.py VERB [SERIES] --suite NAME ... --stream FILE`.

The name of the suite, or of the series for a build, says how it goes: `bad` fails; `flaky` fails
the first time that it runs in this folder, `breaks` breaks then as a machine would; `mute` says
nothing; `refused` is a wrong command line; `hangs` tells of a boot and waits; `twice` has a further
boot, as it is called in manifests. Else all is good.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main() -> int:
    words = sys.argv[1:]
    stream = Path(words[words.index("--stream") + 1])
    name = words[words.index("--suite") + 1] if "--suite" in words else words[1]
    stage = "build" if words[0] == "build" else "test"
    seen = Path(f"seen-{name}")
    first = not seen.exists()
    seen.touch()
    if name == "mute":
        return 0
    if name == "refused":
        print("something\nkzc: there is no tree refused\nand no other\nnext: add one", flush=True)
        return 2
    logs = stream.parent / "data" / "runs" / "1" / "logs"
    (logs / "deep").mkdir(parents=True)
    (logs / "deep" / "console.log").write_text(f"the log of {name}\n")
    header = {
        "id": "1",
        "started": "2026-01-01T00:00:00.000000Z",
        "finished": "",
        "command": ["kzc", *words],
        "kzc": "0",
        "environment": {"compiler": "gcc 12", "release": "6.12.1"},
    }
    verdict = "pass"
    if name == "bad" or (name == "flaky" and first):
        verdict = "fail"
    elif name == "breaks" and first:
        verdict = "infra"
    kernel = Path(os.environ.get("KZC_CACHE", "")) / "kernels" / "abc123"
    if name == "kernel" and stage == "build":
        kernel.mkdir(parents=True)
        (kernel / "kernel.json").write_text('{"folder": "/x", "image": "/x/bzImage"}')
    elif name == "kernel" and not (kernel / "kernel.json").is_file():
        verdict = "fail"
    cases = [case("one", "pass"), case("two", verdict)] if stage == "test" else []
    with stream.open("a") as file:
        print(json.dumps({"run": header, "folder": str(logs.parent)}), file=file, flush=True)
        if stage == "test":
            print(json.dumps(outcome("apply", "1/1 a patch", "pass")), file=file)
            print(json.dumps(outcome("boot", "a guest", "pass")), file=file, flush=True)
        if name == "hangs" or (name == "stuck" and first):
            Path("stuck").write_text(str(os.getpid()))
            time.sleep(60)
        repeat = " ".join(("kzc", *words))
        found = outcome(stage, name, verdict, cases, repeat)
        if name == "kernel" and stage == "build":
            found["outcome"]["detail"]["key"] = kernel.name
        print(json.dumps(found), file=file)
        if name == "twice":
            print(json.dumps(outcome(stage, f"{name} copy", verdict, cases, repeat)), file=file)
        print('{"outcome": {"stage"', end="", file=file)
    print(f"actor: {name} is {verdict}")
    return {"pass": 0, "fail": 1, "infra": 3}[verdict]


def case(name: str, verdict: str) -> dict[str, object]:
    return {"name": name, "verdict": verdict, "seconds": 0.1, "reason": "", "detail": {}}


def outcome(
    stage: str, subject: str, verdict: str, cases: Sequence[object] = (), repeat: str = ""
) -> dict[str, Any]:
    return {
        "outcome": {
            "stage": stage,
            "subject": subject,
            "verdict": verdict,
            "seconds": 0.2,
            "log": "logs/deep/console.log",
            "reason": "",
            "detail": {"repeat": repeat} if repeat else {},
            "cases": list(cases),
        }
    }


if __name__ == "__main__":
    raise SystemExit(main())
