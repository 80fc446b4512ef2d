"""Hard and symbolic links."""
import errno
import os
import stat

from lib import case, cases, fails, get, mode_of, put, same, true


@case
def link_gives_a_file_another_name():
    put("f", b"text")
    os.link("f", "g")
    same((os.stat("f").st_ino, os.stat("f").st_nlink, os.stat("g").st_nlink), (os.stat("g").st_ino, 2, 2))
    put("g", b"more")
    same(get("f"), b"more")


@case
def a_file_lives_until_its_last_name_goes():
    put("f", b"text")
    os.link("f", "g")
    os.unlink("f")
    same((get("g"), os.stat("g").st_nlink), (b"text", 1))


@case
def link_into_another_directory():
    os.mkdir("d")
    put("f", b"x")
    os.link("f", "d/g")
    same((get("d/g"), os.stat("f").st_nlink), (b"x", 2))


@case
def link_to_an_existing_name_fails():
    put("f")
    put("g")
    fails(errno.EEXIST, os.link, "f", "g")
    fails(errno.EEXIST, os.link, "f", "f")


@case
def link_of_a_directory_fails():
    os.mkdir("d")
    fails(errno.EPERM, os.link, "d", "e")


@case
def link_of_or_below_nothing_fails():
    put("f")
    fails(errno.ENOENT, os.link, "n", "g")
    fails(errno.ENOENT, os.link, "f", "n/g")
    fails(errno.ENOTDIR, os.link, "f", "f/g")


@case
def link_of_a_symlink_links_the_symlink():
    os.symlink("nowhere", "l")
    os.link("l", "m", follow_symlinks=False)
    same((os.readlink("m"), os.lstat("l").st_nlink), ("nowhere", 2))


@case
def link_changes_the_ctime():
    put("f")
    before = os.stat("f").st_ctime_ns
    os.link("f", "g")
    true(os.stat("f").st_ctime_ns >= before)
    between = os.stat("f").st_ctime_ns
    os.unlink("g")
    true(os.stat("f").st_ctime_ns >= between)


@case
def twenty_names():
    put("f", b"x")
    for i in range(19):
        os.link("f", f"n{i}")
    same(os.stat("f").st_nlink, 20)
    os.unlink("f")
    for i in range(18):
        os.unlink(f"n{i}")
    same((get("n18"), os.stat("n18").st_nlink), (b"x", 1))


@case
def link_of_an_open_unlinked_file_by_its_other_name():
    put("f", b"text")
    os.link("f", "g")
    fd = os.open("f", os.O_RDONLY)
    os.unlink("f")
    same((os.fstat(fd).st_nlink, os.read(fd, 10)), (1, b"text"))
    os.close(fd)


@cases(short="t", relative="../x/y", absolute="/no/such/place", dots="././.", long="p/" * 500 + "p", utf8="zählen/文",
       spaces="a b", longest="x" * 4000)
def symlink_keeps_its_text(text):
    os.symlink(text, "l")
    info = os.lstat("l")
    true(stat.S_ISLNK(info.st_mode))
    same((os.readlink("l"), info.st_size, mode_of("l")), (text, len(text.encode()), 0o777))


@case
def symlink_over_anything_fails():
    put("f")
    fails(errno.EEXIST, os.symlink, "x", "f")


@case
def readlink_of_a_file_fails():
    put("f")
    os.mkdir("d")
    fails(errno.EINVAL, os.readlink, "f")
    fails(errno.EINVAL, os.readlink, "d")


@case
def symlinks_lead_through_directories():
    os.makedirs("a/b")
    put("a/b/f", b"found")
    os.symlink("a", "la")
    os.symlink("b", "a/lb")
    same(get("la/lb/f"), b"found")


@case
def a_loop_of_symlinks_ends():
    os.symlink("b", "a")
    os.symlink("a", "b")
    fails(errno.ELOOP, os.stat, "a")
    fails(errno.ELOOP, os.open, "b", os.O_RDONLY)


@case
def a_chain_of_symlinks():
    put("f", b"end")
    last = "f"
    for i in range(20):
        os.symlink(last, f"l{i}")
        last = f"l{i}"
    same(get(last), b"end")


@case
def chmod_and_times_go_through_a_symlink():
    put("f")
    os.symlink("f", "l")
    os.chmod("l", 0o600)
    os.utime("l", (1000, 2000))
    same((mode_of("f"), os.stat("f").st_mtime), (0o600, 2000))


@case
def times_and_owner_of_a_symlink_itself():
    put("f")
    os.symlink("f", "l")
    os.lchown("l", 12, 34)
    os.utime("l", (1000, 2000), follow_symlinks=False)
    info = os.lstat("l")
    same((info.st_uid, info.st_gid, info.st_mtime), (12, 34, 2000))
    same(os.stat("f").st_uid, 0)
