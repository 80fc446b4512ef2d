"""mmap."""
import errno
import mmap
import os
import signal

from lib import case, fails, get, in_child, pattern, put, same, true


def _map(fd, length=0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE):
    return mmap.mmap(fd, length, flags=flags, prot=prot)


def _open(size=0, data=b""):
    put("f", data)
    fd = os.open("f", os.O_RDWR)
    if size:
        os.ftruncate(fd, size)
    return fd


@case
def a_mapping_shows_the_file():
    fd = _open(data=pattern(50_000))
    with _map(fd, prot=mmap.PROT_READ) as m:
        true(m[:] == pattern(50_000), "the same bytes")
    os.close(fd)


@case
def what_is_written_through_a_mapping_is_in_the_file():
    fd = _open(20_000)
    with _map(fd) as m:
        m[100:105] = b"hello"
        m[19_990:] = b"0123456789"
        m.flush()
    os.close(fd)
    same((get("f")[100:105], get("f")[19_990:]), (b"hello", b"0123456789"))


@case
def a_mapping_outlives_its_descriptor():
    fd = _open(8192)
    m = _map(fd)
    os.close(fd)
    m[0:4] = b"text"
    m.close()
    same(get("f")[:6], b"text\0\0")


@case
def read_sees_what_the_mapping_wrote():
    fd = _open(8192)
    with _map(fd) as m:
        m[5000:5003] = b"map"
        same(os.pread(fd, 3, 5000), b"map")
    os.close(fd)


@case
def the_mapping_sees_what_write_wrote():
    fd = _open(8192)
    with _map(fd) as m:
        same(m[0:3], bytes(3))
        os.pwrite(fd, b"new", 0)
        same(m[0:3], b"new")
    os.close(fd)


@case
def two_processes_share_a_mapping():
    fd = _open(8192)
    with _map(fd) as m:
        def work():
            m[0:5] = b"child"
        in_child(work)
        same(m[0:5], b"child")
    os.close(fd)
    same(get("f")[:5], b"child")


@case
def two_mappings_of_one_file():
    fd = _open(8192)
    with _map(fd) as a, _map(fd) as b:
        a[10:12] = b"aa"
        b[12:14] = b"bb"
        same((a[10:14], b[10:14]), (b"aabb", b"aabb"))
    os.close(fd)


@case
def a_private_mapping_keeps_its_changes():
    fd = _open(data=b"original")
    with _map(fd, flags=mmap.MAP_PRIVATE) as m:
        m[0:8] = b"changed!"
        same(m[0:8], b"changed!")
    os.close(fd)
    same(get("f"), b"original")


@case
def beyond_the_end_of_the_last_page_is_sigbus():
    fd = _open(3 * 4096)
    m = _map(fd)
    os.ftruncate(fd, 4096)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        m[8192]
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    same((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, signal.SIGBUS))
    m.close()
    os.close(fd)


@case
def the_rest_of_the_last_page_is_zero():
    fd = _open(data=b"abc" * 2000)
    with _map(fd, 4096, prot=mmap.PROT_READ) as m:
        os.ftruncate(fd, 3)
        same(m[:], b"abc" + bytes(4093))
    os.close(fd)


@case
def bytes_mapped_beyond_the_end_do_not_reach_the_file():
    fd = _open(data=b"abc" + bytes(4093))
    with _map(fd, 4096) as m:
        os.ftruncate(fd, 3)
        m[100:105] = b"ghost"
        m.flush()
        same(os.fstat(fd).st_size, 3)
    os.close(fd)
    same(get("f"), b"abc")


@case
def a_mapping_grows_with_the_file():
    fd = _open(4096)
    with _map(fd) as m:
        m[0:3] = b"one"
        os.ftruncate(fd, 8192)
        m.resize(8192)
        m[4096:4099] = b"two"
    os.close(fd)
    same((get("f")[:3], get("f")[4096:4099]), (b"one", b"two"))


@case
def a_mapping_needs_a_readable_descriptor():
    put("f", b"x" * 4096)
    fd = os.open("f", os.O_WRONLY)
    fails((errno.EACCES, errno.EPERM), _map, fd, 4096, prot=mmap.PROT_READ)
    os.close(fd)


@case
def a_shared_writable_mapping_needs_a_writable_descriptor():
    put("f", b"x" * 4096)
    fd = os.open("f", os.O_RDONLY)
    fails((errno.EACCES, errno.EPERM), _map, fd, 4096)
    os.close(fd)


@case
def a_mapping_of_an_unlinked_file():
    fd = _open(data=b"still here")
    m = _map(fd)
    os.unlink("f")
    os.close(fd)
    same(m[:5], b"still")
    m[0:5] = b"STILL"
    same(m[:10], b"STILL here")
    m.close()


@case
def a_large_mapping_written_here_and_there():
    size = 8 << 20
    fd = _open(size)
    with _map(fd) as m:
        for at in range(0, size, 512 << 10):
            m[at:at + 8] = b"%08d" % at
        m.flush()
    for at in range(0, size, 512 << 10):
        same(os.pread(fd, 9, at), b"%08d\0" % at)
    os.close(fd)


@case
def a_program_can_be_run_from_here():
    put("run", b"#!/bin/sh\nexit 7\n", 0o755)
    os.chmod("run", 0o755)
    same(os.waitstatus_to_exitcode(os.spawnv(os.P_WAIT, "./run", ["run"]) << 8), 7)
