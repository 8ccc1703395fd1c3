"""Data files of the package. libyaml reads them ten times faster than a parser in Python, and every command does.

What people write, the inventory, is read by ruamel.yaml, which keeps lines and comments.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:
    # A PyYAML that was built without libyaml.
    from yaml import SafeLoader as Loader


def read_data(package: str, name: str) -> Any:
    """What a YAML file that is shipped in `package` says."""
    text = (files(package) / name).read_text(encoding="utf-8")
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """What a text in YAML says.

    Raises:
        yaml.YAMLError: it is none.
    """
    return yaml.load(text, Loader=Loader)
