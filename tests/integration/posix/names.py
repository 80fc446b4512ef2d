"""Names: making, finding, removing; what may be one and what may not."""
import errno
import os
import socket
import stat

from lib import as_user, case, cases, fails, get, in_child, mode_of, put, same, true


@case
def create_makes_an_empty_regular_file():
    put("f")
    info = os.lstat("f")
    true(stat.S_ISREG(info.st_mode))
    same((info.st_size, info.st_nlink, info.st_uid, info.st_gid), (0, 1, 0, 0))


@cases(rw=0o600, all=0o777, none=0o000, setuid=0o4755, setgid=0o2755, sticky=0o1755)
def create_sets_the_mode(mode):
    os.umask(0)
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, mode))
    same(mode_of("f"), mode)


@cases(u077=0o077, u022=0o022, u777=0o777)
def umask_takes_bits_away(mask):
    os.umask(mask)
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, 0o666))
    os.mkdir("d", 0o777)
    same((mode_of("f"), mode_of("d")), (0o666 & ~mask, 0o777 & ~mask))


@case
def exclusive_create_of_a_new_file():
    os.close(os.open("f", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640))
    same((mode_of("f"), os.stat("f").st_size), (0o640, 0))


@case
def exclusive_create_of_an_old_file_fails():
    put("f", b"text")
    fails(errno.EEXIST, os.open, "f", os.O_CREAT | os.O_EXCL | os.O_RDWR)
    same(get("f"), b"text")


@case
def exclusive_create_does_not_follow_a_link():
    os.symlink("nowhere", "l")
    fails(errno.EEXIST, os.open, "l", os.O_CREAT | os.O_EXCL | os.O_RDWR)
    same(os.listdir("."), ["l"])


@case
def create_follows_a_dangling_link():
    os.symlink("target", "l")
    put("l", b"x")
    same(get("target"), b"x")


@case
def create_without_o_excl_keeps_the_file():
    put("f", b"text", 0o600)
    os.close(os.open("f", os.O_CREAT | os.O_RDWR, 0o777))
    same((get("f"), mode_of("f")), (b"text", 0o600))


@case
def open_of_a_missing_file_fails():
    fails(errno.ENOENT, os.open, "f", os.O_RDONLY)


@case
def open_below_a_missing_folder_fails():
    fails(errno.ENOENT, os.open, "d/f", os.O_CREAT | os.O_WRONLY)


@case
def open_below_a_file_fails():
    put("f")
    fails(errno.ENOTDIR, os.open, "f/g", os.O_CREAT | os.O_WRONLY)


@case
def a_directory_cannot_be_opened_for_writing():
    os.mkdir("d")
    fails(errno.EISDIR, os.open, "d", os.O_WRONLY)


@case
def a_file_cannot_be_opened_as_a_directory():
    put("f")
    fails(errno.ENOTDIR, os.open, "f", os.O_RDONLY | os.O_DIRECTORY)


@case
def o_nofollow_refuses_a_link():
    put("f")
    os.symlink("f", "l")
    fails(errno.ELOOP, os.open, "l", os.O_RDONLY | os.O_NOFOLLOW)


@case
def o_trunc_empties_the_file():
    put("f", b"text")
    os.close(os.open("f", os.O_WRONLY | os.O_TRUNC))
    same(os.stat("f").st_size, 0)


@cases(one="n", most="n" * 255, spaces="a b  c", dots="...", dash="-rf", colon="a:b", tilde="~", quote="it's \"so\"",
       newline="a\nb", backslash="a\\b", star="*?[", umlaut="grün", cjk="文件", emoji="🗎", combined="é", nfc="é",
       long_utf8="ü" * 127, tab="a\tb", control="\x01\x1f", percent="%s%n", hash="#f#", leading=" f", trailing="f ")
def name_can_be(name):
    put(name, b"x")
    same(os.listdir("."), [name])
    same(get(name), b"x")
    os.rename(name, "other")
    os.rename("other", name)
    os.unlink(name)
    same(os.listdir("."), [])


@cases(create=lambda n: os.open(n, os.O_CREAT | os.O_WRONLY), mkdir=os.mkdir, stat=os.stat,
       link=lambda n: os.link("f", n), symlink=lambda n: os.symlink("f", n), rename=lambda n: os.rename("f", n),
       unlink=os.unlink, mkfifo=os.mkfifo)
def name_of_256_bytes_is_too_long_for(call):
    put("f")
    fails(errno.ENAMETOOLONG, call, "n" * 256)
    same(os.listdir("."), ["f"])


@case
def names_differ_by_case():
    put("name", b"1")
    put("NAME", b"2")
    same((sorted(os.listdir(".")), get("name"), get("NAME")), (["NAME", "name"], b"1", b"2"))


@case
def unlink_removes_a_file():
    put("f")
    os.unlink("f")
    fails(errno.ENOENT, os.lstat, "f")
    fails(errno.ENOENT, os.unlink, "f")


@case
def unlink_of_a_directory_fails():
    os.mkdir("d")
    fails((errno.EISDIR, errno.EPERM), os.unlink, "d")


@case
def unlink_removes_the_link_and_not_its_target():
    put("f", b"x")
    os.symlink("f", "l")
    os.unlink("l")
    same((os.listdir("."), get("f")), (["f"], b"x"))


@case
def an_unlinked_file_can_be_read_and_written_while_it_is_open():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"before")
    os.unlink("f")
    fails(errno.ENOENT, os.stat, "f")
    os.pwrite(fd, b"AFTER!", 0)
    same(os.pread(fd, 100, 0), b"AFTER!")
    os.ftruncate(fd, 3)
    same(os.fstat(fd).st_size, 3)
    os.close(fd)
    same(os.listdir("."), [])


@case
def a_name_can_be_taken_again_while_the_old_file_is_open():
    put("f", b"old")
    fd = os.open("f", os.O_RDONLY)
    os.unlink("f")
    put("f", b"new one")
    same((os.read(fd, 100), get("f")), (b"old", b"new one"))
    os.close(fd)


@cases(fifo=stat.S_IFIFO, socket=stat.S_IFSOCK, character=stat.S_IFCHR, block=stat.S_IFBLK)
def special_file(kind):
    device = os.makedev(7, 13) if kind in (stat.S_IFCHR, stat.S_IFBLK) else 0
    os.mknod("s", kind | 0o640, device)
    info = os.lstat("s")
    same((stat.S_IFMT(info.st_mode), info.st_mode & 0o7777, info.st_rdev), (kind, 0o640, device))
    os.rename("s", "t")
    os.unlink("t")


@case
def a_fifo_joins_two_processes():
    os.mkfifo("p")
    pid = os.fork()
    if pid == 0:
        fd = os.open("p", os.O_WRONLY)
        os.write(fd, b"through")
        os._exit(0)
    fd = os.open("p", os.O_RDONLY)
    same(os.read(fd, 100), b"through")
    os.waitpid(pid, 0)
    os.close(fd)


@case
def a_socket_can_be_bound_and_reached():
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("s")
        server.listen()
        client.connect("s")
        true(stat.S_ISSOCK(os.lstat("s").st_mode))


@case
def only_root_makes_devices():
    os.chmod(".", 0o777)
    as_user(1000, lambda: fails(errno.EPERM, os.mknod, "c", stat.S_IFCHR | 0o600, os.makedev(1, 3)))


@case
def the_creator_owns_the_file():
    as_user(1000, lambda: put("f"), gid=1001)
    same((os.stat("f").st_uid, os.stat("f").st_gid), (1000, 1001))


@case
def a_child_inherits_the_descriptor():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    in_child(lambda: os.write(fd, b"child "))
    os.write(fd, b"parent")
    os.close(fd)
    same(get("f"), b"child parent")
