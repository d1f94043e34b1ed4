# SPDX-License-Identifier: GPL-2.0-only
"""Talks over its control socket as tools/testing/vsock's run_tests() does, and tests nothing.

Copied beside a talker.plan, a dict's repr: {"titles": [...], "do": {"server:2": "signal"}}; a deed
is signal, fail, fail-once, hang or a line for the kernel log. It imports what is in the interpreter
already and no more, as a pair starts it a dozen times: json, argparse, pathlib and socket were two
thirds of its time.
"""

import _socket as socket
import os
import sys
import time

SIGSEGV = 11
HERE = os.path.dirname(os.path.abspath(__file__))


def beside(name: str) -> str:
    """The path of a file in the talker's folder."""
    return os.path.join(HERE, name)


with open(beside("talker.plan"), encoding="utf-8") as plan:
    PLAN = eval(plan.read())  # what the test wrote


OPTIONS = ("mode", "list", "control-host", "control-port", "peer-cid", "peer-port", "skip")


class Options:
    """The command line, as vsock_test has it."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.mode = self.value("--mode")
        self.control_host = self.value("--control-host")
        self.control_port = int(self.value("--control-port") or 0)
        self.skip = [int(each) for each in self.values("--skip")]
        self.list = "--list" in words

    def value(self, name: str) -> str:
        return next(iter(self.values(name)), "")

    def values(self, name: str) -> list[str]:
        found = [word[len(name) + 1 :] for word in self.words if word.startswith(f"{name}=")]
        return found + [self.words[n + 1] for n, word in enumerate(self.words) if word == name]


class Wire:
    """The connection, by lines."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""

    def say(self, line: str) -> None:
        data = f"{line}\n".encode()
        while data:
            data = data[self.connection.send(data) :]

    def hear(self) -> str:
        """The next line, or nothing at the end."""
        while b"\n" not in self.rest:
            more = self.connection.recv(4096)
            if not more:
                return ""
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode().strip()


def quit_saying(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
    sys.exit(1)


def control(options: Options) -> Wire:
    address = (options.control_host, options.control_port)
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if options.mode == "client":
            made.connect(address)
            return Wire(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(1)
        print("Control socket listening", flush=True)
        accepted, _ = made._accept()  # type: ignore[attr-defined]
        made.close()
        return Wire(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, accepted))
    except OSError:
        quit_saying("Control socket initialization failed.  Invalid address?")
        raise


def do(deed: str) -> None:
    if deed == "signal":
        os.kill(os.getpid(), SIGSEGV)
    elif deed == "fail-once" and os.path.exists(beside("failed")):
        pass
    elif deed in {"fail", "fail-once"}:
        open(beside("failed"), "w").close()
        quit_saying("hash mismatch")
    elif deed == "hang":
        time.sleep(600)
    elif deed:
        with open(os.environ["KMSG"], "a") as log:
            log.write(f"[    5.000000] {deed}\n")


def run_tests(options: Options) -> None:
    wire = control(options)

    def meet(word: str, wanted: str) -> str:
        try:
            wire.say(word)
            heard = wire.hear()
        except OSError:
            heard = ""
        if not heard:
            quit_saying("unexpected EOF on control socket")
        if heard != wanted and "SKIP" not in {heard, word}:
            quit_saying(f'expected "{wanted}" on control socket, got "{heard}"')
        return heard

    for number, title in enumerate(PLAN["titles"]):
        print(f"{number} - {title}...", end="", flush=True)
        skip = number in options.skip
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
    options = Options(sys.argv[1:])
    if "--help" in options.words:
        print("".join(f"  --{name}\n" for name in OPTIONS), end="")
        return
    if options.list:
        print("ID\tTest name")
        print("\n".join(f"{n}\t{title}" for n, title in enumerate(PLAN["titles"])))
        sys.exit(1)
    with open(beside("argv"), "w") as file:
        file.write(" ".join(sys.argv[1:]))
    run_tests(options)


main()
