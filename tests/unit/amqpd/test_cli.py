import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import amqpd
from amqpd import __version__
from amqpd.cli import main, parser
from amqpd.options import OPTIONS
from persistence.data_folder import DEFINITIONS
from persistence.definitions import Definitions
from persistence.lmdb_store import LmdbStore

PACKAGE_FOLDER = Path(amqpd.__file__).parents[1]


def command(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m amqpd` with a clean environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AMQPD_", "RABBITMQ_"))}
    return subprocess.run(
        [sys.executable, "-m", "amqpd", *arguments],
        env=clean | {"PYTHONPATH": str(PACKAGE_FOLDER)} | environ,
        cwd=PACKAGE_FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("word", ["version", "--version"])
def test_version_names_the_build(word: str) -> None:
    """The version comes with the kind of the build, as a command and as a flag."""
    result = command(word)
    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout in {f"amqpd {__version__} ({kind})\n" for kind in ("compiled", "interpreted")}


def test_version_needs_no_valid_configuration() -> None:
    """A broken setting does not keep anybody from asking for the version."""
    assert 0 == command("version", AMQPD_PORT="x").returncode


@pytest.mark.parametrize(
    ("arguments", "environ", "line"),
    [
        (["--port", "x"], {}, "amqpd: --port: must be a whole number between 0 and 65535, not 'x'\n"),
        ([], {"AMQPD_PORT": "x"}, "amqpd: AMQPD_PORT: must be a whole number between 0 and 65535, not 'x'\n"),
        (["--config", "none.toml"], {}, "amqpd: none.toml: cannot be read: No such file or directory\n"),
        (["--prot=1"], {}, "amqpd: unrecognized arguments: --prot=1 (see amqpd --help)\n"),
        (["--port"], {}, "amqpd: argument --port: expected one argument (see amqpd --help)\n"),
        (["backup"], {}, "amqpd: backup needs a folder (see amqpd --help)\n"),
        (["check", "folder"], {}, "amqpd: check takes no folder (see amqpd --help)\n"),
        (["serve", "--repair"], {}, "amqpd: only check takes --repair (see amqpd --help)\n"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(arguments: list[str], environ: dict[str, str], line: str) -> None:
    """What cannot be understood is answered with one line on standard error and exit code 2."""
    result = command(*arguments, **environ)
    assert (2, "", line) == (result.returncode, result.stdout, result.stderr)


def test_unknown_command_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that does not exist is refused with those that do."""
    assert 2 == main(["destroy"])
    assert "serve" in capsys.readouterr().err


def test_command_may_stand_anywhere() -> None:
    """Options may come before and after the command, and without a command amqpd serves."""
    for argv in (["check", "--port", "1"], ["--port", "1", "check"]):
        arguments = parser().parse_intermixed_args(argv)
        assert ("check", "1") == (arguments.command, arguments.port)
    assert "serve" == parser().parse_intermixed_args(["--port", "1"]).command


def test_help_lists_every_option() -> None:
    """The help shows each option with its default and its environment variables."""
    words = " ".join(command("--help").stdout.split())
    for option in OPTIONS:
        sources = f"default: {option.default or 'none'}; environment: {' or '.join(option.variables)}"
        assert f"{option.help} ({sources})" in words[words.index(f" {option.flag} ") :]


def test_start_does_not_import_what_it_may_not_need() -> None:
    """Asking for the version imports neither an event loop nor a server nor a database."""
    code = "import sys, amqpd.cli; amqpd.cli.main(['version']); print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PACKAGE_FOLDER)},
        cwd=PACKAGE_FOLDER,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set() == {"asyncio", "aiohttp", "lmdb", "sqlite3", "pamqp", "logging"} & set(result.stdout.split())


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """The data folder of a broker that has come and gone."""
    path = tmp_path / "data"
    LmdbStore(path).close()
    asyncio.run(create_definitions(path / DEFINITIONS))
    return path


async def create_definitions(path: Path) -> None:
    """Leave an empty file of definitions."""
    await (await Definitions.open(path)).close()


def test_check_of_a_sound_folder_says_ok(data_folder: Path) -> None:
    """A sound data folder is answered with one line, `ok` and counts, and exit code 0."""
    result = command("check", "--data-dir", str(data_folder))
    assert (0, "") == (result.returncode, result.stderr)
    assert "ok" == result.stdout.split()[0]
    assert 1 == result.stdout.count("\n")


def test_compact_tells_what_it_gave_back(data_folder: Path) -> None:
    """A stopped broker's folder is made smaller, or at least not larger, and is sound afterwards."""
    result = command("compact", "--data-dir", str(data_folder))
    assert (0, "") == (result.returncode, result.stderr)
    before, after = re.fullmatch(r"ok octets_before=(\d+) octets_after=(\d+)\n", result.stdout).groups()  # type: ignore[union-attr]
    assert int(before) >= int(after) > 0
    assert command("check", "--data-dir", str(data_folder)).stdout.startswith("ok")


def test_check_of_a_damaged_folder_tells_the_problems(data_folder: Path) -> None:
    """A damaged data folder is answered with its problems, one a line, and exit code 1."""
    (data_folder / DEFINITIONS).write_bytes(b"no database" * 100)
    result = command("check", "--data-dir", str(data_folder))
    assert (1, "") == (result.returncode, result.stderr)
    assert DEFINITIONS in result.stdout


def test_check_of_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A folder that amqpd did not make is not walked: one line on standard error and exit code 1."""
    (tmp_path / "letter.txt").write_text("Dear Ann")
    result = command("check", "--data-dir", str(tmp_path))
    assert (1, "", 1) == (result.returncode, result.stdout, result.stderr.count("\n"))
    assert result.stderr.startswith("amqpd: ")


def test_repair_tells_what_it_did(data_folder: Path) -> None:
    """What was done comes first, then what a check finds."""
    content = b"no database" * 100
    (data_folder / DEFINITIONS).write_bytes(content)
    result = command("check", "--repair", "--data-dir", str(data_folder))
    lines = result.stdout.splitlines()
    assert (0, "") == (result.returncode, result.stderr)
    assert f"{DEFINITIONS}: is damaged: moved to damaged/1/{DEFINITIONS}" == lines[0]
    assert "ok" == lines[-1].split()[0]
    assert content == (data_folder / "damaged/1" / DEFINITIONS).read_bytes()


def test_backup_and_restore_tell_what_came_of_it(data_folder: Path, tmp_path: Path) -> None:
    """A backup says where it is, a restore what a check finds in it, and neither touches a folder that holds something."""
    copy, restored = str(tmp_path / "copy"), str(tmp_path / "restored")
    backup = command("backup", copy, "--data-dir", str(data_folder))
    assert (0, f"{data_folder} is backed up in {copy}\n") == (backup.returncode, backup.stdout)
    restore = command("restore", copy, "--data-dir", restored)
    assert (0, "ok") == (restore.returncode, restore.stdout.split()[0])
    again = command("restore", copy, "--data-dir", restored)
    assert (1, f"amqpd: {restored} is not empty\n") == (again.returncode, again.stderr)
