"""The supervisor's socket: one JSON object a line, each answered by one line, except `events`, which streams.

{"op": "poke", "namespace": N}     look at N's files now              -> {"ok": true}
{"op": "observe", "namespace": N}  look, and say how N stands         -> {"observation": {…}}
{"op": "status"}                   who runs here                      -> {"pid": …, "router_port": …, "systems": …}
{"op": "events"}                   a line for each system known, then for each that moved: {"system_id", "namespace", "seller"};
                                   {} as a heartbeat
What cannot be answered is answered by {"error": "…"}.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
from pathlib import Path
from typing import Any

from controlplane.runtime.errors import RuntimeFailure
from controlplane.runtime.local.layout import check_private, make_dir
from controlplane.runtime.local.supervisor import Supervisor
from controlplane.runtime.port import SystemRef

HEARTBEAT_S = 5.0
_MOST_PENDING = 10_000
log = logging.getLogger(__name__)


class ControlServer:
    """Answers adapters. `announce` is to be told of each system that moved."""

    def __init__(self, path: Path, router_port: int) -> None:
        self._path, self._router_port = path, router_port
        self._listeners: set[asyncio.Queue[SystemRef]] = set()
        self._server: asyncio.Server | None = None
        self._supervisor: Supervisor | None = None
        self._talking: set[asyncio.StreamWriter] = set()

    async def start(self, supervisor: Supervisor) -> None:
        """Listen. The caller holds the supervisor's lock: a socket that is there was left behind by one that died."""
        self._supervisor = supervisor
        make_dir(self._path.parent)
        check_private(self._path.parent)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._talk, str(self._path))
        finally:
            os.umask(before)

    def stop(self) -> None:
        if self._server:
            self._server.close()
        for writer in list(self._talking):
            writer.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def announce(self, system: SystemRef) -> None:
        for listener in self._listeners:
            if listener.qsize() < _MOST_PENDING:  # a listener that slow is dead; should it not be, the sweep finds what it missed
                listener.put_nowait(system)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talking.add(writer)
        try:
            while line := await reader.readline():
                request = json.loads(line)
                if request.get("op") == "events":
                    await self._stream(writer)
                writer.write(_line(self._answer(request)))
                await writer.drain()
        except (OSError, ValueError, asyncio.LimitOverrunError):
            pass  # the other side went away, or does not speak this language
        finally:
            self._talking.discard(writer)
            writer.close()

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        supervisor = self._supervisor
        if supervisor is None:
            return {"error": "not started"}
        try:
            match request.get("op"):
                case "poke":
                    supervisor.observed(request["namespace"])
                    return {"ok": True}
                case "observe":
                    return {"observation": dataclasses.asdict(supervisor.observed(request["namespace"]).observe())}
                case "status":
                    return {"pid": os.getpid(), "router_port": self._router_port, "systems": len(supervisor.systems)}
                case _:
                    return {"error": "unknown op"}
        except (RuntimeFailure, OSError, KeyError) as error:
            log.exception("%s cannot be answered", request.get("op"))
            return {"error": str(error)}

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """Endless. Moves of one system that come together are told once."""
        queue: asyncio.Queue[SystemRef] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            pending = [system.ref for system in self._supervisor.systems.values() if system.ref.system_id] if self._supervisor else []
            while True:
                for ref in dict.fromkeys(pending):
                    writer.write(_line(dataclasses.asdict(ref)))
                if not pending:
                    writer.write(_line({}))
                await writer.drain()
                pending = []
                with contextlib.suppress(TimeoutError):
                    pending.append(await asyncio.wait_for(queue.get(), HEARTBEAT_S))
                while not queue.empty():
                    pending.append(queue.get_nowait())
        finally:
            self._listeners.discard(queue)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
