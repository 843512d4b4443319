"""What the load is about: the registers of one run, and every request that reads or writes them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Seen = dict[str, str | None]
# Makes of status and JSON of an answer what it tells; None when it tells nothing.
Interpretation = Callable[[int, Any], "Seen | None"]

PROMPTS, ROLES, LINK_ROLES, USERS, PEOPLE, OWNERS, CHURNING = 10, 6, 4, 12, 8, 3, 3
ADMIN = "admin"


@dataclass(frozen=True)
class Write:
    """A change of one register. `needs` is what must hold of the value, and `refusal` what is said when it does not."""

    kind: str
    path: str
    body: dict[str, Any]
    register: str
    value: str | None
    action: str
    needs: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Read:
    """A question about one register or many."""

    kind: str
    method: str
    path: str
    interpret: Interpretation
    body: dict[str, Any] | None = None
    query: dict[str, str] | None = None
    caller: str = ADMIN
    action: str = ""


def tool_call(name: str, **arguments: Any) -> dict[str, Any]:
    """A tools/call without handshake."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


def tool_result(answer: Any) -> Any:
    """The value of a tool's answer; None when it is an error."""
    result = answer.get("result", {})
    return None if result.get("isError", True) else result["structuredContent"]["result"]


def tool_error(answer: Any) -> str:
    """What a tool complains about."""
    if "error" in answer:
        return str(answer["error"].get("message", ""))
    return " ".join(part.get("text", "") for part in answer.get("result", {}).get("content", []))


@dataclass
class World:
    """The names of one run, all with its prefix, and what is there before the load starts (`initial`)."""

    prefix: str
    service_url: str
    agents: dict[str, str]  # the audit name of each agent, by the name that its key is known by here
    # Characters that are added to each prompt, which makes the database's nodes slower to follow.
    padding: int = 0
    tools: list[int] = field(default_factory=list)
    initial: Seen = field(default_factory=dict)
    known: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = f"{self.prefix}-service"
        self.prompts = self._names("prompt", PROMPTS)
        self.roles = self._names("role", ROLES)
        self.link_roles = self._names("link", LINK_ROLES)
        self.users = self._names("user", USERS)
        self.people = self._names("person", PEOPLE)
        self.owners = self._names("owner", OWNERS)
        self.churning = self._names("churn", CHURNING)

    def _names(self, kind: str, count: int) -> list[str]:
        return [f"{self.prefix}-{kind}-{number}" for number in range(count)]

    # Before the load

    def setup(self) -> list[tuple[str, dict[str, Any]]]:
        """The path and the body of each request that makes what is there from the beginning."""
        requests = [("/mcp", tool_call("add_service", **self._service(self.service, protected=True)))]
        for role in self.prompts + self.link_roles:
            requests.append(
                ("/mcp", tool_call("create_role", role_name=role, default_system_prompt=self._text("first")))
            )
            self.initial[f"prompt {role}"] = "first"
        for user in self.users + self.people + self.owners:
            requests.append(("/register_user", {"user_id": user}))
            self.initial[f"known {user}"] = "yes"
        for owner in self.owners:
            token = {"service_name": self.service, "user_id": owner, "token": f"{owner}.first"}
            requests.append(("/user_token", token))
            self.initial[f"token {owner}"] = f"{owner}.first"
        return requests

    def _service(self, name: str, protected: bool) -> dict[str, Any]:
        return {
            "service_name": name,
            "endpoint": self._endpoint(name),
            "description": "A service of the load's.",
            "requires_authorization": protected,
            "method_authorization": "Bearer",
        }

    def _endpoint(self, name: str) -> str:
        return f"{self.service_url}?as={name}"

    def _text(self, value: str) -> str:
        return f"{value} {'x' * self.padding}"

    # Writes: each takes the operation's id, which makes its value unlike all others.

    def write(self, chance: random.Random, name: str) -> Write:
        """Any of them, those that read a service least often."""
        kinds: list[tuple[int, Callable[[random.Random, str], Write]]] = [
            (30, self._set_prompt),
            (15, self._change_role),
            (30, self._change_token),
            (10, self._change_link),
            (8, self._change_role_of_user),
            (6, self._change_grant),
            (2, self._register_user),
            (2, self._change_service),
        ]
        maker = chance.choices([maker for _, maker in kinds], [weight for weight, _ in kinds])[0]
        return maker(chance, name)

    def _set_prompt(self, chance: random.Random, name: str) -> Write:
        role = chance.choice(self.prompts)
        body = tool_call("set_role_system_prompt", role_name=role, default_system_prompt=self._text(name))
        return Write("set_role_system_prompt", "/mcp", body, f"prompt {role}", name, "role.set_system_prompt")

    def _change_role(self, chance: random.Random, name: str) -> Write:
        role = chance.choice(self.roles)
        register = f"prompt {role}"
        tool = chance.choice(["create_role", "set_role_system_prompt", "remove_role"])
        if tool == "remove_role":
            body = tool_call(tool, role_name=role)
            return Write(tool, "/mcp", body, register, None, "role.remove", "present", "does not exist")
        body = tool_call(tool, role_name=role, default_system_prompt=self._text(name))
        if tool == "create_role":
            return Write(tool, "/mcp", body, register, name, "role.create", "absent", "already exists")
        return Write(tool, "/mcp", body, register, name, "role.set_system_prompt", "present", "not found")

    def _change_token(self, chance: random.Random, name: str) -> Write:
        user = chance.choice(self.users)
        whose = {"service_name": self.service, "user_id": user}
        register, token = f"token {user}", f"{user}.{name}"
        kind = chance.choices(["authorize_user_to_service", "POST /user_token", "revoke_user_token"], [5, 2, 3])[0]
        if kind == "revoke_user_token":
            return Write(
                kind, "/mcp", tool_call(kind, **whose), register, None, "token.revoke", "present", "has no token"
            )
        if kind == "POST /user_token":
            return Write(kind, "/user_token", whose | {"token": token}, register, token, "token.store")
        return Write(kind, "/mcp", tool_call(kind, **whose, token=token), register, token, "token.store")

    def _change_link(self, chance: random.Random, name: str) -> Write:
        role, tool = chance.choice(self.link_roles), chance.choice(self.tools)
        kind, value, action = chance.choice(
            [("attach_role_to_tool", "yes", "role.attach"), ("detach_role_from_tool", None, "role.detach")]
        )
        return Write(kind, "/mcp", tool_call(kind, role_name=role, tool_id=tool), f"link {role} {tool}", value, action)

    def _change_role_of_user(self, chance: random.Random, name: str) -> Write:
        person, role = chance.choice(self.people), chance.choice(self.link_roles)
        register, arguments = f"role of {person}", {"user_id": person, "role_name": role}
        if chance.random() < 0.6:
            body = tool_call("assign_role_to_user", **arguments)
            return Write("assign_role_to_user", "/mcp", body, register, role, "user.assign_role")
        body = tool_call("remove_role_from_user", **arguments)
        return Write(
            "remove_role_from_user",
            "/mcp",
            body,
            register,
            None,
            "user.remove_role",
            f"is:{role}",
            "does not have the role",
        )

    def _change_grant(self, chance: random.Random, name: str) -> Write:
        owner, agent = chance.choice(self.owners), chance.choice(list(self.agents))
        arguments = {"service_name": self.service, "user_id": owner, "agent": self.agents[agent]}
        register = f"grant {owner} {agent}"
        if chance.random() < 0.5:
            return Write(
                "grant_user_token", "/mcp", tool_call("grant_user_token", **arguments), register, "yes", "token.grant"
            )
        body = tool_call("withdraw_user_token", **arguments)
        return Write(
            "withdraw_user_token", "/mcp", body, register, None, "token.withdraw_grant", "present", "was not granted"
        )

    def _register_user(self, chance: random.Random, name: str) -> Write:
        user = f"{self.prefix}-new-{name}"
        self.known.append(user)
        return Write(
            "POST /register_user", "/register_user", {"user_id": user}, f"known {user}", "yes", "user.register"
        )

    def _change_service(self, chance: random.Random, name: str) -> Write:
        service = chance.choice(self.churning)
        register = f"service {service}"
        if chance.random() < 0.6:
            body = tool_call("add_service", **self._service(service, protected=False))
            endpoint = self._endpoint(service)
            return Write("add_service", "/mcp", body, register, endpoint, "service.add", "absent", "already exists")
        body = tool_call("remove_service", service_name=service)
        return Write("remove_service", "/mcp", body, register, None, "service.remove", "present", "not found")

    # Reads

    def read(self, chance: random.Random) -> Read:
        """Any of them."""
        kinds: list[tuple[int, Callable[[], Read]]] = [
            (25, lambda: self.read_prompt(chance.choice(self.prompts + self.roles))),
            (30, lambda: self.read_token(chance.choice(self.users))),
            (10, lambda: self.read_links(chance.choice(self.link_roles))),
            (8, lambda: self.read_role_of_user(chance.choice(self.people))),
            (10, lambda: self.read_grant(chance.choice(self.owners), chance.choice(list(self.agents)))),
            (10, self.list_services),
            (4, self.list_roles),
            (3, self.list_users),
        ]
        maker = chance.choices([maker for _, maker in kinds], [weight for weight, _ in kinds])[0]
        return maker()

    def read_back(self, register: str) -> Read:
        """What tells the value of one register."""
        kind, *names = register.split(" ")
        if kind == "prompt":
            return self.read_prompt(names[0])
        if kind == "token":
            return self.read_token(names[0])
        if kind == "link":
            return self.read_links(names[0])
        if kind == "role":
            return self.read_role_of_user(names[1])
        if kind == "grant":
            return self.read_grant(names[0], names[1])
        return self.list_services() if kind == "service" else self.list_users()

    def all_reads(self) -> list[Read]:
        """What together tells the value of every register."""
        reads = [self.list_services(), self.list_roles(), self.list_users()]
        reads += [self.read_prompt(role) for role in self.prompts + self.roles]
        reads += [self.read_token(user) for user in self.users + self.owners]
        reads += [self.read_links(role) for role in self.link_roles]
        reads += [self.read_role_of_user(person) for person in self.people]
        return reads + [self.read_grant(owner, agent) for owner in self.owners for agent in self.agents]

    def read_prompt(self, role: str) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            # The text of a role that does not exist is empty; no other is.
            return {f"prompt {role}": self._value(answer["default_system_prompt"])} if status == 200 else None

        return Read("system_prompt_for_role", "POST", "/system_prompt_for_role", interpret, {"role": role})

    @staticmethod
    def _value(text: str) -> str | None:
        return text.split(" ")[0] or None

    def read_token(self, user: str) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            if status == 200:
                return {f"token {user}": answer["token"]}
            return {f"token {user}": None} if status == 401 and "is not authorized" in answer["detail"] else None

        return Read("token", "GET", "/token", interpret, query=self._whose(user), action="token.release")

    def read_grant(self, owner: str, agent: str) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            if status == 200:
                return {f"grant {owner} {agent}": "yes", f"token {owner}": answer["token"]}
            return {f"grant {owner} {agent}": None} if status == 403 and "has not granted" in answer["detail"] else None

        return Read(
            "token for an agent",
            "GET",
            "/token",
            interpret,
            query=self._whose(owner),
            caller=agent,
            action="token.release",
        )

    def _whose(self, user: str) -> dict[str, str]:
        return {"service_name": self.service, "user_id": user}

    def read_links(self, role: str) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            if status != 200:
                return None
            usable = {tool["id"] for tool in answer["tools"]}
            return {f"link {role} {tool}": "yes" if tool in usable else None for tool in self.tools}

        return Read("tools_for_role", "POST", "/tools_for_role", interpret, {"role": role})

    def read_role_of_user(self, person: str) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            return {f"role of {person}": answer["role"] or None} if status == 200 else None

        return Read("role_for_user", "POST", "/role_for_user", interpret, {"user_id": person})

    def list_services(self) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            if status != 200:
                return None
            urls = {name: entry["url"] for name, entry in answer["services"].items()}
            return {f"service {name}": urls.get(name) for name in self.churning}

        return Read("list_services", "GET", "/list_services", interpret)

    def list_roles(self) -> Read:
        def interpret(status: int, answer: Any) -> Seen | None:
            roles = tool_result(answer) if status == 200 else None
            if roles is None:
                return None
            texts = {role["name"]: role["default_system_prompt"] for role in roles}
            return {f"prompt {role}": self._value(texts.get(role, "")) for role in self.prompts + self.roles}

        return Read("list_roles", "POST", "/mcp", interpret, tool_call("list_roles"))

    def list_users(self) -> Read:
        # Whoever is registered later than this is asked for by a later list.
        known = self.users + self.people + self.owners + self.known

        def interpret(status: int, answer: Any) -> Seen | None:
            if status != 200:
                return None
            roles = {entry["user"]["user_id"]: entry["user"]["role"] or None for entry in answer["users"]}
            seen: Seen = {f"known {user}": "yes" if user in roles else None for user in known}
            return seen | {f"role of {person}": roles[person] for person in self.people if person in roles}

        return Read("list_users", "GET", "/list_users", interpret)
