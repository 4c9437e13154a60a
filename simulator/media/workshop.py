"""Makes files when they are first asked for, on threads of its own, and keeps them on disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Workshop:
    """A cache of made files and folders by name. Two who ask for the same one wait for the same work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="workshop")
        self._running: dict[str, asyncio.Future[Path]] = {}

    async def file(self, name: str, make: Callable[[Path], None]) -> Path:
        """The path of the file `name`; `make(path)` writes it if it does not exist yet."""
        return await self._made(name, make, folder=False)

    async def parts(self, name: str, make: Callable[[Path], None]) -> Path:
        """The path of the folder `name`; `make(path)` fills it if it does not exist yet."""
        return await self._made(name, make, folder=True)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _made(self, name: str, make: Callable[[Path], None], *, folder: bool) -> Path:
        path = self.folder / name
        if path.exists():
            return path
        running = self._running.get(name)
        if running is None:
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._threads, build, path, make, folder)
            self._running[name] = running
            running.add_done_callback(lambda _: self._running.pop(name, None))
        return await asyncio.shield(running)


def build(path: Path, make: Callable[[Path], None], folder: bool) -> Path:
    """Made beside and renamed: a killed process leaves no half file that would be served for ever."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    if folder:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
    make(temporary)
    temporary.replace(path)
    return path
