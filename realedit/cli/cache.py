"""`realedit cache`: what is kept of faces that were inverted, and how to be rid of it."""

import json
from datetime import datetime

import click

from checkpoints.files import megabytes
from realedit.cli.streams import message, result
from realedit.errors import SessionError
from realedit.sessions import cache
from realedit.sessions.cache import CacheSettings, Entry


@click.group("cache")
def cache_group() -> None:
    """Show or clear the inversions that are kept, so that a second edit of a photo starts at once."""


@cache_group.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show_command(as_json: bool) -> None:
    """List what is kept: when it was last used, how large it is, and of which photo."""
    entries = cache.entries()
    limits = CacheSettings()
    total = sum(entry.size for entry in entries)
    if as_json:
        rows = [
            {"path": str(entry.path), "photo": _photo(entry), "bytes": entry.size, "used": entry.used}
            for entry in entries
        ]
        found = {"folder": str(cache.sessions_folder()), "bytes": total, "limit": limits.max_bytes}
        click.echo(json.dumps({**found, "entries": rows}))
        return
    for entry in entries:
        result(f"{_time(entry.used)}  {megabytes(entry.size):>9}  {_photo(entry)}")
    click.echo(
        f"{len(entries)} kept in {cache.sessions_folder()}, {megabytes(total)} of "
        f"{megabytes(limits.max_bytes)}; what is not used for {limits.max_age:.0f} days goes",
        err=True,
    )


@cache_group.command("clear")
def clear_command() -> None:
    """Delete every kept inversion; models stay."""
    count, size = cache.clear()
    message(f"{count} deleted, {megabytes(size)}")


def _time(seconds: float) -> str:
    """A file's time for people; some file systems know times that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return "unknown when    "


def _photo(entry: Entry) -> str:
    from realedit.sessions.session import Session

    try:
        session = Session.load(entry.path)
    except SessionError as error:
        return "may not be read" if isinstance(error.__cause__, PermissionError) else "damaged"
    face = "" if session.face is None else f", face {session.face}"
    return f"{session.photo_path} ({session.model}, {session.quality}{face})"
