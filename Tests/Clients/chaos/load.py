"""Many clients that read and write through the balancer, and write down each request and its answer."""

import asyncio
import itertools
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from history import Operation, Outcome
from world import ADMIN, Read, World, Write, tool_call, tool_error, tool_result

ATTEMPT_SECONDS = 20.0
GIVE_UP_SECONDS = 30.0
RETRY_PAUSE_SECONDS = 0.2
FINAL_ATTEMPTS = 10


@dataclass
class Answer:
    """What came back: a status and JSON, or why nothing did."""

    status: int = 0
    body: Any = None
    failure: str = ""


@dataclass
class Caller:
    """Sends requests. Each has a connection of its own: then no failure is due to one that was about to be closed."""

    url: str
    credentials: dict[str, str]
    session: aiohttp.ClientSession

    async def send(
        self, method: str, path: str, caller: str = ADMIN, headers: dict[str, str] | None = None, **content: Any
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.credentials[caller]}"} | (headers or {})
        try:
            async with self.session.request(method, self.url + path, headers=headers, **content) as response:
                text = await response.text()
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            return Answer(failure=type(error).__name__)
        try:
            body = json.loads(text)
        except ValueError:
            return Answer(failure=f"HTTP {response.status}, no JSON")
        return Answer(response.status, body if isinstance(body, dict) else {})


def new_session() -> aiohttp.ClientSession:
    """What all clients share. No proxy of the environment's is used."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        timeout=aiohttp.ClientTimeout(total=ATTEMPT_SECONDS),
        trust_env=False,
    )


@dataclass
class Load:
    """Clients, and the history that they make. With the same seed they ask the same, though never at the same times."""

    world: World
    caller: Caller
    seed: str
    clients: int = 24
    think_seconds: float = 0.2
    writes: float = 0.45
    with_key: float = 0.5
    repetitions: float = 0.1
    operations: list[Operation] = field(default_factory=list)
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.numbers = itertools.count(1)

    async def set_up(self) -> None:
        """Makes what is there from the beginning."""
        for path, body in self.world.setup():
            answer = await self.caller.send("POST", path, json=body)
            if answer.status != 200 or (path == "/mcp" and tool_result(answer.body) is None):
                raise RuntimeError(f"the load could not be prepared: {path} {answer}")
        listed = tool_call("get_tools", service_name=self.world.service)
        answer = await self.caller.send("POST", "/mcp", json=listed)
        self.world.tools = [tool["id"] for tool in tool_result(answer.body)]

    async def run(self) -> None:
        """All clients, until `is_over` is set and their last requests have ended."""
        await asyncio.gather(*(self._client(number) for number in range(self.clients)))

    async def _client(self, number: int) -> None:
        chance = random.Random(f"{self.seed} {number}")
        while not self.is_over.is_set():
            if chance.random() < self.writes:
                operation = await self.write(number, chance)
                # Half of the writers look at once what is there now, most likely through another server.
                if chance.random() < 0.5:
                    await self.read(self.world.read_back(operation.register), number)
            else:
                await self.read(self.world.read(chance), number)
            try:
                await asyncio.wait_for(self.is_over.wait(), chance.expovariate(1 / self.think_seconds))
            except asyncio.TimeoutError:
                pass

    def _name(self) -> str:
        return f"{self.world.prefix}-{next(self.numbers)}"

    async def write(self, client: int, chance: random.Random) -> Operation:
        """Asks for some change and writes down how it ended."""
        name = self._name()
        write = self.world.write(chance, name)
        operation = Operation(
            name,
            client,
            write.kind,
            time.monotonic(),
            register=write.register,
            value=write.value,
            needs=write.needs,
            action=write.action,
            idempotent=chance.random() < self.with_key,
        )
        self.operations.append(operation)
        answer = await self._ask(operation, write)
        if operation.idempotent and operation.outcome is Outcome.ACKNOWLEDGED and chance.random() < self.repetitions:
            await self._repeat(operation, write, answer)
        return operation

    async def _ask(self, operation: Operation, write: Write) -> Answer:
        """Asks for a change; with a key until there is an answer."""
        deadline = operation.start + GIVE_UP_SECONDS
        while True:
            answer = await self._send(operation, write)
            operation.end = time.monotonic()
            operation.outcome, failure = judge(write, answer)
            if operation.outcome is not Outcome.UNKNOWN:
                return answer
            operation.failures.append(failure)
            # Whoever has no key can't know whether the change was made, and must not ask for it again.
            if not operation.idempotent or operation.end > deadline:
                return answer
            operation.attempts += 1
            await asyncio.sleep(RETRY_PAUSE_SECONDS)

    async def _repeat(self, operation: Operation, write: Write, first: Answer) -> None:
        """Asks once more for what was done: that changes nothing, and has the same answer."""
        answer = await self._send(operation, write)
        if judge(write, answer)[0] is not Outcome.UNKNOWN and answer.body != first.body:
            operation.contradiction = describe(answer)

    async def _send(self, operation: Operation, write: Write) -> Answer:
        headers = {"X-Request-Id": operation.id}
        if operation.idempotent:
            headers["Idempotency-Key"] = operation.id
        return await self.caller.send("POST", write.path, headers=headers, json=write.body)

    async def read(self, read: Read, client: int, caller: Caller | None = None, final: bool = False) -> Operation:
        """Asks once and writes down what the answer tells."""
        operation = Operation(
            self._name(), client, read.kind, time.monotonic(), method=read.method, action=read.action, final=final
        )
        self.operations.append(operation)
        content = {name: value for name, value in [("json", read.body), ("params", read.query)] if value is not None}
        headers = {"X-Request-Id": operation.id}
        answer = await (caller or self.caller).send(read.method, read.path, read.caller, headers, **content)
        operation.end = time.monotonic()
        seen = None if answer.failure else read.interpret(answer.status, answer.body)
        if seen is None:
            operation.outcome = Outcome.FAILED
            operation.failures.append(describe(answer))
        else:
            operation.outcome, operation.seen = Outcome.ACKNOWLEDGED, seen
        return operation

    async def read_final_state(self, servers: list[Caller]) -> None:
        """Every register from every server itself. A question that fails is asked again: now everything has to work."""
        for number, server in enumerate(servers, start=1):
            for read in self.world.all_reads():
                for _ in range(FINAL_ATTEMPTS):
                    operation = await self.read(read, -number, server, final=True)
                    if operation.is_answered:
                        break
                    await asyncio.sleep(RETRY_PAUSE_SECONDS)
                else:
                    raise RuntimeError(f"server {number} does not answer when all is over: {operation.failures}")


def judge(write: Write, answer: Answer) -> tuple[Outcome, str]:
    """How a write ended. Whatever is neither a yes nor the refusal that is due is unknown: the audit log tells."""
    if answer.failure:
        return Outcome.UNKNOWN, answer.failure
    if answer.status == 200 and (write.path != "/mcp" or tool_result(answer.body) is not None):
        return Outcome.ACKNOWLEDGED, ""
    if answer.status == 200 and write.refusal and write.refusal in tool_error(answer.body):
        return Outcome.REFUSED, ""
    return Outcome.UNKNOWN, describe(answer)


def describe(answer: Answer) -> str:
    """A failure for people."""
    if answer.failure:
        return answer.failure
    text = str(answer.body.get("detail") or tool_error(answer.body))
    return f"HTTP {answer.status}: {text[:160]}"
