"""The floors: a bare Django view that does one conditional UPDATE, on the server and the database that the service has; and one that sends.

BENCH_DATABASE=mysql://… BENCH_PORT=… python -m bench.bare_app      serves POST /<id>, id below ROWS, and GET /body/<bytes>, until SIGTERM
"""

from __future__ import annotations

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from bench.bare import ready, serve, set_up

ROWS = 60_000

MODULE = "bench.bare_app"
set_up(MODULE)


def take(request: HttpRequest, row: int) -> HttpResponse:
    """Take ROW, once."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bench_row SET taken = 1 WHERE id = %s AND taken = 0", [row])
        return HttpResponse(b'{"taken":true}' if cursor.rowcount else b'{"taken":false}', content_type="application/json")


def body(request: HttpRequest, size: int) -> HttpResponse:
    """SIZE bytes, and no database."""
    return HttpResponse(b"0" * size, content_type="application/json")


urlpatterns = [path("<int:row>", take), path("body/<int:size>", body), path("ready", ready)]
application = WSGIHandler()


def make_table() -> None:
    """ROWS rows that nobody has taken."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_row (id INTEGER PRIMARY KEY, taken INTEGER NOT NULL)")
        for first in range(0, ROWS, 1_000):
            cursor.execute("INSERT INTO bench_row VALUES " + ",".join(f"({first + i}, 0)" for i in range(1_000)))
    connections.close_all()


def main() -> None:
    make_table()
    serve(MODULE)


if __name__ == "__main__":
    main()
