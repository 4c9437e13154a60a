"""Files as request bodies, read piece by piece while they are sent."""

from __future__ import annotations

import io
import re
import secrets
from typing import IO

from heygen.errors import Refused
from heygen.inputs import FILE_SIZE_LIMIT

# Control characters and quotes would end the header that a file name stands in.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')


class Part(io.RawIOBase):
    """The next `length` bytes of a stream, as a file of its own. Raises OSError if it has fewer."""

    def __init__(self, stream: IO[bytes], length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        piece = self._stream.read(wanted) if wanted else b""
        if wanted and not piece:
            # Else the server would wait for the rest that was announced until the deadline.
            raise OSError("the file is shorter than announced")
        self._left -= len(piece)
        return piece


class Upload(io.RawIOBase):
    """multipart/form-data with the one part `file`. `length` is the number of bytes of all of it.

    Raises Refused (413) for a file that is larger than HeyGen takes.
    """

    def __init__(self, stream: IO[bytes], filename: str, content_type: str) -> None:
        if not stream.seekable():
            stream = io.BytesIO(stream.read(FILE_SIZE_LIMIT + 1))
        start = stream.tell()
        size = stream.seek(0, io.SEEK_END) - start
        stream.seek(start)
        if size > FILE_SIZE_LIMIT:
            # HeyGen would say the same after all of it was sent.
            raise Refused(
                f"the file is larger than {FILE_SIZE_LIMIT} bytes",
                status=413,
                code="payload_too_large",
                param="file",
            )
        boundary = secrets.token_hex(16)
        name = _UNSAFE.sub("_", filename) or "file"
        kind = (
            content_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+", content_type) else "application/octet-stream"
        )
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.length = len(head) + size + len(tail)
        self._parts: list[IO[bytes] | Part] = [io.BytesIO(head), Part(stream, size), io.BytesIO(tail)]

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        pieces: list[bytes] = []
        wanted = -1 if size is None else size
        while self._parts and wanted != 0:
            piece = self._parts[0].read(wanted)
            if not piece:
                self._parts.pop(0)
                continue
            pieces.append(piece)
            if wanted > 0:
                wanted -= len(piece)
        return b"".join(pieces)
