"""The folder in which an exact network goes to others: its library's source, a test of it, and ways to call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trigger_ad import __version__
from trigger_ad.fixed_point import FixedPoint
from trigger_ad.native.build import PORTABLE_FLAGS, REQUIRED_FLAGS
from trigger_ad.native.rendering import render
from trigger_ad.native.source import LibrarySource

VECTORS: Final = "vectors.txt"
LICENSE: Final = "LICENSE"

_TEMPLATES: Final = {
    "Makefile": "package_makefile.j2",
    "test.cpp": "package_test.cpp.j2",
    "loader.py": "package_loader.py.j2",
    "cms_adaptor.h": "package_cms_adaptor.h.j2",
    "cms_adaptor.cpp": "package_cms_adaptor.cpp.j2",
    "README.md": "package_readme.md.j2",
}


@dataclass(frozen=True)
class PackagedVectors:
    """The vectors that go with a library.

    Args:
        words: Raw trigger words, shape (vectors, inputs).
        expected: The reference's score words, shape (vectors, outputs).
        corner: How many of them are corner vectors.
        corners: How many corner vectors there are in all.
        checked: How many vectors the compiled library has been held against.
    """

    words: NDArray[np.integer[Any]]
    expected: NDArray[np.integer[Any]]
    corner: int
    corners: int
    checked: int


def package_files(
    source: LibrarySource, score: FixedPoint, vectors: PackagedVectors, handover: Mapping[str, Any]
) -> dict[str, str]:
    """The text of every file of the folder, by its name.

    Args:
        source: Of the library.
        score: The type of the score words.
        vectors: What the folder's test compares.
        handover: For the README: `ports`, one for each feature; `classes`, those of the objects; `thresholds`, one for
            each working point.

    Returns:
        UTF-8 texts; the same arguments give the same.
    """
    names = source.names
    facts = {
        "title": f"{names.name} {names.version}",
        "generator": __version__,
        "name": names.name,
        "version": names.version,
        "namespace": names.namespace,
        "prefix": names.prefix,
        "header": source.header_name,
        "network_digest": source.network_digest,
        "encoding_digest": source.encoding_digest,
        "inputs": vectors.words.shape[1],
        "outputs": vectors.expected.shape[1],
        "flags": " ".join(flag for flag in REQUIRED_FLAGS if flag != "-shared"),
        "optimization": " ".join(PORTABLE_FLAGS),
        "vectors": VECTORS,
        "score": score,
        "names": [port.name for port in handover["ports"]],
        "shipped": len(vectors.words),
        "corner": vectors.corner,
        "corners": vectors.corners,
        "checked": vectors.checked,
    }
    texts = {name: render(template, facts | dict(handover)) for name, template in _TEMPLATES.items()}
    return texts | {
        source.header_name: source.header,
        source.code_name: source.code,
        VECTORS: vectors_text(vectors),
        LICENSE: (files("trigger_ad.native") / "templates" / LICENSE).read_text(encoding="utf-8"),
    }


def vectors_text(vectors: PackagedVectors) -> str:
    """Vectors as the test program reads them: how many vectors, words and scores; then each vector in a line."""
    head = (len(vectors.words), vectors.words.shape[1], vectors.expected.shape[1])
    rows = np.concatenate([vectors.words, vectors.expected], axis=1, dtype=np.int64).tolist()
    return "".join(" ".join(map(str, row)) + "\n" for row in (head, *rows))
