"""What cancelling costs, by the consumer standard, by market practice, and by whatever rules a seller writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import fees
from booking_templates.ticket.policy import PRESETS, CutOff, Free, Policy, Tier, fee_krw, last_moment

SEOUL = ZoneInfo("Asia/Seoul")
STARTS = datetime(2027, 1, 20, 19, 30, tzinfo=SEOUL)
LONG_AGO = datetime(2026, 11, 1, tzinfo=SEOUL)


def fee(name: str, *, days: int, price: int = 100_000, booked_at: datetime = LONG_AGO, hour: int = 12) -> int:
    now = datetime(2027, 1, 20, hour, 0, tzinfo=SEOUL) - timedelta(days=days)
    return fee_krw(PRESETS[name], price_krw=price, booked_at=booked_at, starts_at=STARTS, now=now, zone=SEOUL)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(30, 0), (10, 0), (9, 10_000), (7, 10_000), (6, 20_000), (3, 20_000), (2, 30_000), (1, 30_000), (0, 90_000)],
)
def test_the_consumer_standards_tiers(days: int, expected: int) -> None:
    assert fee("consumer_standard", days=days) == expected


def test_days_are_those_of_the_calendar_where_the_event_is() -> None:
    assert fee("consumer_standard", days=10, hour=0) == fee("consumer_standard", days=10, hour=23) == 0
    # 00:30 in Seoul is still the day before in UTC.
    now = datetime(2027, 1, 10, 15, 30, tzinfo=UTC)
    assert fee_krw(PRESETS["consumer_standard"], price_krw=1000, booked_at=LONG_AGO, starts_at=STARTS, now=now, zone=SEOUL) == 100


def test_within_a_day_of_booking_it_is_free_while_three_days_are_left() -> None:
    booked = datetime(2027, 1, 17, 0, 0, tzinfo=SEOUL)
    assert fee("consumer_standard", days=3, booked_at=booked) == 0
    assert fee("consumer_standard", days=3, booked_at=booked - timedelta(days=1, hours=13)) == 20_000
    assert fee("consumer_standard", days=2, booked_at=booked + timedelta(days=1)) == 30_000


@pytest.mark.parametrize(("price", "expected"), [(100_000, 4_000), (40_000, 4_000), (30_000, 3_000), (999, 99), (0, 0)])
def test_the_market_keeps_a_flat_fee_that_never_exceeds_a_tenth(price: int, expected: int) -> None:
    assert fee("market", days=20, price=price) == expected


def test_full_gives_the_whole_price_back_to_the_end() -> None:
    assert fee("full", days=0) == 0


@pytest.mark.parametrize(
    ("cut_off", "expected"),
    [
        (None, STARTS),
        (CutOff(1, "17:00"), datetime(2027, 1, 19, 17, 0, tzinfo=SEOUL)),
        (CutOff(0, "23:59"), STARTS),
        (CutOff(0, "09:00"), datetime(2027, 1, 20, 9, 0, tzinfo=SEOUL)),
    ],
)
def test_cancelling_ends_at_the_cut_off_and_never_after_the_start(cut_off: CutOff | None, expected: datetime) -> None:
    assert last_moment(Policy(cut_off=cut_off), starts_at=STARTS, zone=SEOUL) == expected


tiers = st.lists(
    st.builds(Tier, st.integers(0, 60), st.integers(0, 100), st.integers(0, 50_000), st.integers(0, 100)),
    max_size=6,
    unique_by=lambda tier: tier.days_before,
)


@given(
    rules=st.builds(Policy, tiers, st.none() | st.builds(Free, st.integers(1, 400), st.integers(0, 20))),
    price=st.integers(0, 10_000_000),
    hours=st.integers(-10, 24 * 80),
    booked=st.integers(0, 24 * 90),
)
def test_a_fee_is_never_negative_and_never_above_the_price(rules: Policy, price: int, hours: int, booked: int) -> None:
    now = STARTS - timedelta(hours=hours)
    kept = fee_krw(rules, price_krw=price, booked_at=now - timedelta(hours=booked), starts_at=STARTS, now=now, zone=SEOUL)
    assert 0 <= kept <= price


@given(rules=st.builds(Policy, tiers.filter(lambda found: found == sorted(found, key=lambda tier: (-tier.days_before, tier.percent)))))
def test_with_percentages_that_rise_waiting_is_never_cheaper(rules: Policy) -> None:
    rising = Policy(tiers=[Tier(tier.days_before, percent) for tier, percent in zip(rules.tiers, range(0, 100, 15), strict=False)])
    fees = [
        fee_krw(rising, price_krw=100_000, booked_at=LONG_AGO, starts_at=STARTS, now=STARTS - timedelta(days=days), zone=SEOUL)
        for days in range(60, -1, -1)
    ]
    assert fees == sorted(fees)


@given(
    rules=st.builds(Policy, tiers, st.none() | st.builds(Free, st.integers(1, 400), st.integers(0, 20)))
    | st.sampled_from(sorted(PRESETS)).map(PRESETS.__getitem__),
    price=st.integers(0, 10_000_000),
    hours=st.integers(-10, 24 * 80),
    booked=st.integers(0, 24 * 90),
)
def test_the_checkers_own_account_comes_to_the_same(rules: Policy, price: int, hours: int, booked: int) -> None:
    now = STARTS - timedelta(hours=hours)
    booked_at = now - timedelta(hours=booked)
    kept = fee_krw(rules, price_krw=price, booked_at=booked_at, starts_at=STARTS, now=now, zone=SEOUL)
    policy = msgspec.to_builtins(rules)
    assert fees.Rule(policy, STARTS).fee_krw(price, booked_at=booked_at, now=now, zone=SEOUL) == kept <= fees.most_krw([policy], [price])
    assert fees.Rule(policy, STARTS).is_open(now, SEOUL) == (now < last_moment(rules, starts_at=STARTS, zone=SEOUL))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_checker_knows_the_presets(name: str) -> None:
    assert msgspec.convert(fees.policy_of(name), Policy) == PRESETS[name]
