"""The chunked transfer coding (RFC 9112 7.1), read strictly: what is passed on is framed anew."""

from __future__ import annotations

import re

from controlplane.runtime.local.router.heads import BadHead

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8}+)(?:[ \t]*+;[^\x00-\x08\x0a-\x1f\x7f]*+)?")
_MAX_LINE_BYTES = 256
_MAX_TRAILER_BYTES = 8 << 10
LAST_CHUNK = b"0\r\n\r\n"


def chunk(piece: bytes) -> bytes:
    """PIECE, not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class ChunkReader:
    """Takes the coding off. `is_done` after the last chunk; `rest` is then what came after it."""

    __slots__ = ("_buffer", "_left", "_trailer_bytes", "_trailers", "is_done")

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        """Bytes still to come of the chunk that is being read, its line end included; 0 before a size line."""
        self._trailers = False
        self._trailer_bytes = 0
        self.is_done = False

    @property
    def rest(self) -> bytes:
        return self._buffer

    def feed(self, data: bytes) -> list[bytes]:
        """The parts of the body that DATA brings. Raises BadHead (400)."""
        self._buffer = self._buffer + data if self._buffer else data
        pieces: list[bytes] = []
        while self._buffer and not self.is_done:
            if self._left:
                if not self._take_data(pieces):
                    break
            elif not self._take_line():
                break
        return pieces

    def _take_data(self, pieces: list[bytes]) -> bool:
        body_left = self._left - 2
        if body_left > 0:
            piece = self._buffer[:body_left]
            pieces.append(piece)
            self._buffer = self._buffer[len(piece) :]
            self._left -= len(piece)
            return True
        if not b"\r\n".startswith(self._buffer[: self._left][:2]) and self._left == 2:
            raise BadHead(400, "A chunk is longer than its size.")
        if len(self._buffer) < 2:
            return False
        self._buffer, self._left = self._buffer[2:], 0
        return True

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if b"\n" in self._buffer or len(self._buffer) > (_MAX_TRAILER_BYTES if self._trailers else _MAX_LINE_BYTES):
                raise BadHead(400, "A chunk has no size.")
            return False
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        if self._trailers:
            self._trailer_bytes += end
            if self._trailer_bytes > _MAX_TRAILER_BYTES:
                raise BadHead(431, "The trailers are too long.")
            self.is_done = not line
            return True
        match = _SIZE_LINE.fullmatch(line)
        if not match or end > _MAX_LINE_BYTES:
            raise BadHead(400, "A chunk has no size.")
        size = int(match[1], 16)
        if size:
            self._left = size + 2
        else:
            self._trailers = True
        return True
