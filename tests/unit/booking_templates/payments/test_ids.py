from __future__ import annotations

import re
import uuid

from booking_templates.payments.ids import new_id, new_number


def test_ids_are_uuids_of_version_7_and_sort_by_time() -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {uuid.UUID(each).version for each in made} == {7}
    assert [each[:13] for each in made] == sorted(each[:13] for each in made)


def test_numbers_have_no_letters_that_look_alike() -> None:
    for _ in range(200):
        assert re.fullmatch(r"T[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}", new_number("T"))
