"""The proxy cuts at COMMIT and nowhere else, before the server sees it or before the client hears of it."""

import asyncio

import pytest

from commit_proxy import COMMIT, CommitProxy, Fate

SECONDS = 20


async def exchange(fate: Fate, *requests: bytes) -> tuple[list[bytes], bytes]:
    """What the server sees and the client hears when every COMMIT has this fate."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            seen.append(data)
            writer.write(b"OK")
        writer.close()

    proxy = CommitProxy(seed=1, every=1)
    proxy.chance.choice = lambda fates: fate  # type: ignore[method-assign, assignment, return-value]
    if fate is not Fate.PASSED:
        proxy.start_cutting()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(host, await proxy.serve(host, port))
    heard = b""
    for request in requests:
        writer.write(request)
        try:
            heard += await reader.read(1000)
        except ConnectionResetError:
            break
    writer.close()
    server.close()
    return seen, heard


@pytest.mark.parametrize(
    "fate, seen, heard",
    [
        (Fate.PASSED, [b"INSERT", COMMIT], b"OKOK"),
        (Fate.UNSENT, [b"INSERT"], b"OK"),
        (Fate.UNHEARD, [b"INSERT", COMMIT], b"OK"),
    ],
)
def test_a_commit_is_cut_where_it_is_to_be(fate: Fate, seen: list[bytes], heard: bytes) -> None:
    assert asyncio.run(asyncio.wait_for(exchange(fate, b"INSERT", COMMIT), SECONDS)) == (seen, heard)
