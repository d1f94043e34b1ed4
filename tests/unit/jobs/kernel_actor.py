# SPDX-License-Identifier: GPL-2.0-only
"""Plays QEMU and a guest that is as good as its kernel: `python kernel_actor.py QEMU-ARGUMENTS...`.

The small kernel's image holds the names of its variables: with one that begins with `panics` the
guest panics while it boots, with `wrong` every command fails, and so it does with a test program
that has the name program_is_wrong in it. Marks reach the console.
"""

import base64
import re
import socket
import sys
from pathlib import Path

PANIC = b"[    0.9] Kernel panic - not syncing: told to\n---[ end Kernel panic - not syncing ]---\n"


def connect(name: str) -> socket.socket:
    path = re.search(rf"id=\S*{name},path=(\S+?)(?:,|\s|$)", " ".join(sys.argv))
    assert path is not None, sys.argv
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path.group(1))
    return sock


def main() -> None:
    image = Path(sys.argv[sys.argv.index("-kernel") + 1]).read_bytes()
    programs = Path(sys.argv[sys.argv.index("-initrd") + 1]).read_bytes()
    _monitor, console, control = connect("qmp"), connect("console"), connect("control")
    if b"panics" in image:
        console.sendall(PANIC)
        return
    control.sendall(b"kzc-agent 1\n")
    for line in control.makefile("rb"):
        nonce, code = line.split()
        text = base64.b64decode(code).decode()
        marks = re.findall(r"echo '(kzc: (?:begin|end) [^']*)' > /dev/kmsg", text)
        console.sendall("".join(f"[    1.0] {mark}\n" for mark in marks).encode())
        fails = b"wrong" in image or b"program_is_wrong" in programs
        status = b"1" if marks and fails else b"0"
        control.sendall(b"\n" + nonce + b" " + status + b"\n")


main()
