"""The floor of a purchase: its nine requests, among bare Django views that each do the one write or read that could not be left out.

BENCH_DATABASE=… BENCH_PORT=… [BENCH_SEAT=http://…] [BENCH_PROVIDER=http://…] python -m bench.bare_shop      serves all three parts' views

No login, no check, no state machine, no idempotency, no code; what is left is three servers, a client library and seven commits.
"""

from __future__ import annotations

import os

import urllib3
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.bare import THREADS, ready, serve, set_up

SEAT, PROVIDER = os.environ.get("BENCH_SEAT", ""), os.environ.get("BENCH_PROVIDER", "")

MODULE = "bench.bare_shop"
set_up(MODULE)

peers = urllib3.PoolManager(maxsize=THREADS, retries=False)


def _write(sql: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _done() -> HttpResponse:
    return HttpResponse(b"{}", content_type="application/json")


def begin(request: HttpRequest, row: int) -> HttpResponse:
    """A hold; the provider's ready."""
    _write("INSERT INTO bench_thing (id, state) VALUES (%s, 1)", row)
    return _done()


def move(request: HttpRequest, row: int, state: int) -> HttpResponse:
    """Pin, confirm; the provider's page, and approve."""
    _write("UPDATE bench_thing SET state = %s WHERE id = %s AND state = %s", state, row, state - 1)
    return _done()


def order(request: HttpRequest, row: int) -> HttpResponse:
    begin(request, row)
    peers.request("POST", f"{SEAT}/move/{row}/2")
    peers.request("POST", f"{PROVIDER}/begin/{row}")
    return move(request, row, 2)


def back(request: HttpRequest, row: int) -> HttpResponse:
    move(request, row, 3)
    peers.request("POST", f"{PROVIDER}/move/{row}/3")
    peers.request("POST", f"{SEAT}/move/{row}/3")
    with transaction.atomic():
        move(request, row, 4)
        _write("INSERT INTO bench_ticket (id, thing) VALUES (%s, %s)", row, row)
    return _done()


def read(request: HttpRequest, row: int) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM bench_thing WHERE id = %s", [row])
        return HttpResponse(b"%d" % cursor.fetchone()[0], content_type="application/json")


urlpatterns = [
    path("begin/<int:row>", begin),
    path("move/<int:row>/<int:state>", move),
    path("order/<int:row>", order),
    path("back/<int:row>", back),
    path("read/<int:row>", read),
    path("ready", ready),
]
application = WSGIHandler()


def main() -> None:
    _write("CREATE TABLE bench_thing (id INTEGER PRIMARY KEY, state INTEGER NOT NULL)")
    _write("CREATE TABLE bench_ticket (id INTEGER PRIMARY KEY, thing INTEGER NOT NULL)")
    connections.close_all()
    serve(MODULE)


if __name__ == "__main__":
    main()
