"""`python -m tests.fuzz`: look for inputs that break a parser, guided by which of its branches they reach."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import click

from tests.fuzz import environment
from tests.fuzz.seeds import SEEDS, WORDS
from tests.fuzz.targets import TARGETS

LONGEST_INPUT = 4096
SECONDS_FOR_ONE_INPUT = 5


@click.command()
@click.option("--seconds", default=60, show_default=True, help="How long each target is tried.")
@click.option("--target", "names", multiple=True, type=click.Choice(list(TARGETS)), help="Only this one (repeatable).")
def main(seconds: int, names: tuple[str, ...]) -> None:
    """Fuzz the toolkit's parsers, one after the other. What breaks one is kept below .data/fuzz/broken."""
    try:
        interpreter = environment.python()
    except subprocess.CalledProcessError:
        click.echo("Skipped: atheris cannot be installed here (it has wheels for Linux and CPython 3.11 to 3.13).")
        return
    broken = [name for name in names or TARGETS if not fuzz(interpreter, name, seconds)]
    if broken:
        raise click.ClickException(f"Broken: {', '.join(broken)}. The inputs are in {environment.FOLDER / 'broken'}.")


def fuzz(interpreter: Path, name: str, seconds: int) -> bool:
    """Whether the target stood the time. What it learned is kept, and the next run goes on from there."""
    corpus = prepare_corpus(name)
    broken = folder("broken")
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={SECONDS_FOR_ONE_INPUT}",
        f"-dict={write_dictionary(name)}",
        f"-artifact_prefix={broken}/{name}-",
        "-print_final_stats=1",
    ]
    path = os.pathsep.join([str(environment.ROOT), sysconfig.get_path("purelib")])
    command = [str(interpreter), "-m", "tests.fuzz.worker", name, *options, str(corpus)]
    ended = subprocess.run(
        command, cwd=environment.ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    executed = [line.split()[-1] for line in ended.stderr.splitlines() if "number_of_executed_units" in line]
    click.echo(
        f"{name:12} {'stood' if ended.returncode == 0 else 'BROKE'} {executed[0] if executed else '?':>9} inputs"
    )
    if ended.returncode:
        sys.stderr.write(ended.stdout[-4000:] + ended.stderr[-4000:])
    return ended.returncode == 0


def prepare_corpus(name: str) -> Path:
    corpus = folder("corpus", name)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    return corpus


def write_dictionary(name: str) -> Path:
    """The words in libFuzzer's notation, every byte escaped. It takes words of up to 64 bytes."""
    lines = ["".join(f"\\x{byte:02X}" for byte in word) for word in WORDS[name] if len(word) <= 64]
    path = folder("words") / f"{name}.dict"
    path.write_text("".join(f'"{line}"\n' for line in lines))
    return path


def folder(*parts: str) -> Path:
    path = environment.FOLDER.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()
