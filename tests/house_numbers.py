"""The sizes that keep the code readable: files, functions, tests against source, exceptions caught whole."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
# The edges: a job records its failure and raises again, the HTTP renderer answers, the batcher hands it to the callers.
BROAD_EXCEPT_ALLOWED = {
    "src/trendlark/jobs/runs.py",
    "src/trendlark/web/problems.py",
    "src/trendlark/web/batcher.py",
}


def python_files(*folders: str) -> list[Path]:
    """The Python files under folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def count_lines(paths: list[Path]) -> int:
    """Lines of files taken together."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def problems_of(path: Path) -> list[str]:
    """What is too large or too broad in one file."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    found = []
    if (lines := len(text.splitlines())) > MAX_FILE_LINES:
        found.append(f"{name} has {lines} lines; {MAX_FILE_LINES} are allowed")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                found.append(
                    f"{name}:{node.lineno} {node.name}() has {length} lines; {MAX_FUNCTION_LINES} are allowed"
                )
        elif isinstance(node, ast.ExceptHandler) and _swallows_all(node) and name not in BROAD_EXCEPT_ALLOWED:
            found.append(f"{name}:{node.lineno} catches everything; only {sorted(BROAD_EXCEPT_ALLOWED)} may")
        elif isinstance(node, ast.Assert) and name.startswith("src/"):
            found.append(f"{name}:{node.lineno} validates with assert, which -O takes away")
    return found


def _swallows_all(node: ast.ExceptHandler) -> bool:
    if node.type is not None and getattr(node.type, "id", None) not in {"Exception", "BaseException"}:
        return False
    # Tidying up and raising again, `except BaseException: close(); raise`, hides nothing.
    last = node.body[-1]
    return not (isinstance(last, ast.Raise) and last.exc is None)


def main() -> int:
    """Print what is over; 1 where anything is."""
    source, tests = python_files("src"), python_files("tests")
    found = [line for path in (*source, *tests, *python_files("benchmarks")) for line in problems_of(path)]
    if count_lines(tests) < count_lines(source):
        found.append(
            f"tests have {count_lines(tests)} lines, the source {count_lines(source)}; tests come first"
        )
    for line in found:
        sys.stdout.write(line + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
