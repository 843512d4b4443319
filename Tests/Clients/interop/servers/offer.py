"""What every server offers: tools with schemas of all kinds, and a description that is not the only resource."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

DESCRIPTION = "Adds, greets, searches and paints — for tests only: « é », 日本, 😀."


class Place(BaseModel):
    """Somewhere on a plane."""

    x: float
    y: float
    label: str | None = None


def add(a: int, b: int) -> int:
    """Add two whole numbers."""
    return a + b


def greet(name: str, greeting: str = "Bonjour") -> str:
    """Greet somebody « by name »: 日本, é, e\u0301, 😀.

    The second paragraph says that "quotes", back\\slashes and <tags> stay as they are.
    """
    return f"{greeting} {name}"


def search(
    query: Annotated[str, Field(description="What to look for.", min_length=1, max_length=200)],
    limit: Annotated[int, Field(ge=1, le=50)] = 10,
    kinds: list[str] | None = None,
) -> list[str]:
    """Search, and list what was found."""
    return [query, *(kinds or [])][:limit]


def paint(colour: Literal["red", "green"], places: list[Place], weights: dict[str, float] | None = None) -> Place:
    """Paint places, and tell the first."""
    return places[0]


def now() -> str:
    """Tell the time. It has no parameters."""
    return "12:00"


def undocumented(value: float) -> float:
    return value


def long_winded(flag: bool = False) -> bool:
    return flag


long_winded.__doc__ = "A description of many words. " * 100

TOOLS = [add, greet, search, paint, now, undocumented, long_winded]


def licence() -> str:
    """A resource that describes nothing."""
    return "Do as you like."


def notes() -> str:
    """Another one, so that the description is on the second page."""
    return "No notes."


def service_description() -> str:
    """What this service is for."""
    return DESCRIPTION


RESOURCES = [licence, notes, service_description]
