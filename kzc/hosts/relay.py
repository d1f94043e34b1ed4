# SPDX-License-Identifier: GPL-2.0-only
"""A Unix socket on a host, and one connection to it as input and output; forked by the keeper.

Standard library only: it is sent to a host as a text, along with the keeper. The folder is the
lease: it ends when that is gone.
"""

import os
import select
import socket
import sys
import threading

CHUNK = 1 << 16
POLL = 1.0  # seconds between two looks at the lease


def say(text: str) -> None:
    os.write(1, text.encode())


def relay(path: str, folder: str) -> int:
    """Wait for one connection and copy both ways, half-closed ends included."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        try:
            server.bind(path)
        except OSError as error:
            sys.stderr.write(f"no socket at {path}: {error}\n")
            sys.stderr.flush()
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


def free_port() -> int:
    """A TCP port of loopback that nobody has, as the system chooses one."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


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
    os.close(1)
    os.close(2)
    done.release()
