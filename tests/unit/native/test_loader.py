"""A library in this process: what it answers, and what is refused."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.native import FAST, compiled, encoding_for, random_words
from support.runs import encoding_of, small_config, small_network

from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.native.build import build_library
from trigger_ad.native.encoding import encoding_digest
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, LibrarySource, library_source
from trigger_ad.network.digest import network_digest
from trigger_ad.network.evaluation import scores

NETWORK = small_network()
ENCODING = encoding_of(small_config(NETWORK))
SOURCE = library_source(NETWORK, ENCODING, LibraryNames("small"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "small.so"
    build_library(SOURCE, path, FAST)
    return path


@pytest.fixture
def emulator(library: Path) -> Iterator[NativeEmulator]:
    with NativeEmulator(library, SOURCE) as loaded:
        yield loaded


@pytest.mark.parametrize("events", [0, 1, 127, 128, 129, 20_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_any_number_of_events(events: int, threads: int, library: Path) -> None:
    words = random_words(ENCODING, events)
    with NativeEmulator(library, SOURCE, threads) as emulator:
        found = emulator.scores(words)
    assert found.dtype == np.int64
    assert found.tolist() == scores(NETWORK, ENCODING.codes_of_words(words)).tolist()


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64, ">i4"])
def test_words_of_any_integer_type_and_order_in_memory(kind: str, emulator: NativeEmulator) -> None:
    words = random_words(ENCODING, 300)
    expected = emulator.scores(words).tolist()
    assert emulator.scores(words.astype(kind)).tolist() == expected
    assert emulator.scores(np.asfortranarray(words.astype(kind))).tolist() == expected
    assert emulator.scores(words.astype(kind)[::-1]).tolist() == expected[::-1]


def test_threads_of_the_caller_may_share_one(emulator: NativeEmulator) -> None:
    blocks = [random_words(ENCODING, 2000, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(emulator.scores, blocks))
    for block, codes in zip(blocks, found, strict=True):
        assert codes.tolist() == scores(NETWORK, ENCODING.codes_of_words(block)).tolist()


def test_it_says_what_it_is(emulator: NativeEmulator) -> None:
    assert (emulator.inputs, emulator.outputs, emulator.version) == (6, 1, "1")
    assert emulator.network_digest == network_digest(NETWORK)


class _Type(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("width", ctypes.c_int32),
        ("fraction", ctypes.c_int32),
        ("is_signed", ctypes.c_int32),
        ("low", ctypes.c_int64),
        ("high", ctypes.c_int64),
    )


def test_the_c_interface_describes_words_codes_and_scores(library: Path) -> None:
    loaded = ctypes.CDLL(str(library))

    def described(name: str, *arguments: int) -> tuple[object, ...]:
        function = loaded[f"trigger_ad_small_v1_{name}_type"]
        function.restype = ctypes.POINTER(_Type)
        found = function(*arguments)[0]
        return tuple(getattr(found, field) for field, _ in _Type._fields_)

    assert described("word", 0) == (b"pt", 8, 0, 0, 0, 255)
    assert described("word", 4) == (b"eta", 8, 0, 1, -128, 127)
    assert described("code") == (b"input", 8, 5, 1, -128, 127)
    kind = NETWORK.type("score")
    assert described("score") == (b"score", kind.width, kind.fraction, int(kind.signed), kind.code_min, kind.code_max)
    for input_ in (-1, 6):
        assert not loaded["trigger_ad_small_v1_word_type"](input_)


def test_pointers_that_are_null_are_refused(library: Path) -> None:
    loaded = ctypes.CDLL(str(library))
    predict, create = (loaded[f"trigger_ad_small_v1_{name}"] for name in ("predict", "create"))
    predict.restype, create.restype = ctypes.c_int64, ctypes.c_void_p
    handle = ctypes.c_void_p(create())
    some = (ctypes.c_int64 * 6)()
    one, minus_one = ctypes.c_int64(1), ctypes.c_int64(-1)
    assert predict(handle, some, one, some) == 1
    assert predict(handle, None, ctypes.c_int64(0), None) == 0
    for arguments in (
        (None, some, one, some),
        (handle, None, one, some),
        (handle, some, one, None),
        (handle, some, minus_one, some),
    ):
        assert predict(*arguments) == -1
    loaded["trigger_ad_small_v1_destroy"](handle)
    loaded["trigger_ad_small_v1_destroy"](None)


@pytest.mark.parametrize("word", [256, -1, 2**31, 2**40, -(2**63)])
@pytest.mark.parametrize("event", [0, 130, 19_000])
def test_a_word_outside_its_type_is_named(word: int, event: int, emulator: NativeEmulator) -> None:
    words = random_words(ENCODING, 20_000)
    words[event, 3] = words[19_500, 0] = word
    with pytest.raises(ValueError, match=f"event {event} has a number outside the type of that input"):
        emulator.scores(words)


def test_a_code_outside_its_type_is_named(emulator: NativeEmulator) -> None:
    codes = np.zeros((10, 6), dtype=np.int64)
    codes[7, 5] = 128
    with pytest.raises(ValueError, match="event 7 has a number outside"):
        emulator.scores_of_codes(codes)


@pytest.mark.parametrize("words", [np.zeros((5, 7), dtype=np.int64), np.zeros(6, dtype=np.int64), np.zeros((5, 6))])
def test_words_of_another_shape_or_floats_are_refused(words: np.ndarray, emulator: NativeEmulator) -> None:
    with pytest.raises(ValueError, match=r"are not integers of shape \(events, 6\)"):
        emulator.scores(words)


def other_network() -> LibrarySource:
    """Of the same name."""
    return library_source(small_network(seed=2), ENCODING, LibraryNames("small"))


def other_encoding() -> LibrarySource:
    """Of the same network: pT's word is read with another offset, its code is of the same type."""
    config = small_config(NETWORK)
    pt = config.inputs.pt.model_copy(update={"offset": config.inputs.pt.offset - 1})
    encoding = InputEncoding(config.inputs.model_copy(update={"pt": pt}), ENCODING.layout)
    return replace(SOURCE, encoding_digest=encoding_digest(encoding))


def test_a_library_of_another_network_is_refused(library: Path) -> None:
    with pytest.raises(UserError, match=r"small\.so was built for another network \(\w{12}, not \w{12}\)"):
        NativeEmulator(library, other_network())


def test_a_library_of_another_encoding_is_refused(library: Path) -> None:
    with pytest.raises(UserError, match=r"small\.so was built for another encoding of trigger words"):
        NativeEmulator(library, other_encoding())


def test_a_library_of_another_version_is_refused(library: Path) -> None:
    source = library_source(NETWORK, ENCODING, LibraryNames("small", "2"))
    with pytest.raises(UserError, match=r"small\.so is no library of small, version 2"):
        NativeEmulator(library, source)


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.so").write_text("half")
    with pytest.raises(UserError, match=r"library\.so cannot be loaded \(.+\)\. Delete .*library\.so and build"):
        NativeEmulator(tmp_path / "library.so", SOURCE)


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"library\.so cannot be loaded \(No such file or directory\)"):
        NativeEmulator(tmp_path / "library.so", SOURCE)


def test_a_library_that_is_closed_answers_no_more(library: Path) -> None:
    with NativeEmulator(library, SOURCE) as emulator:
        pass
    emulator.close()
    with pytest.raises(ValueError, match="has been closed"):
        emulator.scores(random_words(ENCODING, 1))


def test_a_new_library_in_the_place_of_a_closed_one_is_the_one_that_answers(tmp_path: Path) -> None:
    words = random_words(ENCODING, 100)
    for seed in (1, 2):
        network = small_network(seed=seed)
        with compiled(network, ENCODING, tmp_path) as emulator:
            assert emulator.scores(words).tolist() == scores(network, ENCODING.codes_of_words(words)).tolist()


def test_of_compiles_what_is_not_in_the_cache(tmp_path: Path) -> None:
    kind = NETWORK.input.type
    encoding = encoding_for(kind, 6)
    words = random_words(encoding, 100)
    for _ in range(2):
        with NativeEmulator.of(NETWORK, encoding, LibraryNames("small"), tmp_path) as emulator:
            assert emulator.scores(words).tolist() == scores(NETWORK, encoding.codes_of_words(words)).tolist()
    assert len(list(tmp_path.iterdir())) == 1
