"""Holes and large offsets."""
import errno
import os

from lib import case, cases, fails, get, pattern, put, same, true


@cases(page=4096, odd=12_345, mib=1 << 20, window=200 << 20)
def a_hole_reads_as_zeros(size):
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"end", size)
    same(os.fstat(fd).st_size, size + 3)
    for at in (0, size // 2, max(0, size - 1000)):
        same(os.pread(fd, 1000, at)[:size - at], bytes(min(1000, size - at)))
    same(os.pread(fd, 100, size), b"end")
    os.close(fd)


@cases(gib_3=3 << 30, gib_5=5 << 30, tib=1 << 40)
def an_offset_of(offset):
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"far", offset)
    same((os.fstat(fd).st_size, os.pread(fd, 10, offset), os.pread(fd, 4, offset - 4)), (offset + 3, b"far", bytes(4)))
    os.ftruncate(fd, 10)
    same((os.fstat(fd).st_size, os.pread(fd, 100, 0)), (10, bytes(10)))
    os.close(fd)


@case
def a_hole_is_filled_later():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"b" * 100, 100_000)
    os.pwrite(fd, b"a" * 100, 50_000)
    os.close(fd)
    same(get("f"), bytes(50_000) + b"a" * 100 + bytes(49_900) + b"b" * 100)


@case
def every_other_page():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    for i in range(0, 40, 2):
        os.pwrite(fd, pattern(4096, i), i * 4096)
    os.fsync(fd)
    for i in range(39):
        same(os.pread(fd, 4096, i * 4096), pattern(4096, i) if i % 2 == 0 else bytes(4096))
    os.close(fd)


@case
def every_other_half_page():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    for i in range(0, 40, 2):
        os.pwrite(fd, pattern(2048, i), i * 2048)
        os.fsync(fd)
    for i in range(39):
        same(os.pread(fd, 2048, i * 2048), pattern(2048, i) if i % 2 == 0 else bytes(2048))
    os.close(fd)


@case
def a_file_of_nothing_but_a_hole():
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY))
    os.truncate("f", 1 << 33)
    fd = os.open("f", os.O_RDONLY)
    same((os.fstat(fd).st_size, os.pread(fd, 10, (1 << 33) - 10), os.pread(fd, 10, 1 << 33)),
         (1 << 33, bytes(10), b""))
    os.close(fd)


@case
def a_hole_takes_no_space():
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY))
    os.truncate("f", 1 << 30)
    true(os.stat("f").st_blocks * 512 < 1 << 20, "few blocks")


@case
def seek_data_finds_what_was_written():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"x" * 4096, 1 << 20)
    os.fsync(fd)
    # Where holes are not told apart, all of it is data.
    true(os.lseek(fd, 0, os.SEEK_DATA) in (0, 1 << 20), "the data or the beginning")
    same(os.lseek(fd, 1 << 20, os.SEEK_DATA), 1 << 20)
    same(os.lseek(fd, 1 << 20, os.SEEK_HOLE), (1 << 20) + 4096)
    fails(errno.ENXIO, os.lseek, fd, 1 << 30, os.SEEK_DATA)
    os.close(fd)


@case
def growing_by_single_bytes_across_a_page():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    for at in range(4090, 4103):
        os.ftruncate(fd, at)
        os.pwrite(fd, b"%c" % (at % 251), at)
    os.close(fd)
    same(get("f")[4089:], b"\0" + bytes(at % 251 for at in range(4090, 4103)))


@case
def truncate_into_a_hole():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"a", 0)
    os.pwrite(fd, b"b", 1 << 20)
    os.ftruncate(fd, 1 << 19)
    os.pwrite(fd, b"c", 1 << 20)
    same((os.pread(fd, 1, 0), os.pread(fd, 1, 1 << 19), os.pread(fd, 1, 1 << 20)), (b"a", b"\0", b"c"))
    os.close(fd)
