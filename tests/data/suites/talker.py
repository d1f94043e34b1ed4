# SPDX-License-Identifier: GPL-2.0-only
"""Talks over its control socket as tools/testing/vsock's run_tests() does, and tests nothing.

Copied beside a talker.json: {"titles": [...], "do": {"server:2": "signal"}}; a deed is signal,
fail, fail-once, hang or a line for the kernel log.
"""

import argparse
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PLAN = json.loads((HERE / "talker.json").read_text())


def quit_saying(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
    sys.exit(1)


def control(options: argparse.Namespace) -> socket.socket:
    address = (options.control_host, options.control_port)
    try:
        if options.mode == "client":
            return socket.create_connection(address)
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(1)
            print("Control socket listening", flush=True)
            return listening.accept()[0]
    except OSError:
        quit_saying("Control socket initialization failed.  Invalid address?")
        raise


def do(deed: str) -> None:
    if deed == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif deed == "fail-once" and (HERE / "failed").exists():
        pass
    elif deed in {"fail", "fail-once"}:
        (HERE / "failed").touch()
        quit_saying("hash mismatch")
    elif deed == "hang":
        time.sleep(600)
    elif deed:
        with Path(os.environ["KMSG"]).open("a") as log:
            log.write(f"[    5.000000] {deed}\n")


def run_tests(options: argparse.Namespace) -> None:
    wire = control(options)
    heard_lines = wire.makefile("r")

    def meet(word: str, wanted: str) -> str:
        try:
            wire.sendall(f"{word}\n".encode())
            heard = heard_lines.readline().strip()
        except OSError:
            heard = ""
        if not heard:
            quit_saying("unexpected EOF on control socket")
        if heard != wanted and "SKIP" not in {heard, word}:
            quit_saying(f'expected "{wanted}" on control socket, got "{heard}"')
        return heard

    for number, title in enumerate(PLAN["titles"]):
        print(f"{number} - {title}...", end="", flush=True)
        skip = number in (options.skip or ())
        if meet("SKIP" if skip else "NEXT", "NEXT") == "SKIP" or skip:
            print("skipped", flush=True)
            continue
        do(PLAN.get("do", {}).get(f"{options.mode}:{number}", ""))
        meet("DONE", "DONE")
        print("ok", flush=True)
    print("All tests have been executed. Waiting other peer...", end="", flush=True)
    meet("COMPLETED", "COMPLETED")
    print("ok")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--control-host")
    parser.add_argument("--control-port", type=int)
    parser.add_argument("--peer-cid")
    parser.add_argument("--peer-port")
    parser.add_argument("--skip", type=int, action="append")
    options = parser.parse_args()
    if options.list:
        print("ID\tTest name")
        print("\n".join(f"{n}\t{title}" for n, title in enumerate(PLAN["titles"])))
        sys.exit(1)
    (HERE / "argv").write_text(" ".join(sys.argv[1:]))
    run_tests(options)


main()
