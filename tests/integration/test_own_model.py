"""A user's own QKeras model: from its file to firmware that equals it, word for word."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.own_models import saved_model

from trigger_ad.cli import run
from trigger_ad.config_file import load_config

HERE = Path("hls_projects/mine")


def test_a_model_of_plain_inputs_is_converted_and_emulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    model = saved_model(Path("my_model.h5"))
    assert run(["convert", "my_model.h5", "--out", str(HERE), "--input-type", "fixed<10,4>"]) == 0
    assert "inputs: 6 codes, as hls_projects/mine/config.yaml says" in capsys.readouterr().out
    assert (HERE / "model.h5").read_bytes() == model.read_bytes()

    # the run directory stands for itself from here on, and its settings can be changed
    model.unlink()
    config = HERE / "config.yaml"
    config.write_text(config.read_text().replace("  - vivado\n", ""))
    assert load_config(config).firmware.back_ends == ("vitis",)
    assert run(["emulate", str(HERE), "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["emulators"]["keras_float64"]["mismatches"] == 0
    assert results["emulators"]["hls_vitis"]["mismatches"] == 0
    assert results["emulators"]["hls_vitis"]["events"] == results["vectors"]["corner"] > 3000
    assert results["vectors"]["events"] == 0
    assert "hidden_1_activation" in {layer["layer"] for layer in results["layers"]}

    # values are rounded and saturated: 8.0 is beyond what fixed<10,4> holds
    values = np.random.default_rng(1).normal(0, 3, (20, 6)).clip(-7, 7)
    values[3, 2] = 8.0
    np.save("values.npy", values)
    assert run(["emulate", str(HERE), "--inputs", "values.npy", "--json"]) == 0
    given = json.loads(capsys.readouterr().out)
    assert given["given"] == {"file": "values.npy", "vectors": 20, "of": 20, "saturated": 1}
    assert given["vectors"] == {"corner": results["vectors"]["corner"], "events": 20}
    assert given["emulators"]["hls_vitis"]["mismatches"] == 0
    assert json.loads((HERE / "results" / "emulation.json").read_text()) == results
