"""Which files are taken, and when."""

import os
import time
from pathlib import Path

import pytest

from realedit.batch.filesystems import is_remote, kind_of
from realedit.batch.intake import Intake, walk
from realedit.batch.names import folded, is_entered, is_photo, mirrored
from tests.realedit.batch.fake import photo


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(intake: Intake) -> list[str]:
    names = []
    while (seen := intake.take()) is not None:
        names.append(str(seen.relative))
    return names


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "ü 山.heic", "x.nef", "x.CR3", "x.tiff", "a.b.png"])
def test_photos_are_taken(name: str) -> None:
    assert is_photo(name)


@pytest.mark.parametrize(
    "name",
    ["a.jpg.part", "a.crdownload", "a.jpg~", "~a.jpg", ".a.jpg", "a.filepart", "a.txt", "a", "a.jpg.tmp"],
)
def test_temporary_names_and_other_files_are_not(name: str) -> None:
    assert not is_photo(name)


def test_folders_of_systems_are_not_entered() -> None:
    assert is_entered("summer") and not any(map(is_entered, ("@eaDir", ".stfolder", ".git", "#recycle")))


def test_outputs_mirror_their_photos() -> None:
    assert mirrored(Path("a/b.PNG")) == Path("a/b.PNG")
    assert mirrored(Path("a/b.nef")) == Path("a/b.jpg")
    assert folded(Path("Ä.JPG")) == folded(Path("a\u0308.jpg"))


def test_a_walk_skips_links_to_folders_and_what_it_is_told_to(tmp_path: Path) -> None:
    for name in ("a.jpg", "s/b.jpg", "out/c.jpg", "@eaDir/d.jpg"):
        photo(tmp_path / name)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nothing.jpg").symlink_to(tmp_path / "none.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    found = [str(seen.relative) for seen in walk(tmp_path, recursive=True, skip=[tmp_path / "out"])]
    assert found == ["a.jpg", "link.jpg", "s/b.jpg"]
    assert [str(s.relative) for s in walk(tmp_path, recursive=False)] == ["a.jpg", "link.jpg"]
    (tmp_path / "s" / "out.jpg").symlink_to(tmp_path / "a.jpg")
    found = [str(seen.relative) for seen in walk(tmp_path / "s", recursive=False, links=False)]
    assert found == ["b.jpg"], "a link that leads out of the folder is followed"
    with pytest.raises(OSError, match="none"):
        list(walk(tmp_path / "none", recursive=True))


def test_names_of_any_bytes_are_walked(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    photo(tmp_path / name)
    assert [seen.path.name for seen in walk(tmp_path, recursive=False)] == [name]


def test_a_file_is_offered_once_when_it_has_rested(tmp_path: Path, clock: Clock) -> None:
    intake = Intake(tmp_path, recursive=False, settle=2, clock=clock)
    path = photo(tmp_path / "a.jpg")
    intake.look()
    assert taken(intake) == [] and intake.restless == 1 and intake.next_due() == 2
    clock.now += 1
    path.write_bytes(b"longer than before")
    intake.look()
    clock.now += 1.5
    intake.look()
    assert taken(intake) == []
    clock.now += 0.6
    intake.look()
    assert taken(intake) == ["a.jpg"] and intake.restless == 0 and intake.next_due() is None
    clock.now += 100
    intake.look()
    assert taken(intake) == []
    os.utime(path, (1, 1))  # the same size, another time
    intake.look()
    clock.now += 2
    intake.look()
    assert taken(intake) == ["a.jpg"]


def test_what_is_put_back_is_offered_later_and_later(tmp_path: Path, clock: Clock) -> None:
    intake = Intake(tmp_path, recursive=False, settle=1, clock=clock)
    path = photo(tmp_path / "a.jpg")
    intake.look()
    waits = []
    for _ in range(4):
        clock.now += intake.next_due() or 0
        intake.look()
        assert taken(intake) == ["a.jpg"]
        intake.put_back(path)
        waits.append(intake.next_due())
    assert waits == [1, 2, 4, 8]
    assert intake.rested(path) == clock.now - 100


@pytest.mark.parametrize("stamp", [0, 2**31, 4e9])
def test_wall_clocks_and_times_of_files_do_not_matter(
    stamp: float, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: stamp)
    intake = Intake(tmp_path, recursive=False, settle=2, clock=clock)
    os.utime(photo(tmp_path / "a.jpg"), (stamp, stamp))
    intake.look()
    clock.now += 2
    monkeypatch.setattr(time, "time", lambda: stamp + 1e8)
    intake.look()
    assert taken(intake) == ["a.jpg"]


def test_network_file_systems_are_known(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda / ext4 rw 0 0\nnas:/x /mnt/nas nfs4 rw 0 0\nC: /mnt/c 9p rw 0 0\n"
        "tmpfs /mnt/nas/local tmpfs rw 0 0\nx /mnt/my\\040disk fuse.sshfs rw 0 0\n"
    )
    assert [is_remote(Path(p), mounts) for p in ("/mnt/nas/a", "/mnt/c/Users", "/mnt/my disk")] == [True] * 3
    assert [is_remote(Path(p), mounts) for p in ("/home", "/mnt/nas/local/a", "/mnt/nasty")] == [False] * 3
    assert kind_of(Path("/home"), tmp_path / "none") == ""
