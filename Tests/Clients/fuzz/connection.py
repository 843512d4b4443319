"""A connection to a server that may answer anything, and what is wrong with an answer."""

import json
import select
import socket
from dataclasses import dataclass

ANSWER_SECONDS = 10
# How long a request that is its sender's last may be answered before the sender says that nothing follows.
GRACE_SECONDS = 0.02


class Finding(Exception):
    """Something that must not happen."""


class Closed(Exception):
    """The server has closed the connection."""


@dataclass
class Answer:
    """An HTTP answer, its body read to the end."""

    status: int
    kind: str
    body: bytes
    closes: bool


class Connection:
    """A connection whose answers are read one after the other."""

    def __init__(self, address: tuple[str, int]) -> None:
        try:
            self.socket = socket.create_connection(address, timeout=ANSWER_SECONDS)
        except OSError as error:
            raise Finding(f"no connection: {error}") from error
        self.buffer = bytearray()
        self.is_last = False

    def send(self, data: bytes, is_last: bool = False) -> None:
        self.is_last = is_last
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Refused before its end; what was answered can still be read.
        except TimeoutError:
            raise Finding(f"did not read for {ANSWER_SECONDS} s") from None
        except OSError as error:
            raise Closed from error

    def _end(self) -> None:
        """Says that nothing follows; not at once, since a request of 2026-07-28 is cancelled by it."""
        self.is_last = False
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The server was faster.

    def _more(self) -> None:
        if self.is_last and not select.select([self.socket], [], [], GRACE_SECONDS)[0]:
            self._end()
        try:
            chunk = self.socket.recv(1 << 18)
        except ConnectionResetError as error:
            raise Closed from error
        except TimeoutError:
            raise Finding(f"neither answered nor closed within {ANSWER_SECONDS} s") from None
        if not chunk:
            raise Closed
        self.buffer += chunk

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def answer(self, is_head: bool = False) -> Answer:
        """The next answer; those before the final one (1xx) are passed over."""
        while True:
            while (end := self.buffer.find(b"\r\n\r\n")) < 0:
                self._more()
            lines = self._take(end + 4)[:-4].split(b"\r\n")
            try:
                status = int(lines[0].split(b" ")[1])
                fields = {name.lower(): value.strip() for name, value in (line.split(b":", 1) for line in lines[1:])}
            except (ValueError, IndexError):
                raise Finding(f"no HTTP: {lines!r}") from None
            if status >= 200:
                break
        closes = fields.get(b"connection", b"").lower() == b"close"
        body = b""
        if not is_head and status not in (204, 304):
            if b"content-length" in fields:
                body = self._take(int(fields[b"content-length"]))
            elif b"transfer-encoding" in fields:
                raise Finding("an answer in chunks")
            else:
                body, closes = self._rest(), True
        return Answer(status, fields.get(b"content-type", b"").decode("latin-1"), body, closes)

    def _rest(self) -> bytes:
        try:
            while True:
                self._more()
        except Closed:
            return bytes(self.buffer)

    def close(self) -> None:
        self.socket.close()


def judge(answer: Answer) -> None:
    """Expects an answer that a client can use."""
    if answer.status >= 500 or answer.status < 200:
        raise Finding(f"status {answer.status}: {answer.body[:500]!r}")
    if not answer.body:
        return
    kind = answer.kind.split(";")[0]
    text = answer.body
    if kind == "text/event-stream":
        text = b"".join(line[6:] for line in answer.body.split(b"\r\n") if line.startswith(b"data: "))
    elif kind not in ("application/json", "application/problem+json"):
        raise Finding(f"status {answer.status} of type {answer.kind!r}: {answer.body[:500]!r}")
    try:
        message = json.loads(text.decode(), parse_constant=lambda name: 1 / 0)
    except (ValueError, ZeroDivisionError):
        raise Finding(f"status {answer.status} with bad JSON: {answer.body[:500]!r}") from None
    for one in message if isinstance(message, list) else [message]:
        if isinstance(one, dict) and isinstance(one.get("error"), dict) and one["error"].get("code") == -32603:
            raise Finding(f"internal error: {answer.body[:500]!r}")
