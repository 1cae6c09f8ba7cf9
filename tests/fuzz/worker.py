"""One target under atheris, in the environment that has it: `python -m tests.fuzz.worker NAME [libFuzzer's options]`."""

import logging
import sys
from importlib import import_module

# Refused requests are logged; millions of them would be all that this process does.
logging.disable()


def main() -> None:
    # Not among the product's dependencies: only the environment that __main__ makes has it.
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["core", "tests.fuzz.routing"]):
        targets = import_module("tests.fuzz.targets").TARGETS
    atheris.Setup([sys.argv[0], *sys.argv[2:]], targets[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
