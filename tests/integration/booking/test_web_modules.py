"""The pure modules of the buyers' pages, run in the browser they are written for: seats, selection, zoom, time, calendar."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.integration.booking.harness import REPOSITORY

STATIC = REPOSITORY / "booking_templates/web/static"
TEXTS = {
    "cancel_until": "until",
    "concession_too_few": "few",
    "concession_too_many": "many",
    "day": "",
    "terms_free": "",
    "terms_over": "over",
    "days": ["{count} day", "{count} days"],
    "presale_until": "{left} until {name}",
    "presale_until_general": "{left} until all",
    "one_or_more": ["{count} seat", "{count} seats"],
    "seat_in_row": "row {row} seat {number}",
    "seat_in_row_of_zone": "{zone} row {row} seat {number}",
    "seat_in_zone": "{zone} seat {number}",
    "grade": "{name} seat",
    "won": "₩{amount}",
    "free_of_charge": "Free",
    "wheelchair": "wheelchair place",
    "obstructed": "restricted view",
    **{f"state_{name}": name for name in ("free", "held", "sold", "blocked", "chosen")},
}
CLIENT = {"language": "en", "locale": "en-GB", "time_zone": "Asia/Seoul", "texts": TEXTS}
PAGE = f'<!doctype html><body><script id="client" type="application/json">{json.dumps(CLIENT)}</script></body>'


def plan(rows: int = 3, seats: int = 4, zones: int = 1) -> dict[str, Any]:
    """ZONES beside each other of ROWS by SEATS, 20 apart."""
    made = [
        {
            "name": f"Z{z}",
            "rows": [
                {"label": str(r + 1), "seats": [[f"{z}-{r}-{s}", str(s + 1), z * 500 + s * 20, r * 20, 0, 0] for s in range(seats)]}
                for r in range(rows)
            ],
        }
        for z in range(zones)
    ]
    grades = [{"id": "0", "name": "R", "color": "#d9822b", "price_krw": 150000}]
    return {"version": "v", "name": "", "size": {"width": 100, "height": 100}, "grades": grades, "zones": made, "shapes": [], "areas": []}


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def run(browser: Browser) -> Iterator[Callable[..., Any]]:
    """`run("seats/plan.js", "m.readPlan(a).count", argument)`: the value of an expression over the module `m`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(STATIC)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    page = browser.new_page(timezone_id="America/New_York")
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")

    def evaluate(module: str, expression: str, argument: Any = None) -> Any:
        return page.evaluate(f"async (a) => {{ const m = await import('/web/{module}'); return {expression}; }}", argument)

    yield evaluate
    page.close()
    server.shutdown()
    server.server_close()


def test_a_plans_seats_are_numbered_as_the_availability_answer_numbers_them(run):
    read = "(p => ({count: p.count, third: p.indexOf.get('0-1-0'), last: p.indexOf.get('1-2-3'), pitch: p.pitch}))(m.readPlan(a))"
    assert run("seats/plan.js", read, plan(zones=2)) == {"count": 24, "third": 4, "last": 23, "pitch": 20}


def test_a_plan_whose_seats_are_all_in_one_place_has_a_size_to_draw_it_by(run) -> None:
    heap = plan()
    for row in heap["zones"][0]["rows"]:
        for seat in row["seats"]:
            seat[2:4] = [0, 0]
    assert run("seats/plan.js", "(p => p.pitch > 0 && p.bounds.width > 0 && p.bounds.height > 0)(m.readPlan(a))", heap) is True


def test_a_plan_of_fifteen_thousand_seats_is_read_and_searched(run):
    found = run("seats/plan.js", "(p => [p.count, m.neighbour(p, 0, 1, 0), m.seatAt(p, 500 + 40, 20, 5)])(m.readPlan(a))", plan(50, 100, 3))
    assert found == [15000, 1, 5102]


@pytest.mark.parametrize(
    ("start", "direction", "end"),
    [
        (0, (1, 0), 1),
        (1, (-1, 0), 0),
        (0, (0, 1), 4),
        (4, (0, -1), 0),
        (0, (-1, 0), -1),
        (0, (0, -1), -1),
        (3, (1, 0), 12),
        (11, (0, 1), -1),
    ],
)
def test_arrows_go_along_the_row_across_the_aisle_and_from_row_to_row(run, start, direction, end):
    assert run("seats/plan.js", "m.neighbour(m.readPlan(a[0]), a[1], ...a[2])", [plan(zones=2), start, list(direction)]) == end


def test_a_seat_is_called_by_place_price_and_state(run):
    said = "import('/web/seats/plan.js').then(p => m.seatName(p.readPlan(a), 5, 0, false))"
    assert run("seats/words.js", said, plan()) == "row 2 seat 2, R seat ₩150,000, free"
    assert run("seats/words.js", said, plan(zones=2)) == "Z0 row 2 seat 2, R seat ₩150,000, free"
    special = plan()
    special["zones"][0]["rows"][1]["seats"][1][5] = 3
    assert run("seats/words.js", said, special) == "row 2 seat 2, wheelchair place, restricted view, R seat ₩150,000, free"


def test_a_selection_has_a_limit_and_keeps_what_others_did_not_take(run):
    code = """(() => {
        const s = new m.Selection(2);
        const outcomes = [s.toggle(3), s.toggle(5), s.toggle(7), s.toggle(3), s.toggle(7)];
        const lost = s.keep((index) => index !== 5);
        return [outcomes, lost, s.seats];
    })()"""
    assert run("seats/selection.js", code) == [["added", "added", "full", "removed", "added"], [5], [7]]


def test_quantities_stay_within_what_is_free_and_the_limit_over_all_areas(run):
    code = """(() => {
        const q = new m.Quantities(4);
        return [q.set("a", 3, 100), q.set("b", 3, 100), q.set("b", 3, 0), q.most("b", 100), q.set("a", -1, 9), q.count];
    })()"""
    assert run("seats/selection.js", code) == [3, 1, 0, 1, 0, 0]


def test_availability_takes_a_full_answer_and_then_what_changed(run):
    code = """(() => {
        const it = new m.Availability(4);
        const first = it.apply({version: "1", plan: "v", full: true, state: "0123", areas: {}});
        const then = it.apply({version: "2", plan: "v", full: false, changes: [[0, 2], [1, 1], [99, 1]], areas: {floor: {free: 7}}});
        return [first, then, [...it.states], it.version, it.areas.get("floor"), it.isFree(0)];
    })()"""
    assert run("seats/availability.js", code) == [[1, 2, 3], [0], [2, 1, 2, 3], "2", 7, False]


def test_polling_is_quick_while_seats_go_slow_when_nothing_happens_and_slower_when_nobody_answers(run):
    assert run("seats/availability.js", "[m.pause(0, 0), m.pause(4, 0), m.pause(50, 0), m.pause(0, 1), m.pause(0, 9)]") == [
        1000,
        2000,
        3000,
        3000,
        15000,
    ]


def test_zooming_keeps_the_point_under_the_finger_and_the_plan_in_the_window(run):
    code = """(() => {
        const v = new m.View({left: 0, top: 0, width: 1000, height: 500});
        v.resize(500, 500);
        const whole = [v.scale, v.isWhole];
        v.zoom(4, 250, 250);
        const before = v.toPlan(200, 300);
        v.zoom(1.5, 200, 300);
        const after = v.toPlan(200, 300);
        v.pan(1e6, 1e6);
        const corner = v.toPlan(0, 0);
        v.zoom(1e-9);
        return [whole, before.map((n, i) => Math.abs(n - after[i]) < 1e-6), corner[0] <= 0 && corner[0] > -100, v.scale, v.isWhole];
    })()"""
    assert run("seats/view.js", code) == [[0.5, True], [True, True], True, 0.5, True]


@pytest.mark.parametrize(
    ("wanted", "is_it"),
    [
        ({"seats": ["a", "b"]}, True),
        ({"seats": ["a"]}, False),
        ({"seats": ["a", "c"]}, False),
        ({"best": {"quantity": 2}}, True),
        ({"best": {"quantity": 2, "grade": "R"}}, True),
        ({"best": {"quantity": 2, "grade": "S"}}, False),
        ({"best": {"quantity": 1}}, False),
        ({"areas": [{"area": "a", "quantity": 2}]}, False),
    ],
)
def test_a_hold_of_just_what_was_wanted_is_known(run, wanted, is_it):
    places = [{"seat": seat, "grade": "R", "label": "", "price_krw": 1} for seat in "ab"]
    assert run("seats/hold.js", "m.isJust(...a)", [places, wanted]) is is_it


def test_a_hold_in_areas_is_known_by_how_many_are_in_each(run):
    places = [{"area": area, "grade": "R", "label": "", "price_krw": 1} for area in "aab"]
    for wanted, is_it in (([("a", 2), ("b", 1)], True), ([("a", 1), ("b", 2)], False), ([("a", 2)], False), ([("a", 3)], False)):
        areas = [{"area": area, "quantity": quantity} for area, quantity in wanted]
        assert run("seats/hold.js", "m.isJust(...a)", [places, {"areas": areas}]) is is_it


def test_a_countdown_is_judged_by_what_the_server_said_was_left(run):
    assert run("lib/clock.js", "m.left(m.deadline(420, 1000), 61000)") == 360
    assert run("lib/clock.js", "m.left(m.deadline(1, 0), 99999)") == 0
    assert run(
        "lib/clock.js", "[m.passed([180, 60, 30], 61, 59.9), m.passed([180, 60, 30], Infinity, 420), m.passed([180, 60], 300, 10)]"
    ) == [
        [60],
        [],
        [180, 60],
    ]


def test_dates_are_those_of_the_events_time_zone_not_of_the_visitors(run):
    assert run("lib/format.js", "[m.dateKey('2027-01-10T00:30:00+09:00'), m.clock('2027-01-10T00:30:00+09:00'), m.countdown(65)]") == [
        "2027-01-10",
        "00:30",
        "1:05",
    ]


def test_every_month_is_written_as_the_server_writes_it(run):
    months = run("lib/format.js", "Array.from({length: 12}, (_, i) => m.shortMonth(`2027-${String(i + 1).padStart(2, '0')}-10`))")
    assert months == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def test_a_text_has_a_form_for_one_and_for_several(run):
    assert run("lib/client.js", "[1, 2].map((count) => m.t('one_or_more', {count}))") == ["1 seat", "2 seats"]


def test_a_months_grid_begins_on_its_sunday(run):
    grid = run("lib/calendar.js", "m.monthGrid('2027-01')")
    assert grid[:6] == [None, None, None, None, None, "2027-01-01"]
    assert grid[-1] == "2027-01-31"


@pytest.mark.parametrize(
    ("offer", "state"),
    [
        ({"free": 3, "on_sale": True}, "open"),
        ({"free": None, "on_sale": True}, "open"),
        ({"free": 0, "on_sale": True}, "sold_out"),
        ({"free": 3, "on_sale": False, "opens_at": "2030-01-01T00:00:00Z"}, "not_yet"),
        ({"free": 3, "on_sale": False, "opens_at": "2020-01-01T00:00:00Z"}, "over"),
        (
            {"free": 3, "on_sale": False, "opens_at": "2030-01-01T00:00:00Z", "presale": {"name": "x", "opens_at": "2029-01-01T00:00:00Z"}},
            "not_yet",
        ),
        (
            {"free": 3, "on_sale": False, "opens_at": "2030-01-01T00:00:00Z", "presale": {"name": "x", "opens_at": "2026-01-01T00:00:00Z"}},
            "presale",
        ),
        (
            {"free": 0, "on_sale": False, "opens_at": "2030-01-01T00:00:00Z", "presale": {"name": "x", "opens_at": "2026-01-01T00:00:00Z"}},
            "sold_out",
        ),
        (
            {"free": 3, "on_sale": False, "opens_at": "2026-06-01T00:00:00Z", "presale": {"name": "x", "opens_at": "2026-01-01T00:00:00Z"}},
            "over",
        ),
    ],
)
def test_a_performance_is_open_sold_out_not_yet_on_sale_or_over(run, offer, state):
    assert run("lib/calendar.js", "m.stateOf(a, Date.parse('2027-01-01T00:00:00Z'))", offer) == state


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-12-30T10:59:57.500Z", "2 days 0:00:03 until fans"),
        ("2027-01-01T10:59:59Z", "0:00:01 until fans"),
        ("2027-01-01T11:00:00Z", "23:59:59 until all"),
        ("2027-01-02T10:59:59Z", None),
        ("2027-01-03T00:00:00Z", None),
    ],
)
def test_how_long_it_is_until_the_next_opening(run, now, said):
    sales = {"opens_at": "2027-01-02T10:59:59Z", "presale": {"name": "fans", "opens_at": "2027-01-01T11:00:00Z"}}
    code = "((now) => { const p = m.presaleOf(a[0], now); return p && m.untilNext(p, now); })(Date.parse(a[1]))"
    assert run("lib/presale.js", code, [sales, now]) == said


def test_without_a_presale_there_is_none_to_wait_for(run):
    for sales in (None, {}, {"opens_at": "2027-01-02T11:00:00Z"}, {"presale": {"name": "x", "opens_at": "2027-01-01T11:00:00Z"}}):
        assert run("lib/presale.js", "m.presaleOf(a, 0)", sales) is None


SOLD, OVER, OFF = {"free": 0}, {"free": 3, "on_sale": False}, {"is_called_off": True}
LATER, SOONER = ({"free": 3, "on_sale": False, "opens_at": f"20{year}-01-01T00:00:00Z"} for year in (31, 30))


@pytest.mark.parametrize(
    ("offers", "why"),
    [
        ([SOLD, LATER, SOONER, OFF], {"state": "not_yet", "opens_at": "2030-01-01T00:00:00Z"}),
        ([SOLD, SOLD], {"state": "sold_out"}),
        ([OFF, OFF], {"state": "called_off"}),
        ([OFF, SOLD, OVER], {"state": "sold_out"}),
        ([OVER, OFF], {"state": "over"}),
    ],
)
def test_why_nothing_can_be_booked_is_the_sale_to_come_or_what_ended_it(run, offers, why):
    assert run("lib/calendar.js", "m.whyNone(a, Date.parse('2027-01-01T00:00:00Z'))", offers) == why


def test_places_of_one_area_are_one_line(run):
    places = [{"label": "Floor", "grade": "GA", "price_krw": 10}] * 2 + [{"label": "Deck", "grade": "D", "price_krw": 20}]
    assert [line["count"] for line in run("lib/places.js", "m.grouped(a)", places)] == [2, 1]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("1층 A구역 5열 12번", "1층 A구역 row 5 seat 12"),
        ("5열 12번", "row 5 seat 12"),
        ("F row 5 seat 12", "F row 5 seat 12"),
        ("박스석 왼쪽", "박스석 왼쪽"),
    ],
)
def test_a_place_is_named_in_the_pages_language(run, label, said):
    assert run("lib/places.js", "m.placeName(a)", label) == said


def test_cancelling_ends_at_its_moment_in_whatever_offset_it_is_written(run):
    terms = {
        "performances": [
            {"id": "p1", "is_called_off": False, "starts_at": "2027-01-09T20:00:00-05:00", "until": "2027-01-09T17:00:00-05:00"}
        ]
    }
    said = "m.termsList({...a, policy: {tiers: [], free: null}}, 'p1', {now: '2027-01-09T%s:00Z'}).textContent"
    assert run("lib/terms.js", said % "21:59", terms) == "until"
    assert run("lib/terms.js", said % "22:00", terms) == "over"


POLICY = {"tiers": [{"days_before": 3, "percent": 20}, {"days_before": 10, "percent": 0}, {"days_before": 0, "percent": 90}], "free": None}


@pytest.mark.parametrize(
    ("now", "until", "ahead"),
    [
        ("2026-12-01T12:00:00+09:00", "2027-01-10T19:30:00+09:00", [(10, 0), (3, 20), (None, 90)]),
        ("2027-01-01T00:30:00+09:00", "2027-01-10T19:30:00+09:00", [(3, 20), (None, 90)]),
        ("2026-12-01T12:00:00+09:00", "2027-01-07T17:00:00+09:00", [(10, 0), (None, 20)]),
        ("2027-01-10T12:00:00+09:00", "2027-01-10T19:30:00+09:00", [(None, 90)]),
    ],
)
def test_of_a_refund_policy_what_still_comes_is_told(run, now, until, ahead):
    performance = {"starts_at": "2027-01-10T19:30:00+09:00", "until": until}
    found = run("lib/terms.js", "m.tiersAhead(a[0], a[1], a[2]).map((e) => [e.daysBefore, e.tier.percent])", [POLICY, performance, now])
    assert found == [list(each) for each in ahead]


def test_a_place_costs_on_the_page_what_the_ticket_service_takes(run):
    from booking_templates.ticket.concessions import Concession

    prices = [0, 1, 99, 4_999, 33_333, 99_999, 150_000, 2**31 - 1]
    rules = [{"percent": percent} for percent in range(1, 101)] + [{"off_krw": krw} for krw in (1, 5_000, 10_000_000)]
    found = run("lib/concessions.js", "a[0].map((rule) => a[1].map((price) => m.priceOf(rule, price)))", [rules, prices])
    assert found == [[Concession(id="c", name="n", **rule).price_of(price) for price in prices] for rule in rules]


CONCESSIONS = [
    {"id": "a", "name": "A", "percent": 10, "grades": ["S"]},
    {"id": "b", "name": "B", "percent": 10, "performances": ["p2"]},
    {"id": "c", "name": "C", "percent": 10, "from": "2027-01-01T00:00:00+09:00", "until": "2027-02-01T00:00:00+09:00"},
    {"id": "d", "name": "D", "percent": 10, "at_least": 2, "at_most": 3},
]


@pytest.mark.parametrize(
    ("grade", "performance", "now", "ids"),
    [
        ("R", "p1", "2026-12-31T23:59:59+09:00", ["d"]),
        ("S", "p1", "2027-01-01T00:00:00+09:00", ["a", "c", "d"]),
        ("R", "p2", "2027-01-31T23:59:59+09:00", ["b", "c", "d"]),
        ("R", "p1", "2027-02-01T00:00:00+09:00", ["d"]),
    ],
)
def test_what_is_offered_for_a_place(run, grade, performance, now, ids):
    place = {"id": "1", "grade": grade, "price_krw": 1_000}
    offered = "m.offeredFor(a[0], a[1], a[2], Date.parse(a[3])).map((each) => each.id)"
    assert run("lib/concessions.js", offered, [CONCESSIONS, place, performance, now]) == ids
    free = {**place, "price_krw": 0}
    assert run("lib/concessions.js", offered, [CONCESSIONS, free, performance, now]) == []


@pytest.mark.parametrize(("count", "is_wrong"), [(0, False), (1, True), (2, False), (3, False), (4, True)])
def test_how_many_places_may_have_it(run, count, is_wrong):
    choice = {str(number): "d" for number in range(count)}
    assert run("lib/concessions.js", "Boolean(m.wrongCount(a[0], a[1]))", [choice, CONCESSIONS]) is is_wrong


ROOM = {"is_on": True, "is_paused": False, "per_minute": 60, "given": 500, "admitted": 100}


@pytest.mark.parametrize(
    ("number", "changes", "ago_s", "expected"),
    [
        (100, {}, 0, (True, 0, 400, 0)),
        (101, {}, 0, (False, 0, 399, 1)),
        (220, {}, 0, (False, 119, 280, 120)),
        (220, {}, 30.5, (False, 89, 280, 90)),
        (220, {}, 500, (True, 0, 280, 0)),
        (220, {"is_paused": True}, 500, (False, 119, 280, None)),
        (100, {"is_paused": True}, 0, (True, 0, 400, 0)),
        (220, {"is_on": False, "per_minute": 0}, 0, (True, 0, 280, 0)),
    ],
)
def test_how_one_stands_in_the_queue_is_worked_out_between_two_answers(run, number, changes, ago_s, expected):
    found = run("seats/room.js", "m.standing(...a)", [number, ROOM | changes, ago_s])
    assert found == dict(zip(("isIn", "ahead", "behind", "waitS"), expected, strict=True))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"sold_out": [], "closed": []}, None),
        ({"sold_out": ["p2"], "closed": []}, None),
        ({"sold_out": ["p1"], "closed": []}, "room_sold_out"),
        ({"sold_out": ["p1", "p2"], "closed": []}, "room_all_sold_out"),
        ({"sold_out": ["p1"], "closed": ["p2"]}, "room_all_sold_out"),
        ({"sold_out": ["p2"], "closed": ["p1"]}, "room_closed"),
        ({}, None),  # an older seat service
    ],
)
def test_who_waits_for_what_is_gone_is_told_whether_something_else_is_left(run, told, expected):
    assert run("seats/room.js", "m.leftText(...a)", [ROOM | told, "p1", [{"id": "p1"}, {"id": "p2"}]]) == expected


@pytest.mark.parametrize(
    ("wait_s", "ahead", "failures", "retry_after_s", "expected_s"),
    [
        (5, 9, 0, None, 3),
        (60, 99, 0, None, 30),
        (6000, 99_999, 0, None, 180),
        (None, 9, 0, None, 10),
        (None, 5_000, 0, None, 50),
        (None, 99_999, 0, None, 180),
        (5, 9, 1, None, 2),
        (5, 9, 9, None, 60),
        (5, 9, 1, 7, 7),
    ],
)
def test_the_longer_one_waits_the_more_rarely_the_page_asks(run, wait_s, ahead, failures, retry_after_s, expected_s):
    assert run("seats/room.js", "m.pauseS(...a)", [{"waitS": wait_s, "ahead": ahead}, failures, retry_after_s]) == expected_s


def test_a_hundred_thousand_who_wait_ask_less_than_a_thousand_times_a_second(run):
    # 3,000 a minute come in; or nobody does.
    asked = "Array.from({length: 1e5}, (_, ahead) => 1 / m.pauseS({ahead, waitS: a ? ahead / 50 : null}, 0, null)).reduce((x, y) => x + y)"
    assert run("seats/room.js", asked, True) < 1_000
    assert run("seats/room.js", asked, False) < 1_000
