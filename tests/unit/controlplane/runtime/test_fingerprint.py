from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controlplane.runtime.fingerprint import fingerprint

SEAT: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "seat"}, "spec": {"a": 1, "b": [1, 2]}}
AUTH: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "auth"}}


def test_the_order_of_objects_and_keys_does_not_matter() -> None:
    turned = dict(reversed(SEAT.items()))

    assert fingerprint([SEAT, AUTH], {}) == fingerprint([AUTH, turned], {})


def test_any_value_matters() -> None:
    changed = SEAT | {"spec": {"a": 1, "b": [2, 1]}}

    assert fingerprint([SEAT], {}) != fingerprint([changed], {})


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_fingerprints_are_equal_exactly_when_secrets_are(one: dict[str, str], other: dict[str, str]) -> None:
    assert (fingerprint([SEAT], {"trust": one}) == fingerprint([SEAT], {"trust": other})) == (one == other)


def test_one_secret_looks_different_in_two_systems() -> None:
    def part_of_secrets(item: dict[str, Any]) -> tuple[str, str]:
        return fingerprint([item], {"a": {"b": "c"}}), fingerprint([item], {})

    assert not set(part_of_secrets(SEAT)) & set(part_of_secrets(AUTH))
