"""Files that try to make a reader execute code, crash, hang or allocate: what each one does is its name."""

import pickle
import struct
from collections.abc import Callable
from typing import Any

import torch

from checkpoints.testing import random_checkpoint

from . import samples

COMMAND = "touch executed-{}"

# Opcodes by what they do, so that programs below can be read.
PROTO = b"\x80"
STOP = b"."


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def short(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def imported(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


SYSTEM = imported("os", "system")


def _calls() -> dict[str, bytes]:
    """One way each to ask for a call."""
    command = text(COMMAND.format("call"))
    return {
        "global-reduce": SYSTEM + command + b"\x85R" + STOP,
        "protocol-0-reduce": b"cposix\nsystem\n(S'touch executed-p0'\ntR.",
        "protocol-1-reduce": b"cposix\nsystem\nq\x00(U\x0ftouch executed-1tR.",
        "stack-global": PROTO + b"\x04" + short("os") + short("system") + b"\x93" + command + b"\x85R.",
        "stack-global-dotted": PROTO
        + b"\x04"
        + short("os")
        + short("path.os.system")
        + b"\x93"
        + command
        + b"\x85R.",
        "stack-global-of-numbers": PROTO + b"\x04K\x01K\x02\x93.",
        "stack-global-memo": PROTO
        + b"\x04"
        + short("os")
        + b"\x94"
        + short("system")
        + b"\x94h\x00h\x01\x93"
        + command
        + b"\x85R.",
        "inst": b"(S'touch executed-inst'\nios\nsystem\n.",
        "inst-without-mark": b"ios\nsystem\n.",
        "obj": b"(" + SYSTEM + command + b"o.",
        "obj-empty": b"(o.",
        "newobj": PROTO + b"\x02" + imported("subprocess", "Popen") + command + b"\x85\x81.",
        "newobj-ex": PROTO
        + b"\x04"
        + imported("subprocess", "Popen")
        + command
        + b"\x85}"
        + text("shell")
        + b"\x88s\x92.",
        "build-setstate": imported("subprocess", "Popen")
        + b")\x81}"
        + text("__setstate__")
        + SYSTEM
        + b"sb"
        + command
        + b"b.",
        "build-slot-state": imported("builtins", "object")
        + b")\x81N}"
        + text("__class__")
        + SYSTEM
        + b"s\x86b.",
        "build-on-list": b"]}b.",
        "build-on-number": b"K\x01}b.",
        "ext1": PROTO + b"\x02\x82\x01" + command + b"\x85R.",
        "ext2": PROTO + b"\x02\x83\x01\x00" + command + b"\x85R.",
        "ext4": PROTO + b"\x02\x84\x01\x00\x00\x00" + command + b"\x85R.",
        "eval": imported("builtins", "eval")
        + text("__import__('os').system('touch executed-eval')")
        + b"\x85R.",
        "exec": imported("builtins", "exec")
        + text("import os; os.system('touch executed-exec')")
        + b"\x85R.",
        "python2-builtin": imported("__builtin__", "eval") + text("open('executed-2', 'w')") + b"\x85R.",
        "getattr-chain": imported("builtins", "getattr")
        + imported("os", "path")
        + text("os")
        + b"\x86R"
        + command
        + b"\x85R.",
        "import-module": imported("importlib", "import_module") + text("antigravity") + b"\x85R.",
        "runpy": imported("runpy", "_run_code") + text("open('executed-runpy', 'w')") + b"}\x86R.",
        "code-object": imported("types", "CodeType") + b"(" + b"K\x00" * 16 + b"tR" + b".",
        "marshal": imported("marshal", "loads") + b"C\x04\xe3\x00\x00\x00\x85R.",
        "pickle-in-pickle": imported("pickle", "loads") + b"C\x10cos\nsystem\n(U\x00tR.\x85R.",
        "torch-load": imported("torch", "load") + text("other.pt") + b"\x85R.",
        "torch-hub": imported("torch.hub", "load") + text("evil/repository") + text("model") + b"\x86R.",
        "ctypes": imported("ctypes", "CDLL") + text("./evil.so") + b"\x85R.",
        "socket": imported("socket", "create_connection") + text("localhost") + b"K\x50\x86\x85R.",
        "file-write": imported("builtins", "open") + text("executed-open") + text("w") + b"\x86R.",
        "persistent-id": SYSTEM + command + b"\x85RQ.",
        "persistent-id-text": b"Pos.system\n.",
        "copyreg-reconstructor": imported("copyreg", "_reconstructor")
        + SYSTEM
        + imported("builtins", "object")
        + b"N\x87R.",
        "append-with-getattr": imported("builtins", "list") + b")\x81" + SYSTEM + b"a.",
        "setitem-on-global": SYSTEM + text("a") + text("b") + b"s.",
        "reduce-of-reduce": SYSTEM * 1 + b")R" * 50 + STOP,
        "dictionary-with-calls-as-keys": b"}" + SYSTEM + command + b"\x85RK\x01s.",
        "set-of-calls": PROTO + b"\x04\x8f(" + SYSTEM + command + b"\x85R\x90.",
        "call-as-storage": imported("torch._utils", "_rebuild_tensor_v2")
        + b"("
        + SYSTEM
        + command
        + b"\x85RK\x00K\x01\x85K\x01\x85\x89}tR.",
    }


def _machine() -> dict[str, bytes]:
    """Programs that misuse stack, memo, marks and lengths."""
    return {
        "nothing-on-the-stack": STOP,
        "pop-of-nothing": b"0.",
        "mark-never-set": b"t.",
        "marks-without-end": b"(" * 100_000,
        "memo-of-nothing": b"q\x00.",
        "memo-missing": b"h\x07.",
        "memo-huge-index": b"Nr\xff\xff\xff\xff" + b"j\xff\xff\xff\xff.",
        "memo-negative-index": b"Np-1\n.",
        "memo-number-without-end": b"Np" + b"9" * 100_000,
        "memo-cycle": b"]q\x00h\x00a.",
        "dictionary-in-itself": b"}q\x00" + text("G_ema") + b"h\x00s.",
        "tuple-doubling": b"(" + b"N" + b"2\x86" * 200 + b"t.",
        "doubled-tuple-as-key": b"}N" + b"2\x86" * 200 + b"K\x01s.",
        "deep-tuples": b"N" + b"\x85" * 200_000 + STOP,
        "deep-tuple-as-key": b"}N" + b"\x85" * 100_000 + b"K\x01s.",
        "deep-lists": b"]" * 100_000 + b"a" * 99_999 + STOP,
        "colliding-integers": b"}("
        + b"".join(
            b"\x8a\x0b" + ((2**61 - 1) * (i + 1)).to_bytes(11, "little", signed=True) + b"N"
            for i in range(50_000)
        )
        + b"u.",
        "endless-opcodes": b"N0" * 1_500_000 + b"N.",
        "many-empty-lists": b"]" * 3_000_000,
        "huge-integer": b"\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + STOP,
        "negative-length-integer": b"\x8b\xff\xff\xff\xff.",
        "decimal-of-a-million-digits": b"L" + b"9" * 1_000_000 + b"L\n.",
        "integer-of-many-digits": b"I" + b"1" * 60_000 + b"\n.",
        "float-of-nonsense": b"Fnot a number\n.",
        "string-without-quotes": b"Shello\n.",
        "string-with-bad-escape": b"S'\\x'\n.",
        "unicode-with-bad-escape": b"V\\u12\n.",
        "invalid-utf8": b"X\x02\x00\x00\x00\xff\xfe.",
        "string-longer-than-file": b"X\xff\xff\xff\x7f.",
        "bytes-longer-than-file": b"\x8e" + struct.pack("<Q", 1 << 62) + STOP,
        "bytearray-of-terabytes": PROTO + b"\x05\x96" + struct.pack("<Q", 1 << 40) + STOP,
        "frame-longer-than-file": PROTO + b"\x04\x95" + struct.pack("<Q", 1 << 63) + b"N.",
        "negative-length-string": b"T\xff\xff\xff\xff.",
        "unknown-protocol": PROTO + b"\x09N.",
        "unknown-opcode": b"\xfe.",
        "out-of-band-buffer": PROTO + b"\x05\x97.",
        "read-only-buffer": PROTO + b"\x05C\x01a\x98.",
        "odd-items": b"}(Nu.",
        "items-of-a-list": b"](NNu.",
        "append-to-a-dictionary": b"}Na.",
        "global-without-newline": b"cos",
        "global-of-a-megabyte": b"c" + b"a" * 1_000_000 + b"\nb\n.",
    }


def storage_call(dtype: str, key: str, count: int) -> bytes:
    number = b"\x8a\x08" + struct.pack("<q", count)
    return b"(" + text("storage") + imported("torch", dtype) + text(key) + text("cpu") + number + b"tQ"


def tensor_call(storage: bytes, offset: int, shape: list[int], stride: list[int]) -> bytes:
    def number(value: int) -> bytes:
        return b"\x8a\x0a" + value.to_bytes(10, "little", signed=True)

    def numbers(values: list[int]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    arguments = storage + number(offset) + numbers(shape) + numbers(stride) + b"\x89}"
    return imported("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + b"tR"


def archive(program: bytes, *, storage: bytes = bytes(64), **change: Any) -> bytes:
    """A zip archive as torch writes it, whose pickle is `program`."""
    entries = {"m/data.pkl": program, "m/byteorder": b"little", "m/data/0": storage, "m/version": b"3\n"}
    out, directory = b"", b""
    for name, data in entries.items():
        method = change.get("method", 0)
        size = change.get("size", len(data)) if name == "m/data/0" else len(data)
        offset = change.get("offset", len(out)) if name == "m/data/0" else len(out)
        packed = len(data) if "method" in change else size
        common = struct.pack("<5H3L2H", 20, 0, method, 0, 0, 0, packed, size, len(name), 0)
        out += b"PK\x03\x04" + common + name.encode() + data
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<3H2L", 0, 0, 0, 0, offset)
        directory += name.encode()
    directory *= change.get("repeat", 1)
    count = change.get("count", len(entries))
    end = struct.pack("<4H2LH", 0, 0, count, count, len(directory), change.get("start", len(out)), 0)
    return out + directory + b"PK\x05\x06" + end


def generator_of(tensor: bytes) -> bytes:
    """A state dictionary with a generator's names, each of them the given tensor."""
    names = [
        "synthesis.b4.const",
        "synthesis.b4.conv1.weight",
        "synthesis.b8.conv1.weight",
        "mapping.fc0.weight",
    ]
    names += ["synthesis.b4.conv1.affine.weight", "synthesis.b4.torgb.weight"]
    return b"}(" + b"".join(text(name) + tensor for name in names) + b"u."


def _tensors() -> dict[str, bytes]:
    """Tensors and archives that lie about their sizes."""
    good = storage_call("FloatStorage", "0", 16)

    def lie(offset: int, shape: list[int], stride: list[int], storage: bytes = good) -> bytes:
        return archive(generator_of(tensor_call(storage, offset, shape, stride)))

    whole = generator_of(tensor_call(good, 0, [4, 4], [4, 1]))
    return {
        "shape-of-terabytes": lie(0, [1 << 40], [1]),
        "shape-that-overflows": lie(0, [1 << 47] * 8, [1] * 8),
        "shape-of-many-dimensions": lie(0, [1] * 10_000, [1] * 10_000),
        "shape-negative": lie(0, [-1, 4], [4, 1]),
        "shape-of-huge-integers": lie(0, [1 << 70], [1]),
        "stride-zero": lie(0, [1 << 30], [0]),
        "stride-overlapping": lie(0, [16, 16], [0, 1]),
        "stride-past-the-end": lie(0, [2, 2], [100, 1]),
        "stride-negative": lie(15, [4], [-1]),
        "stride-missing": lie(0, [2, 2], [1]),
        "offset-past-the-end": lie(16, [1], [1]),
        "offset-negative": lie(-4, [4], [1]),
        "storage-missing": lie(0, [4], [1], storage_call("FloatStorage", "9", 16)),
        "storage-longer-than-its-bytes": lie(0, [4], [1], storage_call("FloatStorage", "0", 1 << 40)),
        "storage-of-unknown-type": lie(0, [4], [1], storage_call("EvilStorage", "0", 16)),
        "storage-path-traversal": lie(0, [4], [1], storage_call("FloatStorage", "../../../etc/passwd", 16)),
        "storage-type-dotted": lie(0, [4], [1], storage_call("hub.load", "0", 16)),
        "many-views-of-one-storage": archive(
            generator_of(tensor_call(good, 0, [1, 16], [16, 1])), storage=bytes(64)
        ),
        "zip-bomb": archive(whole, storage=b"\x03\x00" * 32, method=8, size=1 << 31),
        "zip-entry-past-the-end": archive(whole, size=1 << 30),
        "zip-entry-elsewhere": archive(whole, offset=3),
        "zip-entry-offset-past-the-end": archive(whole, offset=1 << 31),
        "zip-directory-elsewhere": archive(whole, start=1 << 31),
        "zip-directory-of-65535": archive(whole, count=65_534),
        "zip-directory-repeated": archive(whole, repeat=50, count=200),
        "zip-without-directory": archive(whole)[:-22],
        "zip-of-nothing": b"PK\x05\x06" + bytes(18),
        "zip64-lying": b"PK\x06\x06"
        + bytes(52)
        + b"PK\x06\x07"
        + bytes(4)
        + struct.pack("<QL", 1 << 60, 1)
        + b"PK\x05\x06"
        + b"\xff" * 16
        + bytes(2),
        "zip-pickle-with-a-call": archive(SYSTEM + text(COMMAND.format("zip")) + b"\x85R."),
        "zip-two-pickles": archive(whole).replace(b"m/data/0", b"data.pkl"),
    }


def _streams() -> dict[str, bytes]:
    """Old `torch.save` streams, and streams nested in pickles."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    version, system = pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2)
    head = magic + version + system
    body = generator_of(tensor_call(storage_call("FloatStorage", "0", 16), 0, [4, 4], [4, 1]))
    keys = pickle.dumps(["0"], 2)

    def nested(data: bytes) -> bytes:
        inner = (
            imported("torch.storage", "_load_from_bytes")
            + b"B"
            + struct.pack("<I", len(data))
            + data
            + b"\x85R"
        )
        tensor = tensor_call(inner, 0, [4, 4], [4, 1])
        return b"}" + text("synthesis.b4.const") + tensor + b"s."

    within = nested(
        head + storage_call("FloatStorage", "0", 16) + b"." + keys + struct.pack("<q", 16) + bytes(64)
    )
    deep = head + storage_call("FloatStorage", "0", 16) + b"."
    for _ in range(200):
        deep = nested(deep)
    return {
        "stream-head-only": magic,
        "stream-without-storages": head + body,
        "stream-with-call": head + SYSTEM + text(COMMAND.format("stream")) + b"\x85R." + keys,
        "stream-count-too-large": head + body + keys + struct.pack("<Q", 1 << 60) + bytes(64),
        "stream-count-negative": head + body + keys + struct.pack("<q", -1) + bytes(64),
        "stream-keys-no-list": head + body + pickle.dumps({"0": 1}, 2) + bytes(72),
        "stream-keys-repeated": head + body + pickle.dumps(["0", "0"], 2) + bytes(200),
        "stream-keys-unknown": head + body + pickle.dumps(["7"], 2) + bytes(72),
        "stream-system-call": magic
        + version
        + SYSTEM
        + text(COMMAND.format("system"))
        + b"\x85R."
        + body
        + keys,
        "nested-stream-with-call": nested(SYSTEM + text(COMMAND.format("nested")) + b"\x85R."),
        "nested-stream-truncated": nested(head + storage_call("FloatStorage", "0", 16) + b"."),
        "nested-stream-of-no-bytes": generator_of(
            tensor_call(imported("torch.storage", "_load_from_bytes") + b"K\x01\x85R", 0, [4], [1])
        ),
        "nested-stream-lying": nested(
            head
            + storage_call("FloatStorage", "0", 1 << 50)
            + b"."
            + keys
            + struct.pack("<q", 16)
            + bytes(64)
        ),
        "nested-streams-200-deep": deep,
        "nested-small-generator": within,
        "nested-encode-of-other-codec": generator_of(
            tensor_call(
                imported("torch.storage", "_load_from_bytes")
                + imported("_codecs", "encode")
                + text("aa")
                + text("bz2")
                + b"\x86R\x85R",
                0,
                [4],
                [1],
            )
        ),
    }


class _Evil:
    """Pickles as a call of os.system."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        import os

        return os.system, (COMMAND.format(self.name),)


def _whole() -> dict[str, bytes]:
    """Complete generators with something evil beside or inside of them; these load, and nothing happens."""
    generator = random_checkpoint(8, w_dim=8, channel_base=32, channel_max=4, encoder=False).generator
    evil = {"augment_pipe": _Evil("pipe"), "training_set_kwargs": _Evil("training")}
    files = {
        f"generator-with-calls-protocol-{p}": samples.nvidia_pickle(generator, p, extra=evil)
        for p in (2, 3, 4, 5)
    }
    files["generator-with-evil-source"] = samples.nvidia_pickle(generator)
    files["rosinality-with-calls"] = samples.rosinality_file(generator, evil=_Evil("rosinality"))
    files["rosinality-stream-with-calls"] = samples.rosinality_file(
        generator, zipped=False, evil=_Evil("stream")
    )
    files["tensorflow-with-evil-source"] = samples.tensorflow_pickle(generator)
    inside = samples.nvidia_tensors(generator)
    files["state-dictionary-with-a-call"] = samples.saved({**inside, "mapping.evil": _Evil("state")})
    weight = inside["synthesis.b4.const"]
    inside["synthesis.b4.const"] = torch.as_strided(weight.flatten(), weight.shape, weight.stride())
    return files


def hostile_files() -> dict[str, bytes]:
    """Every hostile file by name."""
    found: dict[str, bytes] = {}
    for group in (_calls, _machine, _tensors, _streams, _whole):
        for name, data in group().items():
            assert name not in found
            found[name] = data
    return found
