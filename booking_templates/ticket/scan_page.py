"""The page at the door: HTML, its script, and the worker that keeps both for when the network is away."""

from __future__ import annotations

import hashlib
import json
import secrets
from functools import cache
from pathlib import Path

from django.http import HttpResponse
from django.template import Context, Engine
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from booking_templates.kit.problems import NotFound

FILES = Path(__file__).parent / "scanning"
PARTS = sorted({path.stem for path in FILES.glob("*.js")} - {"scan", "worker"})
"""The modules of the page's script."""
_engine = Engine(dirs=[str(FILES)], libraries={"i18n": "django.templatetags.i18n"}, autoescape=True)


def page() -> HttpResponse:
    """The page, in the language of the request."""
    nonce = secrets.token_urlsafe(16)
    body = _engine.get_template("scan.html").render(
        Context({"nonce": nonce, "language": get_language(), "texts": json.dumps(_texts()), "parts": PARTS})
    )
    policy = f"default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'nonce-{nonce}'; media-src blob:"
    headers = {
        "Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-cache",
    }
    return HttpResponse(body, headers=headers)


def script(name: str) -> HttpResponse:
    """A file of the page's script."""
    return HttpResponse(_read(name), content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


def worker() -> HttpResponse:
    """What keeps the page. It is another one whenever any of the page is, which makes a browser fetch all of it anew."""
    text = _read("worker.js").replace("{version}", _version())
    return HttpResponse(text, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


def part(name: str) -> HttpResponse:
    """The module NAME of the page's script. Raises NotFound."""
    if name not in PARTS:
        raise NotFound("not_found")
    return script(f"{name}.js")


@cache
def _version() -> str:
    words = Path(__file__).parent / "locale"
    digest = hashlib.sha256()
    for path in sorted((*FILES.rglob("*.js"), *FILES.glob("*.html"), *words.rglob("*.mo"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _read(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8")


def _texts() -> dict[str, str]:
    """What the script says."""
    return {
        "admitted": _("Admit"),
        "admittedOffline": _("Admit (checked without the network)"),
        "used": _("Already used"),
        "cancelled": _("Cancelled"),
        "other_performance": _("Another performance"),
        "unknown": _("Not a ticket of this event"),
        "invalid": _("Not a valid ticket"),
        "undecided": _("No network, and this browser cannot check the signature. Look it up by name."),
        "noList": _("Undecided: this device has no list for this performance. Look it up by name, or wait for the network."),
        "noListYet": _("No list for this choice on this device yet: without the network its tickets cannot be decided."),
        "listOf": _("List of {time} ({ago})"),
        "newer": _("Sold after this list: you decide"),
        "newerThan": _("Valid signature, not yet on the list of {time}"),
        "newerWhy": _(
            "Not known: whether it was given back since, and whether something is to be shown or paid. Check it online, or decide."
        ),
        "letIn": _("Let in"),
        "decided": _("Let in: you decided"),
        "notAsked": _("Let in without being asked for"),
        "oldList": _("Old list: what was sold, cancelled or used since is not known"),
        "due": _("Due at the door"),
        "paid": _("Paid at the door"),
        "markPaid": _("It was paid"),
        "notPaid": _("Not paid after all"),
        "paidTwice": _("Paid twice: it had been paid before"),
        "paidCancelled": _("Paid, but cancelled before: to be given back"),
        "notKept": _("This payment could not be recorded"),
        "paymentsWaiting": _("payments to send"),
        "won": _("{amount} won"),
        "noKey": _("Open this page by the link that the organiser gave you."),
        "keyEnded": _("This link has ended. Ask the organiser for a new one."),
        "keyEndedWaiting": _("What waits here to be sent is kept: it is sent when a new link is opened on this device."),
        "failed": _("Not checked: something went wrong. Try again."),
        "justIn": _("Let in here {seconds} s ago: good for one person"),
        "chooseIt": _("To let it in all the same, choose that performance above."),
        "noCamera": _("The camera cannot be used. Allow it, or type the code."),
        "online": _("Connected"),
        "offline": _("No network: scans are kept and sent later"),
        "waiting": _("scans to send"),
        "arrived": _("arrived"),
        "doubled": _("Let in twice while the network was away"),
        "wrongly": _("Let in while the network was away"),
        "all": _("All performances"),
    }
