"""Makes files when they are first asked for, one after the other on a thread of its own, and keeps them on disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Workshop:
    """A cache of made files by name. Two who ask for the same file wait for the same work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="workshop")
        self._running: dict[str, asyncio.Future[Path]] = {}

    async def file(self, name: str, make: Callable[[], bytes]) -> Path:
        """The path of the file `name`, made by `make()` if it does not exist yet."""
        path = self.folder / name
        if path.exists():
            return path
        running = self._running.get(name)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._threads, self._make, path, make)
            self._running[name] = running
            running.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(running)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _make(path: Path, make: Callable[[], bytes]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed: a killed process leaves no half file that would be served for ever.
        temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
        temporary.write_bytes(make())
        temporary.replace(path)
        return path
