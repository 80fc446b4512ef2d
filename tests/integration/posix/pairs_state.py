"""Two clients at once: opens, locks, delegations, mappings."""
import errno
import fcntl
import mmap
import os
import time

from lib import fails, get, pair, put, same, true
from locks import FREE, READ, WRITE, _flock, _holder, _lock, _refused


def _shared(role, sync, data=b"0" * 100):
    if role == "a":
        put("f", data)
    sync()
    return os.open("f", os.O_RDWR)


@pair
def a_write_lock_excludes_the_other_client(role, sync):
    fd = _shared(role, sync)
    if role == "a":
        _lock(fd, WRITE, 10, 10)
    sync()
    if role == "b":
        _refused(fd, WRITE)
        _refused(fd, READ, 19, 1)
        _lock(fd, WRITE, 0, 10)
        same(_holder(fd, READ, 0, 0), (WRITE, 10, 10))
    sync()
    os.close(fd)


@pair
def read_locks_of_both_clients(role, sync):
    fd = _shared(role, sync)
    _lock(fd, READ)
    sync()
    _refused(fd, WRITE)
    sync()
    if role == "a":
        _lock(fd, FREE)
    sync()
    if role == "b":
        _lock(fd, WRITE)
    sync()
    os.close(fd)


@pair
def a_waiting_lock_is_woken_by_the_other_client(role, sync):
    fd = _shared(role, sync)
    if role == "a":
        _lock(fd, WRITE)
    sync()
    if role == "a":
        time.sleep(0.2)
        os.pwrite(fd, b"1", 0)
        _lock(fd, FREE)
    else:
        fcntl.fcntl(fd, fcntl.F_SETLKW, _flock(WRITE))
        same(os.pread(fd, 1, 0), b"1")
    os.close(fd)


@pair
def closing_releases_for_the_other_client(role, sync):
    fd = _shared(role, sync)
    if role == "a":
        _lock(fd, WRITE)
        sync()
        os.close(fd)
        sync()
    else:
        sync()
        sync()
        _lock(fd, WRITE)
        os.close(fd)


@pair
def counting_under_a_lock(role, sync):
    """Each sees under its lock what the other wrote under its own."""
    if role == "a":
        put("f", b"0")
    sync()
    fd = os.open("f", os.O_RDWR)
    for _ in range(15):
        fcntl.lockf(fd, fcntl.LOCK_EX)
        count = int(os.pread(fd, 20, 0))
        os.pwrite(fd, b"%d" % (count + 1), 0)
        fcntl.lockf(fd, fcntl.LOCK_UN)
    os.close(fd)
    sync()
    same(get("f"), b"30")


@pair
def appending_under_a_lock(role, sync):
    if role == "a":
        put("f")
    sync()
    fd = os.open("f", os.O_RDWR | os.O_APPEND)
    for _ in range(15):
        fcntl.lockf(fd, fcntl.LOCK_EX)
        os.write(fd, role.encode() * 8)
        fcntl.lockf(fd, fcntl.LOCK_UN)
    os.close(fd)
    sync()
    whole = get("f")
    same((len(whole), {whole[i:i + 8] for i in range(0, len(whole), 8)}), (240, {b"a" * 8, b"b" * 8}))


@pair
def flock_excludes_the_other_client(role, sync):
    fd = _shared(role, sync)
    if role == "a":
        fcntl.flock(fd, fcntl.LOCK_EX)
    sync()
    if role == "b":
        fails((errno.EAGAIN, errno.EACCES), fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    sync()
    if role == "a":
        fcntl.flock(fd, fcntl.LOCK_UN)
    sync()
    if role == "b":
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    sync()
    os.close(fd)


@pair
def a_reader_gets_what_a_delegated_writer_holds(role, sync):
    """a may cache what it writes; b's open must bring it out."""
    fd = None
    if role == "a":
        fd = os.open("f", os.O_RDWR | os.O_CREAT)
        os.write(fd, b"held back " * 1000)
        os.fsync(fd)
    sync()
    if role == "b":
        same(get("f"), b"held back " * 1000)
    sync()
    if role == "a":
        os.write(fd, b"more")
        os.close(fd)
    sync()
    same(os.stat("f").st_size, 10_004)


@pair
def a_writer_takes_over_from_readers(role, sync):
    if role == "a":
        put("f", b"1")
    sync()
    same(get("f"), b"1")
    same(get("f"), b"1")
    sync()
    if role == "b":
        put("f", b"2")
    sync()
    same(get("f"), b"2")


@pair
def opens_by_turns(role, sync):
    """The file goes to and fro between writers, twenty times."""
    if role == "a":
        put("f", b"0")
    sync()
    for turn in range(20):
        if (turn % 2 == 0) == (role == "a"):
            same(get("f"), b"%d" % turn)
            put("f", b"%d" % (turn + 1))
        sync()
    same(get("f"), b"20")


@pair
def removing_a_file_that_the_other_has_delegated(role, sync):
    if role == "a":
        put("f", b"x")
        same(get("f"), b"x")
    sync()
    if role == "b":
        os.unlink("f")
    sync()
    fails(errno.ENOENT, os.open, "f", os.O_RDONLY)


@pair
def chmod_of_a_file_that_the_other_has_delegated(role, sync):
    fd = None
    if role == "a":
        fd = os.open("f", os.O_RDWR | os.O_CREAT)
        os.write(fd, b"x")
    sync()
    if role == "b":
        os.chmod("f", 0o600)
    sync()
    same(os.stat("f").st_mode & 0o777, 0o600)
    if fd is not None:
        os.close(fd)


@pair
def a_mapping_written_by_one_is_read_by_the_other(role, sync):
    if role == "a":
        put("f", bytes(8192))
        fd = os.open("f", os.O_RDWR)
        with mmap.mmap(fd, 8192) as m:
            m[4096:4100] = b"text"
            m.flush()
        os.close(fd)
    sync()
    if role == "b":
        same(get("f")[4090:4110], bytes(6) + b"text" + bytes(10))


@pair
def many_files_change_hands(role, sync):
    for i in range(30):
        put(f"{role}{i}", role.encode())
    sync()
    other = "b" if role == "a" else "a"
    for i in range(30):
        same(get(f"{other}{i}"), other.encode())
        put(f"{other}{i}", b"taken")
    sync()
    true(all(get(f"{role}{i}") == b"taken" for i in range(30)), "all were taken")


@pair
def direct_writes_are_seen_at_once(role, sync):
    fd = _shared(role, sync, bytes(8192))
    if role == "a":
        page = mmap.mmap(-1, 4096)
        page[:] = b"d" * 4096
        direct = os.open("f", os.O_WRONLY | os.O_DIRECT)
        os.pwritev(direct, [page], 4096)
        os.close(direct)
    sync()
    if role == "b":
        same(get("f")[4095:4098], b"\0dd")
    sync()
    os.close(fd)
