import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.runtime.local.router.chunks import LAST_CHUNK, ChunkReader, chunk
from controlplane.runtime.local.router.heads import BadHead


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=6), st.binary(max_size=20), st.lists(st.integers(1, 30), min_size=1, max_size=50)
)
def test_however_it_is_cut_the_body_and_what_follows_it_come_out(pieces: list[bytes], rest: bytes, cuts: list[int]) -> None:
    coded = b"".join(map(chunk, pieces)) + LAST_CHUNK + rest
    reader, body, position, turn = ChunkReader(), b"", 0, 0
    while position < len(coded) and not reader.is_done:
        size = cuts[turn % len(cuts)]
        body += b"".join(reader.feed(coded[position : position + size]))
        position, turn = position + size, turn + 1

    assert reader.is_done
    assert body == b"".join(pieces)
    assert reader.rest + coded[position:] == rest


def test_extensions_and_trailers_are_taken_off() -> None:
    reader = ChunkReader()

    assert reader.feed(b'3;name="value"\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n') == [b"abc"]
    assert (reader.is_done, reader.rest) == (True, b"")


@pytest.mark.parametrize(
    "coded",
    [
        b"3\nabc\n0\n\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"0x3\r\nabc\r\n",
        b"-3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3 \nabc\r\n",
        b"\r\n",
        b"fffffffff\r\n",
        b"3;a\nb\r\nabc\r\n",
        b"3;" + b"a" * 300 + b"\r\n",
        b"3" * 300,
        b"0\r\n" + b"X: " + b"a" * 9000 + b"\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(coded: bytes) -> None:
    with pytest.raises(BadHead):
        ChunkReader().feed(coded)
