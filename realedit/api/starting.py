"""Loading what an edit computes with beside the work that does not need it."""

import gc
import importlib
import threading

_begun = threading.Event()


def start_loading() -> None:
    """Begin to import torch in a thread, once: the photo is read and its faces are found meanwhile. Whoever
    needs it next waits for that import, and hears of it where it fails."""
    if _begun.is_set():
        return
    _begun.set()
    threading.Thread(target=_load, name="loading torch", daemon=True).start()


def _load() -> None:
    searched = gc.isenabled()
    gc.disable()  # imports make a million objects that stay, so looking for garbage among them is in vain
    try:
        importlib.import_module("torch")
    except Exception:  # the import that needs it fails in the same way, and tells
        _begun.clear()
    finally:
        if searched:
            gc.enable()
