"""`./clove test [NAME…]`: install what the tests need, run every suite, sum up.

A booking service's settings are those of one process, so its tests run as a pytest of their own; so do the control plane's.
As root on Debian or Ubuntu the servers and the browser are installed first, and a test that then finds one missing fails. Elsewhere
such tests are skipped by name.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.needs import REQUIRED_VARIABLE, find

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 1_800
SERVICES = ("auth", "event", "seat", "ticket", "merch", "web", "standin")
APT = {
    "chromium": "chromium",
    "mariadb": "mariadb-server",
    "redis": "redis-server",
    "wrk": "wrk",
}
BOOKING = "tests/integration/booking"
PAGES = f"{BOOKING}/test_web_*.py"
FAULTS = f"{BOOKING}/test_faults.py"
LANES = 3
"""So many suites at a time: on two cores one waits for a server or a browser while two work."""
APT_ALWAYS = ("faketime", "fonts-noto-cjk", "libmariadb-dev", "pkg-config", "gcc", "python3-dev")


@dataclass(frozen=True)
class Suite:
    """One run of a module; those that take pytest's options are counted by its report."""

    name: str
    arguments: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    module: str = "pytest"
    is_counted: bool = True
    is_alone: bool = False
    """Runs by itself, when all others are done: it keeps both cores busy."""
    is_default: bool = True
    """Whether it runs when none is named; one that takes longer than all others together is for who asks for it."""
    longest_s: int = LONGEST_S
    asked_as: str = ""
    """Another name that it runs at: one word asks for several suites."""

    def is_asked(self, names: list[str]) -> bool:
        return self.name in names or self.asked_as in names if names else self.is_default


def suites() -> list[Suite]:
    """All suites; of the default run the longest first."""
    services = [
        Suite(f"unit-{name}", ("-c", "tests/booking.ini", f"tests/unit/booking_templates/{name}"), {"CLOVE_SERVICE": name})
        for name in ("kit", "payments", *SERVICES)
        if (ROOT / "tests/unit/booking_templates" / name).exists()
    ]
    return [
        Suite("integration-booking", ("-c", "tests/booking_http.ini", BOOKING, f"--ignore-glob={PAGES}")),
        Suite("e2e", ("-c", "tests/booking_http.ini", "tests/e2e")),
        Suite("unit-controlplane", ("tests/unit/controlplane", "tests/architecture")),
        Suite("integration-pages", ("-c", "tests/booking_http.ini", *sorted(str(path) for path in ROOT.glob(PAGES)))),
        Suite("integration-controlplane", ("tests/integration/controlplane",)),
        Suite("runtime", ("tests/runtime_contract", "tests/integration/runtime_local", "tests/integration/runtime_kubernetes")),
        Suite("check", module="tests.check", is_counted=False),
        *services,
        # The control plane on the database that it has in a cluster: three minutes.
        Suite("controlplane-mariadb", module="tests.on_mariadb", is_alone=True, is_default=False),
        # Images pushed to a real registry, where buildah and docker-registry are installed, and those that were built here: half a minute.
        Suite("images", ("tests/integration/images",), is_alone=True, is_default=False),
        # checkov over all that is rendered: two minutes.
        Suite("policy", ("tests/policy",), is_alone=True, is_default=False),
        # What is marked slow, but for the faults: the other variants, thousands of made-up requests to every service, the other services on
        # MariaDB, every page looked at by axe: about half an hour.
        Suite(
            "wide",
            ("-c", "tests/booking_http.ini", "-m", "slow", BOOKING, "tests/e2e", f"--ignore={FAULTS}"),
            is_alone=True,
            is_default=False,
            longest_s=3_600,
        ),
        # Hundreds of kills, restarts, lost payments and wrong clocks, on SQLite and MariaDB: about half an hour.
        Suite(
            "faults",
            ("-c", "tests/booking_http.ini", "-m", "slow", "-s", FAULTS),
            is_alone=True,
            is_default=False,
            longest_s=7_200,
        ),
        # A crash at each point there is, of a worker of the control plane and of ticket's and merch's sagas: six minutes. The default run
        # has one for each thing that a crash can leave.
        Suite(
            "faults-controlplane",
            ("-m", "slow", "tests/integration/controlplane"),
            is_alone=True,
            is_default=False,
            asked_as="faults",
        ),
        Suite(
            "faults-ticket",
            ("-c", "tests/booking.ini", "-m", "slow", "tests/unit/booking_templates/ticket"),
            {"CLOVE_SERVICE": "ticket"},
            is_alone=True,
            is_default=False,
            asked_as="faults",
        ),
        Suite(
            "faults-merch",
            ("-c", "tests/booking.ini", "-m", "slow", "tests/unit/booking_templates/merch"),
            {"CLOVE_SERVICE": "merch"},
            is_alone=True,
            is_default=False,
            asked_as="faults",
        ),
    ]


@dataclass
class Outcome:
    suite: Suite
    code: int
    seconds: float
    output: Path
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def run(suite: Suite, directory: Path, extra: list[str]) -> Outcome:
    """Run SUITE with its output in a file; pytest's exit 5 (no tests) is a failure like any other."""
    output, report = directory / f"{suite.name}.txt", directory / f"{suite.name}.xml"
    command = [sys.executable, "-m", suite.module, *suite.arguments]
    if suite.is_counted:
        command += [f"--junitxml={report}", "-q", *extra]
    started = time.monotonic()
    with open(output, "wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **suite.env}, stdout=file, stderr=file, start_new_session=True)
        code = _wait(process, suite.longest_s)
    outcome = Outcome(suite, code, time.monotonic() - started, output)
    if report.exists():
        for element in ElementTree.parse(report).getroot().iter("testsuite"):
            total, skipped = int(element.get("tests", 0)), int(element.get("skipped", 0))
            broken = int(element.get("failures", 0)) + int(element.get("errors", 0))
            outcome.failed += broken
            outcome.skipped += skipped
            outcome.passed += total - broken - skipped
    counts = f": {outcome.passed} passed, {outcome.failed} failed" if suite.is_counted else ""
    print(f"{'ok    ' if code == 0 else 'FAILED'} {suite.name}{counts} ({outcome.seconds:.0f} s)", flush=True)
    if code:
        print(output.read_text(errors="replace"), flush=True)
    return outcome


def _wait(process: subprocess.Popen[bytes], longest_s: int) -> int:
    """The exit code; a suite that hangs prints where (pytest's faulthandler answers SIGABRT) and is killed with all it started."""
    try:
        return process.wait(longest_s)
    except BaseException as error:
        for way in (signal.SIGABRT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, way)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return process.returncode or 1


def install_servers() -> bool:
    """Install the servers and the browser where that is possible; whether everything is there."""
    missing = [package for name, package in APT.items() if find(name) is None]
    is_debian = shutil.which("apt-get") is not None and os.geteuid() == 0
    if is_debian:
        lacking = [name for name in (*missing, *APT_ALWAYS) if not _is_installed(name)]
        if lacking:
            print("Installing " + " ".join(lacking), flush=True)
            quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
            subprocess.run(["apt-get", "update", "-qq"], check=True, **quiet)  # type: ignore[call-overload]
            subprocess.run(  # type: ignore[call-overload]
                ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *lacking],
                check=True,
                **quiet,
            )
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements-mysql.txt"]
        subprocess.run(pip, cwd=ROOT, check=True)
    return is_debian


def install_policy() -> None:
    """Put checkov into a virtual environment of its own: its pins are not ours."""
    python = ROOT / ".venv-policy" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements-policy.txt"]
    subprocess.run(pip, cwd=ROOT, check=True)


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f=${Status}", package]
    return "install ok installed" in subprocess.run(query, capture_output=True, text=True, check=False).stdout


def main() -> int:
    """Run the suites that are named, or all of the default run; the exit code."""
    known = suites()
    parser = argparse.ArgumentParser(prog="./clove test")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(suite.name for suite in known))
    parser.add_argument("-k", dest="expression", default="", help="only tests whose names match, as pytest has it")
    arguments = parser.parse_args()
    chosen = [suite for suite in known if suite.is_asked(arguments.names)]
    if unknown := set(arguments.names) - {suite.name for suite in known}:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(suite.name for suite in known)}")
    extra = ["-k", arguments.expression] if arguments.expression else []
    if install_servers():
        os.environ[REQUIRED_VARIABLE] = "1"
    if any(suite.name == "policy" for suite in chosen):
        install_policy()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="clove-test-") as name:
        directory = Path(name)
        with ThreadPoolExecutor(max_workers=LANES) as pool:
            outcomes += pool.map(lambda suite: run(suite, directory, extra), [suite for suite in chosen if not suite.is_alone])
        outcomes += [run(suite, directory, extra) for suite in chosen if suite.is_alone]
        for outcome in outcomes:
            told = [line for line in outcome.output.read_text(errors="replace").splitlines() if line.startswith(("SKIPPED", "SEEN "))]
            print("\n".join(told), end="\n" if told else "")
    passed, failed, skipped = (sum(getattr(outcome, field) for outcome in outcomes) for field in ("passed", "failed", "skipped"))
    broken = [outcome.suite.name for outcome in outcomes if outcome.code]
    if broken:
        print("failed: " + ", ".join(broken))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if broken or (not passed and not arguments.names) else 0


if __name__ == "__main__":
    sys.exit(main())
