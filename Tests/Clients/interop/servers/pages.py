"""Cuts lists into pages, for SDKs that give each list whole."""

from collections.abc import Sequence
from typing import Any

PAGE = 2
"""How many entries a page has."""


def page(items: Sequence[Any], cursor: str | None, cursors: str) -> tuple[list[Any], str | None]:
    """The entries at a cursor, and the cursor of what follows.

    With the cursors "empty", that of the second page is "", which is a cursor like any other.
    """
    start = 0 if cursor is None else PAGE if cursor == "" else int(cursor.removeprefix("from "))
    end = start + PAGE
    following = "" if cursors == "empty" and start == 0 else f"from {end}"
    return list(items[start:end]), following if end < len(items) else None
