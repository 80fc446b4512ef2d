"""Bytes: reading, writing, appending, cutting; positions, vectors, durability."""
import errno
import os

from lib import case, cases, fails, get, in_child, pattern, put, same, true


@cases(one=1, page=4096, odd=4097, block_64k=65536, mixed=100_003, large=(1 << 20) + 17)
def what_was_written_is_read(size):
    put("f", pattern(size))
    same((os.stat("f").st_size, get("f") == pattern(size)), (size, True))


@cases(one=1, seven=7, page=4096, odd=5000)
def writes_of(size):
    whole = pattern(20 * size)
    fd = os.open("f", os.O_WRONLY | os.O_CREAT)
    for i in range(20):
        same(os.write(fd, whole[i * size:(i + 1) * size]), size)
    os.close(fd)
    true(get("f") == whole, "the same bytes")


@case
def writes_backwards():
    whole = pattern(50_000)
    fd = os.open("f", os.O_WRONLY | os.O_CREAT)
    for at in range(49_000, -1, -1000):
        os.pwrite(fd, whole[at:at + 1000], at)
    os.close(fd)
    true(get("f") == whole, "the same bytes")


@case
def overlapping_writes_leave_the_last():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"a" * 10_000, 0)
    os.pwrite(fd, b"b" * 5000, 2500)
    os.pwrite(fd, b"c" * 100, 2450)
    os.close(fd)
    same(get("f"), b"a" * 2450 + b"c" * 100 + b"b" * 4950 + b"a" * 2500)


@case
def a_read_at_or_beyond_the_end_is_empty():
    put("f", b"text")
    fd = os.open("f", os.O_RDONLY)
    same((os.pread(fd, 10, 2), os.pread(fd, 10, 4), os.pread(fd, 10, 1 << 40)), (b"xt", b"", b""))
    os.close(fd)


@case
def descriptors_keep_to_their_access():
    put("f", b"x")
    fd = os.open("f", os.O_RDONLY)
    fails(errno.EBADF, os.write, fd, b"y")
    os.close(fd)
    fd = os.open("f", os.O_WRONLY)
    fails(errno.EBADF, os.read, fd, 1)
    os.close(fd)


@case
def two_descriptors_see_one_file():
    a = os.open("f", os.O_RDWR | os.O_CREAT)
    b = os.open("f", os.O_RDWR)
    os.pwrite(a, b"through a", 0)
    same(os.pread(b, 100, 0), b"through a")
    os.pwrite(b, b"B", 8)
    same(os.pread(a, 100, 0), b"through B")
    os.close(a)
    os.close(b)


@case
def append_writes_at_the_end():
    put("f", b"one ")
    fd = os.open("f", os.O_WRONLY | os.O_APPEND)
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, b"two ")
    os.write(fd, b"three")
    os.close(fd)
    same(get("f"), b"one two three")


@case
def append_follows_what_another_descriptor_wrote():
    fd = os.open("f", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"1")
    other = os.open("f", os.O_WRONLY)
    os.pwrite(other, b"12345", 0)
    os.write(fd, b"6")
    os.close(other)
    os.close(fd)
    same(get("f"), b"123456")


@case
def appends_of_two_processes_all_arrive():
    fd = os.open("f", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(letter):
        for _ in range(100):
            os.write(fd, letter * 10)
    pid = os.fork()
    if pid == 0:
        work(b"a")
        os._exit(0)
    work(b"b")
    same(os.waitpid(pid, 0)[1], 0)
    os.close(fd)
    whole = get("f")
    same((len(whole), whole.count(b"a"), whole.count(b"b")), (2000, 1000, 1000))


@cases(to_nothing=0, to_one=1, to_a_page=4096, within_a_page=5000, to_the_same=20_000)
def truncate(size):
    whole = pattern(20_000)
    put("f", whole)
    os.truncate("f", size)
    same((os.stat("f").st_size, get("f") == whole[:size]), (size, True))


@case
def truncate_longer_fills_with_zeros():
    put("f", b"text")
    os.truncate("f", 10_000)
    same(get("f"), b"text" + bytes(9996))


@case
def what_was_cut_off_does_not_come_back():
    put("f", b"x" * 10_000)
    os.truncate("f", 3000)
    os.truncate("f", 10_000)
    same(get("f"), b"x" * 3000 + bytes(7000))


@case
def cut_and_grow_within_a_page_after_fsync():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"y" * 4096)
    os.fsync(fd)
    os.ftruncate(fd, 100)
    os.fsync(fd)
    os.pwrite(fd, b"z", 200)
    os.fsync(fd)
    os.close(fd)
    same(get("f"), b"y" * 100 + bytes(100) + b"z")


@case
def ftruncate_needs_a_writable_descriptor():
    put("f", b"text")
    fd = os.open("f", os.O_RDONLY)
    fails((errno.EINVAL, errno.EBADF), os.ftruncate, fd, 0)
    os.close(fd)


@case
def truncate_of_what_is_no_file_fails():
    os.mkdir("d")
    fails(errno.EISDIR, os.truncate, "d", 0)
    fails(errno.ENOENT, os.truncate, "n", 0)
    put("f")
    fails(errno.EINVAL, os.truncate, "f", -1)


@case
def truncate_moves_the_mtime():
    put("f", b"text")
    os.utime("f", (1, 1))
    os.truncate("f", 2)
    true(os.stat("f").st_mtime > 1, "a new mtime")


@case
def seek_from_everywhere():
    put("f", b"0123456789")
    fd = os.open("f", os.O_RDONLY)
    same((os.lseek(fd, 3, os.SEEK_SET), os.read(fd, 1)), (3, b"3"))
    same((os.lseek(fd, 2, os.SEEK_CUR), os.read(fd, 1)), (6, b"6"))
    same((os.lseek(fd, -1, os.SEEK_END), os.read(fd, 5)), (9, b"9"))
    fails(errno.EINVAL, os.lseek, fd, -1, os.SEEK_SET)
    os.close(fd)


@case
def vectors():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    same(os.pwritev(fd, [b"one ", b"", b"two ", b"three"], 5), 13)
    a, b = bytearray(5), bytearray(100)
    same((os.preadv(fd, [a, b], 0), bytes(a), bytes(b[:13])), (18, bytes(5), b"one two three"))
    os.close(fd)


@cases(fsync=os.fsync, fdatasync=os.fdatasync)
def after(sync):
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.write(fd, pattern(200_000))
    sync(fd)
    os.pwrite(fd, b"again", 100)
    sync(fd)
    os.close(fd)
    same(get("f")[90:110], pattern(200_000)[90:100] + b"again" + pattern(200_000)[105:110])


@cases(o_sync=os.O_SYNC, o_dsync=os.O_DSYNC)
def written_with(flag):
    fd = os.open("f", os.O_RDWR | os.O_CREAT | flag)
    for i in range(10):
        os.pwrite(fd, pattern(1000, i), i * 1000)
    os.close(fd)
    same(get("f"), b"".join(pattern(1000, i) for i in range(10)))


@case
def dropping_the_cache_changes_nothing():
    put("f", pattern(300_000))
    fd = os.open("f", os.O_RDONLY)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    true(os.pread(fd, 300_000, 0) == pattern(300_000), "the same bytes")
    os.close(fd)


@case
def a_file_written_by_a_child_is_seen_at_once():
    in_child(lambda: put("f", b"from the child"))
    same(get("f"), b"from the child")


@case
def copy_within_the_kernel():
    put("f", pattern(100_000))
    source = os.open("f", os.O_RDONLY)
    target = os.open("g", os.O_WRONLY | os.O_CREAT)
    left = 100_000
    while left:
        left -= os.sendfile(target, source, None, left)
    os.close(source)
    os.close(target)
    true(get("g") == pattern(100_000), "the same bytes")


@case
def forty_files_at_once():
    fds = [os.open(f"f{i}", os.O_RDWR | os.O_CREAT) for i in range(40)]
    for i, fd in enumerate(fds):
        os.write(fd, b"%d" % i)
    for i, fd in enumerate(fds):
        same(os.pread(fd, 10, 0), b"%d" % i)
        os.close(fd)


@case
def writing_moves_mtime_and_ctime():
    put("f", b"x")
    os.utime("f", (1, 1))
    before = os.stat("f").st_ctime_ns
    fd = os.open("f", os.O_WRONLY)
    os.write(fd, b"y")
    os.close(fd)
    info = os.stat("f")
    true(info.st_mtime > 1 and info.st_ctime_ns >= before, "newer times")
