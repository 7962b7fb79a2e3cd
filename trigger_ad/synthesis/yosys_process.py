"""The process in which Yosys runs: it ends the process it is in when something is wrong, and cannot be interrupted.

    python -m trigger_ad.synthesis.yosys_process COMMANDS_FILE

Each line of the file is a command of Yosys; before each, a line on standard output says which one comes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

MARK: Final = "COMMAND "
"""How the line before a command begins, which has its number from 0 on."""


def main(commands: Path) -> None:
    """Runs the commands of a file."""
    from pyosys import libyosys

    design = libyosys.Design()
    for number, command in enumerate(commands.read_text(encoding="utf-8").splitlines()):
        sys.stdout.write(f"{MARK}{number}\n")
        sys.stdout.flush()
        design.run_pass(command)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
