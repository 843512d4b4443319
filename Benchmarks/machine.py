"""Where and with what was measured, for the head of a report."""

import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from dataset import Dataset
from deployment import BINARY, PROJECT, MariaDB


def facts(mariadb: MariaDB, dataset: Dataset) -> dict[str, str]:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "when": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
        f"{int(memory[1]) / 1024**2 if memory else 0:.0f} GiB, Linux {platform.release()}",
        "program": f"{shown(BINARY)}, {output(str(BINARY), '--version')}, {BINARY.stat().st_size / 1e6:.0f} MB",
        "database": f"MariaDB {mariadb.version}, durable, innodb_buffer_pool_size {mariadb.pool}, over TCP",
        "data": f"{dataset.services:,} services, {dataset.tools:,} tools, {dataset.roles} roles, "
        f"{dataset.users:,} users, {dataset.tokens:,} tokens",
    }


def shown(path: Path) -> str:
    """From the project's folder on, if it is there."""
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else path.name


def output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
