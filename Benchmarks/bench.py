"""`make bench`: measures the server against its ceilings in one run, and prints what ratios it has reached.

    python bench.py --seconds 4 --rounds 3 --connections 32,64 --paths token,list-services --scale 1

README.md tells what is measured, and how to read the table. Ends with 1 when something could not be measured as it
should or gave a wrong answer; with --strict also when a target was missed.
"""

import argparse
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "Tests/Clients"))

import growth  # noqa: E402
from allocations import allocations  # noqa: E402
from dataset import Dataset  # noqa: E402
from deployment import BINARY, PROJECT, Failure, mariadb_in, run_folder  # noqa: E402
from machine import facts  # noqa: E402
from paths import PATHS  # noqa: E402
from result import Result, write  # noqa: E402
from rounds import Run  # noqa: E402
from singles import after_load, idle, starts  # noqa: E402

POOL = "256M"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [path.name for path in PATHS]
    parser.add_argument("--paths", default=",".join(names), help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--connections", default="32,64", help="of the load generator, one run for each number")
    parser.add_argument("--seconds", type=int, default=4, help="that each run under load takes")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--scale", type=int, default=1, help="by what services, tools, users and tokens are multiplied")
    parser.add_argument("--growth", action="store_true", help="measure larger and larger data sets instead")
    parser.add_argument("--largest", type=int, default=100_000, help="with --growth: the most services and users")
    parser.add_argument("--strict", action="store_true", help="end with 1 when a target was missed")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a disk, for what is thrown away")
    parser.add_argument("--report", type=Path, default=PROJECT / ".cache/bench", help="the folder for the results")
    arguments = parser.parse_args()
    arguments.paths = arguments.paths.split(",")
    if unknown := [name for name in arguments.paths if name not in names]:
        parser.error(f"--paths: there is no {', '.join(unknown)}, only {', '.join(names)}")
    try:
        arguments.connections = [int(word) for word in arguments.connections.split(",")]
    except ValueError:
        parser.error("--connections takes numbers separated by commas")
    if min(*arguments.connections, arguments.seconds, arguments.rounds, arguments.scale, arguments.largest // 100) < 1:
        parser.error("numbers are from 1 on, --largest from 100 on")
    return arguments


def bench(arguments: argparse.Namespace, folder: Path) -> Result:
    scale = arguments.scale
    dataset = Dataset(services=50 * scale, users=1_000 * scale, tokens=2_000 * scale)
    with mariadb_in(folder, POOL) as mariadb, ExitStack() as stack:
        result = Result(facts(mariadb, dataset))
        run = Run(stack, folder, dataset, mariadb)
        result.singles += idle(run.server)
        run.prepare(arguments.paths)
        run.measure(arguments.rounds, arguments.connections, arguments.seconds)
        result.take(run, arguments.connections)
        result.singles += after_load(run.server)
        run.server.stop()
        result.singles += starts(run.deployment) + allocations(run)
        return result


def main() -> int:
    arguments = parsed()
    if not os.access(BINARY, os.X_OK):
        sys.exit(f"there is no program {BINARY}: make bench builds it, or name one by MCP_REGISTRY_BINARY")
    # So that what was started is ended before us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments.report.mkdir(parents=True, exist_ok=True)
    try:
        with run_folder(arguments.folder) as folder:
            result = growth.growth(arguments, folder) if arguments.growth else bench(arguments, folder)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    text = write(result, arguments.report, "growth" if arguments.growth else "bench")
    print(text)
    return 1 if result.has_failed or (arguments.strict and result.missed) else 0


if __name__ == "__main__":
    sys.exit(main())
