"""What the file system of a folder can do: some tell nothing of changes, and cannot share memory."""

import os
import re
from pathlib import Path

_REMOTE = re.compile(
    "9p|afs|afpfs|beegfs|ceph|cifs|drvfs|fuse[.].*|gfs2|glusterfs|lustre|ncpfs|nfs4?|ocfs2|prl_fs|smb[23]|"
    "smbfs|v9fs|vboxsf|virtiofs|vmhgfs"
)


def is_remote(folder: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether `folder` lies on a network, WSL or other shared file system, where events do not arrive and
    SQLite's WAL does not work. False where the system does not say."""
    return _REMOTE.fullmatch(kind_of(folder, mounts)) is not None


def kind_of(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The type of the file system that holds `folder` as the kernel names it; empty where unknown."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return ""
    place = os.fsencode(folder.resolve())
    best, kind = b"", b""
    for line in lines:
        _, point, name, *_ = line.split(b" ")
        point = point.replace(b"\\040", b" ").replace(b"\\011", b"\t").replace(b"\\134", b"\\")
        inside = place == point or place.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= len(best):  # the last of those mounted over each other counts
            best, kind = point, name
    return kind.decode()
