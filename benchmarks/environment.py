"""The peers' own environment in .data/benchmarks, made from hashed pins on first use."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = ROOT / ".data" / "benchmarks"


def python() -> Path:
    """The interpreter that has the peers installed."""
    pins = HERE / "peers.lock"
    mark = FOLDER / hashlib.sha256(pins.read_bytes()).hexdigest()[:16]
    interpreter = FOLDER / "bin" / "python"
    if not mark.exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
        install: list[str | Path] = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--require-hashes", "-r", pins], check=True)
        mark.touch()
    return interpreter
