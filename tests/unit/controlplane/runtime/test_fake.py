import pytest

from controlplane.runtime.errors import QuotaFull, RuntimeBusy, RuntimeUnavailable
from controlplane.runtime.fake import FakeRuntime
from controlplane.runtime.port import Health
from tests.runtime_contract.systems import SECRETS, ref, system_objects

SYSTEM = ref(1)


def test_it_is_ready_after_as_many_looks_as_it_was_told() -> None:
    runtime = FakeRuntime(ready_after=3)
    runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)

    assert [runtime.observe(SYSTEM).health for _ in range(3)] == [Health.PROGRESSING, Health.PROGRESSING, Health.READY]


def test_it_is_away_for_the_calls_it_was_told_and_no_longer() -> None:
    runtime = FakeRuntime()
    runtime.unavailable_for(2)

    for _ in range(2):
        with pytest.raises(RuntimeUnavailable):
            runtime.observe(SYSTEM)
    assert runtime.observe(SYSTEM).health is Health.ABSENT


def test_it_raises_what_it_was_told_from_the_method_and_namespace_it_was_told() -> None:
    runtime = FakeRuntime()
    runtime.raises("apply", QuotaFull("no room"), namespace=SYSTEM.namespace)

    runtime.apply(ref(2), system_objects(ref(2)), SECRETS)
    with pytest.raises(QuotaFull):
        runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)


def test_a_namespace_that_ends_slowly_is_deleting_and_busy_until_it_is_absent() -> None:
    runtime = FakeRuntime()
    runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    runtime.deletes_after(SYSTEM.namespace, looks=2)

    runtime.delete(SYSTEM)

    with pytest.raises(RuntimeBusy):
        runtime.apply(SYSTEM, system_objects(SYSTEM), SECRETS)
    assert [runtime.observe(SYSTEM).health for _ in range(3)] == [Health.DELETING, Health.DELETING, Health.ABSENT]


def test_it_keeps_no_reference_to_what_was_applied() -> None:
    runtime = FakeRuntime()
    objects = system_objects(SYSTEM)
    runtime.apply(SYSTEM, objects, SECRETS)

    objects.clear()

    assert runtime.observe(SYSTEM).workload("seat")
