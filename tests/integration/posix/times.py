"""Times."""
import errno
import os
import time

from lib import as_user, case, cases, fails, get, put, same, true


@cases(epoch=0, past=1, y2038=2**31 - 1, beyond_2038=2**31 + 5, far=2**33, before_1970=-1000)
def utime_sets_whole_seconds(seconds):
    put("f")
    os.utime("f", (seconds, seconds))
    same((os.stat("f").st_atime, os.stat("f").st_mtime), (seconds, seconds))


@cases(zero=0, one=1, micro=1000, odd=123_456_789, most=999_999_999)
def utime_sets_nanoseconds(nanoseconds):
    put("f")
    stamp = 1_000_000_000 * 10**9 + nanoseconds
    os.utime("f", ns=(stamp, stamp + 10**9))
    same((os.stat("f").st_atime_ns, os.stat("f").st_mtime_ns), (stamp, stamp + 10**9))


@case
def utime_of_a_directory():
    os.mkdir("d")
    os.utime("d", (1000, 2000))
    same(os.stat("d").st_mtime, 2000)


@case
def utime_through_a_descriptor():
    fd = os.open("f", os.O_CREAT | os.O_RDWR)
    os.utime(fd, (1000, 2000))
    same(os.fstat(fd).st_mtime, 2000)
    os.close(fd)


@case
def utime_now():
    put("f")
    os.utime("f", (1, 1))
    os.utime("f")
    true(abs(os.stat("f").st_mtime - time.time()) < 60, "about now")


@case
def utime_moves_the_ctime():
    put("f")
    before = os.stat("f").st_ctime_ns
    time.sleep(0.01)
    os.utime("f", (1, 1))
    true(os.stat("f").st_ctime_ns > before, "a newer ctime")


@case
def times_of_a_new_file_are_now():
    put("f")
    info = os.stat("f")
    for stamp in (info.st_atime, info.st_mtime, info.st_ctime):
        true(abs(stamp - time.time()) < 60, "about now")


@case
def others_may_not_set_times():
    put("f")
    os.chmod("f", 0o644)
    as_user(1000, lambda: fails(errno.EPERM, os.utime, "f", (1, 1)))
    as_user(1000, lambda: fails(errno.EACCES, os.utime, "f"))


@case
def writers_may_set_times_to_now_only():
    put("f")
    os.chmod("f", 0o666)
    as_user(1000, lambda: os.utime("f"))
    as_user(1000, lambda: fails(errno.EPERM, os.utime, "f", (1, 1)))


@case
def set_times_survive_a_close_after_writing():
    fd = os.open("f", os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"text")
    os.utime(fd, (1000, 2000))
    os.close(fd)
    same((os.stat("f").st_mtime, get("f")), (2000, b"text"))


@case
def reading_leaves_mtime_and_ctime():
    put("f", b"text")
    before = os.stat("f")
    get("f")
    after = os.stat("f")
    same((after.st_mtime_ns, after.st_ctime_ns), (before.st_mtime_ns, before.st_ctime_ns))


@case
def rename_leaves_the_mtime():
    put("f")
    os.utime("f", (1000, 2000))
    os.rename("f", "g")
    same(os.stat("g").st_mtime, 2000)


@case
def a_later_write_is_later():
    put("f", b"1")
    first = os.stat("f").st_mtime_ns
    time.sleep(0.02)
    put("f", b"2")
    true(os.stat("f").st_mtime_ns > first, "a newer mtime")
