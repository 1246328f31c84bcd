"""The engine on fast work in this process: what is done once, what is tried again, what is given up."""

import dataclasses
import json
import os
import time
from pathlib import Path

import pytest

from realedit.batch import outputs as outputs_module
from realedit.batch.job import State
from realedit.batch.ledger import Ledger
from realedit.batch.settings import Done, EngineSettings
from tests.realedit.batch.disks import forbidding
from tests.realedit.batch.fake import Bench, eventually, photo
from tests.realedit.batch.fakework import FakeWork

WATCH = EngineSettings(once=False, poll=0.02, rescan=0.02, patience=0.3, remake=False)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_tree_is_mirrored_and_originals_stay(bench: Bench) -> None:
    names = ["a.jpg", "b/c.PNG", "b/ü 山/d.heic", "b/e.tif"]
    contents = {name: photo(bench.photos / name).read_bytes() for name in names}
    counts = bench.run()
    assert counts.done == 4 and counts.failed == 0
    assert bench.outputs() == {name: bench.work.expected(content) for name, content in contents.items()}
    assert {name: (bench.photos / name).read_bytes() for name in names} == contents


def test_a_second_run_finds_everything_done(bench: Bench) -> None:
    for number in range(20):
        photo(bench.photos / f"{number}.jpg")
    assert bench.run().done == 20
    counts = bench.run()
    assert (counts.done, counts.skipped) == (0, 20)
    os.utime(bench.photos / "3.jpg")  # touched, and the same
    assert bench.run().skipped == 20
    assert len(bench.computed) == 20


def test_the_same_content_is_computed_once_and_copied(bench: Bench) -> None:
    for name in ("a.jpg", "b.jpg", "c/d.jpg"):
        photo(bench.photos / name, "photo same")
    counts = bench.run()
    assert (counts.done, counts.copied, len(bench.computed)) == (1, 2, 1)
    assert set(bench.outputs()) == {"a.jpg", "b.jpg", "c/d.jpg"}
    assert len(set(bench.outputs().values())) == 1


def test_a_copy_of_a_touched_output_is_computed_instead(bench: Bench) -> None:
    photo(bench.photos / "a.jpg", "photo same")
    bench.run()
    (bench.output / "a.jpg").write_bytes(b"the user painted over it")
    photo(bench.photos / "b.jpg", "photo same")
    counts = bench.run()
    assert (counts.done, counts.copied) == (1, 0)
    assert bench.outputs() == {
        "a.jpg": b"the user painted over it",
        "b.jpg": bench.work.expected(b"photo same END"),
    }


def test_two_inputs_of_one_output_name_get_two_names_and_a_note(bench: Bench) -> None:
    photo(bench.photos / "a.nef", "photo raw")
    photo(bench.photos / "a.jpg", "photo jpeg")
    photo(bench.photos / "A.jpg", "photo shouted")
    bench.run()
    assert len(bench.outputs()) == 3 and len(set(bench.outputs().values())) == 3
    notes = [each.text for each in bench.happenings if each.kind == "note"]
    assert len(notes) == 2 and all("is another photo's output" in note for note in notes)
    assert bench.run().skipped == 3


def test_another_photo_under_an_old_name_replaces_no_result(bench: Bench) -> None:
    photo(bench.photos / "IMG_1.jpg", "photo first")
    bench.run()
    photo(bench.photos / "IMG_1.jpg", "photo second")
    assert bench.run().done == 1
    assert sorted(bench.outputs().values()) == [b"edited photo first END", b"edited photo second END"]
    photo(bench.photos / "IMG_1.jpg", "photo first")  # the first comes back: done already
    assert bench.run().done == 0
    assert len(bench.outputs()) == 2


def test_other_work_is_another_key_and_replaces_the_output(bench: Bench) -> None:
    photo(bench.photos / "a.jpg")
    bench.run()
    bench.work = FakeWork("frowning", log=bench.log, inline=True)
    assert bench.run().done == 1
    assert bench.outputs() == {"a.jpg": b"frowning photo a.jpg END"}


def test_force_computes_again_and_skip_existing_leaves_what_is_there(bench: Bench) -> None:
    photo(bench.photos / "a.jpg")
    photo(bench.photos / "b.jpg")
    (bench.output / "b.jpg").write_bytes(b"somebody else's")
    counts = bench.run()
    assert (counts.done, counts.failed) == (1, 1)
    assert "no longer, what realedit made" in next(
        each.text for each in bench.happenings if each.kind == "failed"
    )
    bench.settings = EngineSettings(existing="skip")
    assert bench.run().skipped == 2
    assert bench.outputs()["b.jpg"] == b"somebody else's"
    bench.settings = EngineSettings(existing="force")
    assert bench.run().done == 2
    assert bench.outputs()["b.jpg"] == b"edited photo b.jpg END"
    assert len(bench.computed) == 3


def test_a_missing_output_is_made_again_by_a_batch(bench: Bench) -> None:
    photo(bench.photos / "a.jpg")
    bench.run()
    (bench.output / "a.jpg").unlink()
    assert bench.run().done == 1
    (bench.output / "a.jpg").unlink()
    bench.settings = dataclasses.replace(bench.settings, remake=False)
    assert bench.run().skipped == 1


@pytest.mark.parametrize("word", ["crash", "hang", "memory", "bug"])
def test_poison_is_tried_n_times_then_quarantined_and_the_others_come_out(bench: Bench, word: str) -> None:
    poison = photo(bench.photos / "sub" / "07.jpg", f"{word} it")
    for number in range(10, 19):
        photo(bench.photos / f"{number}.jpg")
    counts = bench.run()
    assert (counts.done, counts.quarantined) == (9, 1)
    assert bench.kinds().count("retry") == 2
    found = bench.quarantined()
    assert found["sub/07.jpg"] == poison.read_bytes()
    reason = json.loads(found["sub/07.jpg.reason.json"])
    assert reason["attempts"] == 3 and reason["photo"] == str(poison.resolve()) and reason["reason"]
    counts = bench.run()  # the verdict stands
    assert (counts.skipped, counts.quarantined) == (9, 1) and bench.kinds().count("retry") == 0


def test_a_crash_by_chance_is_tried_again(bench: Bench) -> None:
    photo(bench.photos / "a.jpg", "once")
    assert bench.run().done == 1
    assert bench.kinds().count("retry") == 1


def test_names_of_any_bytes_and_of_any_length_come_out(bench: Bench) -> None:
    odd = [os.fsdecode(b"caf\xe9.jpg"), "new\nline.jpg", "-rf.jpg", "%s.jpg", "n" * 250 + ".jpg"]
    for name in odd:
        photo(bench.photos / name)
    bad = os.fsdecode(b"\xff.jpg")
    (bench.photos / bad).write_bytes(b"cut")
    long = "b" * 251 + ".jpg"
    (bench.photos / long).write_bytes(b"cut too")
    counts = bench.run()
    assert (counts.done, counts.quarantined) == (5, 2)
    assert set(bench.outputs()) == set(odd) and {bad, long} <= set(bench.quarantined())


def test_what_cannot_be_decoded_is_quarantined_by_a_batch(bench: Bench) -> None:
    (bench.photos / "cut.jpg").write_bytes(b"photo cut")
    (bench.photos / "empty.jpg").write_bytes(b"")
    counts = bench.run()
    assert counts.quarantined == 2
    assert bench.quarantined()["cut.jpg"] == b"photo cut"


def test_an_expected_error_fails_at_once_and_once_for_all_of_its_content(bench: Bench) -> None:
    photo(bench.photos / "a.jpg", "noface")
    photo(bench.photos / "b.jpg", "noface")
    counts = bench.run()
    assert (counts.failed, counts.quarantined, bench.kinds().count("started")) == (2, 0, 1)
    assert bench.outputs() == {}


@pytest.mark.parametrize("mode", ["move", "delete"])
def test_originals_are_put_away_after_their_outputs(bench: Bench, mode: str) -> None:
    away = bench.folder / "away"
    bench.settings = EngineSettings(done=Done(mode=mode, folder=away))  # type: ignore[arg-type]
    photo(bench.photos / "s/a.jpg", "photo one")
    photo(bench.photos / "b.jpg", "photo one")
    bad = photo(bench.photos / "c.jpg", "noface")
    bench.run()
    assert [path for path in bench.photos.rglob("*") if path.is_file()] == [bad]
    assert set(bench.outputs()) == {"b.jpg", "s/a.jpg"}
    if mode == "move":
        assert (away / "s/a.jpg").read_bytes() == (away / "b.jpg").read_bytes() == b"photo one END"
    photo(bench.photos / "b.jpg", "photo two")  # the camera counts from 1 again
    bench.run()
    assert bench.outputs()["b.jpg"] == b"edited photo one END"
    assert bench.outputs()["b-2.jpg"] == b"edited photo two END"
    if mode == "move":
        assert (away / "b-2.jpg").read_bytes() == b"photo two END"
    photo(bench.photos / "b.jpg", "photo one")  # the first once more: done, and put away again
    counts = bench.run()
    assert counts.done == counts.copied == 0 and not (bench.photos / "b.jpg").exists()


@pytest.mark.parametrize("mode", ["move", "delete"])
def test_a_link_is_put_away_as_what_it_leads_to(bench: Bench, mode: str) -> None:
    meant = photo(bench.folder / "elsewhere" / "x.jpg")
    (bench.photos / "a.jpg").symlink_to("../elsewhere/x.jpg")
    bench.settings = EngineSettings(done=Done(mode=mode, folder=bench.folder / "away"))  # type: ignore[arg-type]
    assert bench.run().done == 1
    assert list(bench.photos.iterdir()) == [] and meant.read_bytes() == b"photo x.jpg END"
    if mode == "move":
        kept = bench.folder / "away" / "a.jpg"
        assert not kept.is_symlink() and kept.read_bytes() == meant.read_bytes()


def test_an_original_is_not_deleted_when_its_output_was_damaged(bench: Bench) -> None:
    original = photo(bench.photos / "a.jpg")
    bench.run()
    (bench.output / "a.jpg").write_bytes(b"torn")
    bench.settings = EngineSettings(done=Done(mode="delete"))
    bench.run()
    assert original.exists() and "note" in bench.kinds()


def test_a_vanished_photo_leaves_no_trace(bench: Bench) -> None:
    photo(bench.photos / "a.jpg")
    engine = bench.engine()
    engine.intake.look()
    (bench.photos / "a.jpg").unlink()
    assert engine.run().done == 0
    assert list(engine.ledger.jobs()) == [] and bench.outputs() == {}
    engine.ledger.close()


def test_a_file_that_vanishes_while_it_waits_for_its_turn(bench: Bench) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        photo(bench.photos / name)

    class Vanishing(FakeWork):
        def finish(self, prepared):  # type: ignore[no-untyped-def]
            for name in ("b.jpg", "c.jpg"):
                (bench.photos / name).unlink(missing_ok=True)
            return super().finish(prepared)

    bench.work = Vanishing(log=bench.log, inline=True)
    counts = bench.run()
    assert counts.done == 1 and bench.kinds().count("gone") == 2


def test_an_interrupted_run_goes_on_without_blame(bench: Bench) -> None:
    for number in range(5):
        photo(bench.photos / f"{number}.jpg")
    for _ in range(5):  # more often than there are attempts
        engine = bench.engine()
        engine._look()
        engine.reception.take(bench.work, 1)
        engine.handing(bench.work)  # two are running; the process is killed here
        assert len(list(engine.ledger.jobs(State.RUNNING))) == 2
        assert len(list(bench.output.glob(".realedit-*"))) == 2
        engine.ledger.close()
        engine = bench.engine()
        engine.recover()
        assert all(job.attempts == 0 for job in engine.ledger.jobs())
        assert list(bench.output.glob(".realedit-*")) == []
        engine.ledger.close()
    assert bench.run().done == 5


def test_a_kill_between_rename_and_record_is_recognised(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(bench.photos / "a.jpg")

    class KilledError(BaseException):
        pass

    def kill(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "done", kill)
        with pytest.raises(KilledError):
            bench.run()
    assert bench.outputs()["a.jpg"] == b"edited photo a.jpg END"
    counts = bench.run()
    assert (counts.done, counts.skipped, len(bench.computed)) == (0, 1, 1)


def test_a_full_disk_pauses_says_so_once_and_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    for number in range(6):
        photo(bench.photos / f"{number}.jpg")
    real, full = outputs_module.Outputs.publish, [True]

    def publish(self, job, staged, sha256):  # type: ignore[no-untyped-def]
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, job, staged, sha256)

    def probe(self, size):  # type: ignore[no-untyped-def]
        full[0] = len(probes) < 2
        probes.append(size)
        return not full[0]

    probes: list[int] = []
    monkeypatch.setattr(outputs_module.Outputs, "publish", publish)
    monkeypatch.setattr(outputs_module.Outputs, "probe", probe)
    monkeypatch.setattr("realedit.batch.pressure._FIRST_DELAY", 0.01)
    assert bench.run().done == 6
    assert bench.kinds().count("paused") == bench.kinds().count("resumed") == 1
    assert len(probes) == 3 and len(bench.computed) == 6


def test_a_right_that_comes_back_before_it_is_asked_for_fails_no_photo(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(bench.photos / "a.jpg")
    real, denied = outputs_module.Outputs.stage, []

    def stage(self, job):  # type: ignore[no-untyped-def]
        if not denied:
            denied.append(job.id)
            raise PermissionError(1, "Operation not permitted")
        return real(self, job)

    monkeypatch.setattr(outputs_module.Outputs, "stage", stage)
    counts = bench.run()
    assert denied and (counts.done, counts.failed) == (1, 0)


def test_an_output_folder_without_rights_blocks_though_the_ledger_may_be_written(tmp_path: Path) -> None:
    outputs = outputs_module.Outputs(tmp_path)
    (tmp_path / outputs_module.FOLDER).mkdir()
    with forbidding(tmp_path) as forbid:
        assert outputs.probe(10)
        forbid(True)
        assert not outputs.probe(10)
    assert outputs.probe(10) and [path.name for path in tmp_path.iterdir()] == [outputs_module.FOLDER]


def test_a_growing_file_is_waited_for_without_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, settings=dataclasses.replace(WATCH, patience=3600), settle=0.05)
    path = bench.photos / "slow.jpg"
    path.write_bytes(b"photo")
    engine, thread = bench.started()
    try:
        for number, part in enumerate((b" that", b" comes", b" slowly"), 1):
            eventually(lambda number=number: bench.kinds().count("waiting") >= number)
            assert bench.outputs() == {}
            with path.open("ab") as file:
                file.write(part)
        with path.open("ab") as file:
            file.write(b" END")
        eventually(lambda: bench.outputs() == {"slow.jpg": b"edited photo that comes slowly END"})
        assert bench.quarantined() == {}
    finally:
        engine.stop()
        thread.join(120)
    assert not thread.is_alive()


def test_a_file_that_goes_on_growing_later_leaves_quarantine(tmp_path: Path) -> None:
    bench = Bench(tmp_path, settings=WATCH, settle=0.05)
    path = bench.photos / "slow.jpg"
    path.write_bytes(b"photo that")
    engine, thread = bench.started()
    try:
        eventually(lambda: (bench.output / "quarantine/slow.jpg").exists())
        with path.open("ab") as file:
            file.write(b" comes END")
        eventually(lambda: (bench.output / "slow.jpg").exists())
        eventually(lambda: bench.quarantined() == {})
        assert bench.outputs()["slow.jpg"] == b"edited photo that comes END"
    finally:
        engine.stop()
        thread.join(120)


def test_temporary_names_wait_for_their_rename(tmp_path: Path) -> None:
    bench = Bench(tmp_path, settings=WATCH, settle=0.02)
    for name in ("a.jpg.part", ".b.jpg", "c.jpg~", "d.crdownload", "@eaDir/e.jpg", ".stfolder/f.jpg"):
        photo(bench.photos / name)
    engine, thread = bench.started()
    try:
        time.sleep(0.3)
        assert bench.outputs() == {}
        (bench.photos / "a.jpg.part").rename(bench.photos / "a.jpg")
        eventually(lambda: set(bench.outputs()) == {"a.jpg"})
    finally:
        engine.stop()
        thread.join(120)


def test_the_recipe_is_read_again_and_a_bad_one_is_not_taken(tmp_path: Path) -> None:
    from realedit.errors import UsageError

    bench = Bench(tmp_path, settings=WATCH, settle=0.02)
    answers = [UsageError("the recipe is bad"), FakeWork("frowning", log=bench.log, inline=True)]

    def reread() -> FakeWork:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    photo(bench.photos / "a.jpg")
    engine, thread = bench.started(reread=reread)
    try:
        eventually(lambda: bench.outputs() == {"a.jpg": b"edited photo a.jpg END"})
        engine.reload()
        eventually(lambda: any("is bad; going on" in each.text for each in bench.happenings))
        engine.reload()
        eventually(lambda: bench.outputs() == {"a.jpg": b"frowning photo a.jpg END"})
    finally:
        engine.stop()
        thread.join(120)


def test_a_ledger_changed_by_somebody_else_is_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, settings=WATCH, settle=0.02)
    photo(bench.photos / "a.jpg", "noface")
    engine, thread = bench.started()
    try:
        eventually(lambda: bench.kinds().count("failed") == 1)
        other = Ledger(bench.output)
        job = next(other.jobs(State.FAILED))
        other.set(job, state=State.PENDING, attempts=0)
        other.close()
        eventually(lambda: bench.kinds().count("failed") == 2)
    finally:
        engine.stop()
        thread.join(120)


def test_comparisons_are_copied_with_their_outputs_and_made_where_they_are_missing(bench: Bench) -> None:
    photo(bench.photos / "a.jpg", "photo same")
    photo(bench.photos / "c.jpg")
    bench.run()
    bench.work = dataclasses.replace(bench.work, compare=True)
    photo(bench.photos / "b.jpg", "photo same")
    (bench.output / "c.jpg").write_bytes(b"the user painted over it")
    counts = bench.run()
    assert (counts.done, counts.copied, counts.skipped) == (1, 1, 1)
    found = bench.outputs()
    assert set(found) == {"a.jpg", "b.jpg", "c.jpg", "a.jpg.compare", "b.jpg.compare"}
    assert found["b.jpg.compare"] == found["a.jpg.compare"] == b"photo same END and edited photo same END"
    assert found["c.jpg"] == b"the user painted over it"
    assert bench.run().skipped == 3


def test_a_photo_is_counted_once_however_often_it_is_offered(tmp_path: Path) -> None:
    bench = Bench(tmp_path, settings=WATCH, settle=0.02)
    photo(bench.photos / "a.jpg", "noface")
    photo(bench.photos / "b.jpg")
    bench.run(settings=EngineSettings())
    engine, thread = bench.started()
    try:
        eventually(lambda: engine.counts.finished == 2)
        other = Ledger(bench.output)
        other.set(next(other.jobs(State.FAILED)), state=State.PENDING, attempts=0)
        other.close()
        eventually(lambda: bench.kinds().count("failed") == 2)
        eventually(lambda: engine.counts.left == 0)
    finally:
        engine.stop()
        thread.join(120)
    assert (engine.counts.failed, engine.counts.skipped, bench.kinds().count("skipped")) == (1, 1, 1)


def test_a_ledger_that_cannot_be_read_for_a_moment_loses_no_photo(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    for number in range(4):
        photo(bench.photos / f"{number}.jpg")
    real, denied = Ledger.job, []

    def job(self, number):  # type: ignore[no-untyped-def]
        if len(denied) < 3:
            denied.append(number)
            raise OSError(errno.EROFS, "read-only")
        return real(self, number)

    monkeypatch.setattr(Ledger, "job", job)
    monkeypatch.setattr("realedit.batch.pressure._FIRST_DELAY", 0.01)
    assert bench.run().done == 4 and len(denied) == 3


def test_a_disk_that_is_full_at_the_start_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    photo(bench.photos / "a.jpg")
    engine = bench.engine()
    engine._look()
    engine.reception.take(bench.work, 1)
    engine.handing(bench.work)  # it is running; the process is killed here
    engine.ledger.close()
    real, full = Ledger.again, [True]

    def again(self, job, **more):  # type: ignore[no-untyped-def]
        if full.pop() if full else False:
            raise OSError(errno.ENOSPC, "full")
        real(self, job, **more)

    monkeypatch.setattr(Ledger, "again", again)
    monkeypatch.setattr("realedit.batch.pressure._FIRST_DELAY", 0.01)
    assert bench.run().done == 1
    assert "paused" in bench.kinds()


def test_originals_are_not_put_away_into_their_own_folder(bench: Bench) -> None:
    original = photo(bench.photos / "a.jpg")
    (bench.folder / "other name").symlink_to(bench.photos)
    bench.settings = EngineSettings(done=Done(mode="move", folder=bench.folder / "other name"))
    assert bench.run().done == 1
    assert original.read_bytes() == b"photo a.jpg END"
    assert any("own folder" in each.text for each in bench.happenings if each.kind == "note")


def test_another_photo_that_comes_under_the_name_of_a_finished_one_is_not_deleted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = photo(bench.photos / "a.jpg")
    real, seen = outputs_module.digest, []

    def digest(path: Path) -> str:
        found = real(path)
        if path == original and not seen:
            seen.append(path)
            photo(original, "photo that is new")
        return found

    monkeypatch.setattr(outputs_module, "digest", digest)
    bench.settings = EngineSettings(done=Done(mode="delete"))
    bench.run()
    assert seen and original.read_bytes() == b"photo that is new END"


def test_skip_existing_goes_by_the_photo_s_own_output(bench: Bench) -> None:
    photo(bench.photos / "a.jpg")
    bench.run()
    photo(bench.photos / "a.nef")  # its output is a-2.jpg
    bench.settings = EngineSettings(existing="skip")
    counts = bench.run()
    assert (counts.done, counts.skipped) == (1, 1)
    assert bench.run().skipped == 2
    photo(bench.output / "b.jpg", "somebody else's")
    photo(bench.photos / "b.jpg")
    assert bench.run().skipped == 3
    assert {each.photo.name for each in bench.happenings if each.kind == "skipped" and each.photo} == {
        "a.jpg",
        "a.nef",
        "b.jpg",
    }
