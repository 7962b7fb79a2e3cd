"""Vectors that a user gives to `emulate`, in place of a run's test events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigger_ad.errors import UserError
from trigger_ad.fixed_point import Codes, FixedPoint, Overflow, Rounding
from trigger_ad.pipeline.convert import MOST_EVENTS, Segment, TestVectors, read_vectors, shipped_network
from trigger_ad.pipeline.stage import Run

if TYPE_CHECKING:
    from trigger_ad.events.encoding import InputEncoding


@dataclass(frozen=True)
class GivenVectors:
    """A user's vectors beside the run's corner vectors.

    Args:
        vectors: Both, the corner vectors first, with the words that the reference expects.
        file: The name of the file.
        count: How many vectors it gave.
        total: How many events the file holds: of very many, a share is taken, evenly spread.
        saturated: How many of the file's values were outside the range of their input words.
    """

    vectors: TestVectors
    file: str
    count: int
    total: int
    saturated: int

    def to_json(self) -> dict[str, Any]:
        """What results say of them."""
        return {"file": self.file, "vectors": self.count, "of": self.total, "saturated": self.saturated}


def given_vectors(run: Run, events: Path | None, inputs: Path | None) -> GivenVectors:
    """The vectors of one of two files, behind the corner vectors of a run that is converted.

    Args:
        run: The run.
        events: An events file of the run's layout.
        inputs: A NumPy file of shape (vectors, inputs), or of the model's own input shape: integers are input words,
            floats are values, rounded to the nearest input word, ties to even, and saturated.

    Raises:
        UserError: If there is not one of them alone, or the file does not suit the run.
    """
    require_suitable(run, events, inputs)
    file = events or inputs
    if file is None:
        raise UserError("neither --events nor --inputs is given", "Give one of them")
    if events:
        words, saturated, total = _event_words(run, file)
    else:
        words, saturated = _input_words(run, file)
        total = len(words)
    return GivenVectors(_beside_corners(run, words, file.name), file.name, len(words), total, saturated)


def require_suitable(run: Run, events: Path | None, inputs: Path | None) -> None:
    """Refuses files that do not suit a run before anything is brought up to date.

    Raises:
        UserError: As `given_vectors` does, as far as it needs no network.
    """
    if events and inputs:
        raise UserError("--events and --inputs are given together", "Give one of them")
    if events:
        _require_events(run, events)
    if inputs:
        _input_words(run, inputs)


def _require_events(run: Run, file: Path) -> None:
    from trigger_ad.events.files import EventsFile

    if not run.encoding.features[0].can_be_absent:
        raise UserError(
            f"--events: the inputs of this model are codes of {run.encoding.network_type}, not trigger objects",
            "Give --inputs FILE.npy",
        )
    if not file.is_file():
        raise UserError(f"--events: {file} does not exist", "Name an events file")
    with EventsFile(file, run.encoding.layout) as source:
        if source.header.events == 0:
            raise UserError(f"{file} holds no events", "Give a file with at least one event")


def _event_words(run: Run, file: Path) -> tuple[Codes, int, int]:
    """Trigger words of events, how many objects' features were beyond their range, and how many events there are."""
    from trigger_ad.events.dataset import evenly_spread
    from trigger_ad.events.encoded import encode_file

    encoded = encode_file(file, run.encoding)
    chosen = evenly_spread(len(encoded), min(len(encoded), MOST_EVENTS))
    return encoded.words[chosen].astype(np.int64), sum(encoded.saturated.values()), len(encoded)


def _input_words(run: Run, file: Path) -> tuple[Codes, int]:
    array, encoding = _array(file), run.encoding
    if len(array) == 0 or array.ndim < 2 or array[0].size != encoding.inputs:
        raise UserError(
            f"--inputs: {file} holds an array of shape {array.shape}",
            f"Give (vectors, {encoding.inputs}), or the shape that the model takes, and at least one vector",
        )
    flat = array.reshape(len(array), encoding.inputs)
    if np.issubdtype(flat.dtype, np.integer):
        return _words(flat, encoding, file), 0
    if np.issubdtype(flat.dtype, np.floating):
        return _quantized(flat.astype(np.float64), encoding, file)
    raise UserError(f"--inputs: {file} holds {array.dtype}", "Give integers or floating-point numbers")


def _array(file: Path) -> NDArray[Any]:
    try:
        array = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"--inputs: {file} does not exist", "Name a file that numpy.save wrote") from None
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"--inputs: {file} cannot be read ({reason})", "Name a file that numpy.save wrote") from None
    if not isinstance(array, np.ndarray) or array.ndim == 0:
        raise UserError(f"--inputs: {file} holds no single array of vectors", "Name a file that numpy.save wrote")
    return array


def _words(flat: NDArray[Any], encoding: InputEncoding, file: Path) -> Codes:
    from trigger_ad.network.vectors import require_words

    try:
        require_words([feature.word for feature in encoding.features], encoding.layout.objects, flat)
    except ValueError as error:
        raise UserError(f"--inputs: {file}: {error}", "Give codes of the input words") from None
    return flat.astype(np.int64)


def _quantized(values: NDArray[np.float64], encoding: InputEncoding, file: Path) -> tuple[Codes, int]:
    if encoding.features[0].can_be_absent:
        raise UserError(
            f"--inputs: {file} holds values, and the firmware of this run takes raw trigger words",
            "Give these words as integers, or physical values with --events FILE",
        )
    if not np.isfinite(values).all():
        raise UserError(f"--inputs: {file} holds NaN or infinite values", "Remove these vectors")
    plain = encoding.network_type
    kind = FixedPoint(plain.signed, plain.width, plain.integer, Rounding.NEAREST_EVEN, Overflow.SATURATE)
    # beyond what float64 holds is beyond every type
    with np.errstate(over="ignore"):
        nearest = np.rint(np.ldexp(values, kind.fraction))
        codes = kind.quantize(values)
    return codes, int(np.count_nonzero((nearest < kind.code_min) | (nearest > kind.code_max)))


def _beside_corners(run: Run, words: Codes, name: str) -> TestVectors:
    from trigger_ad.network.evaluation import outputs

    own = read_vectors(run.directory.vectors)
    corners = [segment for segment in own.segments if segment.kind == "corner"]
    stop = max(segment.stop for segment in corners)
    expected = outputs(shipped_network(run), run.encoding.codes_of_words(words))
    return TestVectors(
        np.concatenate([own.words[:stop].astype(np.int64), words]),
        np.concatenate([own.expected[:stop], expected]),
        [*corners, Segment(name, "events", stop, stop + len(words))],
        own.accept,
    )
