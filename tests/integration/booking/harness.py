"""A booking system of real processes, for tests: keys, secrets, `python -m booking_templates serve` a service, and a public front.

with Booking(["auth", "event", "seat", "ticket"], tmp_path) as booking:
    booking.kill("seat")
    booking.restart("seat")
    requests.get(booking.url("seat") + "/api/seat/performances")   # straight to the process, as from inside the namespace
    requests.get(booking.public_url + "/api/seat/performances")    # through the front, as from outside
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import psutil
import urllib3

from booking_templates import catalog
from tests.booking_keys import Keyring
from tests.integration.booking.front import Front
from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[3]
READY_S = 30.0
STOP_S = 25.0
CLUSTER_PORT = 8000
STANDIN_ADMIN_KEY = "admin-key-of-the-tests"

_probe = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(2), maxsize=1)


class DidNotStart(Exception):
    """A process that ended or never became ready; says what it logged."""


class Booking:
    """One booking system below TMP_PATH. Each service has a directory of its own: `<tmp_path>/<service>/` with secrets, database and log.

    DATABASE is "sqlite" or a MySQL address of a server (`mysql://root:…@127.0.0.1:3310`), below which each service has the schema
    `clove_<service>`, made by the caller. PAYMENT "kakaopay" starts the stand-in too, when ticket or merch is among SERVICES.
    ENVIRON is added to every service's environment. Ends all process groups on leaving, whatever happened.
    """

    def __init__(
        self,
        services: Sequence[str],
        tmp_path: Path,
        *,
        database: str = "sqlite",
        numbered: bool = True,
        payment: str = "kakaopay",
        merchandise: bool = True,
        system: str = "clove-test",
        environ: dict[str, str] | None = None,
    ) -> None:
        self.root = tmp_path
        self.system = system
        self.services = [name for name in services if merchandise or name != "merch"]
        self.payment = payment
        self.keys = Keyring(system)
        self._database = database
        self._environ = environ or {}
        self.numbered = numbered
        self._hosts_file = tmp_path / "hosts.json"
        self._ports: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        has_payments = payment == "kakaopay" and bool({"ticket", "merch"} & set(self.services))
        self._all = [*(["standin"] if has_payments else []), *self.services]
        self._front = Front(self._base_of, self.services)
        self.public_url = f"http://127.0.0.1:{self._front.port}"

    def __enter__(self) -> Booking:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> Booking:
        """Start every service at once and wait until all are ready. Raises DidNotStart."""
        try:
            for service in self._all:
                self._ports[service] = free_port()
                self._prepare(service)
            self._write_hosts()
            for service in self._all:
                self._spawn(service)
            for service in self._all:
                self.wait_ready(service)
        except BaseException:
            self.stop()
            raise
        return self

    def url(self, service: str) -> str:
        """Address of SERVICE's process itself."""
        return f"http://127.0.0.1:{self._ports[service]}"

    def buyer_token(self, buyer_id: str | None = None, *, name: str = "김클로") -> str:
        """A buyer's token without the auth service having such an account."""
        return self.keys.buyer_token(buyer_id, name=name)

    def staff_token(self, *scopes: str) -> str:
        return self.keys.staff_token(*(scopes or ("content", "probe", "attendees", "summary")))

    def service_token(self, caller: str, callee: str) -> str:
        return self.keys.service_token(caller, callee)

    def kill(self, service: str) -> None:
        """As `kill -9` of all its processes at once; peers see its address refuse them."""
        process = self._processes.pop(service)
        _end_group(process, signal.SIGKILL)

    def freeze(self, service: str) -> None:
        """It takes requests, and answers none, until it is thawed."""
        os.killpg(self._processes[service].pid, signal.SIGSTOP)

    def thaw(self, service: str) -> None:
        os.killpg(self._processes[service].pid, signal.SIGCONT)

    def restart(self, service: str) -> None:
        """Start SERVICE again at the address it had, on the data it left; ready when this returns."""
        if service in self._processes:
            self.end(service)
        self._spawn(service)
        self.wait_ready(service)

    def end(self, service: str) -> int:
        """Stop SERVICE as a rollout does (SIGTERM, time to finish); its exit status. Raises TimeoutExpired."""
        process = self._processes.pop(service)
        process.terminate()
        try:
            return process.wait(STOP_S)
        finally:
            _end_group(process, signal.SIGKILL)

    def stop(self) -> None:
        """End everything: kindly first, then by force. Safe to call twice."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _end_group(process, signal.SIGKILL)
        self._processes.clear()
        self._front.stop()

    def wait_ready(self, service: str) -> None:
        """Until `/readyz` answers 200. Raises DidNotStart when the process ends first or READY_S pass."""
        process = self._processes[service]
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DidNotStart(f"{service} ended with {process.returncode}\n{self.log(service)}")
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if _probe.request("GET", self.url(service) + "/readyz").status == 200:
                    return
            time.sleep(0.02)
        raise DidNotStart(f"{service} was not ready within {READY_S} s\n{self.log(service)}")

    def log(self, service: str) -> str:
        """What SERVICE wrote, its last 8 kB."""
        path = self.root / service / "log"
        return path.read_text(encoding="utf-8", errors="replace")[-8000:] if path.exists() else ""

    def directory(self, service: str) -> Path:
        """What SERVICE sees as `/`."""
        return self.root / service

    def database_path(self, service: str) -> Path:
        """SERVICE's SQLite file."""
        return self.root / service / "var/lib/clove/db.sqlite3"

    def memory_mb(self, service: str) -> float:
        """Proportional set size of all processes of SERVICE, in MB (10^6 bytes). Linux only."""
        process = psutil.Process(self._processes[service].pid)
        return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)]) / 1e6

    def cpu_s(self, service: str) -> float:
        """CPU time that all processes of SERVICE have used, in seconds."""
        process = psutil.Process(self._processes[service].pid)
        return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])

    def database_url(self, service: str) -> str:
        if service == "web":
            return ""
        if self._database == "sqlite" or service == "standin":
            return "sqlite:////var/lib/clove/db.sqlite3"
        return f"{self._database.rstrip('/')}/clove_{service}"

    def _base_of(self, service: str) -> str | None:
        return self.url(service) if service in self._ports else None

    def _prepare(self, service: str) -> None:
        root = self.root / service
        (root / "var/lib/clove").mkdir(parents=True, exist_ok=True)
        if self.database_url(service).startswith("sqlite") and not self.database_path(service).exists():
            shutil.copyfile(migrated(service), self.database_path(service))
        self.keys.write_secrets(root / "etc/clove/secrets", service)
        self.keys.write_trust(root / "etc/clove/trust")

    def _write_hosts(self) -> None:
        table = {f"{service}:{CLUSTER_PORT}": [f"127.0.0.1:{self._ports[service]}"] for service in self.services}
        draft = self._hosts_file.with_suffix(".new")
        draft.write_text(json.dumps(table), encoding="utf-8")
        draft.replace(self._hosts_file)

    def environ(self, service: str) -> dict[str, str]:
        """The environment of SERVICE's process: what manifests, catalog and local runtime say together."""
        provider = self.payment if service in ("ticket", "merch", "event", "web") else "none"
        standin = self.url("standin") if "standin" in self._ports else ""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONWARNINGS": "default",
            "CLOVE_SERVICE": service,
            "BIND": "127.0.0.1",
            "PORT": str(self._ports[service]),
            "CLOVE_SYSTEM": self.system,
            "CLOVE_PUBLIC_URL": standin if service == "standin" else self.public_url,
            "CLOVE_ROOT": str(self.root / service),
            "CLOVE_HOSTS_FILE": str(self._hosts_file),
            "CLOVE_DATABASE": self.database_url(service),
            "CLOVE_TIME_ZONE": "Asia/Seoul",
            "CLOVE_LANGUAGE": "ko",
            "SEAT_NUMBERED": "yes" if self.numbered else "no",
            "SEAT_PIN": "yes" if self.payment == "kakaopay" else "no",
            "PAYMENT_PROVIDER": provider,
            "PAYMENT_TEST": "yes",
            "KAKAOPAY_URL": standin,
            "KAKAOPAY_CID": "TC0ONETIME",
            **{f"CLOVE_PEER_{name.upper()}": f"http://{name}:{CLUSTER_PORT}" for name in self.services if name in called_by(service)},
            **({"CLOVE_THREADS": catalog.PAYING_THREADS} if service in ("ticket", "merch") else {}),
            **({"CLOVE_PUBLIC_URL": standin, "STANDIN_ADMIN_KEY": STANDIN_ADMIN_KEY} if service == "standin" else {}),
            **self._environ,
        }

    def _spawn(self, service: str) -> None:
        with open(self.root / service / "log", "ab") as log:
            self._processes[service] = subprocess.Popen(
                [sys.executable, "-m", "booking_templates", "serve"],
                cwd=self.root / service,
                env=self.environ(service),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@functools.cache
def migrated(service: str) -> Path:
    """An empty database of SERVICE, migrated once for all the booking systems of a run: a start is a third migrations otherwise."""
    directory = Path(tempfile.mkdtemp(prefix=f"clove-{service}-", dir=_migrated_directory()))
    one = Booking([service], directory, payment="none")
    one._ports[service] = free_port()
    one._write_hosts()
    one.keys.write_secrets(directory / service / "etc/clove/secrets", service)
    one.keys.write_trust(directory / service / "etc/clove/trust")
    command = [sys.executable, "-m", "booking_templates", "migrate"]
    try:
        subprocess.run(command, env=one.environ(service), check=True, capture_output=True, timeout=READY_S)
    finally:
        one.stop()
    return one.database_path(service)


@functools.cache
def _migrated_directory() -> str:
    made = tempfile.mkdtemp(prefix="clove-migrated-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def called_by(service: str) -> frozenset[str]:
    """The services whose address SERVICE gets, in whichever variant, as its image says: from here a plan takes them, and the network."""
    return frozenset(peer for image in catalog.IMAGES if image.service == service for peer in image.calls)


def _end_group(process: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    """Signal what is left of PROCESS's group and reap PROCESS."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, sign)
    process.wait(STOP_S)
