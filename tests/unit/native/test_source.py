"""The library's arithmetic, compiled: every score word must be the reference's."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from support.fixed_points import constant
from support.image_networks import image_networks
from support.images import autoencoder, every_operation, image_config, image_vectors
from support.native import compiled, compiled_together, encoding_for, random_words
from support.networks import far_from_zero, input_vectors, networks
from support.runs import Types, corners, encoding_of, logarithmic_config, network_vectors, small_config, small_network

from trigger_ad.errors import UserError
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.fixed_point import Codes, FixedPoint
from trigger_ad.native.loader import NativeEmulator
from trigger_ad.native.source import LibraryNames, library_source
from trigger_ad.network.evaluation import outputs, scores
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Dense, Elementwise, Input, Node, Pooling, Quantize, Reshape
from trigger_ad.tools import require_compiler


def expected(network: Network, encoding: InputEncoding, words: Codes) -> list[int]:
    """The reference's score words of trigger words."""
    codes: list[int] = scores(network, encoding.codes_of_words(words)).tolist()
    return codes


@pytest.mark.parametrize(
    "types",
    [
        Types(),
        Types(input="ufixed<8,3>", bias=None),
        Types(activation="ufixed<6,2>", linear="fixed<7,3>"),
        Types(activation="ufixed<6,2,RND_CONV,WRAP>", linear="fixed<7,3,TRN,SAT>"),
        Types(input="fixed<16,8>", weight="fixed<12,2>", activation="ufixed<14,4,RND_CONV,SAT>"),
        Types(input="fixed<12,2>", linear="fixed<24,2,RND_CONV,SAT>"),
    ],
)
def test_scores_of_a_dense_autoencoder(types: Types, tmp_path: Path) -> None:
    network = small_network(types)
    encoding, words = encoding_of(small_config(network)), network_vectors(network)
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)
        codes = encoding.codes_of_words(words)
        assert emulator.scores_of_codes(codes).tolist() == emulator.scores(words).tolist()


VECTORS = {
    "any processor of the family": ("-O1",),
    "this processor": ("-O1", "-march=native"),
    "no vectors": ("-O1", "-U__SSE2__"),
}


@pytest.mark.parametrize("network", [autoencoder(), every_operation()], ids=["autoencoder", "every operation"])
@pytest.mark.parametrize("flags", VECTORS.values(), ids=VECTORS)
def test_scores_of_networks_of_images(network: Network, flags: tuple[str, ...], tmp_path: Path) -> None:
    encoding = encoding_of(image_config(network))
    words = np.concatenate([image_vectors(network, 400), *corners(encoding).values()])
    with compiled(network, encoding, tmp_path, flags=flags) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)


def logarithmic_network() -> Network:
    """The sum of six inputs behind a table of logarithms."""
    encoding = encoding_of(logarithmic_config())
    sums = Dense("score", "inputs", constant([[1], [-3], [5], [7], [-2], [9]]), None)
    return Network((Input("inputs", (encoding.inputs,), encoding.network_type), sums))


def test_words_pass_through_the_table_of_logarithms(tmp_path: Path) -> None:
    network, encoding = logarithmic_network(), encoding_of(logarithmic_config())
    words = np.concatenate([random_words(encoding, 500), *corners(encoding).values()])
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)


def test_the_code_of_an_object_that_is_there_is_never_zero(tmp_path: Path) -> None:
    kind = FixedPoint(True, 4, 4)
    encoding = encoding_for(kind, 1)
    network = Network((Input("inputs", (1,), kind), Reshape("score", "inputs", (1,))))
    words = np.arange(16)[:, None]
    with compiled(network, encoding, tmp_path) as emulator:
        found = emulator.scores(words).tolist()
    assert found == [0, -7, -6, -5, -4, -3, -2, -1, 1, 1, 2, 3, 4, 5, 6, 7]
    assert found == expected(network, encoding, words)


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_of_more_than_53_bits_in_between(sign: int, tmp_path: Path) -> None:
    network = far_from_zero(sign)
    encoding, words = encoding_for(network.input.type, 1), np.arange(256)[:, None]
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)


def cancelling() -> Network:
    """Constants that only unbounded integers hold, and whose difference is small."""
    nodes: list[Node] = [Input("inputs", (2,), FixedPoint(False, 3, 3))]
    for name, bias in (("left", [1, -1]), ("right", [1, -1])):
        nodes.append(Dense(name, "inputs", constant([[0, 0], [0, 0]]), constant(bias, -40)))
    nodes += [
        Elementwise("nothing", "left", "right", "subtract"),
        Dense("units", "inputs", constant([[3, 0], [0, -5]], 60), None),
        Elementwise("score", "units", "nothing", "subtract"),
    ]
    return Network(tuple(nodes))


def test_what_cancels_may_be_larger_than_any_integer(tmp_path: Path) -> None:
    network = cancelling()
    encoding = encoding_for(network.input.type, 2)
    words = random_words(encoding, 50)
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)


def test_partial_sums_of_an_average_may_be_larger_than_the_whole(tmp_path: Path) -> None:
    nodes = (
        Input("inputs", (1,), FixedPoint(True, 4, 4)),
        Dense("far", "inputs", constant([[1, 1, 1, 1]]), constant([30000, 30000, -30000, -30000])),
        Reshape("image", "far", (2, 2, 1)),
        Pooling("pooled", "image", (2, 2), "average_pooling"),
        Quantize("score", "pooled", FixedPoint.parse("fixed<9,7,RND_CONV,SAT>"), "linear"),
    )
    network, encoding, words = Network(nodes), encoding_for(nodes[0].type, 1), np.arange(16)[:, None]
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)


def test_a_sum_that_others_read_too_is_kept_beside_its_quantized_code(tmp_path: Path) -> None:
    nodes = (
        Input("inputs", (2,), FixedPoint(True, 5, 3)),
        Dense("sum", "inputs", constant([[3], [-5]]), constant([7])),
        Quantize("rounded", "sum", FixedPoint.parse("fixed<4,4,RND_CONV,SAT>"), "linear"),
        Elementwise("score", "sum", "rounded", "subtract"),
    )
    network, encoding = Network(nodes), encoding_for(nodes[0].type, 2)
    words = random_words(encoding, 200)
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.scores(words).tolist() == expected(network, encoding, words)


@st.composite
def drawn_networks(draw: st.DrawFn) -> tuple[Network, Codes]:
    """A random network, and codes for its input."""
    network = draw(st.one_of(networks(bounded=False), image_networks()))
    # trigger words have two bits at least
    assume(network.input.type.width > 1)
    return network, draw(input_vectors(network))


@settings(
    max_examples=4,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(drawn=st.lists(drawn_networks(), min_size=6, max_size=6))
def test_random_networks_side_by_side_in_one_library(
    drawn: list[tuple[Network, Codes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("random")
    encodings = [encoding_for(network.input.type, network.input.size) for network, _ in drawn]
    made = [
        library_source(network, encoding, LibraryNames("small", str(number)))
        for number, ((network, _), encoding) in enumerate(zip(drawn, encodings, strict=True))
    ]
    compiled_together(made, folder / "all.so")
    for (network, codes), encoding, source in zip(drawn, encodings, made, strict=True):
        words = random_words(encoding, 150)
        with NativeEmulator(folder / "all.so", source) as emulator:
            assert emulator.scores_of_codes(codes).tolist() == scores(network, codes).tolist()
            assert emulator.scores(words).tolist() == expected(network, encoding, words)


def test_every_output_word_is_given(tmp_path: Path) -> None:
    kind = FixedPoint(True, 5, 3)
    nodes = (Input("inputs", (3,), kind), Dense("output", "inputs", constant([[1, 2], [-3, 4], [5, -6]]), None))
    network, encoding = Network(nodes), encoding_for(kind, 3)
    words = random_words(encoding, 20)
    with compiled(network, encoding, tmp_path) as emulator:
        assert emulator.outputs == 2
        assert emulator.output_words(words).tolist() == outputs(network, encoding.codes_of_words(words)).tolist()


def two_versions() -> list[tuple[Network, LibraryNames]]:
    """Two networks of one name."""
    return [(small_network(seed=seed), LibraryNames("small", f"1.{seed}")) for seed in (1, 2)]


def test_two_versions_loaded_for_all_to_see_give_each_their_own_answers(tmp_path: Path) -> None:
    encoding = encoding_of(small_config(small_network()))
    words = random_words(encoding, 300)
    both = []
    for network, names in two_versions():
        both.append(compiled(network, encoding, tmp_path, names))
        # from now on, later libraries look for what they miss in this one
        ctypes.CDLL(str(both[-1].path), mode=ctypes.RTLD_GLOBAL)
    found = [emulator.scores(words).tolist() for emulator in both]
    assert found == [expected(network, encoding, words) for network, _ in two_versions()]
    assert found[0] != found[1]


PROGRAM = """
#include "trigger_ad_small_v1_1.h"
#include "trigger_ad_small_v1_2.h"
#include <stdio.h>
int main(void) {
    int32_t words[600];
    int64_t first[100], second[100];
    for (int i = 0; i < 600; i++)
        words[i] = i % 128;
    trigger_ad_small_v1_1_emulator *one = trigger_ad_small_v1_1_create();
    trigger_ad_small_v1_2_emulator *two = trigger_ad_small_v1_2_create();
    if (trigger_ad_small_v1_1_predict(one, words, 100, first) != 100)
        return 1;
    if (trigger_ad_small_v1_2_predict(two, words, 100, second) != 100)
        return 1;
    for (int i = 0; i < 100; i++)
        printf("%lld %lld\\n", (long long)first[i], (long long)second[i]);
    trigger_ad_small_v1_1_destroy(one);
    trigger_ad_small_v1_2_destroy(two);
    return 0;
}
"""


def test_two_versions_linked_into_one_program_without_a_warning(tmp_path: Path) -> None:
    encoding = encoding_of(small_config(small_network()))
    made = [library_source(network, encoding, names) for network, names in two_versions()]
    (tmp_path / "program.cpp").write_text(PROGRAM)
    for source in made:
        source.write(tmp_path)
    strict = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
    files = ["program.cpp", *(source.code_name for source in made)]
    subprocess.run([str(require_compiler()), *strict, "-o", "program", *files], cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / "program")], capture_output=True, text=True, check=True)
    words = (np.arange(600) % 128).reshape(100, 6)
    found = np.array([line.split() for line in done.stdout.splitlines()], dtype=np.int64)
    for column, (network, _) in zip(found.T, two_versions(), strict=True):
        assert column.tolist() == expected(network, encoding, words)


def test_the_header_is_c(tmp_path: Path) -> None:
    network = small_network()
    source = library_source(network, encoding_of(small_config(network)), LibraryNames("small"))
    source.write(tmp_path)
    command = [str(require_compiler()), "-x", "c", "-std=c99", "-Wall", "-pedantic", "-Werror", "-fsyntax-only"]
    subprocess.run([*command, source.header_name], cwd=tmp_path, check=True)


def test_nothing_but_the_interface_is_visible(tmp_path: Path) -> None:
    network = small_network()
    with compiled(network, encoding_of(small_config(network)), tmp_path) as emulator:
        listed = subprocess.run(
            ["nm", "-D", "--defined-only", str(emulator.path)], capture_output=True, text=True, check=True
        )
    symbols = [line.split()[-1] for line in listed.stdout.splitlines()]
    assert "trigger_ad_small_v1_predict" in symbols
    assert [symbol for symbol in symbols if not symbol.startswith("trigger_ad_small_v1_")] == []


def test_names_carry_name_and_version() -> None:
    assert LibraryNames("my-run", "2.10").prefix == "trigger_ad_my_run_v2_10_"


def test_a_version_is_made_of_numbers() -> None:
    with pytest.raises(UserError, match=r"'latest' is no version of a library.*such as 1\.2"):
        LibraryNames("small", "latest")


def test_an_encoding_for_other_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="the encoding makes 3 inputs"):
        library_source(small_network(), encoding_for(FixedPoint(True, 8, 3), 3), LibraryNames("small"))


def test_sources_of_equal_networks_are_equal() -> None:
    network = small_network()
    encoding = encoding_of(small_config(network))
    assert library_source(network, encoding, LibraryNames("a")) == library_source(network, encoding, LibraryNames("a"))
    assert library_source(network, encoding, LibraryNames("a")) != library_source(network, encoding, LibraryNames("b"))
