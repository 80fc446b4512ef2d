#!/usr/bin/env python3
"""Two clients and one file:  fsx.py FOLDER ROLE SYNC SECONDS SEED

Both draw the same random operations from the seed, and each is done by one of them: write, append, cut, grow, write
through a mapping or past the cache, close and open again, rename over the file. Both know what the file must hold, and
whoever reads compares every byte. Prints how many operations were done; exit code 1 with the seed and the step when a
byte differs."""
import mmap
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from run import Sync  # noqa: E402

MOST_BYTES = 300_000
PAGE = 4096


class TidySync(Sync):
    """The meeting points of earlier steps are removed: there are very many."""

    def __call__(self):
        super().__call__()
        if self.step > 2:
            os.unlink(f"{self.base}.{self.step - 2}.{self.role}")


class Fsx:
    def __init__(self, role, sync, seed):
        self.role, self.sync, self.random = role, sync, random.Random(seed)
        self.content = bytearray()
        self.steps = 0

    def put(self, offset, data):
        if len(self.content) < offset:
            self.content.extend(bytes(offset - len(self.content)))
        self.content[offset:offset + len(data)] = data

    def step(self):
        self.steps += 1
        mine = self.random.choice("ab") == self.role
        kind = self.random.choice(["write", "write", "append", "truncate", "map", "direct", "reopen", "rename", "read", "read"])
        offset = self.random.randrange(MOST_BYTES)
        length = self.random.choice([1, 100, PAGE, 5000, 70_000])
        data = self.random.randbytes(1)[0:1] * length
        size = self.random.choice([0, len(self.content) // 2, self.random.randrange(MOST_BYTES)])
        getattr(self, kind)(mine, offset, data, size)
        self.sync()
        if kind == "read":
            return
        if self.random.choice("ab") == self.role:
            self.check(kind)
        self.sync()

    def check(self, what):
        with open("f", "rb", buffering=0) as f:
            got = f.read(len(self.content) + 1)
            while len(got) < len(self.content):
                more = f.read(len(self.content) + 1 - len(got))
                if not more:
                    break
                got += more
        if got == self.content:
            return
        at = next((i for i, (a, b) in enumerate(zip(got, self.content)) if a != b), min(len(got), len(self.content)))
        raise AssertionError(f"after {what}: {len(got)} bytes, {len(self.content)} wanted, the first difference at {at}")

    def write(self, mine, offset, data, _):
        if mine:
            fd = os.open("f", os.O_RDWR)
            written = 0
            while written < len(data):
                written += os.pwrite(fd, data[written:], offset + written)
            os.close(fd)
        self.put(offset, data)

    def append(self, mine, _, data, __):
        if mine:
            with open("f", "ab") as f:
                f.write(data)
        self.put(len(self.content), data)
        if len(self.content) > 2 * MOST_BYTES:
            self.sync()
            self.truncate(mine, 0, b"", 1000)

    def truncate(self, mine, _, __, size):
        if mine:
            os.truncate("f", size)
        if size < len(self.content):
            del self.content[size:]
        else:
            self.put(size, b"")

    def map(self, mine, offset, data, _):
        if len(self.content) < PAGE:
            return
        offset %= len(self.content)
        data = data[:len(self.content) - offset]
        if mine:
            fd = os.open("f", os.O_RDWR)
            with mmap.mmap(fd, 0) as m:
                m[offset:offset + len(data)] = data
                m.flush()
            os.close(fd)
        self.put(offset, data)

    def direct(self, mine, offset, data, _):
        offset = offset // PAGE * PAGE
        data = data[:1] * ((len(data) + PAGE - 1) // PAGE * PAGE)
        if mine:
            buffer = mmap.mmap(-1, len(data))
            buffer[:] = data
            fd = os.open("f", os.O_WRONLY | os.O_DIRECT)
            if os.pwritev(fd, [buffer], offset) != len(data):
                raise AssertionError("a short direct write")
            os.close(fd)
        self.put(offset, data)

    def reopen(self, mine, _, __, ___):
        if mine:
            os.close(os.open("f", os.O_RDWR))

    def rename(self, mine, _, __, ___):
        if mine:
            with open("g", "wb") as f:
                f.write(self.content)
            os.rename("g", "f")

    def read(self, mine, _, __, ___):
        self.check("reading")


def main(folder, role, sync_folder, seconds, seed):
    os.chdir(folder)
    sync = TidySync(sync_folder, f"fsx{seed}", role)
    if role == "a":
        os.close(os.open("f", os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o666))
    fsx = Fsx(role, sync, int(seed))
    sync()
    end = time.monotonic() + float(seconds)
    try:
        while True:
            # a decides when it is over, so that both do the same number of steps.
            over = f"{sync.base}.over"
            if role == "a" and time.monotonic() > end:
                os.close(os.open(over, os.O_CREAT | os.O_WRONLY))
            sync()
            if os.path.exists(over):
                break
            fsx.step()
    except Exception as e:
        sync.tell("failed")
        print(f"not ok seed {seed} step {fsx.steps} role {role}: {type(e).__name__}: {e}", flush=True)
        return 1
    print(f"ok {fsx.steps} steps", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
