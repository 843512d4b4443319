"""Planted secrets never show up: not in what the processes print, not in answers to others, not in the database."""

import base64

from conftest import Deployment


def test_secrets_stay_secret(fresh: Deployment, pizzeria: str) -> None:
    token = fresh.secret("token")
    service = {"endpoint": pizzeria, "description": "", "requires_authorization": True}
    server = fresh.first
    server.done("add_service", service_name="s", **service, method_authorization="Bearer")

    set_token = {"service_name": "s", "user_id": "u", "token": token}
    server.done("authorize_user_to_service", **set_token)
    answer = fresh.other.http("GET", "/token", {"service_name": "s", "user_id": "u"})
    assert answer.json["token"] == token

    answers = [
        server.http("POST", "/mcp", {"method": "authorize_user_to_service", "params": set_token}).text,
        server.http("POST", "/mcp", ('{"token":"' + token).encode()).text,
        server.http("POST", f"/{token}").text,
        server.http("GET", f"/token?service_name=s&user_id={token}").text,
        server.http("GET", "/list_services", Authorization=f"Bearer {token}").text,
        *(
            str(server.call("authorize_user_to_service", **(set_token | wrong)))
            for wrong in [
                {"service_name": "none"},
                {"user_id": ""},
                {"user_id": 5},
                {"token": token * 1000},
                {"token": [token]},
                {"token": token + "\u0000"},
                {"colour": token},
            ]
        ),
        server.http("GET", "/list_users").text,
        str([server.call(tool) for tool in ["list_users", "list_services", "list_roles"]]),
    ]
    for secret in fresh.secrets:
        assert not [text for text in answers if secret in text]

    stored = fresh.dump()
    assert pizzeria in stored
    for secret in fresh.secrets:
        encodings = [secret.encode(), base64.b64encode(secret.encode())]
        for form in [secret, *(data.hex() for data in encodings), encodings[1].decode()]:
            assert form.lower() not in stored.lower()
    # Stopping the servers at the end of every test reads all they printed, here as everywhere.
