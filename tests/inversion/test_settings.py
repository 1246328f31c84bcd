"""Presets and exported names."""

import dataclasses

import pytest

import inversion
from inversion import QUALITIES, InversionSettings


def test_better_qualities_search_longer() -> None:
    presets = [InversionSettings.preset(quality, seed=5) for quality in QUALITIES]
    steps = [(p.projection.steps, p.tuning.steps) for p in presets]
    assert steps == sorted(steps)
    assert len({p.projection.steps for p in presets}) == 3
    assert presets[0].tuning.steps == 0, "a draft leaves the generator as it is"
    assert all(p.seed == 5 for p in presets)


def test_settings_are_frozen_and_by_keyword() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        InversionSettings().seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        InversionSettings(inversion.ProjectionSettings())  # type: ignore[call-arg]


def test_exported_names_exist() -> None:
    assert len(set(inversion.__all__)) == len(inversion.__all__)
    assert all(hasattr(inversion, name) for name in inversion.__all__)
