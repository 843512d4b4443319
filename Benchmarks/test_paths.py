"""Requests as they are sent, and whether a wrong answer would be noticed."""

import json
from email.message import Message

import pytest

from dataset import Dataset
from paths import PATHS, Path
from registry import Answer

BY_NAME = {path.name: path for path in PATHS}
DATASET = Dataset()


def test_names_of_paths_are_given_once() -> None:
    assert len(BY_NAME) == len(PATHS)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_the_length_of_a_body_is_right_for_all_names(path: Path) -> None:
    head, _, body = path.template.text("host").partition("\r\n\r\n")
    lengths = [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("Content-Length")]
    for number in [0, DATASET.tokens - 1]:
        filled = path.template.filled(DATASET.pick(number))
        assert "<" not in filled.target + filled.body
        assert lengths == ([str(len(filled.body))] if body else [])


def test_a_modern_request_says_its_method_and_tool_in_headers_too() -> None:
    headers = dict(BY_NAME["mcp-get-tools"].template.headers)
    message = json.loads(BY_NAME["mcp-get-tools"].template.body)
    assert (headers["Mcp-Method"], headers["Mcp-Name"]) == (message["method"], message["params"]["name"])
    assert headers["MCP-Protocol-Version"] in json.dumps(message["params"]["_meta"])


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        (
            "token",
            {"token": "token-of-user-000007-for-service-000007", "method_authorization": "Bearer"},
            {"token": "token-of-user-000007-for-service-000008", "method_authorization": "Bearer"},
        ),
        ("role-for-user", {"role": "role-000007"}, {"role": ""}),
    ],
)
def test_another_answer_than_the_right_one_is_noticed(name: str, right: object, wrong: object) -> None:
    path = BY_NAME[name]
    assert path.is_right(Answer(200, Message(), json.dumps(right)), DATASET, 7)  # type: ignore[arg-type]
    assert not path.is_right(Answer(200, Message(), json.dumps(wrong)), DATASET, 7)  # type: ignore[arg-type]
