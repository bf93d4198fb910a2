"""Compiles the hot modules with mypyc; all else about the package is in pyproject.toml.

The environment variable AMQPD_COMPILE decides: 1 compiles or fails, 0 leaves every module interpreted. Unset, an
ordinary install compiles if there are a C compiler and Python's headers, and an editable one does not.
"""

import os
import shlex
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HOT = [
    "amqpd/errors.py",
    "amqpd/message.py",
    "amqpd/wire/*.py",
    "amqpd/protocol/*.py",
    "amqpd/broker/*.py",
    "amqpd/management/counters.py",
    "amqpd/management/history.py",
    "amqpd/management/marks.py",
    "amqpd/server/acceptor.py",
    "amqpd/server/alarms.py",
    "amqpd/server/channel.py",
    "amqpd/server/flush.py",
    "amqpd/server/outbox.py",
    "amqpd/server/peer.py",
    "amqpd/server/reactor.py",
    "amqpd/server/steady.py",
    "amqpd/server/stream.py",
    "amqpd/server/transport.py",
    "exchanges/*.py",
    "persistence/*.py",
]
COLD = {
    # Coroutines.
    "persistence/committer.py",
    "persistence/definitions.py",
    # Dataclasses with slots.
    "persistence/rows.py",
    # Run at start, or in a command of their own.
    "amqpd/broker/recovery.py",
    "persistence/aside.py",
    "persistence/backup.py",
    "persistence/check.py",
    "persistence/check_definitions.py",
    "persistence/compaction.py",
    "persistence/frozen.py",
    "persistence/remedy.py",
    "persistence/repair.py",
    "persistence/repair_definitions.py",
    "persistence/salvage.py",
    "persistence/data_folder.py",
    "persistence/lmdb_store.py",
    "persistence/memory.py",
    "persistence/recovery.py",
    "persistence/residency.py",
    "persistence/schema.py",
    # Run when somebody administers the broker: compiling them would cost installers time and users nothing.
    "amqpd/broker/administration.py",
    "amqpd/broker/browse.py",
    "amqpd/broker/connection_facts.py",
    "amqpd/broker/definitions.py",
    "amqpd/broker/facts.py",
    "amqpd/broker/governance.py",
    "amqpd/broker/items.py",
    "amqpd/broker/parameters.py",
    "amqpd/broker/policies.py",
    "amqpd/broker/policy_keys.py",
    "amqpd/broker/profile.py",
    "amqpd/broker/quota.py",
    "amqpd/broker/terms.py",
}


def hot_modules() -> list[str]:
    """Paths of the modules to compile: what HOT matches but neither COLD nor the packages' own files."""
    paths = {path.as_posix() for pattern in HOT for path in Path().glob(pattern) if path.name != "__init__.py"}
    return sorted(paths - COLD)


def can_compile() -> bool:
    """Whether a C compiler and Python's headers are installed."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    return shutil.which(compiler) is not None and Path(sysconfig.get_path("include"), "Python.h").exists()


def is_wanted() -> bool:
    """Whether this run of the build is to compile."""
    if not {"bdist_wheel", "build_ext", "editable_wheel"} & set(sys.argv):
        return False  # It only asks for metadata.
    wish = os.environ.get("AMQPD_COMPILE")
    if wish not in {None, "0", "1"}:
        sys.exit("AMQPD_COMPILE must be 0 or 1")
    if wish == "1" and not can_compile():
        sys.exit("AMQPD_COMPILE=1, but there is no C compiler or there are no Python headers")
    return wish == "1" or (wish is None and "editable_wheel" not in sys.argv and can_compile())


def extensions() -> list[Extension]:
    """The hot modules as one group of extension modules, so that their calls to each other are C calls."""
    if not is_wanted():
        return []
    from mypyc.build import mypycify  # noqa: PLC0415  (not needed where nothing is compiled)

    return mypycify(hot_modules(), opt_level="3", debug_level="0", group_name="amqpd", multi_file=True)


class BuildSideBySide(build_ext):
    """Compiles the C files of an extension at the same time, one on each core."""

    def build_extensions(self) -> None:
        """Do it."""
        compile_some = self.compiler.compile

        def compile_all(sources: list[str], **options: Any) -> list[str]:  # noqa: ANN401  (what the compiler takes)
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                found = pool.map(lambda source: compile_some([source], **options), sources)
                return [name for names in found for name in names]

        self.compiler.compile = compile_all
        super().build_extensions()


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildSideBySide})
