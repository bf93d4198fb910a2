"""What no source file does: run text as code, load objects from bytes, or start programs."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("amqpd", "exchanges", "persistence")
MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "jsonpickle", "yaml", "telnetlib", "xml"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "tempfile.mktemp"}
PROGRAMS = ("subprocess.", "os.exec", "os.spawn")


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _dangers(source: str) -> list[str]:
    """What is dangerous in a source text."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call):
            name = _name(node.func)
            if name in CALLS or name.startswith(PROGRAMS):
                found.append(name)
            found += ["shell" for keyword in node.keywords if keyword.arg == "shell"]
    return found


def test_nothing_dangerous_is_called() -> None:
    """No file of the broker does any of it."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    assert {} == {str(path): found for path in files if (found := _dangers(path.read_text()))}


def test_dangers_are_seen() -> None:
    """The search finds what it looks for."""
    source = "import pickle\nfrom marshal import loads\neval('1')\nos.system('ls')\nf(shell=True)\nsubprocess.run('ls')\n"
    assert ["pickle", "marshal", "eval", "os.system", "shell", "subprocess.run"] == _dangers(source)
