"""Programs that were written for Starlette, FastAPI among them, running on `core`.

    import core.compat

    core.compat.install()

    from fastapi import FastAPI

After `install`, `import starlette` and everything below it gives the modules of `core` themselves, not copies: classes are
the same on both sides. Installing it is a decision of the program, made before anything imports Starlette.
"""

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

THEIRS, OURS = "starlette", "core"


def install() -> None:
    """Let `starlette` mean `core` in this process. Raises RuntimeError if Starlette itself was imported before."""
    if any(isinstance(finder, StarletteFinder) for finder in sys.meta_path):
        return
    if THEIRS in sys.modules:
        raise RuntimeError("Starlette is imported already: call core.compat.install() before anything that imports it.")
    sys.meta_path.insert(0, StarletteFinder())


class StarletteFinder(MetaPathFinder):
    """Finds `starlette.x` in `core.x`. What `core` does not have does not exist."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != THEIRS and not fullname.startswith(THEIRS + "."):
            return None
        ours = importlib.util.find_spec(OURS + fullname.removeprefix(THEIRS))
        if ours is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}: core has no such module", name=fullname)
        return ModuleSpec(fullname, SameModule(ours), is_package=ours.submodule_search_locations is not None)


class SameModule(Loader):
    """Gives an imported module under a second name, and leaves it as it was."""

    def __init__(self, spec: ModuleSpec) -> None:
        self.spec = spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module(self.spec.name)

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the second name into it.
        module.__spec__ = self.spec
