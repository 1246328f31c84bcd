"""Presets and exported names."""

import dataclasses
import itertools

import pytest

import inversion
from inversion import QUALITIES, InversionSettings


def test_better_qualities_search_longer() -> None:
    presets = [InversionSettings.preset(quality, seed=5) for quality in QUALITIES]
    steps = [(p.projection.steps, p.tuning.steps) for p in presets]
    assert all(all(a <= b for a, b in zip(x, y, strict=True)) for x, y in itertools.pairwise(steps))
    assert len({sum(each) for each in steps}) == 3
    assert presets[0].tuning.steps == 0, "a draft leaves the generator as it is"
    assert all(p.seed == 5 for p in presets)


def test_settings_are_frozen_and_by_keyword() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        InversionSettings().seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        InversionSettings(inversion.ProjectionSettings())  # type: ignore[call-arg]


def test_settings_are_changed_by_name() -> None:
    found = InversionSettings().changed(
        {"projection.steps": "7", "tuning.locality": "0.5", "perceptual": "pyramid", "label": "3"}
    )
    assert (found.projection.steps, found.tuning.locality) == (7, 0.5)
    assert (found.perceptual, found.label) == ("pyramid", "3")
    assert found.projection.coarse == InversionSettings().projection.coarse
    assert InversionSettings.preset("best").changed({}) == InversionSettings.preset("best")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("projection.step", "7", "there is no setting 'projection.step'"),
        ("projection", "7", "there are .*projection.steps.*tuning.locality"),
        ("tuning.steps.more", "7", "there is no setting"),
        ("tuning.steps", "many", "tuning.steps cannot be 'many'"),
        ("tuning.steps", "-1", ">= 0"),
        ("projection.coarse", "1.5", "<= 1"),
        ("precision", "float8", "precision cannot be 'float8'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        InversionSettings().changed({name: value})


def test_exported_names_exist() -> None:
    assert len(set(inversion.__all__)) == len(inversion.__all__)
    assert all(hasattr(inversion, name) for name in inversion.__all__)
