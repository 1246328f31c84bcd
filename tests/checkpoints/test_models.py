"""Registry, cache and everything that `realedit models` does with them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest
import torch
from click.testing import CliRunner, Result

import checkpoints
from checkpoints import (
    CheckpointError,
    DownloadError,
    UnknownModelError,
    UnsupportedModelError,
    cache,
    models,
)
from checkpoints.domains import DOMAINS, guess_domain
from checkpoints.information import inspect
from checkpoints.registry import Entry, Registry, registry
from checkpoints.storage import sha256_of
from checkpoints.testing import random_checkpoint
from realedit.cli.models import models_group

from . import samples, server
from .server import Site, serving

G = random_checkpoint(8, w_dim=8, channel_max=8, seed=4).generator
PICKLE = samples.nvidia_pickle(G)
WS = G.mapping(torch.ones(1, 8))


def entry(url: str, **change: Any) -> Entry:
    values: dict[str, Any] = dict(
        name="tiny",
        kind="generator",
        domain="cat",
        resolution=8,
        alignment="box",
        url=url,
        licence="nc",
        citation="c",
    )
    return Entry(**{**values, **change})


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PICKLE) as found:
        yield found


@pytest.fixture
def known(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A registry with one model of ours, on the local server."""
    use(monkeypatch, entry(site.url))
    return site


def use(monkeypatch: pytest.MonkeyPatch, *entries: Entry) -> None:
    licences = {**registry().licences, "nc": registry().licences["nvidia-ada"]}
    fake = Registry(licences=licences, citations={"c": "nobody"}, models=list(entries))
    for module in (
        "checkpoints.models",
        "checkpoints.checkpoint",
        "checkpoints.convert",
        "checkpoints.information",
    ):
        monkeypatch.setattr(f"{module}.registry", lambda: fake)
    monkeypatch.setattr("checkpoints.registry.registry", lambda: fake)


def pull(**options: Any) -> models.Pulled:
    return models.pull("tiny", **{"accept_licence": lambda entry, licence: True, **options})


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(models_group, list(arguments), **options)


def downloads() -> list[str]:
    """What is left of downloads, locks aside."""
    folder = cache.cache_folder() / "downloads"
    return [p.name for p in folder.iterdir() if p.suffix != ".lock"]


# the registry


def test_every_entry_is_complete() -> None:
    found = registry()
    assert len({e.name for e in found.models}) == len(found.models) >= 20
    for model in found.models:
        assert model.url.startswith("https://")
        assert model.licence in found.licences and model.citation in found.citations
        assert model.domain in DOMAINS or model.kind == "backbone"
        assert model.sha256 is None or len(model.sha256) == 64
        assert model.name not in checkpoints.BUNDLED
    assert {e.name for e in found.models} >= {
        "ffhq-512",
        "lpips-vgg",
        "lpips-alex",
        "lpips-squeeze",
        "lions-512",
    }


@pytest.mark.parametrize(
    ("hints", "domain"),
    [
        (("ffhq.zip", "x"), "face"),
        (("", "stylegan2-afhqcat-512x512"), "cat"),
        (("afhqwild.zip",), "animal"),
        (("", "stylegan2-car-config-f"), "car"),
        (("metfaces-1024",), "art"),
        (("", "carnival_partymix"), "unknown"),
        (("lsunchurch", "ffhq"), "church"),
    ],
)
def test_domains_are_guessed_from_names_of_data(hints: tuple[str, ...], domain: str) -> None:
    assert guess_domain(*hints) == domain


# pulling


def test_a_pulled_model_loads_by_name(known: Site) -> None:
    pulled = pull()
    assert not pulled.already and pulled.first
    found = checkpoints.load("tiny")
    assert torch.allclose(found.generator.synthesis(WS), G.synthesis(WS), atol=1e-5)
    assert (found.name, found.domain, found.alignment) == ("tiny", "cat", "box")
    assert "NVIDIA" in found.licence
    assert found.sha256 == pulled.record.source_sha256
    assert downloads() == []


def test_a_second_pull_fetches_nothing(known: Site) -> None:
    pull()
    asked = len(known.requests)
    assert pull().already
    assert len(known.requests) == asked


def test_a_file_serves_as_well(known: Site, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "downloaded by hand.pkl", PICKLE)
    assert pull(source=str(path)).record.source == str(path)
    assert path.read_bytes() == PICKLE
    assert known.requests == []
    checkpoints.load("tiny")


def test_another_address_serves_as_well(known: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, entry("http://127.0.0.1:1/gone"))
    assert pull(source=known.url).record.source == known.url


def test_the_first_hash_binds_later_downloads(known: Site) -> None:
    record = pull().record
    cache.model_path(record.source_sha256).unlink()
    known.content = samples.nvidia_pickle(random_checkpoint(8, w_dim=8, channel_max=8, seed=5).generator)
    with pytest.raises(DownloadError, match="first downloaded"):
        pull()
    known.content = PICKLE
    again = pull()
    assert not again.first and again.record.source_sha256 == record.source_sha256


def test_published_hashes_and_sizes_bind(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = sha256_of(samples.write(tmp_path / "x", PICKLE))
    use(monkeypatch, entry(site.url, sha256=good, size=len(PICKLE)))
    assert not pull().first
    use(monkeypatch, entry(site.url, name="tiny", sha256="0" * 64))
    cache.model_path(good).unlink()
    with pytest.raises(DownloadError, match="published"):
        pull()
    use(monkeypatch, entry(site.url, sha256_prefix=good[:8]))
    assert pull().record.source_sha256 == good
    with pytest.raises(DownloadError, match="bytes where tiny has 5"):
        use(monkeypatch, entry(site.url, size=5))
        pull(source=str(tmp_path / "x"))
    assert downloads() == []


def test_what_is_no_model_leaves_nothing_behind(known: Site) -> None:
    known.content = samples.saved({"synthesis.L0_36_512.weight": torch.zeros(1)})
    with pytest.raises(UnsupportedModelError, match="StyleGAN3"):
        pull()
    assert cache.read_record("tiny") is None
    assert downloads() == []
    assert list((cache.cache_folder() / "models").iterdir()) == []


def test_a_refused_licence_fetches_nothing(known: Site) -> None:
    with pytest.raises(CheckpointError, match="was not accepted"):
        pull(accept_licence=lambda entry, licence: False)
    assert known.requests == []


def test_a_licence_is_asked_once(known: Site) -> None:
    asked: list[str] = []

    def ask(entry: Entry, licence: object) -> bool:
        asked.append(entry.name)
        return True

    record = pull(accept_licence=ask).record
    cache.model_path(record.source_sha256).unlink()
    pull(accept_licence=ask)
    assert asked == ["tiny"]


def test_two_processes_do_not_fetch_the_same_model_at_once(known: Site) -> None:
    lock = cache.subfolder("downloads") / "tiny.lock"
    with filelock.FileLock(lock), pytest.raises(CheckpointError, match="Another process"):
        pull()
    pull()


def test_unknown_and_absent_models(known: Site) -> None:
    with pytest.raises(UnknownModelError, match="no known model 'dragon'"):
        models.pull("dragon", accept_licence=lambda e, li: True)
    with pytest.raises(CheckpointError, match="models pull tiny"):
        checkpoints.load("tiny")


def test_backbones(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"features.0.weight": torch.randn(4, 3, 3, 3), "classifier.1.weight": torch.randn(5, 4)}
    site.content = samples.saved(weights)
    use(monkeypatch, entry(site.url, kind="backbone", licence="torchvision"))
    assert checkpoints.backbone("tiny") is None
    pull(accept_licence=lambda e, li: False)  # its licence asks for nothing
    found = checkpoints.backbone("tiny")
    assert found is not None and list(found) == ["features.0.weight"]
    assert torch.equal(found["features.0.weight"], weights["features.0.weight"])
    with pytest.raises(UnsupportedModelError, match="backbone"):
        checkpoints.load("tiny")


def test_verify_finds_changed_and_lost_files(known: Site) -> None:
    record = pull().record
    assert [problem for _, problem in models.verify()] == [""]
    path = cache.model_path(record.source_sha256)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "has changed" in models.verify("tiny")[0][1]
    path.unlink()
    assert "is gone" in models.verify("tiny")[0][1]
    with pytest.raises(CheckpointError, match="not on this machine"):
        (cache.cache_folder() / "models" / "tiny.json").unlink()
        models.verify("tiny")


def test_a_damaged_record_is_named(known: Site) -> None:
    pull()
    (cache.cache_folder() / "models" / "tiny.json").write_bytes(b"{")
    with pytest.raises(CheckpointError, match=r"tiny\.json is damaged"):
        checkpoints.load("tiny")


# looking into files


def test_information_on_files_and_names(tmp_path: Path) -> None:
    found = inspect(samples.write(tmp_path / "mine.pkl", samples.nvidia_pickle(G, clamp=256)))
    assert (found.resolution, found.w_dim, found.label_length, found.clamp) == (8, 8, 0, 256)
    assert found.format == "NVIDIA pickle (PyTorch)" and "encoder" in found.missing
    assert found.origin["training_set"] == "ffhq.zip" and found.domain == "face"
    bundled = inspect(checkpoints.DEFAULT)
    assert (bundled.format, bundled.missing, bundled.licence) == ("safetensors", (), "CC-BY-4.0")
    with pytest.raises(UnknownModelError):
        inspect("nothing-of-that-name")


# the command line


def test_list(known: Site) -> None:
    assert "face128" in run("list").output
    rows = json.loads(run("list", "--json").output)
    assert [(row["name"], row["place"]) for row in rows] == [("face128", "bundled"), ("tiny", "known")]
    pull()
    rows = json.loads(run("list", "--json").output)
    assert rows[1]["place"] == "cached" and Path(rows[1]["where"]).is_file()


def test_pull_shows_the_licence_and_the_first_hash(known: Site) -> None:
    refused = run("pull", "tiny")
    assert isinstance(refused.exception, CheckpointError) and "--accept-licence" in str(refused.exception)
    done = run("pull", "tiny", "--accept-licence", "-q")
    assert done.exit_code == 0, done.output
    assert "Non-commercial" in done.stderr and "Nobody has published a hash" in done.stderr
    assert Path(done.stdout.strip()).is_file()
    assert "is here already" in run("pull", "tiny").stderr


def test_info_convert_and_verify(known: Site, tmp_path: Path) -> None:
    path = samples.write(tmp_path / "x.pkl", PICKLE)
    assert "8 x 8 pixels" in run("info", str(path)).output
    assert json.loads(run("info", str(path), "--json").output)["resolution"] == 8
    target = tmp_path / "y.safetensors"
    assert run("convert", str(path), str(target), "--domain", "dog").output.strip() == str(target)
    assert checkpoints.load(target).domain == "dog"
    assert "Nothing is cached" in run("verify").stderr
    record = pull().record
    assert run("verify").output == "tiny: ok\n"
    cache.model_path(record.source_sha256).write_bytes(b"")
    assert isinstance(run("verify", "tiny").exception, CheckpointError)


def test_a_dropped_download_is_resumed_by_the_next_pull(known: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = checkpoints.models.DownloadSettings(attempts=1, timeout=5, pause=0)
    known.faults = [server.cut(1000), server.cut(0)]
    with pytest.raises(DownloadError, match="are kept"):
        pull(settings=quick)
    assert (cache.cache_folder() / "downloads" / "tiny.part").stat().st_size == 1000
    pull(settings=quick)
    assert known.requests[-1]["range"] == "bytes=1000-"
    checkpoints.load("tiny")


def test_importing_reads_nothing_and_makes_nothing(tmp_path: Path) -> None:
    code = "import checkpoints, os; assert not os.path.exists(os.environ['REALEDIT_CACHE'])"
    env = {"REALEDIT_CACHE": str(tmp_path / "c"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=Path(__file__).parents[2])
