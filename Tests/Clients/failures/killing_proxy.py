"""A TCP proxy in front of a server that speaks the MySQL protocol; it kills the client at a chosen packet."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
from enum import StrEnum

RECEIVE_BYTES = 65_536
REPLY_SECONDS = 30
# Commands that the server does not answer: COM_QUIT and COM_STMT_CLOSE. https://mariadb.com/kb/en/com_stmt_close/
UNANSWERED = {0x01, 0x19}


class Moment(StrEnum):
    """When the client dies."""

    UNSENT = "unsent"  # the server never gets the packet
    SENT = "sent"  # the server gets it, and may or may not be done with it
    ANSWERED = "answered"  # the server is done with it, and the client never hears it


class KillingProxy:
    """Counts the packets that a client sends over all of its connections, and kills it with SIGKILL at one of them."""

    def __init__(self, port: int, packet: int, moment: Moment) -> None:
        """In front of a port of the loopback interface; `packet` counts from 1."""
        self.target, self.packet, self.moment = port, packet, moment
        self.seen = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.victim: subprocess.Popen[str] | None = None
        self.is_named = threading.Event()
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def kills(self, victim: "subprocess.Popen[str]") -> None:
        """Says whom to kill: packets wait until this is said."""
        self.victim = victim
        self.is_named.set()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.sockets:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [client, server]
            threading.Thread(target=self._relay, args=(client, server), daemon=True).start()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        """Until either side hangs up, or the client was killed."""
        self.is_named.wait()
        rest = b""
        with contextlib.suppress(OSError):
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if server in ready:
                    data = server.recv(RECEIVE_BYTES)
                    if not data:
                        break
                    client.sendall(data)
                if client in ready:
                    data = client.recv(RECEIVE_BYTES)
                    if not data:
                        break
                    rest += data
                    while (packet := self._first_packet(rest)) is not None:
                        rest = rest[len(packet) :]
                        if self._is_chosen():
                            self._kill(packet, server)
                            return
                        server.sendall(packet)
        client.close()
        server.close()

    @staticmethod
    def _first_packet(data: bytes) -> bytes | None:
        """Three bytes of length, a sequence number, and so many bytes. https://mariadb.com/kb/en/0-packet/"""
        length = 4 + int.from_bytes(data[:3], "little")
        return data[:length] if len(data) >= 4 and len(data) >= length else None

    def _is_chosen(self) -> bool:
        with self.lock:
            self.seen += 1
            return self.seen == self.packet

    def _kill(self, packet: bytes, server: socket.socket) -> None:
        if self.moment is not Moment.UNSENT:
            server.sendall(packet)
        if self.moment is Moment.ANSWERED and packet[4] not in UNANSWERED:
            select.select([server], [], [], REPLY_SECONDS)
        assert self.victim
        os.kill(self.victim.pid, signal.SIGKILL)
        server.close()
