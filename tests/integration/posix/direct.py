"""O_DIRECT."""
import mmap
import os

from lib import case, cases, get, pattern, put, same, true


def _aligned(data):
    buffer = mmap.mmap(-1, (len(data) + 4095) // 4096 * 4096)
    buffer[:len(data)] = data
    return buffer


def _read(fd, count, offset):
    buffer = mmap.mmap(-1, count)
    got = os.preadv(fd, [buffer], offset)
    return buffer[:got]


@cases(page=4096, several=5 * 4096, large=1 << 20)
def direct_write_and_read(size):
    fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    same(os.pwritev(fd, [_aligned(pattern(size))], 0), size)
    true(_read(fd, size, 0) == pattern(size), "the same bytes")
    os.close(fd)
    true(get("f") == pattern(size), "the same bytes through the cache")


@case
def direct_read_of_what_was_written_through_the_cache():
    put("f", pattern(100_000))
    fd = os.open("f", os.O_RDONLY | os.O_DIRECT)
    true(_read(fd, 102_400, 0) == pattern(100_000), "the same bytes, clipped at the end")
    same(_read(fd, 4096, 1 << 20), b"")
    os.close(fd)


@case
def direct_write_is_seen_through_an_older_cache():
    put("f", b"a" * 8192)
    cached = os.open("f", os.O_RDONLY)
    same(os.pread(cached, 3, 4096), b"aaa")
    fd = os.open("f", os.O_WRONLY | os.O_DIRECT)
    os.pwritev(fd, [_aligned(b"b" * 4096)], 4096)
    os.close(fd)
    same((os.pread(cached, 3, 0), os.pread(cached, 3, 4096)), (b"aaa", b"bbb"))
    os.close(cached)


@case
def direct_overwrite_in_the_middle():
    put("f", b"a" * 5 * 4096)
    fd = os.open("f", os.O_RDWR | os.O_DIRECT)
    os.pwritev(fd, [_aligned(b"b" * 4096)], 2 * 4096)
    os.close(fd)
    same(get("f"), b"a" * 8192 + b"b" * 4096 + b"a" * 8192)


@case
def direct_write_behind_a_hole():
    fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    os.pwritev(fd, [_aligned(b"x" * 4096)], 1 << 20)
    same((os.fstat(fd).st_size, _read(fd, 4096, 0), _read(fd, 4096, 1 << 20)),
         ((1 << 20) + 4096, bytes(4096), b"x" * 4096))
    os.close(fd)


@case
def direct_and_cached_writers_take_turns():
    direct = os.open("f", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    cached = os.open("f", os.O_RDWR)
    for i in range(8):
        if i % 2:
            os.pwrite(cached, bytes([65 + i]) * 4096, i * 4096)
            os.fsync(cached)
        else:
            os.pwritev(direct, [_aligned(bytes([65 + i]) * 4096)], i * 4096)
    os.close(direct)
    os.close(cached)
    same(get("f"), b"".join(bytes([65 + i]) * 4096 for i in range(8)))
