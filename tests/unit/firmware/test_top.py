"""The top function: its ports are trigger words, its arithmetic is of integers, and the scripts build it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.images import autoencoder, image_config
from support.runs import Types, encoding_of, logarithmic_config, small_config, small_network, write_small_project

from trigger_ad.config import BackEnd, Config, InputsConfig, ThresholdKind
from trigger_ad.events.encoding import InputEncoding
from trigger_ad.firmware.accept import Accept
from trigger_ad.firmware.top import Port, ports, write_top
from trigger_ad.network.digest import network_digest
from trigger_ad.network.graph import Network
from trigger_ad.network.nodes import Constant, Dense, Input
from trigger_ad.synthesis.projects import read_project_settings

TOP = "trigger_ad_small"
LOGARITHMIC = Types(input="fixed<10,4>")


def _pt(**pt: Any) -> Port:
    inputs = InputsConfig.model_validate({"pt": pt, "eta": {"shift": 6}})
    return ports(InputEncoding(inputs))[0]


THRESHOLD = 1234


def _project(
    folder: Path,
    config: Config,
    back_end: BackEnd = "vitis",
    types: Types = LOGARITHMIC,
    threshold: ThresholdKind = "constant",
) -> Path:
    words, accept = np.zeros((1, 6), dtype=np.int64), Accept(threshold, THRESHOLD)
    return write_small_project(small_network(types), folder, back_end, words, config, accept)


def _sources(project: Path) -> dict[str, str]:
    """Our sources by what their names have after the top's, the network's under `_network`."""
    firmware = project / "firmware"
    return {path.name.removeprefix(TOP): path.read_text() for path in firmware.glob(f"{TOP}*")}


def _prototype(header: str) -> list[str]:
    (arguments,) = re.findall(rf"void {TOP}\(([^)]*)\);", header)
    return [argument.strip() for argument in arguments.split(",\n")]


def test_the_ports_are_the_trigger_words_of_the_configuration() -> None:
    found = ports(InputEncoding(Config(name="a").inputs))
    assert [(port.name, port.word, port.low, port.high) for port in found] == [
        ("pt", "ap_uint<8>", 0, 255),
        ("eta", "ap_int<5>", -16, 15),
        ("phi", "ap_int<4>", -8, 7),
    ]
    assert [port.unit for port in found] == ["1 GeV", "0.5", "0.5 rad"]
    # pT and the angles have different binary points: one shift by one bit
    assert [port.shift for port in found] == [1, 0, 0]


@pytest.mark.parametrize(
    ("offset", "difference", "code", "never_zero", "masked"),
    [
        (0, "word", "ap_uint<8>", False, False),
        (-64, "word + ap_uint<7>(64)", "ap_uint<9>", False, True),
        (1, "word - ap_uint<1>(1)", "ap_uint<8>", True, True),
        (128, "word - ap_uint<8>(128)", "ap_int<8>", True, True),
        (255, "word - ap_uint<8>(255)", "ap_int<9>", True, True),
        (256, "word - ap_uint<9>(256)", "ap_int<9>", False, True),
    ],
)
def test_an_offset_is_subtracted_in_the_narrowest_types(
    offset: int, difference: str, code: str, never_zero: bool, masked: bool
) -> None:
    port = _pt(lsb=1.0, width=8, offset=offset, shift=6)
    assert (port.difference, port.code, port.never_zero, port.masked) == (difference, code, never_zero, masked)
    assert port.table is None


def test_a_table_holds_the_finished_code_of_every_word() -> None:
    config = logarithmic_config()
    encoding, (pt, *angles) = encoding_of(config), ports(encoding_of(config))
    assert pt.table is not None
    flat = [code for row in pt.table for code in row]
    words = np.zeros((1024, 6), dtype=np.int64)
    words[:, 0] = np.arange(1024)
    np.testing.assert_array_equal(np.array(flat) << pt.shift, encoding.codes_of_words(words)[:, 0])
    # word 1 is 2**0: its code would be that of an absent object
    assert flat[:4] == [0, 1, 16, 25]
    assert (pt.masked, pt.never_zero, pt.difference) == (False, True, "word")
    assert all(port.table is None and port.masked for port in angles)


def test_a_table_that_gives_no_0_has_no_exception() -> None:
    assert not _pt(lsb=0.5, width=10, logarithm=4, offset=-1, shift=5).never_zero
    # no logarithm of a word is 8 / 16
    assert not _pt(lsb=0.5, width=10, logarithm=4, offset=8, shift=5).never_zero
    assert _pt(lsb=0.5, width=10, logarithm=4, offset=160, shift=5).never_zero


def test_the_entries_of_a_table_fit_their_type() -> None:
    narrow = _pt(lsb=0.5, width=10, logarithm=4, offset=0, shift=5)
    wide = _pt(lsb=0.5, width=14, logarithm=12, offset=0, shift=12)
    assert (narrow.table_type, wide.table_type) == ("short", "int")
    assert wide.table is not None
    assert max(max(row) for row in wide.table) > np.iinfo(np.int16).max


@pytest.mark.parametrize(
    ("pt", "formula"),
    [
        ({"offset": 0, "shift": 6}, "word"),
        ({"offset": 3, "shift": 6}, "word - 3"),
        ({"offset": -64, "shift": 5}, "(word + 64) x 2"),
        ({"offset": 0, "shift": 4}, "word x 4"),
        ({"offset": 10, "shift": 5, "logarithm": 4}, "(round(16 x log2(word)) - 10) x 2"),
    ],
)
def test_the_formula_says_what_the_code_is(pt: dict[str, int], formula: str) -> None:
    assert _pt(lsb=1.0, width=8, **pt).formula == formula


def test_the_function_takes_an_array_of_words_for_each_feature(tmp_path: Path) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config()))
    assert _prototype(sources[".h"]) == [
        "pt_word_t pt_words[2]",
        "eta_word_t eta_words[2]",
        "phi_word_t phi_words[2]",
        "result_t score[1]",
        "ap_uint<1> &accept",
        "digest_t &network_digest",
    ]
    assert (
        "typedef ap_uint<10> pt_word_t;\ntypedef ap_int<5> eta_word_t;\ntypedef ap_int<4> phi_word_t;" in sources[".h"]
    )


def test_a_stream_carries_the_words_of_a_feature_of_all_objects(tmp_path: Path) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(io_type="io_stream")))
    assert _prototype(sources[".h"])[0] == "hls::stream<pt_words_t> &pt_words"
    assert "typedef ap_uint<20> pt_words_t;\ntypedef ap_uint<10> eta_words_t;" in sources[".h"]
    assert "pt_words.range(19, 10), eta_words.range(9, 5), phi_words.range(7, 4), codes[3]" in sources[".cpp"]


def test_an_image_is_a_transfer_for_each_position(tmp_path: Path) -> None:
    network = autoencoder()
    words = np.zeros((1, network.input.size), dtype=np.int64)
    config = image_config(network, io_type="io_stream")
    project = write_small_project(network, tmp_path / "project", "vitis", words, config)
    sources = _sources(project)
    # the ports are those of a network of vectors
    assert _prototype(sources[".h"])[0] == "hls::stream<pt_words_t> &pt_words"
    assert "typedef nnet::array<ap_fixed<8,3>, 1*1> input_t;" in (project / "firmware" / "defines.h").read_text()
    encode = sources[".cpp"].partition("static void encode(")[2].partition("void " + TOP)[0]
    assert "#pragma HLS PIPELINE II=21\n" in encode
    assert "input_code_t codes[21];" in encode
    assert "for (int position = 0; position < 21; position++) {" in encode
    assert "transfer[channel] = codes[1 * position + channel];" in encode
    assert "#pragma HLS STREAM variable=codes depth=21\n" in sources[".cpp"]


def test_a_vector_is_one_transfer(tmp_path: Path) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(io_type="io_stream")))
    assert "for (int position = 0; position < 1; position++) {" in sources[".cpp"]
    assert "for (int channel = 0; channel < 6; channel++)" in sources[".cpp"]
    assert "#pragma HLS PIPELINE\n" in sources[".cpp"]


@pytest.mark.parametrize("back_end", ["vitis", "vivado"])
def test_a_pipeline_is_that_of_the_whole(tmp_path: Path, back_end: BackEnd) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(reuse_factor=2), back_end))
    top = sources[".cpp"].rpartition(f"void {TOP}(")[2]
    assert re.findall(r"#pragma HLS (?:PIPELINE|DATAFLOW|INTERFACE).*", top) == [
        "#pragma HLS INTERFACE ap_vld port=pt_words,eta_words,phi_words,score,accept",
        "#pragma HLS INTERFACE ap_none port=network_digest",
        "#pragma HLS PIPELINE",
    ]
    inner = sources["_network.cpp"].partition("{\n")[2].partition("NETWORK INSTANTIATION")[0]
    assert re.findall("#pragma.*", inner) == ["#pragma HLS INLINE"]


@pytest.mark.parametrize("back_end", ["vitis", "vivado"])
@pytest.mark.parametrize(
    ("firmware", "protocol"), [({"io_type": "io_stream"}, "axis"), ({"strategy": "resource"}, "ap_vld")]
)
def test_a_dataflow_region_is_inside_one(
    tmp_path: Path, back_end: BackEnd, firmware: dict[str, str], protocol: str
) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(**firmware), back_end))
    top = sources[".cpp"].rpartition(f"void {TOP}(")[2]
    assert re.findall(r"#pragma HLS (?:PIPELINE|DATAFLOW|INTERFACE).*", top) == [
        f"#pragma HLS INTERFACE {protocol} port=pt_words,eta_words,phi_words,score,accept",
        "#pragma HLS INTERFACE ap_none port=network_digest",
        "#pragma HLS DATAFLOW",
    ]
    inner = sources["_network.cpp"].partition("{\n")[2].partition("NETWORK INSTANTIATION")[0]
    assert "#pragma HLS DATAFLOW" in inner
    # pragmas of ports belong to the top alone
    assert "INTERFACE" not in inner
    assert "RESHAPE" not in inner


@pytest.mark.parametrize("threshold", ["constant", "register"])
@pytest.mark.parametrize("firmware", [{"io_type": "io_stream"}, {"strategy": "resource"}])
def test_a_dataflow_region_holds_declarations_and_calls_alone(
    tmp_path: Path, firmware: dict[str, str], threshold: ThresholdKind
) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(**firmware), threshold=threshold))
    body = sources[".cpp"].rpartition(f"void {TOP}(")[2].partition("{\n")[2]
    body = re.sub(r"#ifndef __SYNTHESIS__.*?#endif", "", body, flags=re.DOTALL)
    statements = [line.strip() for line in body.splitlines() if line.strip() and "#pragma" not in line]
    calls = [re.sub(r"\(.*", "", line) for line in statements if not re.match(r"(//|hls::stream<|\w+_t \w+\[)", line)]
    assert calls == ["encode", f"{TOP}_network", "decide", "give_digest", "}"]
    # small functions are not dissolved into it
    for function in ("encode", "decide", "give_digest"):
        inside = sources[".cpp"].partition(f"static void {function}(")[2].partition("}\n")[0]
        assert re.search(r"#pragma HLS (PIPELINE|INLINE off)", inside)


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_a_constant_threshold_is_named_in_the_header(tmp_path: Path, io_type: str) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(io_type=io_type)))
    assert f"static const long long THRESHOLD = {THRESHOLD}LL;\n" in sources[".h"]
    assert "typedef ap_uint<22> score_code_t;\n" in sources[".h"]
    assert "const score_code_t threshold = THRESHOLD;\n" in sources[".cpp"]
    assert "threshold" not in "".join(_prototype(sources[".h"]))


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_a_register_is_a_port_without_a_protocol(tmp_path: Path, io_type: str) -> None:
    config = logarithmic_config(io_type=io_type)
    sources = _sources(_project(tmp_path / "project", config, threshold="register"))
    assert _prototype(sources[".h"])[3] == "score_code_t threshold"
    assert "THRESHOLD" not in sources[".h"] + sources[".cpp"]
    assert "#pragma HLS INTERFACE ap_none port=threshold,network_digest\n" in sources[".cpp"]


def test_the_digest_is_a_constant_of_the_network(tmp_path: Path) -> None:
    source = _sources(_project(tmp_path / "project", logarithmic_config()))[".cpp"]
    parts = re.findall(r"digest\.range\((\d+), (\d+)\) = 0x([0-9a-f]+)ULL;", source)
    assert [(int(high), int(low)) for high, low, _ in parts] == [(63, 0), (127, 64), (191, 128), (255, 192)]
    assert "".join(part for *_, part in reversed(parts)) == network_digest(small_network(LOGARITHMIC))


def test_several_output_words_have_no_accept_bit(tmp_path: Path) -> None:
    first, *_ = small_network().nodes
    pair = Constant.narrowest(np.arange(12, dtype=np.int64).reshape(6, 2), 0)
    network = Network((first, Dense("scores", first.name, pair, None)))
    words = np.zeros((1, 6), dtype=np.int64)
    sources = _sources(write_small_project(network, tmp_path / "project", "vitis", words, small_config(network)))
    assert _prototype(sources[".h"])[3:] == ["result_t score[2]", "digest_t &network_digest"]
    assert "accept" not in sources[".cpp"]
    assert f"{TOP}_network(codes, score);\n" in sources[".cpp"]
    with pytest.raises(ValueError, match="2 output words have no threshold"):
        write_small_project(network, tmp_path / "other", "vitis", words, accept=Accept("constant", 3))


@pytest.mark.parametrize("code", [-1, 2**22])
def test_a_threshold_that_is_no_code_of_the_score_is_a_mistake_of_the_caller(tmp_path: Path, code: int) -> None:
    network, config = small_network(LOGARITHMIC), logarithmic_config()
    words = np.zeros((1, 6), dtype=np.int64)
    with pytest.raises(ValueError, match=rf"the threshold {code} is no code of ufixed<22,"):
        write_small_project(network, tmp_path / "project", "vitis", words, config, Accept("constant", code))


@pytest.mark.parametrize(
    ("back_end", "pragma"),
    [
        ("vitis", "BIND_STORAGE variable=codes type=rom_1p impl=lutram"),
        ("vivado", "RESOURCE variable=codes core=ROM_1P_LUTRAM"),
    ],
)
def test_a_table_is_a_rom_of_each_object(tmp_path: Path, back_end: BackEnd, pragma: str) -> None:
    sources = _sources(_project(tmp_path / "project", logarithmic_config(), back_end))
    tables = sources["_tables.h"]
    assert f"#pragma HLS {pragma}\n" in tables
    # an instance of the template, with its table, for each object
    assert "template <int OBJECT> ap_uint<8> look_up_pt(pt_word_t word)" in tables
    assert set(re.findall(r"encode_object<(\d+)>", sources[".cpp"])) == {"0", "1"}
    (entries,) = re.findall(r"static const short codes\[1024\] = \{([^}]*)\}", tables)
    assert len(entries.split(",")) == 1024


def test_no_multiplication_and_no_float_is_in_the_encoding(tmp_path: Path) -> None:
    linear = small_network()
    projects = [
        _project(tmp_path / "logarithmic", logarithmic_config()),
        _project(tmp_path / "linear", small_config(linear), types=Types()),
    ]
    for project in projects:
        for name, source in _sources(project).items():
            if not name.startswith("_network"):
                code = re.sub(r"//.*", "", source)
                assert not re.search(r"\*|\b(float|double|ap_u?fixed)\b", code)


def test_without_a_logarithm_there_is_no_table(tmp_path: Path) -> None:
    project = _project(tmp_path / "project", small_config(small_network()), types=Types())
    assert set(_sources(project)) == {".h", ".cpp", "_network.h", "_network.cpp"}


@pytest.mark.parametrize("back_end", ["vitis", "vivado"])
def test_the_scripts_build_the_top_and_what_it_calls(tmp_path: Path, back_end: BackEnd) -> None:
    project = _project(tmp_path / "project", logarithmic_config(), back_end)
    assert read_project_settings(project).name == TOP
    script = (project / "build_prj.tcl").read_text()
    assert "set_top ${project_name}\n" in script
    assert re.findall(r"add_files (firmware/\S+)", script) == [
        "firmware/${project_name}.cpp",
        f"firmware/{TOP}_network.cpp",
    ]
    # only our own test bench is there
    assert [path.name for path in project.glob("*.cpp")] == [f"{TOP}_test.cpp"]


def test_a_network_of_other_inputs_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    encoding = encoding_of(logarithmic_config())
    with pytest.raises(ValueError, match=r"makes 6 inputs of fixed<10,4>, the network takes 6 of fixed<8,3>"):
        write_top(small_network(), encoding, "small", "vitis", "io_parallel", None, tmp_path)


def test_sources_that_another_hls4ml_wrote_are_not_believed(tmp_path: Path) -> None:
    project = _project(tmp_path / "project", logarithmic_config())
    network, encoding = small_network(LOGARITHMIC), encoding_of(logarithmic_config())
    # it has been adapted already
    with pytest.raises(RuntimeError, match=r"hls4ml wrote trigger_ad_small_network\.cpp in another form than expected"):
        write_top(network, encoding, "small", "vitis", "io_parallel", None, project)


def test_words_too_wide_for_the_vendors_library_are_announced_to_it(tmp_path: Path) -> None:
    config = logarithmic_config(io_type="io_stream")
    layout = config.model_dump()["events"]["layout"] | {"objects": [{"name": "jet", "count": 128}]}
    events = config.model_dump()["events"] | {"layout": layout}
    wide = Config.model_validate(config.model_dump() | {"events": events})
    encoding = encoding_of(wide)
    assert encoding.layout.objects * encoding.features[0].word.width == 1280
    project = _wide_project(tmp_path / "project", wide)
    header = (project / "firmware" / f"{TOP}.h").read_text()
    assert header.index("#define AP_INT_MAX_W 2048") < header.index("#include")


def _wide_project(folder: Path, config: Config) -> Path:
    """A project of a network that sums up all inputs of a configuration."""
    encoding = encoding_of(config)
    ones = Constant.narrowest(np.ones((encoding.inputs, 1), dtype=np.int64), 0)
    network = Network(
        (Input("inputs", (encoding.inputs,), encoding.network_type), Dense("score", "inputs", ones, None)),
    )
    return write_small_project(network, folder, "vitis", np.zeros((1, encoding.inputs), dtype=np.int64), config)
