"""kombu's filesystem transport, made safe for several processes: a message appears whole, and is taken by one.

kombu writes a message, and the table of an exchange, under its final name, so that a reader in between gets half of it and dies of that;
and it moves what it reads to the system's temporary directory, which may be another file system, where moving is copying. Here each is one
`rename` within the folder. What a killed worker had taken is lost: the sweep sees to it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads

SCHEME = "files"


class Channel(filesystem.Channel):
    _binding = threading.Lock()

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        """Bind, one thread at a time: kombu notes a binding before it writes it, and who finds the note publishes to nobody."""
        with self._binding:
            super().queue_bind(*args, **kwargs)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Add a binding to the table of EXCHANGE: one writer at a time, and readers see the table before or after."""
        path = self._exchange_file(exchange)
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with open(path.with_name(f".{path.name}.lock"), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            if binding not in table:
                draft = path.with_name(f".{path.name}.draft")
                draft.write_text(dumps([binding, *table]))
                draft.rename(path)

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu's own channel renames it too
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        draft = Path(self.data_folder_out, f".{name}")
        draft.write_bytes(str_to_bytes(dumps(payload)))
        draft.rename(Path(self.data_folder_out, name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        ending = f".{queue}.msg"
        for name in sorted(name for name in os.listdir(self.data_folder_in) if name.endswith(ending) and name[0] != "."):
            taken = Path(self.data_folder_in, f".{name}.{os.getpid()}.taken")
            try:
                Path(self.data_folder_in, name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            try:
                return loads(bytes_to_str(taken.read_bytes()))
            finally:
                taken.unlink()
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel


def options(folder: Path, *, polling_interval_s: float) -> dict[str, Any]:
    """kombu's `broker_transport_options` for a broker in FOLDER, which is made."""
    queue, control = folder / "queue", folder / "control"
    for path in (queue, control):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "polling_interval": polling_interval_s,
    }


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
