"""What the database holds while it is measured: which rows, as a function of four sizes and the key."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sealing

AGENT = "key:bench"
KEY_ID = 1
MICROSECONDS = 1_700_000_000_000_000
TOOLS_OF_ROLE = 30

INPUT_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to look for, in plain words."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
        },
        "required": ["query"],
        "additionalProperties": False,
    },
    separators=(",", ":"),
)

Row = tuple[str | int | bytes, ...]


@dataclass(frozen=True)
class Table:
    """Rows for a table. Values of `binary` columns are bytes."""

    name: str
    names: str
    rows: Callable[[], Iterator[Row]]
    binary: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        return self.names.split()


@dataclass(frozen=True)
class Dataset:
    """Names have the same length whatever their number, so a request is as long for one as for another."""

    services: int = 50
    tools_per_service: int = 10
    users: int = 1_000
    tokens: int = 2_000
    roles: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.tokens <= self.services * self.users:
            raise ValueError("there are more tokens than pairs of a service and a user")

    @property
    def tools(self) -> int:
        return self.services * self.tools_per_service

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes by which another program picks what to ask for."""
        return {"services": self.services, "users": self.users, "tokens": self.tokens, "roles": self.roles}

    def pick(self, number: int) -> dict[str, str]:
        """The names to ask for a token with; wrk/request.lua and Ceilings/point_select.c pick the same."""
        service, user = self.place(number)
        return {"service": service_name(service), "user": user_name(user), "role": role_name(number % self.roles)}

    def place(self, number: int) -> tuple[int, int]:
        """Service and user of a token. Everybody's tokens are for services that follow one another."""
        user = number % self.users
        return (number // self.users + user) % self.services, user

    def tools_of_role(self, role: int) -> list[int]:
        return sorted({(role * TOOLS_OF_ROLE + number) % self.tools for number in range(TOOLS_OF_ROLE)})

    def tables(self, key: bytes) -> list[Table]:
        """In an order that foreign keys allow, and each in that of its primary key."""
        return [
            Table(
                "services",
                "id name endpoint endpoint_sha256 description requires_authorization method_authorization status "
                "transport last_seen next_read created_at updated_at",
                self._services,
                binary=("endpoint_sha256",),
            ),
            Table(
                "tools",
                "id service_id name title description input_schema search_text position created_at updated_at",
                self._tools,
            ),
            Table("roles", "name default_system_prompt created_at updated_at", self._roles),
            Table("tool_roles", "tool_id role_name created_at", self._tool_roles),
            Table("users", "user_id role_name created_at updated_at", self._users),
            Table(
                "user_tokens",
                "service_id user_id key_id envelope rev created_at updated_at",
                lambda: self._tokens(key),
                binary=("envelope",),
            ),
            Table("token_grants", "service_id user_id agent granted_by created_at", self._grants),
        ]

    def _services(self) -> Iterator[Row]:
        for number in range(self.services):
            endpoint = endpoint_of(number)
            digest = hashlib.sha256(endpoint.encode()).digest()
            description = f"Does what service number {number} is for."
            freshness = ("active", "streamable_http", MICROSECONDS, MICROSECONDS)
            times = (MICROSECONDS + number, MICROSECONDS + number)
            names = service_id(number), service_name(number)
            yield *names, endpoint, digest, description, 1, "Bearer", *freshness, *times

    def _tools(self) -> Iterator[Row]:
        for number in range(self.tools):
            service, position = divmod(number, self.tools_per_service)
            name, title, description = tool_name(position), f"Tool {position}", description_of_tool(number)
            search = f"{name}\x01{title}\x02{description}".lower()
            texts = name, title, description, INPUT_SCHEMA, search
            yield number + 1, service_id(service), *texts, position, MICROSECONDS, MICROSECONDS

    def _roles(self) -> Iterator[Row]:
        for number in range(self.roles):
            yield role_name(number), prompt_of(number), MICROSECONDS + number, MICROSECONDS + number

    def _tool_roles(self) -> Iterator[Row]:
        for role in range(self.roles):
            for tool in self.tools_of_role(role):
                yield tool + 1, role_name(role), MICROSECONDS

    def _users(self) -> Iterator[Row]:
        for number in range(self.users):
            yield user_name(number), role_name(number % self.roles), MICROSECONDS + number, MICROSECONDS + number

    def _tokens(self, key: bytes) -> Iterator[Row]:
        for service, user in self._pairs():
            names = service_id(service), user_name(user)
            envelope = sealing.user_token(key, KEY_ID, *names, token_of(service, user).encode())
            yield *names, KEY_ID, envelope, 1, MICROSECONDS, MICROSECONDS

    def _grants(self) -> Iterator[Row]:
        for service, user in self._pairs():
            yield service_id(service), user_name(user), AGENT, "admin", MICROSECONDS

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Service and user of all tokens, by service and then by user."""
        rounds = -(-self.tokens // self.users)
        for service in range(self.services):
            users = (
                user
                for turn in range(min(rounds, self.services))
                for user in range((service - turn) % self.services, self.users, self.services)
                if turn * self.users + user < self.tokens
            )
            yield from ((service, user) for user in sorted(users))


def service_name(number: int) -> str:
    return f"service-{number:06}"


def user_name(number: int) -> str:
    return f"user-{number:06}"


def role_name(number: int) -> str:
    return f"role-{number:06}"


def tool_name(position: int) -> str:
    return f"tool-{position:02}"


def service_id(number: int) -> str:
    """A UUID; a later service has a greater one, as in life."""
    return f"{number:08x}-0000-7000-8000-000000000000"


def endpoint_of(number: int) -> str:
    return f"https://{service_name(number)}.example.com/mcp"


def description_of_tool(number: int) -> str:
    return f"Finds what tool number {number} knows, and tells it in a sentence or two of plain text."


def prompt_of(role: int) -> str:
    return f"You help the people in {role_name(role)}: be brief and kind, and ask before anything is spent."


def token_of(service: int, user: int) -> str:
    return f"token-of-{user_name(user)}-for-{service_name(service)}"
