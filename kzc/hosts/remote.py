# SPDX-License-Identifier: GPL-2.0-only
"""What runs on a host at the other end of SSH: the keeper of the scratch folder, and the relay.

    remote.py keep SECONDS        makes the folder, says where it is, answers each heartbeat, and
                                  removes it when its input ends or none came for SECONDS
    remote.py relay PATH FOLDER   a Unix socket, and one connection to it as input and output

The folder is the lease: the relay, and guard.py in front of each command, end when it is gone.
Standard library only, imports nothing of kzc, because it is sent to a host as a text.
"""

import os
import select
import shutil
import signal
import socket
import stat
import sys
import tempfile
import threading
import time

CHUNK = 1 << 16
REMOVING = 60  # seconds in which commands have to let go of the folder
POLL = 1.0  # seconds between two looks at the lease


def say(text: str) -> None:
    os.write(1, os.fsencode(text))


def keep(lease: float) -> int:
    """Hold the folder as long as heartbeats come."""
    folder = tempfile.mkdtemp(prefix="kzc-", dir=os.environ.get("TMPDIR") or "/tmp")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        say(f"kzc-folder {folder}\n")
        while select.select([0], [], [], lease)[0]:
            beats = os.read(0, CHUNK)
            if not beats:
                break
            os.write(1, beats)
    except (OSError, KeyboardInterrupt):
        pass  # nobody is there any more
    finally:
        remove(folder)
    return 0


def remove(folder: str) -> None:
    """First out of sight, so that guards and relays end, then away."""
    gone = f"{folder}.gone"
    os.rename(folder, gone)
    end = time.monotonic() + REMOVING
    while os.path.lexists(gone) and time.monotonic() < end:
        shutil.rmtree(gone, ignore_errors=True)
        time.sleep(0.05)


def relay(path: str, folder: str) -> int:
    """Wait for one connection and copy both ways, half-closed ends included."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            server.bind(path)
        except OSError as error:
            sys.stderr.write(f"no socket at {path}: {error}\n")
            return 1
        try:
            server.listen(1)
            say("ready\n")
            if not wanted(server, folder):
                return 1
            connection = server.accept()[0]
            server.close()
            say("connected\n")
            copy(connection, folder)
        except OSError:
            return 1  # kzc is gone
        finally:
            if os.path.lexists(path):
                os.unlink(path)
    return 0


def wanted(server: socket.socket, folder: str) -> bool:
    """True when somebody connects; False when kzc has gone or does not want it any more."""
    poll = select.poll()
    poll.register(server.fileno(), select.POLLIN)
    poll.register(0, select.POLLIN)
    poll.register(1, 0)
    ready: list[int] = []
    while not ready and os.path.isdir(folder):
        ready = [fd for fd, _ in poll.poll(POLL * 1000)]
    return ready == [server.fileno()]


def copy(connection: socket.socket, folder: str) -> None:
    done = threading.Semaphore(0)
    for direction in (inwards, outwards):
        threading.Thread(target=direction, args=(connection, done), daemon=True).start()
    left = 2
    while left and os.path.isdir(folder):
        left -= done.acquire(timeout=POLL)


def inwards(connection: socket.socket, done: threading.Semaphore) -> None:
    try:
        while data := os.read(0, CHUNK):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other end is closed; outwards sees it too
    done.release()


def outwards(connection: socket.socket, done: threading.Semaphore) -> None:
    try:
        while data := connection.recv(CHUNK):
            while data:
                data = data[os.write(1, data) :]
    except BrokenPipeError:
        done.release()  # kzc is gone: nothing to wait for inwards either
    except OSError:
        pass
    end_output()
    done.release()


def end_output() -> None:
    """Have sshd tell the end of our output: which may be one socket with our input, and which it
    tells only when our errors have ended too."""
    os.close(2)
    if stat.S_ISSOCK(os.fstat(1).st_mode):
        with socket.socket(fileno=os.dup(1)) as output:
            output.shutdown(socket.SHUT_WR)
    else:
        os.close(1)


def main(words: list[str]) -> int:
    if words[0] == "keep":
        return keep(float(words[1]))
    return relay(words[1], words[2])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
