"""The cells of the notebook that a batch runs, read and compiled before the fork instead of in each kernel.

Nothing of them runs here. Whatever could come out differently in a kernel (transformers of its own, another future in
force, a warning that the reader of the record has to see) goes IPython's own way there.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from types import CodeType
from typing import Any
from zlib import crc32

from ipykernel.compiler import XCachingCompiler, get_tmp_directory

_MOST = 256
_AWAITS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class PreparedCompiler(XCachingCompiler):
    """A shell's compiler that answers at once what it was asked before the fork."""

    def __init__(self, shell: Any) -> None:
        super().__init__()
        self._shell = shell
        self._folder = get_tmp_directory()
        self._trees: dict[tuple[str, str, int], ast.Module] = {}
        self._codes: dict[tuple[int, str, str, int], CodeType] = {}

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        # ipykernel hashes each character in Python, so that its debugger finds the cell; there is none here.
        return f"{self._folder}/{crc32(raw_code.encode('utf-8', 'surrogatepass'))}.py"

    def prepare(self, cell: str, filename: str) -> None:
        """Compiles a cell, which was transformed, in the pieces in which a shell runs it.

        A cell that does not compile, or not without a warning, is left to the kernel.
        """
        before = self.flags
        with warnings.catch_warnings():
            for told in (SyntaxWarning, DeprecationWarning):
                warnings.simplefilter("error", told)
            try:
                tree = super().ast_parse(cell, filename)
                assert isinstance(tree, ast.Module)
                with self.extra_flags(_AWAITS):
                    codes = [(node, mode, super(PreparedCompiler, self).__call__(module, filename, mode))
                             for node, mode, module in _pieces(tree)]  # fmt: skip
            except (Warning, SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
                return
        if self.flags != before:
            # It brings a future into force, for what comes after it as well.
            self.flags = before
            return
        # The trees are kept, so that the numbers of their nodes are no other's.
        self._trees[cell, filename, before] = tree
        for node, mode, code in codes:
            self._codes[id(node), filename, mode, before | _AWAITS] = code

    def ast_parse(self, source: str, filename: str = "<unknown>", symbol: str = "exec") -> ast.AST:
        tree = self._trees.get((source, filename, self.flags)) if symbol == "exec" else None
        # Transformers of trees may change one in place.
        if tree is None or self._shell.ast_transformers:
            return super().ast_parse(source, filename, symbol)
        # A list of its own: a shell that shows assignments adds to it.
        return ast.Module(list(tree.body), [])

    def __call__(self, source: Any, filename: str, symbol: str, **options: Any) -> CodeType:
        body = getattr(source, "body", ())
        code = None
        if not options and isinstance(body, list) and len(body) == 1:
            code = self._codes.get((id(body[0]), filename, symbol, self.flags))
        if code is None:
            code = super().__call__(source, filename, symbol, **options)
        return code


def _pieces(tree: ast.Module) -> Iterator[tuple[ast.stmt, str, Any]]:
    """Each statement by itself, an expression at the end so that it is shown."""
    for node in tree.body:
        if node is tree.body[-1] and isinstance(node, ast.Expr):
            yield node, "single", ast.Interactive([node])
        else:
            yield node, "exec", ast.Module([node], [])


def remember_transformed(manager: Any) -> None:
    """What IPython's own syntax makes of a cell is found out once; a shell asks for it twice, and a kernel once more."""
    transform = manager.transform_cell

    def transformers() -> list[Any]:
        return [*manager.cleanup_transforms, *manager.line_transforms, *manager.token_transformers]

    as_made = transformers()

    @lru_cache(maxsize=_MOST)
    def remembered(cell: str) -> str:
        result: str = transform(cell)
        return result

    def transform_cell(cell: str) -> str:
        return remembered(cell) if transformers() == as_made else str(transform(cell))

    manager.transform_cell = transform_cell


def prepare(shell: Any, cells: Iterable[str]) -> None:
    """Transforms and compiles cells in a shell that will be forked."""
    for cell in cells:
        # Whatever is wrong with it, the kernel that runs it tells it.
        with suppress(Exception):
            code = shell.transform_cell(cell)
            shell.compile.prepare(code, shell.compile.get_code_name(cell, code, 0))
