"""Whose a failure is: what is wrong with one photo's name or place is that photo's, what is wrong with its
content is every copy's."""

import os
from pathlib import Path

import pytest

from realedit.batch import outputs as outputs_module
from realedit.batch.job import Scope, State
from realedit.batch.ledger import Ledger
from realedit.batch.settings import EngineSettings
from tests.realedit.batch.fake import Bench, photo
from tests.realedit.batch.fakework import FakeWork

NAMES = ("a.jpg", "b.jpg", "c.jpg")
FORCE = EngineSettings(existing="force")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _alike(bench: Bench, text: str, names: tuple[str, ...] = NAMES) -> None:
    for name in names:
        photo(bench.photos / name, text)


def _scopes(bench: Bench) -> dict[str, Scope | None]:
    ledger = Ledger(bench.output)
    found = {job.source.name: job.scope for job in ledger.jobs()}
    ledger.close()
    return found


def _reasons(bench: Bench) -> dict[str, str]:
    return {each.photo.name: each.text for each in bench.happenings if each.kind == "failed" and each.photo}


@pytest.mark.parametrize("taken", NAMES)
def test_a_foreign_file_in_one_place_fails_that_photo_alone(bench: Bench, taken: str) -> None:
    _alike(bench, "photo same")
    (bench.output / taken).write_bytes(b"mine")
    counts = bench.run()
    assert (counts.done, counts.copied, counts.failed) == (1, 1, 1)
    assert _reasons(bench).keys() == {taken} and str(bench.output / taken) in _reasons(bench)[taken]
    assert (bench.output / taken).read_bytes() == b"mine" and bench.left_behind() == 0
    assert _scopes(bench)[taken] is Scope.PHOTO


@pytest.mark.parametrize("mode", ["existing", "link out", "link into IN", "loop", "file", "dangling"])
@pytest.mark.parametrize("settings", [EngineSettings(), FORCE], ids=["ledger", "force"])
def test_nothing_is_written_outside_of_the_output_folder(
    bench: Bench, mode: str, settings: EngineSettings
) -> None:
    _alike(bench, "photo same", ("a.jpg", "sub/b.jpg", "z.jpg"))
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.jpg").write_bytes(b"mine")
    place = bench.output / "sub"
    if mode == "existing":
        place.mkdir()
    elif mode == "file":
        place.write_bytes(b"mine")
    else:
        targets = {"link out": elsewhere, "link into IN": bench.photos / "sub", "loop": place}
        place.symlink_to(targets.get(mode, bench.folder / "nowhere"))
    before = {path: path.read_bytes() for path in bench.photos.rglob("*.jpg")}
    bench.settings = settings
    counts = bench.run()
    assert counts.failed == (mode != "existing") and counts.done + counts.copied == 3 - counts.failed
    assert {path: path.read_bytes() for path in bench.photos.rglob("*.jpg")} == before
    assert [path.read_bytes() for path in elsewhere.iterdir()] == [b"mine"]
    assert not (bench.folder / "nowhere").exists() and bench.left_behind() == 0
    assert all(str(bench.output / "sub" / "b.jpg") in text for text in _reasons(bench).values())


def test_links_in_the_input_folder_lead_nowhere_else(bench: Bench) -> None:
    photo(bench.folder / "elsewhere" / "a.jpg")
    (bench.photos / "linked").symlink_to(bench.folder / "elsewhere")
    (bench.photos / "round").symlink_to(bench.photos)
    (bench.photos / "loop.jpg").symlink_to("loop.jpg")
    photo(bench.photos / "b.jpg")
    assert bench.run().done == 1 and set(bench.outputs()) == {"b.jpg"}


def test_long_names_are_edited_as_their_copies_are(bench: Bench) -> None:
    long = "n" * 251 + ".jpg"
    _alike(bench, "photo same", (long, "a.jpg", "z.jpg"))
    counts = bench.run()
    assert (counts.done, counts.copied) == (1, 2) and set(bench.outputs()) == {long, "a.jpg", "z.jpg"}
    photo(bench.photos / long, "photo other")
    assert bench.run().done == 1
    (other,) = set(bench.outputs()) - {long, "a.jpg", "z.jpg"}
    assert other.endswith("-2.jpg") and len(other) <= 255


def test_a_path_that_is_too_long_fails_its_photo_alone(bench: Bench) -> None:
    class Company(FakeWork):
        def beside(self, output: Path) -> tuple[Path, ...]:
            return (output.with_name(f"{output.name}{'x' * (255 if output.name == 'b.jpg' else 5)}"),)

    bench.work = Company(log=bench.log, inline=True)
    _alike(bench, "photo same")
    counts = bench.run()
    assert (counts.done, counts.copied, counts.failed) == (1, 1, 1) and bench.left_behind() == 0
    assert _reasons(bench).keys() == {"b.jpg"}


@pytest.mark.parametrize(("text", "state"), [("noface it", "failed"), ("memory it", "quarantined")])
def test_what_is_wrong_with_a_content_holds_for_every_copy(bench: Bench, text: str, state: str) -> None:
    _alike(bench, text)
    bench.run()
    assert bench.kinds().count(state) == 3
    assert state == "quarantined" or bench.kinds().count("started") == 1
    assert set(_scopes(bench).values()) == {Scope.CONTENT}
    for name, reason in _reasons(bench).items():
        assert str(bench.photos / name) in reason
        assert all(other == name or str(bench.photos / other) not in reason for other in NAMES)
    photo(bench.photos / "later.jpg", text)
    bench.run()
    assert "started" not in bench.kinds(), "the ledger knows"


def test_trying_one_copy_again_is_trying_the_content_again(bench: Bench) -> None:
    _alike(bench, "noface it")
    bench.run()
    ledger = Ledger(bench.output)
    job = ledger.of(bench.photos.resolve() / "b.jpg")
    assert job is not None
    ledger.retry(job)
    assert ledger.verdict(job) is None
    ledger.close()
    bench.run()
    assert bench.kinds().count("started") == 1
    bench.settings = FORCE
    bench.run()
    assert bench.kinds().count("started") >= 1


def test_an_output_that_cannot_be_renamed_fails_its_photo_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        photo(bench.photos / name)
    real = outputs_module.Outputs.publish

    def publish(self, job, staged, sha256):  # type: ignore[no-untyped-def]
        if job.source.name == "b.jpg":
            (bench.output / "b.jpg").mkdir(exist_ok=True)
        return real(self, job, staged, sha256)

    monkeypatch.setattr(outputs_module.Outputs, "publish", publish)
    counts = bench.run()
    assert (counts.done, counts.failed) == (2, 1) and bench.left_behind() == 0
    assert _scopes(bench)["b.jpg"] is Scope.PHOTO


def test_what_an_earlier_run_has_left_is_removed_wherever_it_lies(bench: Bench) -> None:
    (bench.output / "sub" / ".realedit-7-0123").mkdir(parents=True)
    (bench.output / "sub" / ".realedit-7-0123" / "a.jpg").write_bytes(b"half")
    photo(bench.photos / "a.jpg")
    assert bench.run().done == 1 and bench.left_behind() == 0


def test_a_message_that_is_no_photo_s_is_said_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    from realedit.batch.queue import Flight
    from realedit.batch.work import Said

    photo(bench.photos / "a.jpg")
    engine = bench.engine()
    engine.intake.look()
    engine.reception.take(bench.work, 1)
    (job,) = engine.ledger.jobs(State.PENDING)
    engine.queue.flying[job.id] = Flight(job, bench.output / "a.jpg")
    for once in (True, True, False):
        engine.results(Said(job.id, 30, "the cache cannot be used", once))
    said = [record.getMessage() for record in caplog.records if "cache" in record.getMessage()]
    assert said == ["the cache cannot be used", f"{job.source}: the cache cannot be used"]
    engine.ledger.close()


@pytest.mark.skipif(os.name != "posix", reason="bytes of names are POSIX's")
def test_a_photo_the_ledger_cannot_take_is_refused_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        photo(bench.photos / name)
    real = Ledger.of

    def of(self: Ledger, source: Path):  # type: ignore[no-untyped-def]
        if source.name == "b.jpg":
            raise OSError(36, "File name too long")
        return real(self, source)

    monkeypatch.setattr(Ledger, "of", of)
    counts = bench.run()
    assert (counts.done, counts.failed) == (2, 1)
