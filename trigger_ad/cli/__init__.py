"""The command line: one thin function for each verb, imported only when it is called or its help is shown."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from typing import Final

import click

from trigger_ad import __version__
from trigger_ad.errors import CheckFailed, UserError

COMMANDS: Final = {
    "simulate": "trigger_ad.cli.simulate",
    "fetch": "trigger_ad.cli.fetch",
    "inspect": "trigger_ad.cli.inspect",
    "check": "trigger_ad.cli.stages",
    "train": "trigger_ad.cli.stages",
    "quantize": "trigger_ad.cli.stages",
    "convert": "trigger_ad.cli.stages",
    "emulate": "trigger_ad.cli.stages",
    "synthesize": "trigger_ad.cli.synthesize",
    "report": "trigger_ad.cli.stages",
    "run": "trigger_ad.cli.stages",
    "scan": "trigger_ad.cli.scan",
    "score": "trigger_ad.cli.score",
    "export": "trigger_ad.cli.export",
    "doctor": "trigger_ad.cli.doctor",
}
"""The module of each command, in the order of the work."""

INTERNAL_ERROR: Final = 70
"""The exit code of a bug of ours (EX_SOFTWARE of sysexits.h)."""


class _Commands(click.Group):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command


_EXAMPLE = """\b
The main job:
  trigger-ad run configs/student.yaml
"""


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EXAMPLE)
@click.version_option(__version__, prog_name="trigger-ad")
@click.option("--debug", is_flag=True, help="Show tracebacks and every log line.")
def cli(debug: bool) -> None:
    """Autoencoder anomaly detection for Level-1 triggers, from events to verified firmware."""
    level = logging.DEBUG if debug else logging.INFO
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("trigger_ad")
    logger.handlers = [handler]
    logger.setLevel(level)
    # libraries that are imported later give the root logger handlers of their own, which would say everything again
    logger.propagate = False


def main() -> None:
    """Runs the command line; exit code 0, 1 (a check failed) or 2 (the input is wrong)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command.

    Args:
        arguments: As typed, without the program's name.

    Returns:
        The exit code.
    """
    debug = "--debug" in arguments
    try:
        cli.main(arguments, prog_name="trigger-ad", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        message = " ".join(error.format_message().split()).rstrip(".")
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context else "trigger-ad"
        click.echo(f"trigger-ad: {message}. See {command} --help.", err=True)
        return 2
    except (UserError, CheckFailed) as error:
        if debug:
            raise
        click.echo(f"trigger-ad: {' '.join(str(error).split())}", err=True)
        return 2 if isinstance(error, UserError) else 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("trigger-ad: interrupted; what was finished is kept, run the same command again to go on", err=True)
        return 130
    except BrokenPipeError:
        # the reader of a pipe has closed it; Python would complain once more when it flushes
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        # a bug of ours: said in one line like any other error, and never taken for the user's
        if debug:
            raise
        click.echo(
            f"trigger-ad: internal error, {type(error).__name__}: {' '.join(str(error).split())}. "
            "Please report it with what 'trigger-ad --debug' prints for the same command.",
            err=True,
        )
        return INTERNAL_ERROR
    return 0
