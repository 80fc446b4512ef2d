"""One of two clients that work on the same files: random writes, truncates, reads and removes, each under byte-range
locks. Every step is a line on stdout, with the number that the lock's holder gave it; storm_test.py puts the lines of
both clients in order and holds them against a model.

    worker.py FOLDER ROLE STEPS SEED
"""
import errno
import fcntl
import hashlib
import json
import os
import random
import struct
import sys
import time

FILES = 4
LARGEST = 1 << 20
PATIENCE_S = 120  # what a data server's death may cost: the client's own time-outs


def pattern(seed, length):
    return random.Random(seed).randbytes(length)


class Numbers:
    """A number for each step on a file, kept in a file of its own under the lock that covers the step."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)

    def take(self, file):
        fcntl.lockf(self.fd, fcntl.LOCK_EX, 8, file * 8)
        text = os.pread(self.fd, 8, file * 8)
        return struct.unpack("<q", text)[0] if len(text) == 8 else 0

    def give_back(self, file, number):
        os.pwrite(self.fd, struct.pack("<q", number), file * 8)
        os.fsync(self.fd)
        fcntl.lockf(self.fd, fcntl.LOCK_UN, 8, file * 8)


def step(folder, file, dice):
    """What is done to the file, as the line says it."""
    path = f"{folder}/file{file}"
    kind = dice.choices(["write", "read", "truncate", "remove"], [45, 40, 10, 5])[0]
    if kind == "remove":
        # Created first: a client may believe for half a minute that a name it once missed is still not there
        # (attributes of the folder, acdirmin), and unlink() would then fail without asking the server; O_CREAT asks.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))
        os.unlink(path)
        return {"op": "remove"}
    offset = dice.randrange(LARGEST)
    length = dice.choice([dice.randrange(1, 5000), dice.randrange(1, 200000)])
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX, length, offset)
        if kind == "write":
            seed = dice.randrange(1 << 30)
            data = pattern(seed, length)
            done = 0
            while done < length:
                done += os.pwrite(fd, data[done:], offset + done)
            os.fsync(fd)
            return {"op": "write", "offset": offset, "length": length, "seed": seed}
        if kind == "truncate":
            os.ftruncate(fd, offset)
            return {"op": "truncate", "size": offset}
        offset = 0 if dice.random() < 0.3 else offset
        data = b""
        while True:
            part = os.pread(fd, 1 << 20, offset + len(data))
            data += part
            if not part:
                break
        return {"op": "read", "offset": offset, "length": len(data), "md5": hashlib.md5(data).hexdigest()}
    finally:
        os.close(fd)


def main():
    folder, role, steps, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    dice = random.Random(f"{seed}/{role}")
    numbers = Numbers(f"{folder}/numbers")
    for _ in range(steps):
        file = dice.randrange(FILES)
        number = numbers.take(file) + 1
        # A step that fails is tried again as it was: none may fail for good.
        state, begun = dice.getstate(), time.monotonic()
        while True:
            try:
                line = step(folder, file, dice)
                break
            except OSError as e:
                print(json.dumps({"role": role, "file": file, "error": errno.errorcode.get(e.errno, e.errno)}), flush=True)
                if time.monotonic() - begun > PATIENCE_S:
                    raise
                dice.setstate(state)
                time.sleep(0.5)
        numbers.give_back(file, number)
        print(json.dumps({"role": role, "file": file, "number": number, **line}), flush=True)
    print(json.dumps({"role": role, "done": steps}), flush=True)


if __name__ == "__main__":
    main()
