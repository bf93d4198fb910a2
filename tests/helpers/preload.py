"""Libraries that a process is started with, so that the machine seems to do odd things to it."""

import shutil
import subprocess
from pathlib import Path

import pytest


def preloaded(name: str, folder: Path) -> Path:
    """Compile a library of this folder into another one, for LD_PRELOAD. Skips the test where there is no C compiler."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    library = folder / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library
