"""Ways learned from people before and after."""

import json

import numpy as np
import torch
from train.motions import with_motion
from train.moving.ways import Pairs, face_weight, pairs_of, smile, trimmed_mean

from checkpoints.storage import StoredModel
from checkpoints.testing import random_checkpoint
from tests.scripts.train.samples import faces, landmarks


def test_the_mean_leaves_out_what_is_unlike_the_others() -> None:
    rng = torch.Generator().manual_seed(0)
    way = torch.randn(4, 8, generator=rng)
    differences = way + 0.1 * torch.randn(20, 4, 8, generator=rng)
    differences[:3] += 50
    assert float((trimmed_mean(differences) - way).abs().max()) < 0.2


def test_the_way_leads_from_pictures_before_to_pictures_after() -> None:
    checkpoint = random_checkpoint(32, channel_base=512, seed=1)
    generator = checkpoint.generator
    z = torch.randn(6, generator.z_dim, generator=torch.Generator().manual_seed(2))
    still = generator.mapping(z)
    true = torch.zeros_like(still[0])
    true[:4] = 0.5 * torch.randn(4, still.shape[2], generator=torch.Generator().manual_seed(3))
    noise = 0.5 * torch.randn(still.shape, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        before, after = generator.synthesis(still), generator.synthesis(still + true)
    valid = torch.ones(6, 1, 32, 32)
    marks = torch.from_numpy(landmarks() * 32)[None].repeat(6, 1, 1)
    pairs = Pairs(still, still + true + noise, before, after, valid, marks)
    start = trimmed_mean(pairs.smiling - still)[:4]
    found = smile(checkpoint, pairs, layers=4, steps=60)
    assert found.shape == (4, still.shape[2])
    where = torch.stack([face_weight(each, 32) for each in marks])

    def apart(way: torch.Tensor) -> float:
        moved = still.clone()
        moved[:, :4] += way
        with torch.no_grad():
            return float(((generator.synthesis(moved) - after).abs() * where).mean())

    assert apart(found) < 0.8 * apart(start), "nearer than the mean of noisy codes"


def test_pairs_are_the_photos_of_one_person_at_rest_and_smiling() -> None:
    given = faces(5)
    given.photos[:] = ["001_03", "001_08-smiling", "002_03", "x", "003_08-smiling"]
    assert pairs_of(given) == [(0, 1)]


def test_the_face_counts_and_what_is_around_it_does_not() -> None:
    weight = face_weight(landmarks() * 64, 64)[0]
    assert float(weight[40, 32]) == 1 and float(weight[2, 2]) == 0
    assert 0 < float(weight.mean()) < 0.6


def test_a_motion_is_added_and_what_was_there_stays() -> None:
    old = torch.randn(2, 5, 8).half()
    codes = {"mean": torch.zeros(8), "motions": old, "motion_ranges": torch.tensor([[0.0, 1], [-1, 1]])}
    stored = StoredModel("file", {}, {}, codes, {}, {"motions": json.dumps(["a", "b"])})
    way = torch.randn(5, 8)
    once = with_motion(stored, "smile", way, (-1.0, 1.5), "3 pairs")
    twice = with_motion(once, "smile", 2 * way, (-1.0, 1.5), "3 pairs")
    assert json.loads(twice.metadata["motions"]) == ["a", "b", "smile"]
    assert torch.equal(twice.codes["motions"][:2], old)
    assert torch.equal(twice.codes["motions"][2], (2 * way).half())
    assert np.allclose(twice.codes["motion_ranges"], [[0, 1], [-1, 1], [-1, 1.5]])
    assert json.loads(twice.metadata["motions_learned"])["smile"]["data"] == "3 pairs"
