"""Endpoints for the door: scanners, what they need offline, what they saw, and the page that scans."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpResponse

from booking_templates.kit.api import Key, Reply, Request, endpoint
from booking_templates.kit.db import clock, snapshot
from booking_templates.kit.principal import staff
from booking_templates.payments.showing import local
from booking_templates.ticket import checkin, codes, conflicts, dues, event, owed, scan_page
from booking_templates.ticket.door_schemas import (
    Door,
    DoorConcession,
    DoorConflicts,
    DoorDue,
    DoorOwed,
    DoorPaymentResults,
    DoorPayments,
    DoorPerformance,
    DoorQuery,
    GivenBackResults,
    NewGivenBack,
    NewScanner,
    ScannerOut,
    Scanners,
    ScanResults,
    Scans,
    ScansQuery,
)
from booking_templates.ticket.models import Scanner, Ticket

STAFF = staff("attendees")
KEY = Key(checkin.KEY_HEADER, "The key of a scanner at the door, told once when the scanner is made.")
RECENT = timedelta(minutes=2)
"""A ticket's row is there long before this after the time in its id, whichever replica's clock that was of."""
SCANS_BYTES_MAX = 512 * 1024


@endpoint(auth=STAFF, body=NewScanner, returns={201: ScannerOut})
def create_scanner(request: Request, body: NewScanner) -> Reply:
    """Let a device check tickets in, until its time is over or it is taken away. Its key is in this answer alone."""
    scanner, key = checkin.new_scanner(body.name, body.until)
    return Reply(ScannerOut(scanner.pk, scanner.name, local(scanner.expires_at), key), status=201)


@endpoint(auth=STAFF, returns={200: Scanners})
def list_scanners(request: Request) -> Scanners:
    """The devices that may check tickets in now."""
    found = Scanner.objects.filter(expires_at__gt=clock()).order_by("created_at")
    return Scanners(scanners=[ScannerOut(each.pk, each.name, local(each.expires_at)) for each in found])


@endpoint(auth=STAFF, returns={204: None})
def delete_scanner(request: Request, scanner_id: object) -> Reply:
    """The device may no longer check tickets in."""
    Scanner.objects.filter(pk=str(scanner_id)).delete()
    return Reply(status=204)


@endpoint(key=KEY, query=DoorQuery, returns={200: Door}, problems=("scanner_key",))
def read_door(request: Request, query: DoorQuery) -> Door:
    """What a scanner keeps for when the network is away. Needs `X-Scanner-Key`."""
    checkin.scanner_of(request.headers.get(checkin.KEY_HEADER, ""))
    as_of = clock()  # before anything is read: the list is at least as new
    recent_since = as_of - RECENT
    tickets = Ticket.objects.filter(performance_id=query.performance) if query.performance else Ticket.objects.all()
    counts = tickets.aggregate(
        live=Count("pk", filter=Q(status=Ticket.Status.LIVE)), used=Count("pk", filter=Q(status=Ticket.Status.LIVE, used_at__isnull=False))
    )
    known = event.current()
    to_ask = tickets.filter(status=Ticket.Status.LIVE, used_at=None).exclude(concession="")
    by_words: dict[tuple[str, str], list[str]] = {}
    for concession, proof, ticket in to_ask.order_by("pk").values_list("concession", "proof", "pk"):
        by_words.setdefault((concession, proof), []).append(ticket)
    owing: dict[int, list[str]] = {}
    for krw, ticket in tickets.filter(dues.OWING).order_by("pk").values_list("price_krw", "pk"):
        owing.setdefault(krw, []).append(ticket)
    return Door(
        title=known.title,
        system=settings.ENV.system,
        performance=query.performance,
        as_of=local(as_of),
        keys=codes.public_keys(),
        performances=[DoorPerformance(each.pk, local(each.starts_at)) for each in known.performances.values()],
        cancelled=list(tickets.filter(status=Ticket.Status.CANCELLED).values_list("pk", flat=True)),
        concessions=[DoorConcession(*words, tickets=of_it) for words, of_it in sorted(by_words.items())],
        used=list(tickets.filter(used_at__isnull=False).values_list("pk", flat=True)),
        due=[DoorDue(krw, tickets=of_it) for krw, of_it in sorted(owing.items())],
        recent_since=local(recent_since),
        recent=list(tickets.filter(status=Ticket.Status.LIVE, created_at__gt=recent_since - RECENT).values_list("pk", flat=True)),
        expected=counts["live"],
        arrived=counts["used"],
    )


@endpoint(key=KEY, body=Scans, query=ScansQuery, returns={200: ScanResults}, problems=("scanner_key",), max_body=SCANS_BYTES_MAX)
def create_scans(request: Request, body: Scans, query: ScansQuery) -> ScanResults:
    """Check tickets in, each once. Scans that were made offline come with their time; sending them again changes nothing.

    Needs `X-Scanner-Key`.
    """
    scanner = checkin.scanner_of(request.headers.get(checkin.KEY_HEADER, ""))
    return ScanResults(
        results=[
            checkin.check_in(scan, scanner, performance_id=body.performance, let_in=query.let_in, decided=query.decided)
            for scan in body.scans
        ]
    )


@endpoint(auth=STAFF, returns={200: DoorConflicts})
def list_door_conflicts(request: Request) -> DoorConflicts:
    """Who was let in without the network with a ticket that was used before, or cancelled."""
    return conflicts.latest()


@endpoint(auth=STAFF, returns={200: DoorOwed})
def list_door_owed(request: Request) -> DoorOwed:
    """What was taken at the door and is to be given back: paid twice, or for tickets that were cancelled."""
    with snapshot():
        return owed.listed()


@endpoint(auth=staff("content"), body=NewGivenBack, returns={200: GivenBackResults})
def create_given_back(request: Request, body: NewGivenBack) -> GivenBackResults:
    """Say that payments were given back by hand, of those that are to be. Saying it again changes nothing."""
    return GivenBackResults(payments=owed.given_back(body.payments, staff=request.principal.id))


@endpoint(key=KEY, body=DoorPayments, returns={200: DoorPaymentResults}, problems=("scanner_key",), max_body=SCANS_BYTES_MAX)
def create_door_payments(request: Request, body: DoorPayments) -> DoorPaymentResults:
    """Say that tickets were paid at the door, or that this was a mistake. Sending it again changes nothing.

    Needs `X-Scanner-Key`.
    """
    scanner = checkin.scanner_of(request.headers.get(checkin.KEY_HEADER, ""))
    return DoorPaymentResults(results=[dues.take(said, scanner) for said in body.payments])


@endpoint(returns={200: bytes}, content_type="text/html")
def read_scan_page(request: Request) -> HttpResponse:
    """The page that scans with the phone's camera. Its key comes behind the `#` of its address, which is sent to nobody."""
    return scan_page.page()


@endpoint(returns={200: bytes}, content_type="text/javascript")
def read_scan_script(request: Request) -> HttpResponse:
    """The page's script."""
    return scan_page.script("scan.js")


@endpoint(returns={200: bytes}, content_type="text/javascript")
def read_scan_part(request: Request, part: str) -> HttpResponse:
    """A module of it, such as `code`, which reads and verifies codes."""
    return scan_page.part(part)


@endpoint(returns={200: bytes}, content_type="text/javascript")
def read_scan_worker(request: Request) -> HttpResponse:
    """What keeps the page for when the network is away."""
    return scan_page.worker()


@endpoint(returns={200: bytes}, content_type="text/javascript")
def read_scan_decoder(request: Request) -> HttpResponse:
    """What reads QR codes in browsers that cannot do it by themselves."""
    return scan_page.script("qr/decode.js")


@endpoint(returns={200: bytes}, content_type="text/javascript")
def read_scan_tables(request: Request) -> HttpResponse:
    """What the decoder imports, under the name it does so."""
    return scan_page.script("qr/index.js")
