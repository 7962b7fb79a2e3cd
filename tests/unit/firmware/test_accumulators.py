"""Accumulator types that the user sets: what is narrower than the bounds is said, what cannot be exact is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.runs import small_network

from trigger_ad.config import FirmwareConfig
from trigger_ad.errors import UserError
from trigger_ad.firmware.accumulators import check_accumulators, narrowed
from trigger_ad.firmware.hls import write_hls_project
from trigger_ad.firmware.hls_layers import layer_precisions
from trigger_ad.fixed_point import FixedPoint

NETWORK = small_network()


def _config(**accumulators: FixedPoint | str) -> FirmwareConfig:
    layers = {name: {"accumulator": str(kind)} for name, kind in accumulators.items()}
    return FirmwareConfig.model_validate({"layers": layers})


def _changed(layer: str, *, left: int = 0, right: int = 0) -> FixedPoint:
    """The exact type of a layer's sums with bits more or, if negative, fewer at its ends."""
    kind = NETWORK.type(layer)
    return replace(kind, width=kind.width + left + right, integer=kind.integer + left)


def test_the_type_that_is_set_is_the_accumulators_and_no_other_type_changes() -> None:
    narrow = _changed("latent", left=-2)
    own, plain = layer_precisions(NETWORK, _config(latent=narrow)), layer_precisions(NETWORK, _config())
    assert own["latent"] == plain["latent"] | {"accum": narrow}
    assert {name: types for name, types in own.items() if name != "latent"} == {
        name: types for name, types in plain.items() if name != "latent"
    }


def test_the_project_has_it(tmp_path: Path) -> None:
    narrow = _changed("latent", left=-2)
    write_hls_project(NETWORK, "small", "vitis", _config(latent=narrow), tmp_path / "project")
    defines = (tmp_path / "project" / "firmware" / "defines.h").read_text()
    assert f"ap_fixed<{narrow.width},{narrow.integer}> latent_accum_t" in defines


@pytest.mark.parametrize(("left", "right"), [(0, 0), (3, 0), (0, 2), (3, 2)])
def test_a_type_that_holds_every_sum_is_not_worth_a_word(left: int, right: int) -> None:
    config = _config(encoder_1=_changed("encoder_1", left=left, right=right))
    check_accumulators(NETWORK, config)
    assert narrowed(NETWORK, config) == []


def test_a_type_that_is_narrower_than_the_bounds_is_named() -> None:
    narrow = _changed("encoder_1", left=-1, right=1)
    config = _config(encoder_1=narrow, latent=_changed("latent"))
    check_accumulators(NETWORK, config)
    (line,) = narrowed(NETWORK, config)
    assert line.startswith(
        f"layer 'encoder_1': its accumulator {narrow} is narrower than the bounds of its sums need "
        f"({NETWORK.type('encoder_1')})"
    )


def test_a_type_without_a_sign_does_not_hold_negative_sums() -> None:
    (line,) = narrowed(NETWORK, _config(encoder_1=replace(_changed("encoder_1", left=8), signed=False)))
    assert line.startswith("layer 'encoder_1'")


def test_too_few_fraction_bits_are_refused_with_how_many_it_takes(tmp_path: Path) -> None:
    exact, coarse = NETWORK.type("latent"), _changed("latent", right=-1)
    wanted = rf"firmware\.layers\.latent\.accumulator: {coarse} has {coarse.fraction} fraction bits, and the sums of "
    with pytest.raises(UserError, match=rf"{wanted}layer 'latent' have {exact.fraction}") as error:
        check_accumulators(NETWORK, _config(latent=coarse))
    assert str(exact) in error.value.remedy
    # the same before a project is written
    with pytest.raises(UserError, match=wanted):
        write_hls_project(NETWORK, "small", "vitis", _config(latent=coarse), tmp_path / "project")
    assert not (tmp_path / "project").exists()


def test_a_type_that_holds_no_bit_that_its_quantizer_reads_is_refused() -> None:
    fraction = NETWORK.type("latent").fraction
    # the quantizer has four fraction bits: it reads two bits from 2**-3 downwards
    with pytest.raises(
        UserError, match="has -3 integer bits, fewer than the quantizer of layer 'latent' reads"
    ) as error:
        check_accumulators(NETWORK, _config(latent=FixedPoint(True, fraction - 3, -3)))
    assert f"fixed<{fraction - 2},-2>" in error.value.remedy
    check_accumulators(NETWORK, _config(latent=FixedPoint(True, fraction - 2, -2)))
    # what is not rounded may have any
    check_accumulators(NETWORK, _config(encoder_1=FixedPoint(True, 2, 2 - NETWORK.type("encoder_1").fraction)))
