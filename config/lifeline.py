"""Ties a process to the supervisor that started it. Standard library only: it runs before anything else is imported.

The supervisor holds the writing end of one pipe and writes nothing. Its children hold the reading end: end of file
means that the supervisor is gone, however it died, on Linux and macOS alike. Then a child ends itself. On a second
pipe a child says, once, that it is ready.

    python -m config.lifeline module 8001 simulator --port 8001    a Python module, in this process
    python -m config.lifeline program 6390 valkey-server …         any program, watched from this process

The number is the port whose answering makes the process ready.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time

# Where `python -m config.lifeline` finds the two pipes.
LIFELINE = "DAILIES_LIFELINE_FD"
READY = "DAILIES_READY_FD"

# How long a process may take to end by itself after its supervisor is gone.
GRACE_SECONDS = 2.0

_ready_descriptor: int | None = None


def hold(lifeline_descriptor: int, ready_descriptor: int) -> None:
    """Starts the watcher, and remembers whom to tell that this process is ready."""
    global _ready_descriptor
    _ready_descriptor = ready_descriptor
    threading.Thread(target=_watch, args=(lifeline_descriptor,), name="lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def ready() -> None:
    """Tells the supervisor, if there is one, that this process does its work."""
    global _ready_descriptor
    if _ready_descriptor is not None:
        os.write(_ready_descriptor, b"ready")
        os.close(_ready_descriptor)
        _ready_descriptor = None


def _ready_when_listening(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return ready()


def _run_program(command: list[str]) -> int:
    child = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    return child.wait()


def main(arguments: list[str]) -> int:
    hold(int(os.environ.pop(LIFELINE)), int(os.environ.pop(READY)))
    kind, port, *command = arguments
    threading.Thread(target=_ready_when_listening, args=(int(port),), name="ready", daemon=True).start()
    if kind == "program":
        return _run_program(command)
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
