from controlplane.runtime.local.router.table import Absence, Backend, Route, RouteTable, Upstreams


def _backend(service: str, upstreams: Upstreams | None = None) -> Backend:
    return Backend("clove-1", service, upstreams or Upstreams())


def _table() -> RouteTable:
    table = RouteTable()
    prefixes = {"/": "web", "/api/seat": "seat", "/api": "api", "/shop/": "merch"}
    routes = [Route("a.localhost", prefix, False, _backend(service)) for prefix, service in prefixes.items()]
    routes.append(Route("a.localhost", "/api/seat/plan", True, _backend("plan")))
    table.replace("clove-1", routes)
    return table


def _service(table: RouteTable, host: bytes, path: bytes) -> str:
    route = table.match(host, path)
    return route.backend.service if route else ""


def test_the_longest_prefix_of_whole_segments_wins() -> None:
    table = _table()

    assert _service(table, b"a.localhost", b"/") == "web"
    assert _service(table, b"a.localhost", b"/api/seat") == "seat"
    assert _service(table, b"a.localhost", b"/api/seat/x") == "seat"
    assert _service(table, b"a.localhost", b"/api/seats") == "api"
    assert _service(table, b"a.localhost", b"/apis") == "web"
    assert _service(table, b"a.localhost", b"/api/seat/plan") == "plan"
    assert _service(table, b"a.localhost", b"/api/seat/plan/x") == "seat"
    assert _service(table, b"a.localhost", b"/shop") == "merch"


def test_a_host_is_known_whatever_its_case_port_or_final_dot() -> None:
    table = _table()

    for host in (b"a.localhost:8080", b"A.Localhost", b"a.localhost.", b"A.LOCALHOST.:80"):
        assert _service(table, host, b"/") == "web"
    for host in (b"b.localhost", b"a.localhost.evil", b"localhost", b"[::1]:8080", b"[::1]"):
        assert _service(table, host, b"/") == ""


def test_a_systems_routes_are_replaced_as_a_whole() -> None:
    table = _table()

    table.replace("clove-1", [Route("b.localhost", "/", False, _backend("web"))])

    assert not table.has_host(b"a.localhost")
    assert _service(table, b"b.localhost", b"/x") == "web"
    table.replace("clove-1", [])
    assert not table.has_host(b"b.localhost")


def test_requests_go_round_among_replicas_that_have_as_many_and_else_to_the_freest() -> None:
    upstreams = Upstreams()
    backend = _backend("seat", upstreams)
    backend.serve_from([1, 2, 3], Absence.DOWN)

    assert {upstream.port for _ in range(3) if (upstream := backend.pick())} == {1, 2, 3}
    upstreams.at(1).in_flight = upstreams.at(3).in_flight = 1
    assert {upstream.port for _ in range(5) if (upstream := backend.pick())} == {2}
    assert backend.pick([upstreams.at(1), upstreams.at(2), upstreams.at(3)]) is None


def test_a_replica_that_was_tried_is_not_picked_again() -> None:
    upstreams = Upstreams()
    backend = _backend("seat", upstreams)
    backend.serve_from([1], Absence.DOWN)

    assert backend.pick([upstreams.at(1)]) is None
