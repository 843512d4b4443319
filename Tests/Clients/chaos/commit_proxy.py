"""A TCP proxy in front of servers that speak the MySQL protocol; it cuts some connections at COMMIT, the worst moment.

    python commit_proxy.py --seed 1 --every 20 HOST:PORT...

Prints the port of each proxy on one line, cuts about one COMMIT of `--every` from SIGUSR1 on, and serves until it
gets SIGTERM. Then it prints how many COMMITs passed, were cut before the server saw them, and after.
"""

import argparse
import asyncio
import contextlib
import random
import signal
from enum import Enum

# COM_QUERY with the text COMMIT: length, sequence number 0, command 3, text. https://mariadb.com/kb/en/com_query/
COMMIT = b"\x07\x00\x00\x00\x03COMMIT"
RECEIVE_BYTES = 65_536


class Fate(Enum):
    """What becomes of a COMMIT."""

    PASSED = "passed"
    UNSENT = "unsent"  # the server never sees it: the change has not happened
    UNHEARD = "unheard"  # the server has committed and said so, and the client never hears it


class CommitProxy:
    """Decides by a seeded chance which COMMITs are cut."""

    def __init__(self, seed: int, every: int) -> None:
        self.chance, self.every = random.Random(seed), every
        self.counts = dict.fromkeys(Fate, 0)
        self.cuts = False

    def start_cutting(self) -> None:
        self.cuts = True

    async def serve(self, host: str, port: int) -> int:
        """Starts in front of a server; the port to connect to."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._relay(reader, writer, host, port)
            writer.transport.abort()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        number: int = server.sockets[0].getsockname()[1]
        return number

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        """Until either side hangs up, or the connection is cut."""
        server_reader, server_writer = await asyncio.open_connection(host, port)
        is_deaf = asyncio.Event()
        tasks = [
            asyncio.create_task(self._pass_answers(server_reader, writer, is_deaf)),
            asyncio.create_task(self._pass_requests(reader, server_writer, is_deaf)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server_writer.transport.abort()

    @staticmethod
    async def _pass_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_deaf: asyncio.Event) -> None:
        while data := await reader.read(RECEIVE_BYTES):
            if is_deaf.is_set():
                return
            writer.write(data)
            await writer.drain()

    async def _pass_requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_deaf: asyncio.Event
    ) -> None:
        while data := await reader.read(RECEIVE_BYTES):
            match self._fate() if data.endswith(COMMIT) else Fate.PASSED:
                case Fate.UNSENT:
                    return
                case Fate.UNHEARD:
                    # The next answer is the one to COMMIT: it ends the connection and is not passed on.
                    is_deaf.set()
            writer.write(data)
            await writer.drain()

    def _fate(self) -> Fate:
        fate = Fate.PASSED
        if self.cuts and self.chance.random() < 1 / self.every:
            fate = self.chance.choice([Fate.UNSENT, Fate.UNHEARD])
        self.counts[fate] += 1
        return fate


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("servers", nargs="+", metavar="HOST:PORT")
    arguments = parser.parse_args()
    proxy = CommitProxy(arguments.seed, arguments.every)
    ports = []
    for server in arguments.servers:
        host, _, port = server.rpartition(":")
        ports.append(await proxy.serve(host, int(port)))
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, proxy.start_cutting)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print(*ports, flush=True)
    await ended.wait()
    print(*(proxy.counts[fate] for fate in Fate), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
