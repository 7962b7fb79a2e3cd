"""A small file to download in small blocks."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

from trigger_ad.download.records import RemoteFile
from trigger_ad.download.transfer import download
from trigger_ad.download.web import Web

CONTENT: Final = random.Random(1).randbytes(10_000)
BLOCK: Final = 1000


def download_in_blocks(web: Web, file: RemoteFile, final: Path) -> bool:
    """Downloads a file in blocks of `BLOCK` bytes and reports to nobody."""
    return download(web, file, final, lambda done: None, block=BLOCK)


def is_whole(final: Path) -> bool:
    """Whether the file has `CONTENT`, and its folder holds nothing else."""
    return list(final.parent.iterdir()) == [final] and final.read_bytes() == CONTENT
