"""What holds for all Python code."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.local.layout import REPOSITORY
from services.gateway.openapi import DOCUMENT, render
from shared.events import EventType

PRODUCT = ("shared", "services", "deploy")
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTION_LINES_MAX = 80
WRITES = frozenset({"post", "put", "patch", "delete"})


def modules(*folders: str) -> list[Path]:
    """Return the Python files below some folders."""
    found = [file for folder in folders for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [file for file in found if "node_modules" not in file.parts]


def name_of(file: Path) -> str:
    """Return a file's path within the repository."""
    return str(file.relative_to(REPOSITORY))


def public(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Return the public classes and functions of a module, and of its public classes, by name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node, f"{prefix}{node.name}.")


@cache
def product_text() -> str:
    """Return the text of everything that could write an event."""
    return "\n".join(file.read_text(encoding="utf-8") for file in modules("services", "shared"))


@pytest.mark.parametrize("file", modules(*PRODUCT), ids=name_of)
def test_everything_public_says_what_it_promises(file: Path) -> None:
    """Each module, public class and public function has a docstring."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = [name for name, node in public(tree) if not ast.get_docstring(node)]

    assert ast.get_docstring(tree), "the module says nothing"
    assert silent == []


@pytest.mark.parametrize("file", [file for file in modules("tests") if file.name.startswith("test_")], ids=name_of)
def test_every_test_states_its_fact(file: Path) -> None:
    """Each test has a docstring, and it is a sentence."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = [(name, node) for name, node in public(tree) if name.startswith("test_")]

    unstated = [name for name, node in tests if not (ast.get_docstring(node) or "").strip().endswith((".", ")", "`"))]

    assert unstated == []


@pytest.mark.parametrize("file", modules(*PRODUCT), ids=name_of)
def test_functions_are_small(file: Path) -> None:
    """No function is longer than a screen."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    sizes = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}

    assert {name: lines for name, lines in sizes.items() if lines > FUNCTION_LINES_MAX} == {}


@pytest.mark.parametrize("file", modules("services"), ids=name_of)
def test_bodies_of_handlers_are_marked(file: Path) -> None:
    """A handler says that its `data` is a JSON body: Litestar warns of one that does not, and will not know it for one."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        routes = [one for one in getattr(node, "decorator_list", []) if isinstance(one, ast.Call)]
        if isinstance(node, ast.AsyncFunctionDef) and any(ast.unparse(one.func) in WRITES for one in routes):
            bodies = [ast.unparse(one.annotation) for one in node.args.args if one.arg == "data" and one.annotation]
            assert all(body.startswith("JSONBody[") for body in bodies), node.name


def test_each_package_says_what_it_is() -> None:
    """Each folder with Python in it is a package with a docstring."""
    folders = {file.parent for file in modules(*PRODUCT, "tests")}

    for folder in sorted(folders):
        file = folder / "__init__.py"
        assert file.exists(), folder
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


@pytest.mark.parametrize("event_type", EventType, ids=lambda event_type: event_type.value)
def test_every_event_type_is_written_by_somebody(event_type: EventType) -> None:
    """No name is in the schema that no service writes."""
    used = f"EventType.{event_type.name}"

    assert re.search(rf"\b{used}\b", product_text()), f"{used} is written by nobody"


def test_the_openapi_file_is_the_handlers() -> None:
    """The document that clients are generated from is the one that the handlers make."""
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: python -m services.gateway.openapi"


def test_import_contracts_hold() -> None:
    """deploy uses services, services use shared, services do not use each other, and pure modules do no I/O."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["services.gateway.app", "services.challenge.app", "services.audit.app"])
def test_importing_does_nothing(module: str) -> None:
    """Importing a service connects to nothing, reads no environment of ours and writes nothing."""
    code = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise AssertionError('connected at import')\n"
        "socket.socket.connect = refuse\n"
        f"import {module}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_property_is_judged_by_the_clock() -> None:
    """An example of a property test may take as long as the machine needs for it."""
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
