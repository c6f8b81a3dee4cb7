"""The probes of a container, as the kubelet makes them, only quicker while it starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from controlplane.runtime.local.podspec import ContainerSpec, ProbeSpec

FAST_PROBE_S = 0.05
"""Between probes of a container that is starting: it serves as soon as it can, whatever `periodSeconds` says."""
FAST_PROBES_FOR_S = 30.0
_STATUS_LINE_BYTES = 13  # b"HTTP/1.1 200 "


@dataclass(frozen=True)
class Verdict:
    """Why a container must be started anew."""

    reason: str
    message: str
    is_final: bool
    """It never came up in all the time it was given."""


class Prober:
    """Probes one run of a container on PORT; READINESS is told each time that whether it is ready may have changed, and why not."""

    def __init__(self, spec: ContainerSpec, port: int | None, *, was_ready: bool, readiness: Callable[[bool, str], None]) -> None:
        self._spec, self._port, self._readiness = spec, port, readiness
        self._was_ready = was_ready

    async def run(self) -> Verdict:
        """Probe until the container must be started anew; for ever, while it is well."""
        if self._spec.startup and not self._was_ready and (verdict := await self._until_started(self._spec.startup)):
            return verdict
        ready = asyncio.create_task(self._watch_readiness(self._spec.readiness))
        try:
            return await self._until_dead(self._spec.liveness)
        finally:
            ready.cancel()

    async def _until_started(self, probe: ProbeSpec) -> Verdict | None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + probe.initial_delay_s + probe.period_s * probe.failure_threshold
        while trouble := await self._ask(probe):
            if loop.time() > deadline:
                return Verdict("StartupProbeFailed", f"Container {self._spec.name} did not come up: {trouble}", is_final=True)
            self._readiness(False, trouble)
            await asyncio.sleep(FAST_PROBE_S)
        return None

    async def _watch_readiness(self, probe: ProbeSpec | None) -> None:
        if probe is None:
            self._readiness(True, "")
            return
        loop = asyncio.get_running_loop()
        began, is_ready, in_a_row = loop.time(), self._was_ready, 0
        while True:
            trouble = await self._ask(probe)
            if is_ready == (not trouble):
                in_a_row = 0
            else:
                in_a_row += 1
                if in_a_row >= (probe.failure_threshold if is_ready else probe.success_threshold):
                    is_ready, in_a_row = not is_ready, 0
            self._readiness(is_ready, "" if is_ready else trouble)
            is_starting = not is_ready and loop.time() - began < FAST_PROBES_FOR_S
            await asyncio.sleep(FAST_PROBE_S if is_starting else probe.period_s)

    async def _until_dead(self, probe: ProbeSpec | None) -> Verdict:
        if probe is None:
            await asyncio.Event().wait()
            raise AssertionError("never set")
        await asyncio.sleep(probe.initial_delay_s)
        failures = 0
        while True:
            await asyncio.sleep(probe.period_s)
            trouble = await self._ask(probe)
            failures = failures + 1 if trouble else 0
            if failures >= probe.failure_threshold:
                return Verdict("LivenessProbeFailed", f"Container {self._spec.name} hung: {trouble}", is_final=False)

    async def _ask(self, probe: ProbeSpec) -> str:
        """Empty when the container answers well, else what was wrong, in words. A named or numbered port means the one it has here."""
        if self._port is None:
            return "it has no port to probe"
        try:
            async with asyncio.timeout(probe.timeout_s):
                status = await _get(probe, self._port)
        except TimeoutError:
            return f"no answer on {probe.path} within {probe.timeout_s:g} s"
        except (OSError, ValueError, EOFError):
            return f"{probe.path} cannot be reached"
        return "" if 200 <= status < 400 else f"{probe.path} answered {status}"


async def _get(probe: ProbeSpec, port: int) -> int:
    """The status. Raises OSError, EOFError and ValueError for what is no HTTP server."""
    headers = {"host": f"127.0.0.1:{port}", "user-agent": "clove-probe", "accept": "*/*", "connection": "close"}
    headers |= {name.lower(): value for name, value in probe.headers}
    request = f"GET {probe.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request.encode("latin-1"))
        line = await reader.readexactly(_STATUS_LINE_BYTES)
        return int(line[9:12]) if line.startswith(b"HTTP/1.") else 0
    finally:
        writer.close()
