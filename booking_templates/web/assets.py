"""Style sheets, modules and icons: read and gzipped once, served from memory at `/static/<version>/…`.

The version is a hash of all the files, so every file may be cached for ever, and modules import each other by relative paths without
anything rewriting them. There is no collecting step and nothing is written: a source tree and a read-only image serve alike.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse

from booking_templates.kit.api import not_modified

ROOT = Path(__file__).resolve().parent / "static"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
GZIP_FROM_BYTES = 600


@dataclass(frozen=True)
class Asset:
    content: bytes
    zipped: bytes
    content_type: str
    etag: str


@dataclass(frozen=True)
class Assets:
    version: str
    files: dict[str, Asset]


@cache
def assets() -> Assets:
    """All files below `static/`, by their path in it."""
    files = {}
    whole = hashlib.sha256()
    for path in sorted(ROOT.rglob("*")):
        if not path.is_file():
            continue
        name, content = path.relative_to(ROOT).as_posix(), path.read_bytes()
        whole.update(name.encode() + b"\0" + content)
        zipped = gzip.compress(content, 9, mtime=0) if len(content) >= GZIP_FROM_BYTES else b""
        content_type = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        files[name] = Asset(content, zipped, content_type, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return Assets(whole.hexdigest()[:10], files)


def url(name: str) -> str:
    """The address of the file NAME. Raises KeyError when there is none: a template's typing error must not wait for a browser."""
    found = assets()
    found.files[name]
    return f"/static/{found.version}/{name}"


def serve(request: HttpRequest, version: str, name: str) -> HttpResponse:
    """A file. Of another version's address it is served too, uncached: in a rollout a page and its files may come from two replicas."""
    request.route = "static"  # type: ignore[attr-defined]
    found = assets()
    asset = found.files.get(name)
    if asset is None:
        raise Http404
    if not_modified(request, asset.etag):
        response = HttpResponse(status=304)
    elif asset.zipped and "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(asset.zipped, content_type=asset.content_type, headers={"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(asset.content, content_type=asset.content_type)
    response["ETag"] = asset.etag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = FOREVER if version == found.version else "public, no-cache"
    return response


def favicon(request: HttpRequest) -> HttpResponse:
    """For programs that ask at the root; browsers read the page's link."""
    return serve(request, "", "web/icon.svg")
