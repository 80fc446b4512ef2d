"""Two clients at once, a and b: names, bytes, attributes. Mounted with actimeo=0, so that each looks when it looks."""
import errno
import os
import time

from lib import fails, get, mode_of, pair, pattern, put, same, true


@pair
def what_a_creates_b_sees(role, sync):
    if role == "a":
        put("f", b"from a", 0o640)
    sync()
    if role == "b":
        same((os.listdir("."), get("f"), mode_of("f")), (["f"], b"from a", 0o640))


@pair
def what_a_removes_is_gone_for_b(role, sync):
    if role == "a":
        put("f", b"x")
    sync()
    if role == "b":
        same(get("f"), b"x")
    sync()
    if role == "a":
        os.unlink("f")
    sync()
    if role == "b":
        fails(errno.ENOENT, os.stat, "f")
        same(os.listdir("."), [])


@pair
def a_rename_by_one_is_seen_by_the_other(role, sync):
    if role == "a":
        put("f", b"x")
    sync()
    if role == "b":
        os.stat("f")
        os.rename("f", "g")
    sync()
    if role == "a":
        fails(errno.ENOENT, os.stat, "f")
        same(get("g"), b"x")


@pair
def b_reads_what_a_wrote_and_closed(role, sync):
    for size in (10, 5000, 200_000):
        if role == "a":
            put("f", pattern(size, 1))
        sync()
        if role == "b":
            true(get("f") == pattern(size, 1), f"the same {size} bytes")
        sync()


@pair
def b_reads_a_rewrite_of_what_it_has_cached(role, sync):
    for turn in range(4):
        if role == "a":
            put("f", pattern(20_000, turn))
        sync()
        if role == "b":
            true(get("f") == pattern(20_000, turn), f"what was written in turn {turn}")
        sync()


@pair
def they_write_by_turns(role, sync):
    if role == "a":
        put("f", b"")
    sync()
    for turn in range(6):
        if (turn % 2 == 0) == (role == "a"):
            with open("f", "ab") as f:
                f.write(b"%d" % turn)
        sync()
    same(get("f"), b"012345")


@pair
def they_write_different_pages_at_once(role, sync):
    if role == "a":
        put("f", bytes(16 * 4096))
    sync()
    fd = os.open("f", os.O_RDWR)
    for page in range(0 if role == "a" else 1, 16, 2):
        os.pwrite(fd, role.encode() * 4096, page * 4096)
    os.fsync(fd)
    os.close(fd)
    sync()
    same(get("f"), (b"a" * 4096 + b"b" * 4096) * 8)


@pair
def truncate_by_one_is_seen_by_the_other(role, sync):
    if role == "a":
        put("f", b"x" * 10_000)
    sync()
    if role == "b":
        same(os.stat("f").st_size, 10_000)
        os.truncate("f", 100)
    sync()
    if role == "a":
        same((os.stat("f").st_size, get("f")), (100, b"x" * 100))


@pair
def a_size_that_grows_under_an_open_writer_is_told(role, sync):
    fd = None
    if role == "a":
        fd = os.open("f", os.O_RDWR | os.O_CREAT)
        os.write(fd, b"x" * 5000)
        os.fsync(fd)
    sync()
    if role == "b":
        same(os.stat("f").st_size, 5000)
    sync()
    if role == "a":
        os.write(fd, b"y" * 5000)
        os.fsync(fd)
    sync()
    if role == "b":
        same(os.stat("f").st_size, 10_000)
    sync()
    if fd is not None:
        os.close(fd)


@pair
def modes_and_owners_are_seen(role, sync):
    if role == "a":
        put("f")
    sync()
    if role == "b":
        os.stat("f")
        os.chmod("f", 0o604)
        os.chown("f", 12, 34)
    sync()
    if role == "a":
        info = os.stat("f")
        same((mode_of("f"), info.st_uid, info.st_gid), (0o604, 12, 34))


@pair
def times_set_by_one_are_seen(role, sync):
    if role == "a":
        put("f")
        os.utime("f", ns=(10**18 + 1, 10**18 + 2))
    sync()
    if role == "b":
        same((os.stat("f").st_atime_ns, os.stat("f").st_mtime_ns), (10**18 + 1, 10**18 + 2))


@pair
def exclusive_create_has_one_winner(role, sync):
    won = 0
    for i in range(20):
        sync()
        try:
            os.close(os.open(f"f{i}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            won += 1
        except FileExistsError:
            pass
    os.mkdir(f"{role}{won}")
    sync()
    counts = {n[0]: int(n[1:]) for n in os.listdir(".") if n[0] in "ab"}
    same(sum(counts.values()), 20)


@pair
def mkdir_has_one_winner(role, sync):
    won = 0
    for i in range(20):
        sync()
        try:
            os.mkdir(f"d{i}")
            won += 1
        except FileExistsError:
            pass
    put(f"{role}{won}")
    sync()
    same(sum(int(n[1:]) for n in os.listdir(".") if n[0] in "ab"), 20)


@pair
def rename_over_the_same_name_has_a_last(role, sync):
    for i in range(10):
        put(f"{role}{i}", role.encode() * 10)
        sync()
        os.rename(f"{role}{i}", "f")
        sync()
        true(get("f") in (b"a" * 10, b"b" * 10), "one of the two")
    sync()
    same(os.listdir("."), ["f"])


@pair
def links_by_both_are_counted(role, sync):
    if role == "a":
        put("f", b"x")
    sync()
    for i in range(5):
        os.link("f", f"{role}{i}")
    sync()
    same(os.stat("f").st_nlink, 11)
    sync()
    for i in range(5):
        os.unlink(f"{role}{i}")
    sync()
    same(os.stat("f").st_nlink, 1)


@pair
def a_file_open_at_a_is_read_after_b_removed_it(role, sync):
    fd = None
    if role == "a":
        put("f", b"still here")
        fd = os.open("f", os.O_RDWR)
        same(os.pread(fd, 5, 0), b"still")
    sync()
    if role == "b":
        os.unlink("f")
    sync()
    if role == "a":
        same(os.pread(fd, 20, 0), b"still here")
        os.close(fd)
    sync()


@pair
def a_file_open_at_a_is_written_after_b_renamed_over_it(role, sync):
    fd = None
    if role == "a":
        put("f", b"old")
        fd = os.open("f", os.O_RDWR)
    sync()
    if role == "b":
        put("g", b"new")
        os.rename("g", "f")
    sync()
    if role == "a":
        os.pwrite(fd, b"OLD", 0)
        os.fsync(fd)
        same(os.pread(fd, 10, 0), b"OLD")
        os.close(fd)
    sync()
    same(get("f"), b"new")


@pair
def both_fill_one_directory(role, sync):
    for i in range(50):
        put(f"{role}{i:03}")
    sync()
    same(sorted(os.listdir(".")), sorted(f"{r}{i:03}" for r in "ab" for i in range(50)))
    sync()
    for i in range(0, 50, 2):
        os.unlink(f"{role}{i:03}")
    sync()
    same(len(os.listdir(".")), 50)


@pair
def directories_move_between_clients(role, sync):
    if role == "a":
        os.makedirs("x/d")
        os.mkdir("y")
        put("x/d/f", b"moved")
    sync()
    if role == "b":
        os.rename("x/d", "y/e")
    sync()
    same((os.listdir("x"), get("y/e/f"), os.stat("y/e/..").st_ino), ([], b"moved", os.stat("y").st_ino))


@pair
def symlinks_are_seen_and_replaced(role, sync):
    if role == "a":
        put("one", b"1")
        put("two", b"2")
        os.symlink("one", "l")
    sync()
    if role == "b":
        same(get("l"), b"1")
        os.symlink("two", "m")
        os.rename("m", "l")
    sync()
    if role == "a":
        same((os.readlink("l"), get("l")), ("two", b"2"))


@pair
def a_removed_directory_takes_no_entry_of_the_other(role, sync):
    if role == "a":
        os.mkdir("d")
    sync()
    fd = os.open("d", os.O_RDONLY) if role == "b" else None
    sync()
    if role == "a":
        os.rmdir("d")
    sync()
    if role == "b":
        fails((errno.ENOENT, errno.ESTALE), os.open, "f", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
        os.close(fd)
    sync()


@pair
def the_clocks_of_change_agree(role, sync):
    """mtime by the server's clock: what b wrote later is later for a."""
    if role == "a":
        put("f", b"1")
    sync()
    if role == "b":
        time.sleep(0.02)
        put("g", b"2")
    sync()
    true(os.stat("f").st_mtime_ns < os.stat("g").st_mtime_ns, "f is older than g")
