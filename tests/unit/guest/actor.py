# SPDX-License-Identifier: GPL-2.0-only
"""Plays QEMU and its guest for test_session: `python actor.py SCRIPT QEMU-ARGUMENTS...`.

Connects to the three sockets that the command line names, says hello, then acts as SCRIPT says
when a command comes. Real sockets, real processes; only the kernel is missing.
"""

import re
import select
import socket
import sys
import time

PANIC = b"[    9.0] Kernel panic - not syncing: Fatal exception\n"


def connect(name: str) -> socket.socket:
    path = re.search(rf"id=\S*{name},path=(\S+?)(?:,|\s|$)", " ".join(sys.argv))
    assert path is not None, sys.argv
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path.group(1))
    return sock


def main() -> None:
    script = sys.argv[1]
    if script == "no-start":
        print("qemu: could not open the kernel", flush=True)
        return
    connect("qmp")
    console, control = connect("console"), connect("control")
    terminal = connect("terminal") if "kzc-terminal" in " ".join(sys.argv) else None
    if terminal is not None and script == "stays":
        control.sendall(b"kzc-agent 1\n")
        stay(terminal, control, control.makefile("rb", buffering=0))
        return
    if script == "boot-panic":
        console.sendall(PANIC + b"---[ end Kernel panic\n")
        return
    if script == "boot-hang":
        time.sleep(60)
    console.sendall(b"[    0.5] Run /init as init process\n")
    control.sendall(b"kzc-agent 1\n")
    requests = control.makefile("rb")
    nonce = requests.readline().split()[0]
    control.sendall(b"\n" + nonce + b" 0\n")
    nonce = requests.readline().split()[0]
    act(script, console, control, nonce)


def stay(terminal: socket.socket, control: socket.socket, requests: socket.SocketIO) -> None:
    """A guest that does all it is told, until somebody types into its terminal."""
    terminal.sendall(b"kzc:~# ")
    while terminal not in select.select([terminal, control], [], [])[0]:
        control.sendall(b"\n" + requests.readline().split()[0] + b" 0\n")


def act(script: str, console: socket.socket, control: socket.socket, nonce: bytes) -> None:
    if script == "answer":
        for byte in b"one\ntwo":
            control.sendall(bytes([byte]))
        console.sendall(b"[    1.0] kzc: begin x\n")
        control.sendall(b"\n" + nonce + b" 3\n")
        time.sleep(60)
    elif script == "panic":
        control.sendall(b"half a li")
        console.sendall(PANIC)
        time.sleep(0.2)
        console.sendall(b"Call Trace:\n")
        time.sleep(60)
    elif script == "silence":
        control.sendall(b"started\n")
        time.sleep(60)
    elif script == "chatter":
        while True:
            control.sendall(b"still here\n")
            time.sleep(0.05)
    elif script == "gone":
        control.sendall(b"last words\n")


main()
