from controlplane.runtime.local.startqueue import StartQueue


def _drained(queue: StartQueue) -> list[str]:
    order = []
    while namespace := queue.pop():
        order.append(namespace)
    return order


def test_the_listed_come_first_then_those_that_ask_then_the_rest_by_number() -> None:
    queue = StartQueue(["clove-7", "clove-3"])
    for namespace in ("clove-10", "clove-2", "clove-3", "clove-7"):
        queue.add(namespace)
    queue.add("clove-9", is_first=True)

    assert _drained(queue) == ["clove-7", "clove-3", "clove-9", "clove-2", "clove-10"]
    assert queue.pop() is None


def test_one_that_somebody_waits_for_is_next() -> None:
    queue = StartQueue(["clove-1"])
    for namespace in ("clove-1", "clove-2", "clove-3"):
        queue.add(namespace)

    queue.prefer("clove-3")
    queue.prefer("clove-99")

    assert _drained(queue) == ["clove-3", "clove-1", "clove-2"]


def test_one_that_started_already_waits_no_longer() -> None:
    queue = StartQueue()
    queue.add("clove-1")

    assert "clove-1" in queue
    assert queue.remove("clove-1")
    assert not queue.remove("clove-1")
    assert "clove-1" not in queue
