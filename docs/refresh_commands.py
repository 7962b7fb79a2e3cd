"""Writes docs/commands.md from the help of every command.

python docs/refresh_commands.py
"""

from __future__ import annotations

from typing import Final

import click
from pages import ROOT, between

from trigger_ad.cli import COMMANDS, cli

PAGE: Final = ROOT / "docs" / "commands.md"
WIDTH: Final = 100


def help_of(name: str | None) -> str:
    """What `trigger-ad NAME --help` prints on a terminal of a certain width; of the program itself without a name."""
    with cli.make_context("trigger-ad", [], resilient_parsing=True, terminal_width=WIDTH) as program:
        if name is None:
            return cli.get_help(program)
        command = cli.get_command(program, name)
        assert command is not None
        return command.get_help(click.Context(command, program, info_name=name, terminal_width=WIDTH))


def every_help() -> str:
    """The help of the program and of every command, under a heading each."""
    titles = {None: "trigger-ad", **{name: f"trigger-ad {name}" for name in COMMANDS}}
    return "\n".join(f"## {title}\n\n```text\n{help_of(name)}\n```\n" for name, title in titles.items())


def with_helps(page: str) -> str:
    """The page with the help of the commands as it is."""
    return between(page, "help", every_help())


def main() -> None:
    """Writes the page."""
    PAGE.write_text(with_helps(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
