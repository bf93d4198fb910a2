"""A data folder that something has damaged is never read wrongly without a word."""

import random
import shutil
from pathlib import Path

from helpers import damaged

DAMAGES = 15


def test_damaged_files_are_refused_or_told_of(tmp_path: Path) -> None:
    """A flipped bit, a lost sector or a cut is harmless, refused, or told of while the rest is served."""
    held = damaged.fill(tmp_path / "data")
    sound = damaged.opened(shutil.copytree(tmp_path / "data", tmp_path / "sound"))
    assert (held, []) == (sound["held"], sound["told"])
    chance = random.Random(1)
    for number in range(DAMAGES):
        copy = shutil.copytree(tmp_path / "data", tmp_path / str(number))
        what = damaged.damage(copy, chance)
        damaged.judged(damaged.opened(copy), sound, what)
