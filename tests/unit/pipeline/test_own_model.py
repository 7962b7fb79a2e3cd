"""A model file becomes a run directory, or is refused in one line before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.own_models import saved_model
from support.runs import tree_digest

from trigger_ad.cli import run as command
from trigger_ad.config import Config
from trigger_ad.errors import UserError
from trigger_ad.models.keras import save_model, tf_keras
from trigger_ad.network.evaluation import outputs
from trigger_ad.network.graph import Network
from trigger_ad.pipeline.own_model import IMPORT, open_own_model
from trigger_ad.pipeline.target import bring_up_to_date, open_run
from trigger_ad.run_directory import read_json

OUT = Path("hls_projects/mine")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_model_is_copied_and_frozen() -> None:
    run = open_own_model(saved_model(Path("any.h5")), OUT, "ufixed<6,2>")
    assert not OUT.exists()
    assert IMPORT.bring_up_to_date(run)
    network = Network.from_json(read_json(OUT / "network.json"))
    assert str(network.input.type) == "ufixed<6,2>"
    assert [node.name for node in network.nodes][1:3] == ["hidden_1", "hidden_1_activation"]
    assert outputs(network, np.zeros((1, 6), dtype=np.int64)).shape == (1, 3)
    # opened from its folder it needs the file no more, and nothing is out of date
    Path("any.h5").unlink()
    again = open_run(OUT)
    assert again.config == run.config
    assert not IMPORT.bring_up_to_date(again)


def test_another_model_takes_the_place_of_the_first_and_the_settings_stay() -> None:
    IMPORT.bring_up_to_date(open_own_model(saved_model(Path("one.h5")), OUT, "fixed<8,2>"))
    before = json.loads((OUT / "network.json").read_text())
    config = OUT / "config.yaml"
    config.write_text(config.read_text().replace("clock_ns: 5.0", "clock_ns: 4.0"))
    run = open_own_model(saved_model(Path("two.h5"), inputs=7, seed=2), OUT, None)
    assert run.config.firmware.clock_ns == 4.0
    assert run.config.own_model is not None
    assert run.config.own_model.codes is not None
    assert (run.config.own_model.codes.type, run.config.own_model.codes.count) == ("fixed<8,2>", 7)
    assert IMPORT.bring_up_to_date(run)
    assert json.loads((OUT / "network.json").read_text()) != before
    assert (OUT / "model.h5").read_bytes() == Path("two.h5").read_bytes()


def test_a_model_of_trigger_objects_has_the_encoding_of_a_configuration() -> None:
    run = open_own_model(saved_model(Path("objects.keras"), inputs=57), OUT, None)
    assert run.encoding.names == ("pt", "eta", "phi")
    assert run.config.own_model is not None
    assert run.config.own_model.file == "model.keras"
    assert len(run.event_files()) == 5


def test_a_run_of_plain_inputs_has_no_events() -> None:
    run = open_own_model(saved_model(Path("any.h5")), OUT, "fixed<8,2>")
    assert run.event_files() == []
    assert run.dataset.test_events() == {}


@pytest.mark.parametrize("stage", ["train", "quantize", "report"])
def test_stages_that_train_or_judge_are_refused(stage: str) -> None:
    run = open_own_model(saved_model(Path("any.h5")), OUT, "fixed<8,2>")
    with pytest.raises(UserError, match=f"a model of your own, which has no stage '{stage}'"):
        bring_up_to_date(run, stage)


def test_a_copy_that_is_gone_is_said() -> None:
    run = open_own_model(saved_model(Path("any.h5")), OUT, "fixed<8,2>")
    IMPORT.bring_up_to_date(run)
    (OUT / "model.h5").unlink()
    with pytest.raises(UserError, match=r"model.h5 is missing. Run 'convert' of your model with --out hls_projects"):
        IMPORT.bring_up_to_date(open_run(OUT))


def _ordinary(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(Config(name="ordinary").to_yaml())


def test_a_network_that_cannot_become_rtl_is_written_as_hls_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("trigger_ad.firmware.rtl.MOST_PRODUCTS_AS_RTL", 20)
    run = open_own_model(saved_model(Path("large.h5")), OUT, "fixed<8,2>")
    assert run.config.firmware.flow == "hls"
    assert "firmware.flow: hls, as this network cannot become RTL: 5" in caplog.text
    assert "products with weights are more than the 20" in caplog.text
    # where the user asks for RTL alone, nothing else is written in its place
    IMPORT.bring_up_to_date(run)
    config = OUT / "config.yaml"
    config.write_text(config.read_text().replace("flow: hls", "flow: rtl"))
    with pytest.raises(UserError, match=r"firmware\.flow: the network cannot become RTL"):
        IMPORT.bring_up_to_date(open_own_model(Path("large.h5"), OUT, None))


BAD: dict[str, tuple[list[str], str]] = {
    "no folder": (["convert", "my.h5"], "my.h5 is a model file, and --out is missing"),
    "no model": (["convert", "none.h5", "--out", "new"], "none.h5 does not exist"),
    "no Keras file": (["convert", "text.h5", "--out", "new"], "text.h5 is not a readable QKeras model"),
    "a layer that does not convert": (
        ["convert", "normal.h5", "--out", "new", "--input-type", "fixed<8,2>"],
        "layer 'normal' is a BatchNormalization, which does not convert",
    ),
    "no type": (["convert", "my.h5", "--out", "new"], "my.h5 takes inputs of shape (6,), and the trigger objects"),
    "an unknown type": (
        ["convert", "my.h5", "--out", "new", "--input-type", "int8"],
        "--input-type: 'int8' is not a fixed-point type",
    ),
    "a wide type": (
        ["convert", "my.h5", "--out", "new", "--input-type", "fixed<40,8>"],
        "--input-type: inputs of 40 bits are too wide",
    ),
    "an ordinary run": (
        ["convert", "my.h5", "--out", "ordinary", "--input-type", "fixed<8,2>"],
        "--out: ordinary is the run of a configuration",
    ),
    "a folder of other things": (
        ["convert", "my.h5", "--out", "other", "--input-type", "fixed<8,2>"],
        "--out: other exists and is no run directory",
    ),
    "a name that C++ has not": (
        ["convert", "my.h5", "--out", "2nd model", "--input-type", "fixed<8,2>"],
        "--out: the folder's name, '2nd model'",
    ),
    "a folder for a configuration": (["convert", "ordinary", "--out", "new"], "--out is for a model file"),
    "a model where a run is wanted": (["emulate", "my.h5"], "If it is a QKeras model: trigger-ad convert my.h5 --out"),
    "a configuration with a model": (["convert", "own.yaml"], "own_model is what 'convert MODEL --out DIR' writes"),
    "a model that is trained as well": (["check", "both.yaml"], "training: a model of one's own is not trained"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_one_line_and_nothing_is_written(
    bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, said = BAD[bad]
    saved_model(Path("my.h5"))
    layers = [tf_keras.Input((6,), name="features"), tf_keras.layers.BatchNormalization(name="normal")]
    save_model(tf_keras.Sequential(layers), Path("normal.h5"))
    Path("text.h5").write_text("no model\n")
    Path("other").mkdir()
    Path("other/notes.txt").write_text("mine\n")
    Path("own.yaml").write_text("name: own\nown_model: {file: model.h5}\n")
    Path("both.yaml").write_text("name: both\nown_model: {file: model.h5}\ntraining: {seed: 1}\n")
    _ordinary(Path("ordinary"))
    before = tree_digest(tmp_path)
    assert command(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert tree_digest(tmp_path) == before


def _edited(old: str, new: str) -> None:
    config = OUT / "config.yaml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def test_a_type_for_a_layer_that_there_is_not_is_one_clear_error() -> None:
    IMPORT.bring_up_to_date(open_own_model(saved_model(Path("any.h5")), OUT, "fixed<8,2>"))
    _edited("  layers: {}", "  layers: {hiden_1: {accumulator: 'fixed<12,4>'}}")
    with pytest.raises(UserError, match=r"firmware\.layers: 'hiden_1' is no layer with multipliers"):
        bring_up_to_date(open_run(OUT), "import")


def test_inputs_that_are_not_the_model_s_are_one_clear_error() -> None:
    IMPORT.bring_up_to_date(open_own_model(saved_model(Path("any.h5")), OUT, "fixed<8,2>"))
    _edited("count: 6", "count: 5")
    with pytest.raises(UserError, match=r"config\.yaml: the encoding makes 5 inputs"):
        bring_up_to_date(open_run(OUT), "import")


def test_a_model_without_a_shape_of_its_inputs_is_refused() -> None:
    with pytest.warns(UserWarning, match="not yet been built"):
        tf_keras.Sequential([tf_keras.layers.Dense(2)]).save("any.keras")
    with pytest.raises(UserError, match=r"any\.keras holds a model whose inputs have no shape"):
        open_own_model(Path("any.keras"), OUT, "fixed<8,2>")
    assert not OUT.exists()
