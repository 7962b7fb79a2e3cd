"""`trigger-ad fetch`: downloads the public ADC2021 files from their Zenodo records."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trigger_ad.download.records import PUBLIC_FILES

if TYPE_CHECKING:
    from trigger_ad.download.fetch import Fetched

_LOGGER = logging.getLogger(__name__)

_EXAMPLE = """\b
Example:
  trigger-ad fetch background ato4l --to data
"""

_ALL = "all"


@click.command(epilog=_EXAMPLE)
@click.argument(
    "names",
    nargs=-1,
    required=True,
    metavar="NAME...",
    type=click.Choice([*PUBLIC_FILES, _ALL], case_sensitive=False),
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="Where the files are put; the working directory if it is not given.",
)
@click.option(
    "--mirror",
    envvar="TRIGGER_AD_MIRROR",
    show_envvar=True,
    metavar="URL",
    help="A server that has the same paths as https://zenodo.org and is asked in its place.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script.")
def fetch(names: tuple[str, ...], folder: Path, mirror: str | None, as_json: bool) -> None:
    """Download the public ADC2021 files from their Zenodo records.

    NAME is background, ato4l, leptoquark, htotautau, hchtotaunu, blackbox, or all.

    A download that was interrupted goes on where it stopped. A file gets its name only when its size and MD5 sum are
    those of the record; one that is there already is not downloaded again, and nothing is ever overwritten. Proxies
    are those of the environment (HTTPS_PROXY, NO_PROXY).
    """
    from trigger_ad.download.fetch import fetch as fetch_files
    from trigger_ad.download.mirror import checked_mirror
    from trigger_ad.download.patience import Patience
    from trigger_ad.download.web import Web

    chosen = list(PUBLIC_FILES) if _ALL in names else list(dict.fromkeys(names))
    results = []
    with Web(Patience(), checked_mirror(mirror) if mirror is not None else None) as web:
        for fetched in fetch_files(web, [PUBLIC_FILES[name] for name in chosen], folder):
            events = _events(fetched)
            results.append(_to_json(fetched, events))
            if not as_json:
                click.echo(_line(fetched, events))
    if as_json:
        click.echo(json.dumps({"files": results}, indent=1))


def _events(fetched: Fetched) -> int:
    """Reads the number of events from the header, which also shows that the file has the layout of an events file."""
    from trigger_ad.events.header import open_hdf5, read_header

    with open_hdf5(fetched.path) as file:
        events = read_header(file, fetched.path).events
    if events != fetched.public.events:
        _LOGGER.warning(
            "%s has %s events, and the published version %s: it is another version",
            fetched.path,
            f"{events:,}",
            f"{fetched.public.events:,}",
        )
    return events


def _line(fetched: Fetched, events: int) -> str:
    from trigger_ad.download.disk import formatted_size

    how = "downloaded and verified" if fetched.downloaded else "was there already, verified"
    return (
        f"{fetched.public.name}: {fetched.path}, {events:,} events, {formatted_size(fetched.file.size)}, "
        f"record {fetched.public.record}, {how}"
    )


def _to_json(fetched: Fetched, events: int) -> dict[str, str | int | bool]:
    return {
        "name": fetched.public.name,
        "path": str(fetched.path),
        "record": fetched.public.record,
        "size": fetched.file.size,
        "md5": fetched.file.md5,
        "events": events,
        "downloaded": fetched.downloaded,
    }
