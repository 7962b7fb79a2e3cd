"""The configuration file: its defaults, and one clear line for everything it may not say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.configurations import CONFIGURATIONS

from trigger_ad.config import Config, DenseAutoencoderConfig, EventsConfig, LayoutConfig, StudentConfig
from trigger_ad.config_file import load_config
from trigger_ad.errors import UserError
from trigger_ad.fixed_point import FixedPoint

OWN_FILES = "name: a\nevents:\n  background: b.h5\n  signals: {one: s.h5}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _layout(text: str) -> str:
    return f"events: {{background: b.h5, signals: {{one: s.h5}}, layout: {{{text}}}}}"


def refusal(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        load_config(path)
    assert caught.value.what.startswith(str(path))
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_tool_of_a_vendor_is_named_by_the_path_of_its_program(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "name: a\nsynthesis: {tools: {vivado: /tools/bin/vivado}}"))
    assert config.synthesis.tools == {"vivado": "/tools/bin/vivado"}
    assert load_config(written(tmp_path, config.to_yaml())) == config


@pytest.mark.parametrize(
    ("tools", "complaint"),
    [
        (
            "{vivado: /tools/Vivado/2024.2}",
            "synthesis.tools.vivado: '/tools/Vivado/2024.2' is not a path of the program",
        ),
        ("{quartus: /tools/quartus}", "synthesis.tools.quartus"),
    ],
)
def test_what_is_no_program_of_a_vendor_is_refused(tmp_path: Path, tools: str, complaint: str) -> None:
    assert complaint in refusal(written(tmp_path, f"name: a\nsynthesis: {{tools: {tools}}}")).what


def test_a_name_is_all_that_must_be_said(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "name: small"))
    assert config == Config(name="small")
    assert config.events == "sample"
    assert config.model == DenseAutoencoderConfig(hidden=(32, 16), latent=3)
    assert config.score == "squared_error"
    assert config.quantization.weights <= 8
    assert config.quantization.ship == "qat"
    assert config.firmware.back_ends == ("vitis", "vivado")


def test_the_shipped_configuration_is_the_published_autoencoder() -> None:
    config = load_config(Path(__file__).parents[2] / "configs" / "ffn.yaml")
    assert (config.model, config.events) == (DenseAutoencoderConfig(hidden=(32, 16), latent=3), "sample")


def test_what_is_said_replaces_the_defaults(tmp_path: Path) -> None:
    text = (
        "name: other\nseed: 7\ninputs: {pt: {lsb: 0.5, width: 10, offset: 3, shift: -2}}\n"
        "model: {hidden: [8], latent: 2, batch_normalization: false}\n"
        "quantization: {weights: 6, ship: ptq, qat: {epochs: 3}}\n"
        "firmware: {back_ends: [vivado], clock_ns: 4, reuse_factor: 3, strategy: resource, io_type: io_stream}\n"
    )
    config = load_config(written(tmp_path, text))
    assert (config.inputs.pt.lsb, config.inputs.pt.width, config.inputs.pt.offset) == (0.5, 10, 3)
    assert config.inputs.pt.shift == -2
    assert config.inputs.eta == Config(name="other").inputs.eta
    assert config.model == DenseAutoencoderConfig(hidden=(8,), latent=2, batch_normalization=False)
    assert (config.quantization.weights, config.quantization.ship, config.quantization.qat.epochs) == (6, "ptq", 3)
    assert (config.firmware.back_ends, config.firmware.clock_ns) == (("vivado",), 4.0)


def test_own_files_are_named(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, OWN_FILES))
    assert config.events == EventsConfig(background=("b.h5",), signals={"one": ("s.h5",)})
    assert config.layout == LayoutConfig()


def test_several_files_are_a_list_of_names_and_patterns(tmp_path: Path) -> None:
    text = "name: a\nevents:\n  background: [b.h5, 'more/*.h5']\n  signals: {one: 's_*.h5', two: [s.h5, t.h5]}\n"
    config = load_config(written(tmp_path, text))
    signals = {"one": ("s_*.h5",), "two": ("s.h5", "t.h5")}
    assert config.events == EventsConfig(background=("b.h5", "more/*.h5"), signals=signals)


OWN_LAYOUT = """name: a
events:
  background: b.h5
  signals: {"τ → 3μ": s.h5}
  layout:
    objects: [{name: tau, count: 3, max_abs_eta: 2.5}, {name: met, count: 1}]
    features: [phi, isolation, pt, eta]
inputs:
  pt: {logarithm: 5}
  eta: null
  other: {isolation: {lsb: 0.25, width: 3, signed: true}}
"""


def test_a_layout_of_ones_own_is_described(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, OWN_LAYOUT))
    assert [(item.name, item.count, item.max_abs_eta) for item in config.layout.objects] == [
        ("tau", 3, 2.5),
        ("met", 1, None),
    ]
    assert config.layout.features == ("phi", "isolation", "pt", "eta")
    assert config.inputs.pt == Config(name="a").inputs.pt.model_copy(update={"logarithm": 5})
    assert config.inputs.eta is None
    assert config.inputs.other["isolation"].signed


def test_the_sample_has_the_published_layout() -> None:
    layout = Config(name="a").layout
    assert [(item.name, item.count) for item in layout.objects] == [
        ("met", 1),
        ("electron", 4),
        ("muon", 4),
        ("jet", 10),
    ]
    assert layout.features == ("pt", "eta", "phi", "class")


@pytest.mark.parametrize("text", ["name: a", OWN_FILES, OWN_LAYOUT, "name: a\ntraining: {learning_rate: 1.0e-5}"])
def test_the_resolved_configuration_reads_back_as_itself(tmp_path: Path, text: str) -> None:
    config = load_config(written(tmp_path, text))
    resolved = config.to_yaml()
    assert load_config(written(tmp_path, resolved)) == config
    assert load_config(written(tmp_path, resolved)).to_yaml() == resolved
    # a model of the user's own has no meaning beside one that is trained; tools and rates are said if anywhere
    unsaid = {"own_model", "synthesis", "trigger"}
    assert all(f"\n{key}:" in f"\n{resolved}" for key in Config.model_fields.keys() - unsaid)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("colour: red", "colour"),
        ("inputs: {mass: {lsb: 1.0, width: 8}}", "inputs.mass"),
        ("inputs: {pt: {lsb: 1.0, width: 8, unit: GeV}}", "inputs.pt.unit"),
        ("events: {background: b.h5, signals: {one: s.h5}, data: d.h5}", "events.data"),
        ("model: {layers: 3}", "model.layers"),
        ("training: {optimizer: sgd}", "training.optimizer"),
        ("quantization: {kernel: 8}", "quantization.kernel"),
        ("quantization: {qat: {augmentation: 3}}", "quantization.qat.augmentation"),
        ("firmware: {clock: 5}", "firmware.clock"),
        ("inputs: {eta: {lsb: 1.0, width: 8, logarithm: 3}}", "inputs.eta.logarithm"),
        ("inputs: {other: {class: {lsb: 1.0, width: 8, logarithm: 3}}}", "inputs.other.class.logarithm"),
        ("events: {background: b.h5, signals: {one: s.h5}, layout: {slots: 3}}", "events.layout.slots"),
        (
            "events: {background: b.h5, signals: {one: s.h5}, layout: {objects: [{name: jet, count: 1, eta: 2}]}}",
            "events.layout.objects.0.eta",
        ),
        # the unknown key explains the missing one
        ("events: {backgrund: b.h5, signals: {one: s.h5}}", "events.backgrund"),
    ],
)
def test_an_unknown_key_is_named_with_its_path(tmp_path: Path, text: str, key: str) -> None:
    assert refusal(written(tmp_path, f"name: a\n{text}")).what.endswith(f": unknown key '{key}'")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("seed: '1'", "seed", "'1'"),
        ("seed: 1.5", "seed", "1.5"),
        ("seed: true", "seed", "True"),
        ("seed: -1", "seed", "-1"),
        ("inputs: {pt: {lsb: fine, width: 8}}", "inputs.pt.lsb", "'fine'"),
        ("inputs: {pt: {lsb: 0, width: 8}}", "inputs.pt.lsb", "0"),
        ("inputs: {pt: {lsb: .inf, width: 8}}", "inputs.pt.lsb", "inf"),
        ("inputs: {eta: {lsb: 0.1, width: 1}}", "inputs.eta.width", "1"),
        ("inputs: {phi: {lsb: 0.1, width: 25}}", "inputs.phi.width", "25"),
        ("inputs: {phi: {lsb: 0.1, width: 7, shift: 25}}", "inputs.phi.shift", "25"),
        ("inputs: {phi: {lsb: 0.1, width: 7, offset: 0.5}}", "inputs.phi.offset", "0.5"),
        ("model: {architecture: cnn}", "model.architecture", "'cnn'"),
        ("model: {hidden: 32}", "model.hidden", "32"),
        ("model: {hidden: [32, '16']}", "model.hidden.1", "'16'"),
        ("model: {hidden: [32, true]}", "model.hidden.1", "True"),
        ("model: {hidden: [0]}", "model.hidden.0", "0"),
        ("model: {batch_normalization: 1}", "model.batch_normalization", "1"),
        ("training: {epochs: 0}", "training.epochs", "0"),
        ("training: {learning_rate: .nan}", "training.learning_rate", "nan"),
        ("training: {augmentation: 65}", "training.augmentation", "65"),
        ("quantization: {weights: 25}", "quantization.weights", "25"),
        ("quantization: {biases: 1}", "quantization.biases", "1"),
        ("quantization: {activations: 8.0}", "quantization.activations", "8.0"),
        ("quantization: {ship: float}", "quantization.ship", "'float'"),
        ("firmware: {back_ends: [vitis, quartus]}", "firmware.back_ends.1", "'quartus'"),
        ("firmware: {back_ends: vitis}", "firmware.back_ends", "'vitis'"),
        ("firmware: {part: 9}", "firmware.part", "9"),
        ("firmware: {clock_ns: 0}", "firmware.clock_ns", "0"),
        ("firmware: {reuse_factor: 0}", "firmware.reuse_factor", "0"),
        ("firmware: {strategy: fast}", "firmware.strategy", "'fast'"),
        ("firmware: {io_type: axi}", "firmware.io_type", "'axi'"),
        ("events: {background: 3, signals: {one: s.h5}}", "events.background", "3"),
        ("events: {background: b.h5, signals: {one: 3}}", "events.signals.one", "3"),
        ("events: {background: [b.h5, 3], signals: {one: s.h5}}", "events.background.1", "3"),
        ("events: {background: b.h5, signals: {one: [true]}}", "events.signals.one.0", "True"),
        ("inputs: {pt: {logarithm: 13}}", "inputs.pt.logarithm", "13"),
        ("inputs: {pt: {logarithm: -1}}", "inputs.pt.logarithm", "-1"),
        ("inputs: {pt: {logarithm: true}}", "inputs.pt.logarithm", "True"),
        ("inputs: {other: {class: {lsb: 1.0, width: 8, signed: 1}}}", "inputs.other.class.signed", "1"),
        (_layout("objects: [{name: jet, count: 0}]"), "events.layout.objects.0.count", "0"),
        (_layout("objects: [{name: jet, count: 129}]"), "events.layout.objects.0.count", "129"),
        (_layout("objects: [{name: jet, count: 3, max_abs_eta: 0}]"), "events.layout.objects.0.max_abs_eta", "0"),
        (_layout("objects: jets"), "events.layout.objects", "'jets'"),
        (_layout("features: pt"), "events.layout.features", "'pt'"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_its_key(tmp_path: Path, text: str, key: str, value: str) -> None:
    what = refusal(written(tmp_path, f"name: a\n{text}")).what
    assert f": {key}: " in what
    assert what.endswith(f", not {value}")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("seed: 1", "name"),
        ("name: a\nmodel: {hidden: []}", "model.hidden"),
        ("name: a\nmodel: [32, 16]", "model"),
        ("name: a\nmodel:", "model"),
        ("name: a\ninputs: {pt: }", "inputs.pt"),
        ("name: a\nfirmware: {back_ends: []}", "firmware.back_ends"),
        ("name: a\nfirmware: {back_ends: [vitis, vitis]}", "firmware.back_ends"),
        ("name: a\nevents: {signals: {one: s.h5}}", "events.background"),
        ("name: a\nevents: {background: b.h5}", "events.signals"),
        ("name: a\nevents: {background: b.h5, signals: {}}", "events.signals"),
        # results call the background so
        ("name: a\nevents: {background: b.h5, signals: {background: s.h5}}", "events.signals"),
        ("name: a\nevents: {background: b.h5, signals: {validation_background: s.h5}}", "events.signals"),
    ],
)
def test_what_is_missing_empty_or_of_another_shape_is_named(tmp_path: Path, text: str, key: str) -> None:
    assert f": {key}: " in refusal(written(tmp_path, text)).what


@pytest.mark.parametrize("events", ["background.h5", "3", "[a.h5, b.h5]", ""])
def test_events_are_the_sample_or_a_mapping(tmp_path: Path, events: str) -> None:
    what = refusal(written(tmp_path, f"name: a\nevents: {events}")).what
    assert "is neither 'sample' nor a mapping with 'background' and 'signals'" in what


@pytest.mark.parametrize("name", ["a", "Z9", "ffn-8_bits", "a" * 64])
def test_a_name_is_one_that_a_folder_can_have_anywhere(tmp_path: Path, name: str) -> None:
    assert load_config(written(tmp_path, f"name: {name}")).name == name


@pytest.mark.parametrize("name", ["''", "1a", "-a", "../up", "a/b", "a b", "'a\n\n'", "ä", "a" * 65, "3", "null"])
def test_another_name_is_refused(tmp_path: Path, name: str) -> None:
    assert ": name: " in refusal(written(tmp_path, f"name: {name}")).what


@pytest.mark.parametrize("text", ["name: [", "name: a\n\tseed: 1", "name: 'a", "&a [*b]", "name: a\nseed: 2024-99-99"])
def test_what_is_not_yaml_is_refused(tmp_path: Path, text: str) -> None:
    assert "is not valid YAML" in refusal(written(tmp_path, text)).what


@pytest.mark.parametrize("text", ["", "- name: a", "just text", "3"])
def test_a_file_without_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "holds no mapping of keys" in refusal(written(tmp_path, text)).what


def test_a_key_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert ": 3: " in refusal(written(tmp_path, "name: a\n3: b")).what


@pytest.mark.parametrize("text", ["name: a\nname: b", "name: a\nmodel: {latent: 2, latent: 3}"])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str) -> None:
    assert "twice" in refusal(written(tmp_path, text)).what


@pytest.mark.parametrize("number", ["1e-4", "1E-4", "1.0e-4", "0.0001"])
def test_numbers_are_read_as_everyone_writes_them(tmp_path: Path, number: str) -> None:
    config = load_config(written(tmp_path, f"name: a\ntraining: {{learning_rate: {number}}}"))
    assert config.training.learning_rate == 0.0001


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            _layout("objects: [{name: Jet, count: 3}]"),
            ": events.layout.objects.0.name: 'Jet' is not a lower-case letter followed by",
        ),
        (_layout("features: [pt, 'd 0']"), ": events.layout.features.1: 'd 0' is not a lower-case letter"),
        ("inputs: {other: {D0: {lsb: 1.0, width: 8}}}", ": inputs.other.D0: 'D0' is not a lower-case letter"),
        (
            _layout("objects: [{name: jet, count: 3}, {name: jet, count: 1}]"),
            ": events.layout: objects: 'jet' is named twice",
        ),
        (_layout("features: [pt, eta, pt]"), ": events.layout: features: 'pt' is named twice"),
        (_layout("features: [eta, phi]"), ": events.layout: features: 'pt' is missing"),
        (
            _layout("objects: [{name: jet, count: 3, max_abs_eta: 2.5}], features: [pt, phi]"),
            ": events.layout: objects: 'jet' has a max_abs_eta, but 'eta' is not among the features",
        ),
        (
            _layout("features: [pt, phi], objects: [{name: jet, count: 3}]"),
            ": inputs: 'eta' is not among the features of the events' layout (pt, phi); `eta: null` leaves it out",
        ),
        ("inputs: {other: {d0: {lsb: 1.0, width: 8}}}", ": inputs: 'd0' is not among the features"),
        ("inputs: {other: {eta: {lsb: 1.0, width: 8}}}", ": inputs.other: 'eta' has a key of its own beside 'other'"),
        ("inputs: {pt: {width: 15, logarithm: 3}}", ": inputs.pt: logarithm: a table for 15-bit words is too large"),
        (
            "inputs: {eta: null, phi: null}",
            ": training.augmentation: with neither eta nor phi among the inputs, the copies of an event would all be",
        ),
        ("events: {background: b.h5, signals: {' ': s.h5}}", ": events.signals: ' ' is no name of a signal"),
        (r'events: {background: b.h5, signals: {"a\nb": s.h5}}', r": events.signals: 'a\nb' is no name of a signal"),
    ],
)
def test_inputs_and_layout_must_fit_each_other(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(written(tmp_path, f"name: a\n{text}")).what


def test_without_copies_neither_eta_nor_phi_is_needed(tmp_path: Path) -> None:
    text = "name: a\ninputs: {eta: null, phi: null}\ntraining: {augmentation: 1}"
    config = load_config(written(tmp_path, text))
    assert (config.inputs.eta, config.inputs.phi) == (None, None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.yaml").what.endswith("does not exist")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path).what


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n\x00\xff", b"name: a\x00\x01"])
def test_a_binary_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(content)
    refusal(path)


def test_a_section_of_which_some_keys_are_named_keeps_its_own_defaults_for_the_others() -> None:
    given = {"name": "a", "inputs": {"pt": {"width": 9}}, "quantization": {"qat": {"epochs": 5}}}
    partial, default = Config.model_validate(given), Config(name="a")
    assert partial.inputs.pt == default.inputs.pt.model_copy(update={"width": 9})
    assert partial.inputs.eta == default.inputs.eta
    assert partial.quantization.qat == default.quantization.qat.model_copy(update={"epochs": 5})
    assert partial.quantization.qat.learning_rate < default.training.learning_rate


def test_the_shipped_configuration_is_the_defaults_but_for_its_rate_of_quantization_aware_training() -> None:
    shipped = load_config(Path(__file__).resolve().parents[2] / "configs" / "ffn.yaml")
    # the default is gentler: no quantized network diverges with it
    changed = {"name": "ffn", "quantization": {"qat": {"learning_rate": 1e-3}}}
    assert shipped == Config.model_validate(changed)


CNN = "architecture: convolutional_autoencoder, blocks: [{filters: 4, kernel: [3, 3], pool: [3, 1]}]"


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_every_shipped_configuration_is_called_as_its_file(path: Path) -> None:
    assert load_config(path).name == path.stem


@pytest.mark.parametrize(
    ("model", "score"),
    [
        ("{hidden: [8]}", "squared_error"),
        (f"{{{CNN}}}", "squared_error"),
        ("{variational: {}}", "mu_squared"),
        ("{architecture: student}", "network_output"),
    ],
)
def test_a_model_ships_with_a_score_of_its_own(tmp_path: Path, model: str, score: str) -> None:
    config = load_config(written(tmp_path, f"name: a\nmodel: {model}"))
    assert config.score == score
    # and with all defaults written out it is the same configuration
    assert load_config(written(tmp_path, config.to_yaml())) == config


def test_a_teacher_without_an_architecture_is_a_dense_autoencoder(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "name: a\nmodel: {architecture: student, teacher: {latent: 5}}"))
    assert isinstance(config.model, StudentConfig)
    assert config.model.teacher == DenseAutoencoderConfig(latent=5)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("score: mu_squared", "score: 'mu_squared' has no meaning for this dense_autoencoder"),
        ("score: network_output", "score: 'network_output' has no meaning for this dense_autoencoder"),
        ("model: {architecture: student}\nscore: mahalanobis", "score: 'mahalanobis' has no meaning for this student"),
        (
            "score: squared_error_present\ninputs: {pt: {offset: 3}}",
            "score: 'squared_error_present' tells present objects by a positive pT code",
        ),
        (
            "model: {variational: {}}\nquantization: {qat: {distillation: score}}",
            "quantization.qat.distillation: with the score 'mu_squared' the quantized network has no reconstruction",
        ),
        ("model: {dropout: [0.1]}", "dropout: 1 rates for 2 hidden layers"),
        ("training: {pruning: {begin: 0.5, end: 0.5}}", "begin (0.5) is not before end (0.5)"),
        ("model: {architecture: convolutional_autoencoder}", "model.blocks: Field required"),
        ("model: {architecture: student, latent: 3}", "unknown key 'model.latent'"),
        ("model: {architecture: student, teacher: {architecture: student}}", "model.teacher.architecture: "),
    ],
)
def test_what_has_no_meaning_for_a_model_is_refused(tmp_path: Path, text: str, what: str) -> None:
    assert what in refusal(written(tmp_path, f"name: a\n{text}")).what


def test_a_layer_may_be_built_in_its_own_way(tmp_path: Path) -> None:
    text = "name: a\nfirmware: {reuse_factor: 2, layers: {latent: {strategy: resource, reuse_factor: 4}}}"
    firmware = load_config(written(tmp_path, text)).firmware
    assert (firmware.strategy_of("latent"), firmware.reuse_factor_of("latent")) == ("resource", 4)
    assert (firmware.strategy_of("encoder_1"), firmware.reuse_factor_of("encoder_1")) == ("latency", 2)


def test_accumulators_are_types_by_layer(tmp_path: Path) -> None:
    text = "name: a\nfirmware: {layers: {latent: {accumulator: 'fixed<9, 4,TRN,WRAP>'}, encoder_1: {reuse_factor: 2}}}"
    firmware = load_config(written(tmp_path, text)).firmware
    assert firmware.accumulators == {"latent": FixedPoint(True, 9, 4)}
    assert firmware.layers["latent"].accumulator == "fixed<9,4>"
    assert firmware.reuse_factor_of("latent") == 1


@pytest.mark.parametrize(
    ("accumulator", "said"),
    [
        ("'ap_fixed<9,4>'", "'ap_fixed<9,4>' is not a fixed-point type"),
        ("'fixed<60,20>'", "has 60 bits"),
        ("'fixed<9,4,RND_CONV,SAT>'", "an accumulator truncates and wraps; write fixed<9,4>"),
        ("9", "Input should be a valid string"),
    ],
)
def test_an_accumulator_that_is_no_plain_type_is_refused(tmp_path: Path, accumulator: str, said: str) -> None:
    text = f"name: a\nfirmware: {{layers: {{latent: {{accumulator: {accumulator}}}}}}}"
    with pytest.raises(UserError, match=re.escape("firmware.layers.latent.accumulator: ")) as error:
        load_config(written(tmp_path, text))
    assert said in error.value.what


def test_a_model_of_ones_own_has_no_constant_threshold() -> None:
    own = {"name": "mine", "own_model": {"file": "model.h5"}}
    assert Config.model_validate(own).firmware.accept.threshold == "register"
    with pytest.raises(ValueError, match=r"firmware.accept.threshold: .* set it to register"):
        Config.model_validate(own | {"firmware": {"accept": {"threshold": "constant"}}})


@pytest.mark.parametrize(
    ("flow", "back_ends", "has_rtl"),
    [("hls", ("vitis", "vivado"), False), ("rtl", (), True), ("both", ("vitis", "vivado"), True)],
)
def test_the_flow_says_which_projects_there_are(flow: str, back_ends: tuple[str, ...], has_rtl: bool) -> None:
    firmware = Config.model_validate({"name": "a", "firmware": {"flow": flow}}).firmware
    assert (firmware.hls_back_ends, firmware.has_rtl) == (back_ends, has_rtl)
