"""Builds every image of the container pool, and the control plane's: `python -m docker.build [NAME…] [--push REGISTRY]`.

Uses buildah, or BuildKit by way of `docker buildx` where there is no buildah. What follows `--` goes to the builder as it is
(a proxy, a mount, an isolation). With --push each image's digest is printed: manifests name images by it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from booking_templates import catalog

ROOT = Path(__file__).resolve().parent.parent
CONTROL_PLANE = "controlplane"
STANDIN = catalog.Image(name="standin", service="standin", capabilities={}, env={"CLOVE_SERVICE": "standin"}, stateful=False)
"""The payment stand-in: no part of the pool, but a platform without a payment contract runs it."""
IMAGES = {image.name: image for image in (*catalog.IMAGES, STANDIN)}


class BuildFailed(Exception):
    """The builder said no; what it said is on the terminal."""


def dockerfile(name: str) -> str:
    """The Dockerfile of the image NAME, with the environment, the command and the labels that the catalog gives it."""
    image = IMAGES.get(name)
    if image is None:
        return (ROOT / "docker" / "controlplane.Dockerfile").read_text()
    labels = {} if image is STANDIN else image.labels
    return "\n".join(
        [
            (ROOT / "docker" / "service.Dockerfile").read_text(),
            *(f"ENV {key}={json.dumps(value)}" for key, value in image.env.items()),
            *(f"LABEL {key}={json.dumps(value)}" for key, value in labels.items()),
            f"CMD {json.dumps(list(image.command))}",
            "",
        ]
    )


def reference_of(name: str) -> str:
    """Repository and tag of the image NAME."""
    return IMAGES[name].ref if name in IMAGES else f"{catalog.REPOSITORY}/{CONTROL_PLANE}:{catalog.VERSION}"


def build(name: str, *, base: str, extra: Sequence[str]) -> str:
    """Build the image NAME and return its reference. Raises BuildFailed."""
    arguments = [f"--build-arg=BASE={base}"] if base else []
    if name in IMAGES:
        arguments.append(f"--build-arg=SERVICE={IMAGES[name].service}")
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as file:
        file.write(dockerfile(name))
        file.flush()
        _run([*_tool(), *extra, *arguments, "-f", file.name, "-t", reference_of(name), "."])
    return reference_of(name)


def push(reference: str, registry: str, *, insecure: bool) -> str:
    """Push and return `registry/name@sha256:…`. Raises BuildFailed."""
    target = f"{registry}/{reference}"
    if shutil.which("buildah"):
        with tempfile.NamedTemporaryFile("r") as digest:
            verify = [] if not insecure else ["--tls-verify=false"]
            _run(["buildah", "push", "--quiet", *verify, f"--digestfile={digest.name}", reference, f"docker://{target}"])
            return f"{target.rpartition(':')[0]}@{digest.read().strip()}"
    _run(["docker", "tag", reference, target])
    _run(["docker", "push", "--quiet", target])
    shown = subprocess.run(
        ["docker", "image", "inspect", "--format={{json .RepoDigests}}", target], check=True, capture_output=True, text=True
    )
    return next(one for one in json.loads(shown.stdout) if one.startswith(target.rpartition(":")[0] + "@"))


def main(arguments: Sequence[str]) -> int:
    """0 when every image was built."""
    own, _, extra = _split(arguments)
    parser = argparse.ArgumentParser(prog="python -m docker.build", description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join([*IMAGES, CONTROL_PLANE])}; all without any")
    parser.add_argument("--base", default="", help="the image to build on, instead of the Dockerfiles' own")
    parser.add_argument("--push", metavar="REGISTRY", default="", help="push there, and print each image by its digest")
    parser.add_argument("--insecure", action="store_true", help="the registry speaks plain HTTP")
    options = parser.parse_args(own)
    unknown = set(options.names) - {*IMAGES, CONTROL_PLANE}
    if unknown:
        parser.error(f"no such image: {', '.join(sorted(unknown))}")
    try:
        for name in options.names or [*IMAGES, CONTROL_PLANE]:
            reference = build(name, base=options.base, extra=extra)
            print(push(reference, options.push, insecure=options.insecure) if options.push else reference, flush=True)
    except BuildFailed as failure:
        print(f"docker.build: {failure}", file=sys.stderr)
        return 1
    return 0


def _split(arguments: Sequence[str]) -> tuple[list[str], str, list[str]]:
    own = list(arguments)
    if "--" not in own:
        return own, "", []
    at = own.index("--")
    return own[:at], "--", own[at + 1 :]


def _tool() -> list[str]:
    if shutil.which("buildah"):
        return ["buildah", "bud", "--quiet", "--layers"]
    if shutil.which("docker"):
        return ["docker", "buildx", "build", "--quiet", "--load"]
    raise BuildFailed("neither buildah nor docker is installed")


def _run(command: Sequence[str]) -> None:
    # The builder's own output is for the terminal, not for whoever reads the names that are printed here.
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode:
        raise BuildFailed(f"{' '.join(command[:2])} failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
