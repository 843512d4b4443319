"""The deployments are one: docker-compose.yml, Scripts/cluster and the manifests for Kubernetes.

No Docker engine is needed: what the files say is compared with each other and with a cluster that runs here.
"""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from conftest import PROJECT
from registry import BINARY, command

SECONDS = 120
DEPLOYMENT = PROJECT / "Deployment"
MANIFESTS = sorted((DEPLOYMENT / "kubernetes").glob("*.yaml"))
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = {name: service for name, service in SERVICES.items() if name.startswith("server-")}
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
PROFILES = {"mariadb": ["mariadb"], "mysql": ["mysql"], "galera": ["galera-1", "galera-2", "galera-3"]}
# What requests that are running may take after DRAIN_SECONDS.
ENDING_SECONDS = 9
# Settings that are secrets, and what holds one in the settings of a database's image.
SECRET = re.compile(r"(DATABASE_URL|KEYRING|REGISTRY_KEY|TOKEN|PASSWORD|HOOK)$")
# Where each library of the program comes from; None: every Debian has it.
PACKAGES = {
    "libmariadb.so.3": "libmariadb3",
    "libsqlite3.so.0": "libsqlite3-0",
    "libssl.so.3": "libmariadb3",
    "libcrypto.so.3": "libmariadb3",
} | dict.fromkeys(["libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"])


def lines_of(path: Path) -> dict[str, str]:
    """The settings in a file of KEY=value lines."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


SHARED = lines_of(DEPLOYMENT / "server.env")


def script(name: str, *arguments: str | Path) -> str:
    """Runs one of the project's scripts; what it prints."""
    done = subprocess.run(
        [PROJECT / "Scripts" / name, *arguments],
        env=os.environ | {"MCP_REGISTRY_BINARY": str(BINARY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{name} {arguments}: {done.stderr}"
    return done.stdout


class Cluster:
    """A deployment of Scripts/cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = script("cluster", "up", folder).strip()
        self.token = (folder / "secrets/admin_token").read_text().strip()

    def status(self) -> dict[str, tuple[str, str, str]]:
        """Pid, state and address of each part."""
        rows = [line.split() for line in script("cluster", "status", self.folder).splitlines()]
        return {name: (pid, state, address) for name, pid, state, address in rows}

    def settings(self) -> dict[str, str]:
        return lines_of(self.folder / "servers/1/settings")

    def process(self, part: str, what: str) -> list[str]:
        """The words of a part's command line (`cmdline`) or environment (`environ`)."""
        return Path(f"/proc/{self.status()[part][0]}/{what}").read_text().split("\0")[:-1]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("c") / "c"
    try:
        yield Cluster(folder)
    finally:
        script("cluster", "down", folder)


def status_of(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def manifests(kind: str) -> list[dict[str, Any]]:
    documents = [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]
    return [document for document in documents if document["kind"] == kind]


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest["spec"]["template"]["spec"]["containers"][0]


def environment_of(manifest: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(manifest)["env"]}


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text[:-1])


def test_compose_has_the_parts_of_the_cluster(cluster: Cluster) -> None:
    common = {"balancer", "migrate", *SERVERS}
    for profile, databases in PROFILES.items():
        assert {name for name in SERVICES if profile in SERVICES[name]["profiles"]} == common | set(databases)
    parts = cluster.status()
    assert parts.keys() == {"balancer", "database", *SERVERS}
    assert {state for _, state, _ in parts.values()} == {"up"}
    assert "applied" in (cluster.folder / "migrate.log").read_text(), "the migration is a part that has ended"


def test_the_servers_of_compose_are_all_alike() -> None:
    assert len({json.dumps(service) for service in SERVERS.values()}) == 1


def test_the_servers_have_the_same_settings_everywhere(cluster: Cluster) -> None:
    (server,) = {json.dumps(service) for service in SERVERS.values()}
    assert json.loads(server)["env_file"] == ["Deployment/server.env"]
    composed = SHARED | json.loads(server)["environment"]
    assert composed.keys() == cluster.settings().keys()
    for name, value in composed.items():
        here = cluster.settings()[name]
        if name.endswith("_FILE"):
            assert Path(value).name == Path(here).name, name
        elif name in SHARED:
            assert value == here, name
    (deployment,), (settings,) = manifests("Deployment"), manifests("ConfigMap")
    assert SHARED | settings["data"] | environment_of(deployment) == composed | {
        # Networks of pods are other ones.
        "TRUSTED_PROXIES": settings["data"]["TRUSTED_PROXIES"]
    }


def test_one_HAProxy_file_serves_both(cluster: Cluster) -> None:
    balancer = SERVICES["balancer"]
    haproxy = {"source": "haproxy", "target": "/usr/local/etc/haproxy/haproxy.cfg"}
    assert haproxy in balancer["configs"] and COMPOSE["configs"]["haproxy"]["file"] == "Deployment/haproxy.cfg"
    assert str(DEPLOYMENT / "haproxy.cfg") in cluster.process("balancer", "cmdline")
    variables = {word.split("=")[0] for word in cluster.process("balancer", "environ")}
    assert variables == balancer["environment"].keys() | {"PATH"}


def test_HAProxy_takes_the_file_with_the_names_of_compose(tmp_path: Path) -> None:
    variables = SERVICES["balancer"]["environment"] | {"STATS_SOCKET": str(tmp_path / "stats")}
    done = subprocess.run(
        ["haproxy", "-c", "-f", DEPLOYMENT / "haproxy.cfg"],
        env={"PATH": f"{os.environ['PATH']}:/usr/sbin"} | variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("files", [["mariadb.cnf"], ["mariadb.cnf", "galera.cnf"]], ids=["alone", "node"])
def test_MariaDB_knows_every_option_of_its_files(files: list[str], tmp_path: Path) -> None:
    options = tmp_path / "server.cnf"
    options.write_text("\n".join((DEPLOYMENT / file).read_text() for file in files))
    done = subprocess.run(
        ["mariadbd", f"--defaults-file={options}", "--verbose", "--help", f"--datadir={tmp_path}", "--user=mysql"],
        env={"PATH": f"{os.environ['PATH']}:/usr/sbin"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0 and "unknown" not in done.stderr, done.stderr[-2000:]


def test_every_secret_is_a_file() -> None:
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    environments += [environment_of(manifest) for kind in ["Deployment", "Job"] for manifest in manifests(kind)]
    environments += [SHARED, *(manifest["data"] for manifest in manifests("ConfigMap"))]
    assert not [name for environment in environments for name in environment if SECRET.search(name)]
    for service in SERVICES.values():
        files = {value for name, value in service.get("environment", {}).items() if name.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"Deployment/secrets/{name}"}


def test_the_secrets_of_compose_are_made_and_fit(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    script("secrets", "galera", folder)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys()
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert all(f"{node}:3306" in made["database_url"] for node in PROFILES["galera"])
    script("secrets", "mariadb", folder)
    assert "@database:3306/" in (folder / "database_url").read_text()
    assert {name: (folder / name).read_text() for name in made if name != "database_url"} == {
        name: text for name, text in made.items() if name != "database_url"
    }
    settings = {"DATABASE_URL": "sqlite:///./registry.db", "REGISTRY_KEYRING_FILE": str(folder / "keyring")}
    assert command(tmp_path, "migrate", "up", **settings).returncode == 0
    created = command(tmp_path, "api-keys", "create", "--name", "n", "--scopes", "registry:read", **settings)
    assert created.returncode == 0, created


def test_every_image_is_pinned() -> None:
    images = {service["image"] for service in SERVICES.values()} - {"mcp-registry:local"}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    images |= {container(manifest)["image"] for kind in ["Deployment", "Job"] for manifest in manifests(kind)}
    assert len(images) >= 5
    for image in images:
        assert re.fullmatch(r"\S+:\d+\.\d+(\.\d+)?(-\w+)?", image), f"{image} names no release"


def test_the_image_has_the_libraries_that_the_program_needs_and_no_more() -> None:
    listed = subprocess.run(["ldd", BINARY], capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    needed = set(re.findall(r"^\s*(\S+) => (?!\S*/swift/)", listed, re.MULTILINE))
    unknown = needed - PACKAGES.keys() - {"linux-vdso.so.1"}
    assert not unknown, f"the program needs {unknown}: put them into the Dockerfile"
    runtime = DOCKERFILE.rpartition("\nFROM ")[2]
    (packages,) = re.findall(r"apt-get install --yes --no-install-recommends (.*?) \\", runtime)
    # The certificates are for reading services over TLS.
    assert set(packages.split()) == {PACKAGES[name] for name in needed & PACKAGES.keys()} - {None} | {"ca-certificates"}
    for plugin in ["caching_sha2_password.so", "client_ed25519.so"]:
        assert f"test -r /usr/lib/*/libmariadb3/plugin/{plugin}" in runtime


def test_nothing_runs_as_root() -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", DOCKERFILE, re.MULTILINE)
    for kind in ["Deployment", "Job"]:
        for manifest in manifests(kind):
            assert manifest["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
            security = container(manifest)["securityContext"]
            assert security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"] is True
    for service in [*SERVERS.values(), SERVICES["migrate"]]:
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]


def test_everybody_waits_longer_than_a_server_takes_to_end() -> None:
    longest = int(SHARED["DRAIN_SECONDS"]) + ENDING_SECONDS
    (deployment,) = manifests("Deployment")
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > longest
    assert all(seconds(service["stop_grace_period"]) > longest for service in SERVERS.values())


def test_the_parts_of_the_manifests_find_each_other() -> None:
    (deployment,), (service,), (budget,) = map(manifests, ["Deployment", "Service", "PodDisruptionBudget"])
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in [deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]]:
        assert selector.items() <= labels.items()
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= {
        port["name"] for port in container(deployment)["ports"]
    }
    (job,) = manifests("Job")
    assert container(job)["image"] == container(deployment)["image"]
    assert not service["spec"]["selector"].items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_every_probe_asks_for_what_is_there(cluster: Cluster) -> None:
    (deployment,) = manifests("Deployment")
    probes = {name: probe for name, probe in container(deployment).items() if name.endswith("Probe")}
    asked = {probe["httpGet"]["path"] for probe in probes.values()}
    asked |= set(re.findall(r"http-check send meth GET uri (\S+)", (DEPLOYMENT / "haproxy.cfg").read_text()))
    for service in [SERVICES["balancer"], *SERVERS.values()]:
        name, program, port, path = service["healthcheck"]["test"]
        assert (name, program, port) == ("CMD", "probe", "8000")
        asked.add(path)
    asked |= set(re.findall(r'CMD \["probe", "8000", "(.*?)"\]', DOCKERFILE))
    assert asked == {"/health", "/ready"}
    assert probes["livenessProbe"]["httpGet"]["path"] == "/health", "a database that is away restarts no server"
    for path in asked:
        assert status_of(cluster.url + path) == 200


def test_the_probe_of_the_images_tells_yes_from_no(cluster: Cluster) -> None:
    port = cluster.url.rpartition(":")[2]
    for path, code in {"/ready": 0, "/no-such-path": 1}.items():
        done = subprocess.run([DEPLOYMENT / "probe", port, path], timeout=SECONDS, check=False)
        assert done.returncode == code, path


def test_metrics_have_a_port_of_their_own_which_the_balancer_does_not_show(cluster: Cluster) -> None:
    assert status_of((cluster.folder / "servers/1/metrics_url").read_text().strip()) == 200
    assert status_of(cluster.url + "/metrics", Authorization=f"Bearer {cluster.token}") == 404


def test_a_server_that_is_killed_costs_no_GET(cluster: Cluster) -> None:
    def ask() -> None:
        while not ended:
            answers.append(status_of(cluster.url + "/list_services", Authorization=f"Bearer {cluster.token}"))

    answers: list[int] = []
    ended: list[bool] = []
    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        script("cluster", "kill", cluster.folder, "server-2")
        assert cluster.status()["server-2"][:2] == ("-", "down")
        script("cluster", "start", cluster.folder, "server-2")
        assert cluster.status()["server-2"][1] == "up"
    finally:
        ended.append(True)
        for thread in threads:
            thread.join()
    assert len(answers) > 20 and set(answers) == {200}
