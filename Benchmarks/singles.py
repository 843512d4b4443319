"""Figures that belong to no path: how long a start takes, and what a server takes of the machine."""

from statistics import median

import process
from deployment import Deployment, Server
from report import Single

STARTS = 10


def starts(deployment: Deployment) -> list[Single]:
    """From the start of the process to the first 200 of /ready, on a database that is migrated and loaded."""
    taken = []
    for _ in range(STARTS):
        with deployment.server() as server:
            taken.append(server.seconds_to_ready * 1_000)
    return [
        Single(f"start to first /ready, median of {STARTS}", median(taken), "ms", 150),
        Single(f"start to first /ready, slowest of {STARTS}", max(taken), "ms"),
    ]


def idle(server: Server) -> list[Single]:
    return [Single("RSS idle", process.status(server.pid)["rss"], "MiB", 40)]


def after_load(server: Server) -> list[Single]:
    now = process.status(server.pid)
    return [
        Single("RSS under this load, the most", now["rss_max"], "MiB", 80),
        Single("threads", now["threads"], "threads"),
    ]
