"""`batch`, `watch` and `jobs` as a user runs them, with a tiny random model and real workers."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.realedit.batch.fake import eventually
from tests.realedit.cli.running import Result, call, run, snapshot, started
from tests.realedit.samples import PUSH, box_checkpoint, picture, png, save_model

WORK = ["--recipe=push.toml", "--model=box.safetensors", "--quality=draft", "--workers=1"]


class Shell:
    """`realedit ...` in this process and in a folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.patch, self.capture = patch, capture
        patch.chdir(folder)

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        result = call(list(arguments), self.patch, self.capture)
        assert result.code == code, result
        return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    png(tmp_path / "in" / "one.png", picture(seed=1))
    png(tmp_path / "in" / "two.png", picture(seed=2))
    (tmp_path / "push.toml").write_text(PUSH)
    save_model(box_checkpoint(seed=3), tmp_path / "box.safetensors")
    return tmp_path


@pytest.fixture
def shell(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(folder, monkeypatch, capfd)


def test_a_batch_edits_what_it_can_and_says_what_it_could_not(folder: Path, shell: Shell) -> None:
    png(folder / "in" / "same.png", picture(seed=1))
    (folder / "in" / "bad.png").write_bytes((folder / "in" / "one.png").read_bytes()[:500])
    (folder / "in" / "notes.txt").write_text("no photo")
    before = snapshot(folder / "in")
    planned = shell("batch", "in", "out", *WORK, "--dry-run")
    assert len(planned.out.splitlines()) == 4 and not (folder / "out").exists()
    assert "4 photos would be edited" in planned.err
    planned = shell("batch", "in", "out", *WORK, "--dry-run", "--json", "-q")
    assert {json.loads(line)["event"] for line in planned.out.splitlines()} == {"planned"} and not planned.err
    result = shell(
        "batch", "in", "out", *WORK, "--together=3", "--json", "--compare-format=html", "--sheet=sheet.html",
        code=6,
    )  # fmt: skip
    events = [json.loads(line) for line in result.out.splitlines()]
    counts = events[-1]["counts"]
    assert (counts["done"], counts["copied"], counts["quarantined"]) == (2, 1, 1)
    done = next(event for event in events if event["event"] == "done")
    assert set(done["timings"]) >= {"read", "align", "invert", "drag", "paste", "write"}
    outputs = {path.name for path in (folder / "out").iterdir()}
    assert {"one.png", "two.png", "same.png", "quarantine"} <= outputs
    assert {f"{name}.png.compare.html" for name in ("one", "two", "same")} <= outputs
    stages = [event["stage"] for event in events if event["event"] == "stage" and event["id"] == done["id"]]
    assert list(dict.fromkeys(stages)) == [
        "read",
        "load",
        "align",
        "invert",
        "project",
        "drag",
        "paste",
        "write",
        "identity",
        "look",
        "verify",
    ]
    assert "two.png" in (folder / "sheet.html").read_text()
    assert not [name for name in outputs if name.startswith(".realedit-")]
    assert snapshot(folder / "in") == before
    listed = [json.loads(line) for line in shell("jobs", "out", "list", "--json").out.splitlines()]
    assert sorted(job["state"] for job in listed) == ["done", "done", "done", "quarantined"]
    bad = next(job for job in listed if job["state"] == "quarantined")
    shown = shell("jobs", "out", "show", str(bad["id"])).out
    assert "bad.png" in shown and "ends early" in shown
    again = shell("batch", "in", "out", *WORK, code=6)
    assert again.out == "" and "done before" in again.err and "jobs OUT retry" in again.err


@pytest.fixture
def ledger(folder: Path) -> Path:
    from realedit.batch.job import State
    from realedit.batch.ledger import Ledger

    (folder / "out").mkdir()
    ledger = Ledger(folder / "out")
    for number, state in enumerate((State.DONE, State.FAILED, State.QUARANTINED)):
        name = Path(f"{number}.jpg")
        ledger.set(ledger.add(folder / name, name, "1", str(number), "w")[0], state=state, reason="why")
    ledger.close()
    return folder


def test_jobs_are_retried_and_forgotten(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ledger)

    def jobs(*arguments: str, code: int = 0) -> Result:
        result = call(["jobs", "out", *arguments], monkeypatch, capfd)
        assert result.code == code, result
        return result

    listed = jobs("list").out.splitlines()
    assert len(listed) == 4 and all(
        str(ledger / f"{number}.jpg") in listed[number + 1] for number in range(3)
    )
    assert len(jobs("list", "--state=failed").out.splitlines()) == 2
    assert jobs("retry", "2").out.startswith("1 photo ")
    assert jobs("retry", "1").out.startswith("0 photos")
    assert jobs("retry").out.startswith("1 photo ")
    assert len(jobs("list", "--state=pending", "--json").out.splitlines()) == 2
    assert "has no photo 9" in jobs("show", "9", code=2).err
    assert "--all" in jobs("forget", code=2).err
    assert jobs("forget", "1").out.startswith("1 photo ")
    assert jobs("forget", "--all").out.startswith("2 photos")
    assert jobs("list", "--json").out == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["batch", "none", "out", *WORK], "there is no folder"),
        (["batch", "in", ".", *WORK], "holds the photos themselves"),
        (["batch", "in", "in", *WORK], "holds the photos themselves"),
        (["batch", "in", "push.toml", *WORK], "--recipe reads it"),
        (["batch", "in", "out", *WORK, "--force", "--skip-existing"], "opposite"),
        (["batch", "in", "out", "--recipe=nosuch"], "nosuch"),
        (["batch", "in", "out"], "--recipe"),
        (["batch", "in", "out", *WORK, "--ray-address=auto"], "--engine ray"),
        (["watch", "in", "out", *WORK, "--done=burn"], "move:DIR"),
        (["watch", "in", "out", *WORK, "--done=move:in"], "--done move cannot be"),
        (["watch", "in", "out", *WORK, "--done=move:out"], "named by OUT already"),
        (["batch", "in", "out", *WORK, "--quarantine=in"], "--quarantine cannot be"),
        (["watch", "in", "out", *WORK, "--settle=soon"], "is not a time"),
        (["jobs", "in", "list"], "has no ledger"),
    ],
)
def test_mistakes_are_said_in_one_sentence(
    arguments: list[str],
    says: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    result = call(arguments, monkeypatch, capfd)
    assert result.code == 2 and says in result.err and "Traceback" not in result.err
    assert not list((folder / "in").glob(".realedit*"))


@pytest.mark.slow
def test_a_watched_folder_is_worked_off_until_sigterm(folder: Path) -> None:
    process = started(["watch", "in", "out", *WORK, "--settle=300ms", "--done=move:away", "--json"], folder)
    try:
        eventually(lambda: (folder / "out" / "two.png").exists(), 600)
        second = run(["watch", "in", "out", *WORK], folder)
        assert second.code == 2 and "another realedit" in second.err
        png(folder / "in" / "three.png", picture(seed=3))
        eventually(lambda: (folder / "away" / "three.png").exists(), 600)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        assert time.monotonic() - begun < 60
        assert json.loads(out.splitlines()[-1])["counts"]["done"] == 3
    finally:
        process.kill()
    assert list((folder / "in").iterdir()) == []
    assert {path.name for path in (folder / "away").iterdir()} == {"one.png", "two.png", "three.png"}
