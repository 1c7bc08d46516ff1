"""Check 8: nothing that calibrates, fits, describes a machine or builds a workload can know the published PIX results.

Looked at is all that these modules import, directly or not, and the text of it and of the data files that they read:
none of it may be a module that has results (measured or published), nor hold the published numbers themselves.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from lab import paths
from lab.simulation.published_pix import RATES_PPS
from lab.simulation.validation.check import Check

NUMBER, NAME = 8, "no fit reads the published PIX results"
ROOTS = (
    "lab/cli_calibrate.py",
    "lab/simulation/machine.py",
    "lab/simulation/machines",
    "lab/simulation/layouts",
    "lab/simulation/calibration",
    "lab/simulation/workload",
)
FORBIDDEN = (
    *("lab.simulation.published_pix", "lab.simulation.consistency", "lab.simulation.verdict"),
    *("lab.baselines", "lab.results", "lab.report"),
)
_MPPS = [f"{rate_pps / 1e6:g}" for rate_pps in RATES_PPS]
_FRACTIONS = [re.escape(mpps) for mpps in _MPPS if "." in mpps]  # of which the digits alone tell
_RATE = re.compile(
    rf"(?<![\d.])({'|'.join(map(re.escape, _MPPS))})(\.0+)?\s*(Mpps|[Mm]illion packets|e6\b|_?000_?000\b)"
    rf"|(?<![\d.])({'|'.join(_FRACTIONS)})(?!\d)"
)
_DATA = {".yaml", ".yml", ".json"}


def fits_are_blind(root: Path = paths.ROOT) -> Check:
    """Look at a checkout.

    Args:
        root: its top folder.

    Raises:
        OSError: a module cannot be read.

    """
    reached = _reached(root)
    found = [f"{importer} imports {module}" for module, importer in sorted(reached.items()) if _is_forbidden(module)]
    modules = (_file(root, module) for module in reached if not _is_forbidden(module))
    files = sorted({*(path for path in modules if path), *_data(root)})
    for path in files:
        found += _numbers(root, path)
    return Check(
        number=NUMBER,
        name=NAME,
        holds=not found and bool(files),
        figure=f"{len(files)} modules and data files looked at, {len(found)} places that know them",
        value=len(found),
        relation="equal",
        limit=0,
        detail=tuple(found),
    )


def _is_forbidden(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in FORBIDDEN)


def _reached(root: Path) -> dict[str, str]:
    """Return all modules of the lab that the roots are or import, each with one that imports it."""
    begin = [path for name in ROOTS for path in _python(root / name)]
    reached = {_module(root, path): "(root)" for path in begin}
    open_modules = list(reached)
    while open_modules:
        importer = open_modules.pop()
        path = _file(root, importer)
        if path is None or _is_forbidden(importer):
            continue
        for module in _imports(path):
            if module not in reached and (_file(root, module) or _is_forbidden(module)):
                reached[module] = importer
                open_modules.append(module)
    return reached


def _python(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []


def _data(root: Path) -> list[Path]:
    return [path for name in ROOTS for path in (root / name).rglob("*") if path.suffix in _DATA]


def _module(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _file(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


def _imports(path: Path) -> set[str]:
    """Return the modules of the lab that a module imports, wherever in it; imports for types only are none."""
    names: set[str] = set()
    for node in _executed(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] == "lab"}


def _executed(node: ast.AST) -> list[ast.AST]:
    """Return all nodes below, but for those of ``if TYPE_CHECKING``."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return [inner for each in node.orelse for inner in _executed(each)]
    return [node] + [inner for child in ast.iter_child_nodes(node) for inner in _executed(child)]


def _numbers(root: Path, path: Path) -> list[str]:
    """Return the lines of a file that hold a published number as a rate."""
    lines = path.read_text(encoding="utf-8").splitlines()
    where = path.relative_to(root)
    found = [f"{where}:{number}: {line.strip()[:100]}" for number, line in enumerate(lines, 1) if _RATE.search(line)]
    if path.suffix == ".py":
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.Constant) and _is_rate(node.value):
                found.append(f"{where}:{node.lineno}: {node.value!r}")
    return found


def _is_rate(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value in RATES_PPS
