"""Rename: every kind of object over every other, over open files, between directories."""
import errno
import os

from lib import Failed, as_user, case, fails, get, listing, put, same, true, CASES

KINDS = {
    "file": lambda n: put(n, n.encode()),
    "empty_dir": os.mkdir,
    "full_dir": lambda n: (os.mkdir(n), put(n + "/inside", b"x")),
    "symlink": lambda n: os.symlink("to-" + n, n),
    "fifo": os.mkfifo,
}


def _expected(source, target):
    source_dir, target_dir = source.endswith("dir"), target.endswith("dir")
    if source_dir and not target_dir:
        return errno.ENOTDIR
    if target_dir and not source_dir:
        return errno.EISDIR
    if target == "full_dir":
        return (errno.ENOTEMPTY, errno.EEXIST)
    return None


def _add(source, target):
    def run():
        KINDS[source]("s")
        KINDS[target]("t")
        inode = os.lstat("s").st_ino
        code = _expected(source, target)
        if code is not None:
            fails(code, os.rename, "s", "t")
            same(listing(), ["s", "t"])
            return
        os.rename("s", "t")
        same((listing(), os.lstat("t").st_ino), (["t"], inode))
    CASES[f"rename_{source}_over_{target}"] = run


for _source in KINDS:
    for _target in KINDS:
        _add(_source, _target)


@case
def rename_keeps_the_inode_and_its_content():
    put("f", b"text", 0o640)
    before = os.stat("f")
    os.rename("f", "g")
    after = os.stat("g")
    same((after.st_ino, after.st_mode, after.st_mtime_ns, get("g")),
         (before.st_ino, before.st_mode, before.st_mtime_ns, b"text"))
    fails(errno.ENOENT, os.stat, "f")


@case
def rename_between_directories():
    os.mkdir("a")
    os.mkdir("b")
    put("a/f", b"x")
    os.rename("a/f", "b/g")
    same((os.listdir("a"), get("b/g")), ([], b"x"))


@case
def rename_of_a_directory_moves_its_dot_dot():
    os.makedirs("a/d")
    os.mkdir("b")
    os.rename("a/d", "b/d")
    same((os.stat("b/d/..").st_ino, os.stat("a").st_nlink, os.stat("b").st_nlink), (os.stat("b").st_ino, 2, 3))


@case
def rename_below_itself_fails():
    os.makedirs("a/b/c")
    fails(errno.EINVAL, os.rename, "a", "a/x")
    fails(errno.EINVAL, os.rename, "a", "a/b/c/x")
    true(os.path.isdir("a/b/c"))


@case
def rename_over_an_ancestor_fails():
    os.makedirs("a/b")
    fails((errno.ENOTEMPTY, errno.EEXIST, errno.EINVAL), os.rename, "a/b", "a")


@case
def rename_of_nothing_fails():
    fails(errno.ENOENT, os.rename, "n", "m")
    put("f")
    fails(errno.ENOENT, os.rename, "f", "n/f")
    fails(errno.ENOTDIR, os.rename, "f", "f/g")


@case
def rename_onto_itself_does_nothing():
    put("f", b"x")
    os.rename("f", "f")
    same(get("f"), b"x")


@case
def rename_onto_another_name_of_the_same_file_does_nothing():
    put("f", b"x")
    os.link("f", "g")
    os.rename("f", "g")
    same((listing(), os.stat("g").st_nlink), (["f", "g"], 2))


@case
def rename_over_an_open_file():
    put("f", b"old")
    put("g", b"new")
    fd = os.open("f", os.O_RDWR)
    os.rename("g", "f")
    same((os.read(fd, 10), get("f")), (b"old", b"new"))
    os.pwrite(fd, b"OLD", 0)
    same((os.pread(fd, 10, 0), get("f")), (b"OLD", b"new"))
    os.close(fd)


@case
def an_open_file_can_be_renamed_and_written():
    fd = os.open("f", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"one ")
    os.rename("f", "g")
    os.write(fd, b"two")
    os.close(fd)
    same(get("g"), b"one two")


@case
def rename_over_a_hard_link_of_another_file():
    put("f", b"f")
    put("g", b"g")
    os.link("g", "h")
    os.rename("f", "g")
    same((get("g"), get("h"), os.stat("h").st_nlink), (b"f", b"g", 1))


@case
def a_ring_of_renames():
    for name in "abc":
        put(name, name.encode())
    os.rename("a", "t")
    os.rename("b", "a")
    os.rename("c", "b")
    os.rename("t", "c")
    same([get(n) for n in "abc"], [b"b", b"c", b"a"])


@case
def rename_replaces_at_once():
    """A reader that looks again and again always finds the old file or the new one."""
    put("f", b"0")
    pid = os.fork()
    if pid == 0:
        try:
            for i in range(20):
                put("t", b"%d" % i)
                os.rename("t", "f")
        except OSError:
            os._exit(1)
        os._exit(0)
    while True:
        if not get("f"):
            raise Failed("the file was empty")
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            same(status, 0)
            break


@case
def a_sticky_directory_protects_the_files_of_others():
    os.mkdir("d")
    os.chmod("d", 0o1777)
    put("d/f")
    put("d/g")
    os.chown("d/g", 1000, 1000)

    def work():
        fails((errno.EPERM, errno.EACCES), os.unlink, "d/f")
        fails((errno.EPERM, errno.EACCES), os.rename, "d/f", "d/h")
        fails((errno.EPERM, errno.EACCES), os.rename, "d/g", "d/f")
        os.rename("d/g", "d/h")
        os.unlink("d/h")
    as_user(1000, work)


@case
def rename_needs_writable_directories():
    os.mkdir("d", 0o755)
    os.mkdir("e", 0o755)
    os.chown("e", 1000, 1000)
    put("d/f")
    as_user(1000, lambda: fails(errno.EACCES, os.rename, "d/f", "e/f"))
    same(os.listdir("d"), ["f"])
