"""`./clove up`: prepare, start, deploy the example once, watch, stop. And `down` and `status` from another terminal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from controlplane.embedded import fleet
from controlplane.embedded.layout import ROOT, Layout, UpError, check_ports, setup_stamp
from controlplane.embedded.processes import Child, Trace, stop_traces

READY_S = 60.0
STOP_S = 60.0
EXAMPLE = ROOT / "examples" / "musical.json"
EXAMPLE_SELLER = "seller@clove.localhost"
LOOK_EVERY_S = 0.1
SITES_SHOWN = 5


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception, so that no handler of errors swallows it."""


def say(line: str) -> None:
    print(line, flush=True)


class Up:
    """One run of the embedded control plane."""

    def __init__(self, layout: Layout, *, deploys_example: bool) -> None:
        self.layout = layout
        self.deploys_example = deploys_example
        self.children: list[Child] = []
        self.env: dict[str, str] = {}
        self.is_first = False

    def run(self) -> int:
        """Everything from start to stop; the exit code."""
        self.layout.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.layout.lock_file, "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UpError(f"Clove is already up with this data ({self.layout.home}). Stop it with ./clove down") from error
            self._clear_earlier_run()
            check_ports(self.layout)
            signal.signal(signal.SIGTERM, _stop)
            signal.signal(signal.SIGINT, _stop)
            try:
                self._start()
                self._readdress()
                self._deploy_example()
                self._tell()
                self._watch()
            except Stopped:
                say("\nStopping ...")
            finally:
                # A second Ctrl-C must not leave children behind.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                self._stop_children()
        say("Stopped. Everything is kept in " + str(self.layout.home))
        return 0

    def _clear_earlier_run(self) -> None:
        """A run that was killed leaves children: they are stopped, so that ports and files are free."""
        traces = read_traces(self.layout)
        alive = [trace for trace in traces if trace.process()]
        if alive:
            say(f"An earlier run was killed and left {len(alive)} processes; stopping them.")
            stop_traces(alive, grace_s=15)
        self.layout.state_file.unlink(missing_ok=True)

    def _start(self) -> None:
        self.is_first = not (self.layout.home / "controlplane.sqlite3").exists() and "DATABASE_URL" not in os.environ
        if self.is_first and self.deploys_example:
            self.layout.first_start_file.touch()
        self.env = fleet.control_plane_env(self.layout)
        if fleet.is_local(self.env):
            self._launch([fleet.supervisor(self.layout)])
        else:
            more, said = fleet.beside_a_cluster(self.layout, self.env)
            self.env |= more
            if said:
                say(said)
            if fleet.uses_front(self.env):
                self._launch([fleet.front(self.layout, self.env)])
        self._prepare()
        # What sells comes first: two cores start only so many processes at once. Without worker and watcher nothing is lost, only later.
        self._launch([fleet.web(self.layout, self.env)])
        if fleet.uses_standin():
            self._launch([fleet.standin(self.layout, self.env)])
        self._await_ready()
        self._launch(fleet.background(self.layout, self.env))
        self._await_ready()

    def _launch(self, children: Sequence[Child]) -> None:
        for child in children:
            child.start()
            self.children.append(child)
            self._remember()

    def _remember(self) -> None:
        """Write down what runs, for `down`, `status` and the run after one that was killed."""
        traces = {child.name: trace for child in self.children if child.pid and (trace := Trace.of(child.pid))}
        own = Trace.of(os.getpid())
        state = {"up": asdict(own) if own else None, "children": {name: asdict(trace) for name, trace in traces.items()}}
        temporary = self.layout.state_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(self.layout.state_file)

    def _prepare(self) -> None:
        """Migrate, register the bundled images, make the first users; the generated passwords are printed here, once.

        Not done again while nothing it works from has changed: it costs a start of Django, with the database where it was.
        """
        stamp, file = setup_stamp(), self.layout.setup_stamp_file
        has_database = "DATABASE_URL" in os.environ or (self.layout.home / "controlplane.sqlite3").exists()
        if has_database and file.exists() and file.read_text(encoding="utf-8") == stamp:
            return
        done = subprocess.run([sys.executable, str(ROOT / "manage.py"), "setup"], env=self.env, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise UpError("The database could not be prepared; the reason stands above. What was there is unchanged; run ./clove up again.")
        file.write_text(stamp, encoding="utf-8")

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while waiting := [child for child in self.children if not child.is_ready()]:
            for child in waiting:
                if child.process is not None and child.process.poll() is not None:
                    raise UpError(f"{child.name} did not start:\n{child.last_lines()}")
            if time.monotonic() > deadline:
                raise UpError(f"{waiting[0].name} does not answer after {READY_S:.0f} s:\n{waiting[0].last_lines()}")
            time.sleep(0.02)

    def _readdress(self) -> None:
        """Booking systems that opened under other addresses, before a port was moved, say, are updated: buyers would be sent there."""
        now, file = fleet.addresses_stamp(self.env), self.layout.addresses_file
        if file.exists() and file.read_text(encoding="utf-8") == now:
            return
        if not self.is_first:
            command = [sys.executable, str(ROOT / "manage.py"), "refresh_systems", "--verbosity", "0"]
            if subprocess.run(command, env=self.env, check=False).returncode:  # noqa: S603 - ours
                say("Booking systems keep their addresses; the reason stands above.")
                return
        file.write_text(now, encoding="utf-8")

    def _deploy_example(self) -> None:
        if not self.deploys_example:
            self.layout.first_start_file.unlink(missing_ok=True)
            return
        if not self.layout.first_start_file.exists():
            return
        say("\nOpening the example event:")
        command = [sys.executable, str(ROOT / "manage.py"), "deploy", str(EXAMPLE), "--seller", EXAMPLE_SELLER, "--wait", "--resume"]
        if subprocess.run(command, env=self.env, check=False).returncode:  # noqa: S603 - ours
            say("The example did not open; the portal shows why, and lets you try again.")
        self.layout.first_start_file.unlink(missing_ok=True)

    def _tell(self) -> None:
        say(f"\n  Portal         {self.layout.portal_url}\n  Admin console  {self.layout.portal_url}/console/")
        sites = open_sites(self.layout)
        for url, title in sites[:SITES_SHOWN]:
            say(f"  Buyer site     {url}  {title}")
        if len(sites) > SITES_SHOWN:
            say(f"                 and {len(sites) - SITES_SHOWN} more, listed in the portal")
        say(f"\n  Stop with Ctrl-C, or ./clove down. Data: {self.layout.home}  Logs: {self.layout.logs}")

    def _watch(self) -> None:
        is_remembered = True
        while True:
            for child in self.children:
                before = child.pid
                if line := child.look_after():
                    say(line)
                is_remembered = is_remembered and child.pid == before
            if not is_remembered:
                with contextlib.suppress(OSError):  # no disk left: written down as soon as there is some
                    self._remember()
                    is_remembered = True
            time.sleep(LOOK_EVERY_S)

    def _stop_children(self) -> None:
        # The watcher and worker first: nobody then takes the runtime's stopping for trouble.
        for child in reversed(self.children):
            child.ask_to_stop()
        for child in reversed(self.children):
            child.end(time.monotonic() + child.stop_grace_s)
        self.layout.state_file.unlink(missing_ok=True)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def open_sites(layout: Layout) -> list[tuple[str, str]]:
    """Address and title of the live booking systems, from the public event list; empty when it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{layout.port}/api/v1/events", timeout=5) as answer:
            return [(event["url"], event["title"]) for event in json.load(answer)["results"]]
    except (OSError, ValueError, KeyError):
        return []


def read_state(layout: Layout) -> dict[str, Trace]:
    """What the state file says runs, by name; `up` is the parent of the others."""
    try:
        state = json.loads(Path(layout.state_file).read_text(encoding="utf-8"))
        entries = {"up": state["up"], **state["children"]}
        return {name: Trace(**entry) for name, entry in entries.items() if entry}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def read_traces(layout: Layout) -> list[Trace]:
    """The children that the state file remembers."""
    return [trace for name, trace in read_state(layout).items() if name != "up"]


def down(layout: Layout) -> int:
    """Stop a run, from another terminal; also what a killed run left. The exit code: 0 when nothing runs afterwards."""
    state = read_state(layout)
    parent = state["up"].process() if "up" in state else None
    if parent is not None:
        parent.terminate()
        deadline = time.monotonic() + STOP_S
        # Gone or a zombie: whoever started it may be slow to collect it.
        while state["up"].process():
            if time.monotonic() > deadline:
                raise UpError(f"It has not stopped after {STOP_S:.0f} s. Its process is {parent.pid}.")
            time.sleep(LOOK_EVERY_S)
        say("Stopped. Everything is kept in " + str(layout.home))
        return 0
    left = [trace for trace in read_traces(layout) if trace.process()]
    if not left:
        say("Clove is not up.")
        return 0
    say(f"A run was killed and left {len(left)} processes; stopping them.")
    stop_traces(left, grace_s=25)
    layout.state_file.unlink(missing_ok=True)
    return 0


def status(layout: Layout) -> int:
    """Say what runs; the exit code is 0 when all of it does."""
    state = read_state(layout)
    if not any(trace.process() for trace in state.values()):
        say("Clove is not up.")
        return 1
    for name, trace in state.items():
        process = trace.process()
        say(f"{'up  ' if process else 'down'}  {name:18} pid {trace.pid}")
    say(f"portal {layout.portal_url}")
    return 0 if all(trace.process() for trace in state.values()) else 1
