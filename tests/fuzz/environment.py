"""atheris's own environment below .data/fuzz, made from a hashed pin on first use."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDER = ROOT / ".data" / "fuzz"


def python() -> Path:
    """The interpreter that has atheris. Raises CalledProcessError where it cannot be installed."""
    pins = HERE / "atheris.lock"
    home = FOLDER / "environment"
    mark = home / hashlib.sha256(pins.read_bytes()).hexdigest()[:16]
    interpreter = home / "bin" / "python"
    if not mark.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        install: list[str | Path] = [
            interpreter,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary=:all:",
        ]
        subprocess.run([*install, "--require-hashes", "-r", pins], check=True)
        mark.touch()
    return interpreter
