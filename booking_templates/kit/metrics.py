"""Prometheus metrics of a service: requests by route, method and status, with buckets from 2.5 ms. Routes are patterns, never values."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

BUCKETS_S = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("clove_requests_total", "Requests answered.", ["route", "method", "status"])
SECONDS = Histogram("clove_request_seconds", "Time to answer a request.", ["route", "method"], buckets=BUCKETS_S)
PEER_CALLS = Counter("clove_peer_calls_total", "Calls to other services of this booking system.", ["peer", "outcome"])
PASSES = Counter("clove_worker_passes_total", "Passes of the worker.", ["name", "outcome"])

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(route: str, method: str, status: int, seconds: float) -> None:
    requests, times = _of(route, method if method in METHODS else "OTHER", status)
    requests.inc()
    times.observe(seconds)


@cache
def _of(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Kept, for to find one by its labels costs more than to count: there are as many as routes, methods and statuses."""
    return REQUESTS.labels(route, method, str(status)), SECONDS.labels(route, method)


def view(request: HttpRequest) -> HttpResponse:
    """`/metrics`, for Prometheus inside the cluster."""
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
