"""Directories: making, removing, listing while they change."""
import errno
import os
import stat

from lib import case, cases, fails, in_child, mode_of, put, same, true


@case
def mkdir_makes_a_directory():
    os.mkdir("d", 0o750)
    info = os.lstat("d")
    true(stat.S_ISDIR(info.st_mode))
    same((mode_of("d"), info.st_nlink, os.listdir("d")), (0o750, 2, []))


@case
def mkdir_over_anything_fails():
    put("f")
    os.mkdir("d")
    os.symlink("nowhere", "l")
    for name in "fdl":
        fails(errno.EEXIST, os.mkdir, name)


@case
def mkdir_below_a_file_or_nothing_fails():
    put("f")
    fails(errno.ENOTDIR, os.mkdir, "f/d")
    fails(errno.ENOENT, os.mkdir, "n/d")


@case
def the_link_count_tells_the_subdirectories():
    os.mkdir("d")
    for i in range(3):
        os.mkdir(f"d/{i}")
    put("d/file")
    same(os.stat("d").st_nlink, 5)
    os.rmdir("d/0")
    same(os.stat("d").st_nlink, 4)


@case
def rmdir_removes_an_empty_directory():
    os.mkdir("d")
    os.rmdir("d")
    fails(errno.ENOENT, os.stat, "d")
    fails(errno.ENOENT, os.rmdir, "d")


@case
def rmdir_of_a_full_directory_fails():
    os.mkdir("d")
    put("d/f")
    fails((errno.ENOTEMPTY, errno.EEXIST), os.rmdir, "d")
    os.unlink("d/f")
    os.rmdir("d")


@case
def rmdir_of_a_file_or_a_link_fails():
    put("f")
    os.mkdir("d")
    os.symlink("d", "l")
    fails(errno.ENOTDIR, os.rmdir, "f")
    fails(errno.ENOTDIR, os.rmdir, "l")


@case
def rmdir_of_dot_fails():
    os.mkdir("d")
    fails(errno.EINVAL, os.rmdir, "d/.")
    fails((errno.ENOTEMPTY, errno.EEXIST), os.rmdir, "d/..")


@case
def a_removed_working_directory_takes_no_entries():
    os.mkdir("d")

    def work():
        os.chdir("d")
        os.rmdir("../d")
        fails((errno.ENOENT, errno.ESTALE), os.mkdir, "e")
        fails((errno.ENOENT, errno.ESTALE), os.open, "f", os.O_CREAT | os.O_WRONLY)
    in_child(work)


@case
def dot_and_dot_dot_lead_where_they_should():
    os.makedirs("a/b")
    same(os.stat("a/b/..").st_ino, os.stat("a").st_ino)
    same(os.stat("a/b/.").st_ino, os.stat("a/b").st_ino)


@case
def a_deep_path():
    here = os.getcwd()
    for i in range(40):
        os.mkdir("deeper")
        os.chdir("deeper")
    put("f", b"deep")
    os.chdir(here)
    same(os.stat("/".join(["deeper"] * 40) + "/f").st_size, 4)


@cases(none=0, one=1, some=50, many=300)
def listing_gives_each_entry_once(count):
    os.mkdir("d")
    for i in range(count):
        os.close(os.open(f"d/entry-{i:04}", os.O_CREAT | os.O_WRONLY))
    listed = os.listdir("d")
    same(sorted(listed), [f"entry-{i:04}" for i in range(count)])


@case
def listing_tells_the_kinds():
    put("f")
    os.mkdir("d")
    os.symlink("f", "l")
    os.mkfifo("p")
    with os.scandir(".") as entries:
        kinds = {e.name: (e.is_file(follow_symlinks=False), e.is_dir(follow_symlinks=False), e.is_symlink())
                 for e in entries}
    same(kinds, {"f": (True, False, False), "d": (False, True, False), "l": (False, False, True),
                 "p": (False, False, False)})


@case
def listing_agrees_with_stat_on_inode_numbers():
    for name in "abc":
        put(name)
    with os.scandir(".") as entries:
        for entry in entries:
            same(entry.inode(), os.lstat(entry.name).st_ino)


@case
def removing_while_listing_misses_nothing():
    os.mkdir("d")
    for i in range(150):
        os.close(os.open(f"d/{i:04}", os.O_CREAT | os.O_WRONLY))
    seen = []
    with os.scandir("d") as entries:
        for entry in entries:
            seen.append(entry.name)
            os.unlink(f"d/{entry.name}")
    same((sorted(seen), os.listdir("d")), ([f"{i:04}" for i in range(150)], []))


@case
def what_stays_is_listed_once_while_others_come_and_go():
    os.mkdir("d")
    for i in range(200):
        os.close(os.open(f"d/stay-{i:04}", os.O_CREAT | os.O_WRONLY))
    seen = []
    with os.scandir("d") as entries:
        for n, entry in enumerate(entries):
            seen.append(entry.name)
            if n < 50:
                os.close(os.open(f"d/come-{n:04}", os.O_CREAT | os.O_WRONLY))
                if n % 2:
                    os.unlink(f"d/come-{n:04}")
    stayed = [name for name in seen if name.startswith("stay")]
    same(sorted(stayed), [f"stay-{i:04}" for i in range(200)])
    same(len(set(seen)), len(seen))


@case
def a_listing_can_be_begun_again():
    for i in range(20):
        put(f"{i:02}")
    fd = os.open(".", os.O_RDONLY)
    first = sorted(os.listdir(fd))
    put("new")
    same(sorted(os.listdir(fd)), sorted(first + ["new"]))
    os.close(fd)


@case
def a_directory_cannot_be_read_as_a_file():
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY)
    fails(errno.EISDIR, os.read, fd, 10)
    os.close(fd)


@case
def the_group_goes_down_a_setgid_directory():
    os.mkdir("d")
    os.chown("d", 0, 4242)
    os.chmod("d", 0o2775)
    put("d/f")
    os.mkdir("d/e")
    same((os.stat("d/f").st_gid, os.stat("d/e").st_gid, mode_of("d/e") & 0o2000), (4242, 4242, 0o2000))


@case
def changes_within_move_the_times_of_the_directory():
    os.mkdir("d")
    for change in (lambda: put("d/f"), lambda: os.rename("d/f", "d/g"), lambda: os.unlink("d/g"),
                   lambda: os.mkdir("d/h"), lambda: os.rmdir("d/h"), lambda: os.symlink("x", "d/l")):
        os.utime("d", (1, 1))
        change()
        true(os.stat("d").st_mtime > 1, "a new mtime")


@case
def fsync_of_a_directory():
    os.mkdir("d")
    put("d/f")
    fd = os.open("d", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
