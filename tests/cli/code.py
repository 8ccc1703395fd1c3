"""What the tests of texts read of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u3400-\u9fff]")


def name_of(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def literal_of(node: ast.expr) -> str | None:
    """The words of a text; what is filled in counts for nothing. None where there are no words in the code."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            parts = [part.value for part in values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            return "".join(parts)
        case _:
            return None
