"""Makes `import starlette` mean `import core` in this interpreter; loaded at its start through PYTHONPATH."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ALIAS, TARGET = "starlette", "core"


class AliasLoader(Loader):
    """Hands out a module that was imported under its own name, unchanged."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.own_spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has put the alias's spec in its place.
        module.__spec__ = self.own_spec


class AliasFinder(MetaPathFinder):
    """Answers for the alias and everything below it, so that an installed package of that name is never reached."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != ALIAS:
            return None
        real_name = TARGET + fullname.removeprefix(ALIAS)
        if real_name not in sys.modules and importlib.util.find_spec(real_name) is None:
            raise ModuleNotFoundError(f"No module named {real_name!r}", name=fullname)
        return ModuleSpec(fullname, AliasLoader(real_name), is_package=True)


sys.meta_path.insert(0, AliasFinder())
