"""Libraries that paramiko imports at once and needs seldom; importing this module first puts them off.

They would be a tenth of what a diagnosis takes to start. importlib.util.LazyLoader is not enough: since `import name`
itself looks at `__spec__`, it loads at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class Seldom(ModuleType):
    """Stands in sys.modules for a module, which is imported when something of it is asked for."""

    def __getattr__(self, attribute: str) -> Any:
        """Only for what a bare module lacks; whoever looks over all modules (inspect does) asks for dunder names."""
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        name = self.__name__
        if sys.modules.get(name) is self:
            del sys.modules[name]
        return getattr(import_module(name), attribute)


def load_when_used(name: str) -> None:
    """From now on `import name` gives a `Seldom`. A module that is there already, or isn't installed, stays as it is."""
    if name not in sys.modules and find_spec(name) is not None:
        sys.modules[name] = Seldom(name)


# For `Match exec` in an SSH configuration. It imports unittest.mock and much more.
load_when_used("invoke")
