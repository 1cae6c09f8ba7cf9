"""`python -m benchmarks`: measure in one run, print ratios. See `--help` for a smaller choice."""

import click

from benchmarks import environment, in_process


@click.command()
@click.option("--rounds", default=5, show_default=True, help="How often each scenario is measured with each peer.")
@click.option("--peer", "peers", multiple=True, help="Measure only this peer (may be given several times).")
def main(rounds: int, peers: tuple[str, ...]) -> None:
    """Compare the toolkit with its peers, side by side in one run."""
    names = list(peers) or in_process.PEERS
    click.echo(in_process.table(in_process.run(environment.python(), names, rounds), names))


if __name__ == "__main__":
    main()
