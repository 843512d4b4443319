"""Glewlwyd, a real identity provider, set up for one test: see Scripts/identity-provider."""

import base64
import gzip
import http.cookiejar
import json
import os
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from registry import free_port

START_SECONDS = 20
SECRET = "canary-client-secret-of-the-agent"
# What a new database of Glewlwyd begins with.
ADMINISTRATOR = {"username": "admin", "password": "password"}
SCOPES = ["registry:read", "registry:admin", "tokens:read", "tokens:write"]


def key_pair(folder: Path) -> tuple[str, str]:
    """A new RSA key as PEM: private and public."""
    private, public = folder / "key.pem", folder / "key.pub"
    for arguments in [["genrsa", "-out", private, "2048"], ["rsa", "-in", private, "-pubout", "-out", public]]:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
    return private.read_text(), public.read_text()


class IdentityProvider:
    """One process with a client `agent`, which may ask for tokens for some resources."""

    def __init__(self, root: Path, folder: Path, resources: list[str]) -> None:
        self.folder = folder
        self.origin = f"http://127.0.0.1:{free_port()}"
        self.issuer = self.origin + "/api/oidc"
        self.session = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({})
        )
        self.process = self._start(root)
        try:
            self._await()
            self._set_up(resources)
        except BaseException:
            self.stop()
            raise

    def _start(self, root: Path) -> subprocess.Popen[bytes]:
        schema = gzip.decompress((root / "usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz").read_bytes()).decode()
        with sqlite3.connect(self.folder / "provider.db") as database:
            database.executescript(schema)
        database.close()
        modules = root / "usr/lib/glewlwyd"
        settings = {
            "bind_address": "127.0.0.1",
            "external_url": self.origin,
            "login_url": "login.html",
            "api_prefix": "api",
            "log_mode": "console",
            "log_level": "WARNING",
            "cookie_domain": "127.0.0.1",
            "session_key": "GLEWLWYD2_SESSION_ID",
            "admin_scope": "g_admin",
            "profile_scope": "g_profile",
            "user_module_path": str(modules / "user"),
            "user_middleware_module_path": str(modules / "user_middleware"),
            "client_module_path": str(modules / "client"),
            "user_auth_scheme_module_path": str(modules / "scheme"),
            "plugin_module_path": str(modules / "plugin"),
            "hash_algorithm": "SHA512",
        }
        lines = [f'{name}="{value}"' for name, value in settings.items()]
        lines += [f"port={urllib.parse.urlsplit(self.origin).port}", "cookie_secure=0", "session_expiration=3600"]
        lines.append(f'database = {{ type = "sqlite3"; path = "{self.folder / "provider.db"}"; }};')
        configuration = self.folder / "provider.conf"
        configuration.write_text("\n".join(lines) + "\n")
        (libraries,) = (root / "usr/lib").glob("*-linux-gnu*")
        with (self.folder / "provider.log").open("wb") as log:
            return subprocess.Popen(
                [root / "usr/bin/glewlwyd", f"--config-file={configuration}"],
                env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(libraries)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask("POST", "/api/auth/", ADMINISTRATOR)
                return
            except OSError:
                log = (self.folder / "provider.log").read_text(errors="replace")
                assert self.process.poll() is None and time.monotonic() < deadline, log
                time.sleep(0.05)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.origin + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with self.session.open(request, timeout=10) as answer:
            text = answer.read().decode()
        return json.loads(text) if text else None

    def _set_up(self, resources: list[str]) -> None:
        for scope in SCOPES:
            named = {"name": scope, "display_name": scope, "description": scope}
            self.ask("POST", "/api/scope/", named | {"password_required": True, "scheme": {}})
        self.ask("POST", "/api/mod/plugin/", self._plugin())
        client = {
            "client_id": "agent",
            "name": "agent",
            "password": SECRET,
            "confidential": True,
            "enabled": True,
            "authorization_type": ["client_credentials"],
            "token_endpoint_auth_method": ["client_secret_basic"],
            "scope": SCOPES,
            "resource": resources,
        }
        self.ask("POST", "/api/client/", client)

    def _plugin(self) -> dict[str, Any]:
        private, public = key_pair(self.folder)
        parameters = {
            "iss": self.issuer,
            "jwt-type": "rsa",
            "jwt-key-size": "256",
            "key": private,
            "cert": public,
            "access-token-duration": 3600,
            "refresh-token-duration": 3600,
            "code-duration": 600,
            "refresh-token-rolling": False,
            "allow-non-oidc": True,
            "auth-type-code-enabled": False,
            "auth-type-token-enabled": False,
            "auth-type-id-token-enabled": False,
            "auth-type-none-enabled": False,
            "auth-type-password-enabled": False,
            "auth-type-client-enabled": True,
            "auth-type-device-enabled": False,
            "auth-type-refresh-enabled": False,
            "jwks-show": True,
            "jwks-x5c": [],
            "resource-allowed": True,
            "resource-scope": {},
            "resource-client-property": "resource",
            "resource-change-allowed": False,
            "scope": [],
            "additional-parameters": [],
            "claims": [],
            "address-claim": {"type": "no"},
            "subject-type": "public",
            "secret-type": "SHA256",
        }
        return {"module": "oidc", "name": "oidc", "display_name": "oidc", "order_rank": 0, "parameters": parameters}

    def rotate(self) -> None:
        """Signs with a new key from now on, and publishes that one only."""
        self.ask("PUT", "/api/mod/plugin/oidc", self._plugin())
        self.ask("PUT", "/api/mod/plugin/oidc/reset")

    def token(self, scope: str, resource: str) -> str:
        """An access token for the client `agent` (RFC 6749 section 4.4, RFC 8707)."""
        form = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
        credentials = base64.b64encode(f"agent:{SECRET}".encode()).decode()
        request = urllib.request.Request(
            self.issuer + "/token",
            data=urllib.parse.urlencode(form).encode(),
            headers={"Authorization": f"Basic {credentials}"},
        )
        with self.session.open(request, timeout=10) as answer:
            return json.load(answer)["access_token"]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
