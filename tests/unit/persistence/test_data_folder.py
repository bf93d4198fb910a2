"""Who may use a data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from persistence.data_folder import open_data_folder, open_existing_data_folder
from persistence.store import StoreError


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    """The folder is made with mode 0700, its parents too if need be."""
    path = tmp_path / "deep" / "data"
    open_data_folder(path).close()
    assert 0o700 == path.stat().st_mode & 0o777


def test_a_second_user_is_refused_by_name(tmp_path: Path) -> None:
    """While a process has the folder, another one learns its id; afterwards the folder is free."""
    code = "import sys; from persistence.data_folder import *; open_data_folder(Path(sys.argv[1])); print(1); input()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StoreError, match=rf"is in use by another amqpd \(pid {other.pid}\)"):
            open_data_folder(tmp_path)
        other.communicate(b"\n")
    open_data_folder(tmp_path).close()


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A folder with other files is not taken over."""
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(StoreError, match="is not an amqpd data folder and not empty"):
        open_data_folder(tmp_path)


def test_a_mount_point_may_be_a_data_folder(tmp_path: Path) -> None:
    """A fresh file system counts as empty."""
    (tmp_path / "lost+found").mkdir()
    open_data_folder(tmp_path).close()
    open_existing_data_folder(tmp_path).close()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """The reason of the operating system is in the error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot open the data folder .*: (File exists|Not a directory)"):
        open_data_folder(tmp_path / "file")
    with pytest.raises(StoreError, match="is not an amqpd data folder"):
        open_existing_data_folder(tmp_path / "nothing")
