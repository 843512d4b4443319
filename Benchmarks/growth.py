from argparse import Namespace
from pathlib import Path
from result import Result
def growth(arguments: Namespace, folder: Path) -> Result:
    raise NotImplementedError
