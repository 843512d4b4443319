"""What the system knows of a process: its CPU time, its memory, its threads."""

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads so far, those that have ended included."""
    return parse_stat(Path(f"/proc/{pid}/stat").read_text()) / TICKS_PER_SECOND


def parse_stat(text: str) -> int:
    """utime and stime of proc(5), in ticks. The name before them may hold blanks and brackets."""
    fields = text.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def status(pid: int) -> dict[str, float]:
    """Memory now and at most, in MiB, and threads."""
    return parse_status(Path(f"/proc/{pid}/status").read_text())


def parse_status(text: str) -> dict[str, float]:
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {
        "rss": int(fields["VmRSS"].split()[0]) / 1024,
        "rss_max": int(fields["VmHWM"].split()[0]) / 1024,
        "threads": int(fields["Threads"]),
    }
