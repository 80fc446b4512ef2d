"""Byte-range locks and flock, between processes of one client."""
import errno
import fcntl
import os
import struct
import time

from lib import case, cases, fails, in_child, put, same, true

FREE, READ, WRITE = fcntl.F_UNLCK, fcntl.F_RDLCK, fcntl.F_WRLCK


def _flock(kind, start=0, length=0, pid=0):
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, start, length, pid)


def _holder(fd, kind, start=0, length=0):
    """What stands in the way: (kind, start, length), or None."""
    got = struct.unpack("hhqqi4x", fcntl.fcntl(fd, fcntl.F_GETLK, _flock(kind, start, length)))
    return None if got[0] == FREE else (got[0], got[2], got[3])


def _lock(fd, kind, start=0, length=0):
    fcntl.fcntl(fd, fcntl.F_SETLK, _flock(kind, start, length))


def _open():
    put("f", b"0" * 100)
    return os.open("f", os.O_RDWR)


def _other(work):
    def run():
        fd = os.open("f", os.O_RDWR)
        work(fd)
    in_child(run)


def _refused(fd, kind, start=0, length=0):
    fails((errno.EAGAIN, errno.EACCES), _lock, fd, kind, start, length)


@case
def write_locks_exclude():
    fd = _open()
    _lock(fd, WRITE)
    _other(lambda o: (_refused(o, WRITE), _refused(o, READ)))
    _lock(fd, FREE)
    _other(lambda o: _lock(o, WRITE))
    os.close(fd)


@case
def read_locks_share():
    fd = _open()
    _lock(fd, READ)
    _other(lambda o: (_lock(o, READ), _refused(o, WRITE)))
    os.close(fd)


@case
def ranges_beside_each_other_do_not_conflict():
    fd = _open()
    _lock(fd, WRITE, 10, 10)
    _other(lambda o: (_lock(o, WRITE, 0, 10), _lock(o, WRITE, 20, 10), _refused(o, READ, 19, 1), _refused(o, READ, 10, 1)))
    os.close(fd)


@case
def getlk_names_the_range():
    fd = _open()
    _lock(fd, WRITE, 30, 5)
    _other(lambda o: (same(_holder(o, READ, 0, 100), (WRITE, 30, 5)), same(_holder(o, WRITE, 0, 30), None)))
    os.close(fd)


@case
def a_lock_to_the_end_covers_what_comes():
    fd = _open()
    _lock(fd, WRITE, 50, 0)
    _other(lambda o: (_refused(o, READ, 1 << 40, 1), _lock(o, READ, 0, 50)))
    os.close(fd)


@case
def unlocking_the_middle_leaves_both_ends():
    fd = _open()
    _lock(fd, WRITE, 0, 30)
    _lock(fd, FREE, 10, 10)
    _other(lambda o: (_refused(o, READ, 9, 1), _lock(o, WRITE, 10, 10), _refused(o, READ, 20, 1)))
    os.close(fd)


@case
def neighbours_merge():
    fd = _open()
    _lock(fd, WRITE, 0, 10)
    _lock(fd, WRITE, 20, 10)
    _lock(fd, WRITE, 10, 10)
    _other(lambda o: same(_holder(o, READ, 0, 0), (WRITE, 0, 30)))
    os.close(fd)


@case
def a_lock_changes_its_kind():
    fd = _open()
    _lock(fd, WRITE)
    _lock(fd, READ)
    _other(lambda o: _lock(o, READ))
    _lock(fd, WRITE)
    _other(lambda o: _refused(o, READ))
    os.close(fd)


@case
def part_of_a_lock_changes_its_kind():
    fd = _open()
    _lock(fd, WRITE, 0, 30)
    _lock(fd, READ, 10, 10)
    _other(lambda o: (_refused(o, READ, 0, 1), _lock(o, READ, 10, 10), _refused(o, WRITE, 15, 1), _refused(o, READ, 29, 1)))
    os.close(fd)


@case
def an_upgrade_waits_for_other_readers():
    fd = _open()
    _lock(fd, READ)

    def work(o):
        _lock(o, READ)
        _refused(o, WRITE)
        same(_holder(o, WRITE), (READ, 0, 0))
    _other(work)
    _lock(fd, WRITE)
    os.close(fd)


@case
def closing_any_descriptor_drops_the_locks():
    fd = _open()
    _lock(fd, WRITE)
    os.close(os.open("f", os.O_RDONLY))
    _other(lambda o: _lock(o, WRITE))
    os.close(fd)


@case
def the_end_of_a_process_drops_its_locks():
    _open()
    _other(lambda o: _lock(o, WRITE))
    fd = os.open("f", os.O_RDWR)
    _lock(fd, WRITE)
    os.close(fd)


@case
def a_child_has_none_of_its_parents_locks():
    fd = _open()
    _lock(fd, WRITE)
    in_child(lambda: _refused(fd, WRITE))
    os.close(fd)


@case
def a_waiting_lock_gets_its_turn():
    fd = _open()
    _lock(fd, WRITE)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        other = os.open("f", os.O_RDWR)
        os.write(write, b"w")
        fcntl.fcntl(other, fcntl.F_SETLKW, _flock(WRITE))
        os.write(write, b"g")
        os._exit(0)
    same(os.read(read, 1), b"w")
    time.sleep(0.05)
    _lock(fd, FREE)
    same(os.read(read, 1), b"g")
    same(os.waitpid(pid, 0)[1], 0)
    os.close(fd)


@case
def a_deadlock_of_two_is_found_or_broken():
    """The second to wait is refused where the locks of one machine are known in one place."""
    fd = _open()
    _lock(fd, WRITE, 0, 1)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        other = os.open("f", os.O_RDWR)
        _lock(other, WRITE, 1, 1)
        os.write(write, b"h")
        try:
            fcntl.fcntl(other, fcntl.F_SETLKW, _flock(WRITE, 0, 1))
        except OSError:
            pass
        os._exit(0)
    same(os.read(read, 1), b"h")
    time.sleep(0.05)
    fails((errno.EDEADLK, errno.EAGAIN, errno.EACCES), _lock, fd, WRITE, 1, 1)
    _lock(fd, FREE)
    same(os.waitpid(pid, 0)[1], 0)
    os.close(fd)


@cases(read=READ, write=WRITE)
def a_lock_needs_a_descriptor_of_its_kind(kind):
    put("f", b"x")
    fd = os.open("f", os.O_WRONLY if kind == READ else os.O_RDONLY)
    fails(errno.EBADF, _lock, fd, kind)
    os.close(fd)


@case
def locks_survive_a_rename_and_an_unlink():
    fd = _open()
    os.link("f", "g")
    _lock(fd, WRITE)
    os.rename("f", "h")
    os.unlink("h")

    def work():
        other = os.open("g", os.O_RDWR)
        _refused(other, READ)
    in_child(work)
    os.close(fd)


@case
def many_small_locks():
    fd = _open()
    for i in range(0, 200, 2):
        _lock(fd, WRITE, i, 1)
    _other(lambda o: [(_refused(o, READ, i, 1), _lock(o, READ, i + 1, 1)) for i in range(0, 200, 40)])
    _lock(fd, FREE)
    _other(lambda o: same(_holder(o, WRITE), None))
    os.close(fd)


@case
def locks_of_open_files_belong_to_the_open():
    fd = _open()
    same_open = os.dup(fd)
    other = os.open("f", os.O_RDWR)
    set_lock = 37  # F_OFD_SETLK
    fcntl.fcntl(fd, set_lock, _flock(WRITE, 0, 10))
    fails((errno.EAGAIN, errno.EACCES), fcntl.fcntl, other, set_lock, _flock(WRITE, 0, 10))
    fcntl.fcntl(same_open, set_lock, _flock(WRITE, 5, 10))
    os.close(fd)
    fails((errno.EAGAIN, errno.EACCES), fcntl.fcntl, other, set_lock, _flock(WRITE, 0, 10))
    os.close(same_open)
    fcntl.fcntl(other, set_lock, _flock(WRITE, 0, 10))
    os.close(other)


@case
def flock_excludes():
    fd = _open()
    fcntl.flock(fd, fcntl.LOCK_EX)
    _other(lambda o: fails((errno.EAGAIN, errno.EACCES), fcntl.flock, o, fcntl.LOCK_EX | fcntl.LOCK_NB))
    fcntl.flock(fd, fcntl.LOCK_SH)
    _other(lambda o: fcntl.flock(o, fcntl.LOCK_SH | fcntl.LOCK_NB))
    fcntl.flock(fd, fcntl.LOCK_UN)
    _other(lambda o: fcntl.flock(o, fcntl.LOCK_EX | fcntl.LOCK_NB))
    os.close(fd)


@case
def flock_goes_with_the_last_descriptor():
    fd = _open()
    copy = os.dup(fd)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.close(fd)
    _other(lambda o: fails((errno.EAGAIN, errno.EACCES), fcntl.flock, o, fcntl.LOCK_EX | fcntl.LOCK_NB))
    os.close(copy)
    _other(lambda o: fcntl.flock(o, fcntl.LOCK_EX | fcntl.LOCK_NB))


@case
def what_is_written_under_a_lock_adds_up():
    put("f", b"0")

    def add():
        fd = os.open("f", os.O_RDWR)
        for _ in range(20):
            fcntl.lockf(fd, fcntl.LOCK_EX)
            count = int(os.pread(fd, 20, 0))
            os.pwrite(fd, b"%d" % (count + 1), 0)
            fcntl.lockf(fd, fcntl.LOCK_UN)
        os.close(fd)
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            add()
            os._exit(0)
        children.append(pid)
    for pid in children:
        same(os.waitpid(pid, 0)[1], 0)
    with open("f") as f:
        same(f.read(), "60")
