import asyncio
import socket

from controlplane.runtime.local.machine import Ports, StartTurns, is_free


def test_no_port_is_given_twice_and_none_that_is_in_use() -> None:
    ports = Ports()
    taken = {ports.take() for _ in range(200)}

    assert len(taken) == 200
    assert all(is_free(port) for port in taken)


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_as_many_start_at_once_as_there_are_turns_and_the_rest_in_order() -> None:
    async def scenario() -> list[str]:
        turns, seen = StartTurns(1), []
        end = await turns.take()

        async def start(name: str) -> None:
            done = await turns.take()
            seen.append(name)
            done()
            done()

        tasks = [asyncio.create_task(start(name)) for name in "abc"]
        await asyncio.sleep(0)
        assert seen == []
        tasks[0].cancel()
        end()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await turns.take()) is not None
        return seen

    assert asyncio.run(scenario()) == ["b", "c"]
