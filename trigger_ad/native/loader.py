"""A compiled library in Python: scores of events on all cores."""

from __future__ import annotations

import _ctypes
import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Codes
from trigger_ad.native.build import cached_library
from trigger_ad.native.source import LibraryNames, LibrarySource, library_source
from trigger_ad.network.graph import Network

_CHUNK_EVENTS: Final = 8192
"""Events that a thread takes at a time: their words are converted just before they are read."""

_TYPES: Final[dict[str, type[np.integer[Any]]]] = {"predict": np.int32, "predict_codes": np.int64}
"""What each function reads."""


class NativeEmulator:
    """A library in this process, ready to score events; a context manager that ends with `close`.

    Args:
        library: The shared library.
        source: What it must have been compiled from: its names, and the digests of network and encoding.
        threads: How many compute at once; one for each core that this process may use, if not given.

    Raises:
        UserError: If it cannot be loaded, or was built for another network or encoding.
    """

    def __init__(self, library: Path, source: LibrarySource, threads: int | None = None) -> None:
        self.path = library
        self._names = source.names
        self._threads = threads or len(os.sched_getaffinity(0))
        self._library: ctypes.CDLL | None = _load(library)
        self._handle: int | None = None
        try:
            self._check(source)
            self._handle = self._function("create", ctypes.c_void_p)()
            if self._handle is None:
                raise MemoryError
        except BaseException:
            self.close()
            raise

    @classmethod
    def of(cls, network: Network, encoding: InputEncoding, names: LibraryNames, cache: Path) -> Self:
        """The emulator of a network, compiled for this machine unless it has been.

        Args:
            network: The frozen network.
            encoding: Makes its inputs from trigger words.
            names: What its names begin with.
            cache: The folder of libraries compiled before.

        Raises:
            UserError: If it cannot be compiled or loaded.
        """
        source = library_source(network, encoding, names)
        return cls(cached_library(source, cache), source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def inputs(self) -> int:
        """Trigger words of an event."""
        return int(self._function("inputs", ctypes.c_int32)())

    @property
    def outputs(self) -> int:
        """Score words of an event."""
        return int(self._function("outputs", ctypes.c_int32)())

    @property
    def version(self) -> str:
        """Of the library."""
        return self._text("version")

    @property
    def network_digest(self) -> str:
        """Of the network."""
        return self._text("network_digest")

    def scores(self, words: NDArray[np.integer[Any]]) -> Codes:
        """The score word of each event.

        Args:
            words: Raw trigger words, shape (events, inputs), of any integer type, mapped from a file or in memory.

        Returns:
            int64 codes of shape (events,).

        Raises:
            ValueError: If the words have another shape, or one is outside its type; names the first such event.
        """
        return self.output_words(words)[:, 0]

    def output_words(self, words: NDArray[np.integer[Any]]) -> Codes:
        """All output words of each event, shape (events, outputs); the rest as for `scores`."""
        return self._predict("predict", words)

    def scores_of_codes(self, codes: NDArray[np.integer[Any]]) -> Codes:
        """The same from the network's input codes."""
        return self._predict("predict_codes", codes)[:, 0]

    def close(self) -> None:
        """Takes the library out of this process; what a path holds is then read anew when it is loaded again."""
        library, self._library = self._library, None
        if library is None:
            return
        if self._handle is not None:
            destroy = library[f"{self._names.prefix}destroy"]
            destroy(ctypes.c_void_p(self._handle))
        _ctypes.dlclose(library._handle)

    def _check(self, source: LibrarySource) -> None:
        expected = (source.network_digest, source.encoding_digest)
        found = (self.network_digest, self._text("encoding_digest"))
        for what, one, other in zip(("network", "encoding of trigger words"), expected, found, strict=True):
            if one != other:
                raise UserError(
                    f"{self.path} was built for another {what} ({other[:12]}, not {one[:12]})", _remedy(self.path)
                )

    def _function(self, name: str, result: type[ctypes._SimpleCData[Any]]) -> Callable[..., Any]:
        if self._library is None:
            raise ValueError(f"{self.path} has been closed")
        try:
            function = self._library[f"{self._names.prefix}{name}"]
        except AttributeError:
            raise UserError(
                f"{self.path} is no library of {self._names.name}, version {self._names.version}", _remedy(self.path)
            ) from None
        function.restype = result
        return function

    def _text(self, name: str) -> str:
        text: bytes = self._function(name, ctypes.c_char_p)()
        return text.decode()

    def _predict(self, name: str, given: NDArray[np.integer[Any]]) -> Codes:
        if given.ndim != 2 or given.shape[1] != self.inputs or not np.issubdtype(given.dtype, np.integer):
            raise ValueError(f"{given.dtype} of shape {given.shape} are not integers of shape (events, {self.inputs})")
        function = self._function(name, ctypes.c_int64)
        scores = np.empty((len(given), self.outputs), dtype=np.int64)

        def score(start: int) -> int:
            """Scores some events; the number of the first that cannot be, or of events."""
            block = _narrowed(given[start : start + _CHUNK_EVENTS], _TYPES[name])
            result = scores[start : start + _CHUNK_EVENTS]
            events = ctypes.c_int64(len(block))
            done = function(ctypes.c_void_p(self._handle), _pointer(block), events, _pointer(result))
            if done < 0:
                raise MemoryError
            return start + done if done < len(block) else len(given)

        starts = range(0, len(given), _CHUNK_EVENTS)
        if len(starts) < 2 or self._threads == 1:
            wrong = min(map(score, starts), default=len(given))
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                wrong = min(pool.map(score, starts))
        if wrong < len(given):
            raise ValueError(f"event {wrong} has a number outside the type of that input: {given[wrong].tolist()}")
        return scores


def _narrowed(given: NDArray[np.integer[Any]], kind: type[np.integer[Any]]) -> NDArray[np.integer[Any]]:
    """The same numbers, one after the other, in a type; those that it cannot hold become its largest or smallest."""
    ends = np.iinfo(kind)
    if not np.can_cast(given.dtype, kind):
        # neither is the code of any word, so the library refuses both
        given = np.clip(given, ends.min, ends.max)
    return np.ascontiguousarray(given, dtype=kind)


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _load(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path.absolute()), mode=os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:
        reason = str(error).rpartition(": ")[2]
        raise UserError(f"{path} cannot be loaded ({reason})", _remedy(path)) from None


def _remedy(path: Path) -> str:
    return f"Delete {path} and build it again"
