"""What a client does while the view is read (view_test.py): python3 view_writer.py FOLDER SECONDS. Every file is
whole: each of its blocks carries the file's name and one number. A folder holds one token that is renamed on and on."""
import os
import sys
import time

FILES = 6
BLOCKS = 40
BLOCK = 4096


def block(name, number, index):
    head = f"{name} {number} {index} ".encode()
    return head + bytes([number % 251]) * (BLOCK - len(head))


def whole(data):
    """The number of a file that is whole; AssertionError says what is wrong with others."""
    if len(data) != BLOCKS * BLOCK:
        raise AssertionError(f"{len(data)} bytes")
    name, number, _ = data[:100].split(b" ", 2)
    for index in range(BLOCKS):
        if data[index * BLOCK:(index + 1) * BLOCK] != block(name.decode(), int(number), index):
            raise AssertionError(f"block {index} of {name!r} {number!r} is another's: "
                                 f"{data[index * BLOCK:index * BLOCK + 40]!r}")
    return name.decode(), int(number)


def main(top, seconds):
    for folder in ("files", "token", "many"):
        os.makedirs(f"{top}/{folder}", exist_ok=True)
    open(f"{top}/token/t0", "w").close()
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        name = f"f{number % FILES}"
        with open(f"{top}/files/{name}.new", "wb") as f:
            for index in range(BLOCKS):
                f.write(block(name, number, index))
            f.flush()
            os.fsync(f.fileno())
        os.rename(f"{top}/files/{name}.new", f"{top}/files/{name}")
        os.rename(f"{top}/token/t{number - 1}", f"{top}/token/t{number}")
        for i in range(8):
            open(f"{top}/many/n{number % 7}.{i}", "w").close()
        for i in range(4):
            os.unlink(f"{top}/many/n{number % 7}.{i}")
    print("writes", number)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
