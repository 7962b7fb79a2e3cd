"""The public ADC2021 files (arXiv:2107.02157) and what the JSON of their Zenodo records says about them.

Sizes, checksums and addresses are never written down here: the record has them at run time.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any, Final

from trigger_ad.errors import UserError

_LOGGER = logging.getLogger(__name__)

ZENODO: Final = "https://zenodo.org"

_SUFFIX: Final = ".h5"
_FILTERED: Final = "_filtered"
_MD5: Final = re.compile(r"md5:([0-9a-fA-F]{32})")


@dataclass(frozen=True)
class PublicFile:
    """A file of the dataset, as it was published.

    Attributes:
        name: What `trigger-ad fetch` calls it.
        record: Number of its Zenodo record.
        file_name: Its usual name; it occurs with and without `_filtered` at its end.
        events: Number of events of the published version.
    """

    name: str
    record: int
    file_name: str
    events: int

    @property
    def address(self) -> str:
        """Where the record's JSON is."""
        return f"{ZENODO}/api/records/{self.record}"

    @property
    def page(self) -> str:
        """The record for people."""
        return f"{ZENODO}/records/{self.record}"


PUBLIC_FILES: Final = {
    file.name: file
    for file in (
        PublicFile("background", 5046389, "background_for_training.h5", 13_451_915),
        PublicFile("ato4l", 5046446, "Ato4l_lepFilter_13TeV_filtered.h5", 55_969),
        PublicFile("leptoquark", 5055454, "leptoquark_LOWMASS_lepFilter_13TeV_filtered.h5", 340_544),
        PublicFile("htotautau", 5061633, "hToTauTau_13TeV_PU20_filtered.h5", 691_283),
        PublicFile("hchtotaunu", 5061688, "hChToTauNu_13TeV_PU20_filtered.h5", 760_272),
        PublicFile("blackbox", 5072068, "BlackBox_background_mix.h5", 1_001_000),
    )
}


@dataclass(frozen=True)
class RemoteFile:
    """A file as its record describes it.

    Attributes:
        name: Its name, without any folder.
        size: In bytes.
        md5: 32 lower-case hexadecimal digits.
        url: Where its content is.
    """

    name: str
    size: int
    md5: str
    url: str


def choose_file(public: PublicFile, record: Any) -> RemoteFile:
    """Finds a public file in its record.

    Args:
        public: The file that is wanted.
        record: The record's JSON: `files` lists name (`key`), `size`, `checksum` and `links.self` of each.

    Returns:
        The file with the usual name, with or without `_filtered`; else the record's only HDF5 file, which is said.

    Raises:
        UserError: The record has no such file, or says too little about it.
    """
    files = _listed(public, record)
    name = _choose_name(public, list(files))
    return _remote_file(public, name, files[name])


def _listed(public: PublicFile, record: Any) -> dict[str, dict[str, Any]]:
    files = record.get("files") if isinstance(record, dict) else None
    if not isinstance(files, list):
        raise _unusable(public, "lists no files")
    return {str(file["key"]): file for file in files if isinstance(file, dict) and "key" in file}


def _choose_name(public: PublicFile, names: list[str]) -> str:
    hdf5 = [name for name in names if name.casefold().endswith(_SUFFIX)]
    alike = [name for name in hdf5 if _stem(name) == _stem(public.file_name)]
    if public.file_name in alike:
        return public.file_name
    if len(alike) == 1:
        return alike[0]
    if len(hdf5) == 1:
        _LOGGER.warning(
            "record %s has no %s; %s, its only HDF5 file, is taken", public.record, public.file_name, hdf5[0]
        )
        return hdf5[0]
    raise _unusable(public, f"has no {public.file_name} (it has: {', '.join(names) or 'no files'})")


def _stem(name: str) -> str:
    return name.casefold().removesuffix(_SUFFIX).removesuffix(_FILTERED)


def _remote_file(public: PublicFile, name: str, entry: dict[str, Any]) -> RemoteFile:
    # the name becomes part of a path on this machine
    if re.fullmatch(r"[\w][\w.+ -]*", name, flags=re.ASCII) is None:
        raise _unusable(public, f"names a file {name!r}, which is no plain file name")
    size = entry.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise _unusable(public, f"gives {name} the size {size!r}")
    checksum = entry.get("checksum")
    match = _MD5.fullmatch(checksum) if isinstance(checksum, str) else None
    if match is None:
        raise _unusable(public, f"gives {name} the checksum {checksum!r}, which is no md5")
    links = entry.get("links")
    url = links.get("self") if isinstance(links, dict) else None
    if not isinstance(url, str):
        raise _unusable(public, f"does not say where {name} is")
    return RemoteFile(name, size, match[1].lower(), url)


def _unusable(public: PublicFile, why: str) -> UserError:
    return UserError(
        f"record {public.record} {why}", f"Look at {public.page}; with a mirror, check that it serves the same record"
    )
