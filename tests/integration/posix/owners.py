"""Owners, modes and what they allow."""
import errno
import os

from lib import Failed, as_user, case, cases, fails, get, mode_of, put, same, true, CASES


@cases(all=0o777, none=0o000, special=0o7777, mixed=0o4651)
def chmod_sets(mode):
    put("f")
    os.chmod("f", mode)
    same(mode_of("f"), mode)


@case
def chmod_of_a_directory():
    os.mkdir("d")
    os.chmod("d", 0o1750)
    same(mode_of("d"), 0o1750)


@case
def fchmod_through_a_descriptor():
    fd = os.open("f", os.O_CREAT | os.O_RDWR)
    os.fchmod(fd, 0o604)
    os.close(fd)
    same(mode_of("f"), 0o604)


@case
def chmod_of_another_users_file_fails():
    put("f")
    as_user(1000, lambda: fails(errno.EPERM, os.chmod, "f", 0o777))


@case
def the_owner_may_chmod_a_file_without_rights():
    put("f")
    os.chown("f", 1000, 1000)
    os.chmod("f", 0)
    as_user(1000, lambda: os.chmod("f", 0o600))
    same(mode_of("f"), 0o600)


@case
def chmod_moves_the_ctime_and_not_the_mtime():
    put("f")
    os.utime("f", (1000, 1000))
    before = os.stat("f").st_ctime_ns
    os.chmod("f", 0o600)
    info = os.stat("f")
    true(info.st_mtime == 1000 and info.st_ctime_ns >= before, "mtime kept, ctime newer")


@case
def chmod_by_a_stranger_to_the_group_drops_setgid():
    put("f")
    os.chown("f", 1000, 2000)
    as_user(1000, lambda: os.chmod("f", 0o2755))
    same(mode_of("f"), 0o755)


@cases(user=(1000, -1), group=(-1, 2000), both=(1000, 2000), large=(70_000, 80_000), largest=(4_000_000_000, 4_000_000_001))
def chown_sets(ids):
    put("f")
    os.chown("f", *ids)
    info = os.stat("f")
    same((info.st_uid, info.st_gid), tuple(0 if i == -1 else i for i in ids))


@case
def only_root_gives_files_away():
    put("f")
    os.chown("f", 1000, 1000)
    as_user(1000, lambda: fails(errno.EPERM, os.chown, "f", 1001, -1))


@case
def the_owner_gives_a_file_to_a_group_of_its_own():
    put("f")
    os.chown("f", 1000, 1000)
    as_user(1000, lambda: os.chown("f", -1, 3000), groups=(3000,))
    same(os.stat("f").st_gid, 3000)
    as_user(1000, lambda: fails(errno.EPERM, os.chown, "f", -1, 4000), groups=(3000,))


@case
def chown_drops_setuid_and_setgid():
    put("f")
    os.chmod("f", 0o6755)
    os.chown("f", 1000, 1000)
    same(mode_of("f"), 0o755)


@case
def writing_drops_setuid():
    put("f", b"x")
    os.chown("f", 1000, 1000)
    os.chmod("f", 0o6777)

    def work():
        fd = os.open("f", os.O_WRONLY)
        os.write(fd, b"y")
        os.close(fd)
    as_user(1001, work)
    same(mode_of("f"), 0o777)


def _rights(who, uid, gid, groups, shift):
    """The three bits of one class decide, whatever the others say."""
    for bits in range(8):
        def run(bits=bits):
            put("f", b"text")
            os.chown("f", 1000, 2000)
            os.chmod("f", bits << shift | (0o777 & ~(7 << shift) if bits == 0 else 0))

            def work():
                for flag, needed in ((os.O_RDONLY, 4), (os.O_WRONLY, 2), (os.O_RDWR, 6)):
                    if bits & needed == needed:
                        os.close(os.open("f", flag))
                    else:
                        fails(errno.EACCES, os.open, "f", flag)
                same((os.access("f", os.R_OK), os.access("f", os.W_OK), os.access("f", os.X_OK)),
                     (bool(bits & 4), bool(bits & 2), bool(bits & 1)))
            as_user(uid, work, gid=gid, groups=groups)
        CASES[f"rights_of_the_{who}_{bits}"] = run


_rights("owner", 1000, 1000, (), 6)
_rights("group", 1001, 2000, (), 3)
_rights("second_group", 1001, 1001, (2000,), 3)
_rights("others", 1001, 1001, (), 0)


@case
def root_reads_and_writes_everything():
    put("f", b"text", 0)
    os.chown("f", 1000, 1000)
    os.chmod("f", 0)
    fd = os.open("f", os.O_RDWR)
    os.write(fd, b"TEXT")
    os.close(fd)
    same(get("f"), b"TEXT")


@case
def root_runs_nothing_that_nobody_may_run():
    put("f", b"#!/bin/sh\n", 0o644)
    true(not os.access("f", os.X_OK), "no access")
    os.chmod("f", 0o001)
    true(os.access("f", os.X_OK), "access")


@case
def a_descriptor_keeps_its_access_when_the_mode_changes():
    put("f", b"text")
    os.chown("f", 1000, 1000)

    def work():
        fd = os.open("f", os.O_RDWR)
        os.chmod("f", 0)
        os.write(fd, b"TEXT")
        same(os.pread(fd, 10, 0), b"TEXT")
        os.close(fd)
        fails(errno.EACCES, os.open, "f", os.O_RDONLY)
    as_user(1000, work)


@case
def a_file_may_be_created_without_rights_and_written():
    def work():
        fd = os.open("f", os.O_CREAT | os.O_RDWR, 0)
        os.write(fd, b"text")
        same(os.pread(fd, 10, 0), b"text")
        os.close(fd)
        fails(errno.EACCES, os.open, "f", os.O_RDONLY)
    as_user(1000, work)


@case
def a_directory_without_x_cannot_be_searched():
    os.mkdir("d")
    put("d/f")
    os.chmod("d", 0o644)

    def work():
        same(os.listdir("d"), ["f"])
        fails(errno.EACCES, os.stat, "d/f")
        fails(errno.EACCES, os.open, "d/f", os.O_RDONLY)
        fails(errno.EACCES, os.chdir, "d")
    as_user(1000, work)


@case
def a_directory_without_r_cannot_be_listed():
    os.mkdir("d")
    put("d/f", b"x")
    os.chmod("d", 0o711)

    def work():
        fails(errno.EACCES, os.listdir, "d")
        same(get("d/f"), b"x")
    as_user(1000, work)


@case
def a_directory_without_w_cannot_be_changed():
    os.mkdir("d")
    put("d/f")
    os.chmod("d", 0o755)

    def work():
        for call in (lambda: os.mkdir("d/e"), lambda: os.open("d/g", os.O_CREAT | os.O_WRONLY),
                     lambda: os.unlink("d/f"), lambda: os.symlink("x", "d/l"), lambda: os.mkfifo("d/p"),
                     lambda: os.rename("d/f", "d/g")):
            fails((errno.EACCES, errno.EPERM), call)
    as_user(1000, work)
    same(os.listdir("d"), ["f"])


@case
def an_existing_name_is_told_before_a_read_only_directory():
    os.mkdir("d")
    os.mkdir("d/e")
    os.chmod("d", 0o755)
    as_user(1000, lambda: fails(errno.EEXIST, os.mkdir, "d/e"))


@case
def truncate_needs_write_permission():
    put("f", b"text")
    os.chmod("f", 0o644)
    as_user(1000, lambda: fails(errno.EACCES, os.truncate, "f", 0))
    same(get("f"), b"text")


@case
def opening_with_o_trunc_needs_write_permission():
    put("f", b"text")
    os.chmod("f", 0o644)
    as_user(1000, lambda: fails(errno.EACCES, os.open, "f", os.O_RDONLY | os.O_TRUNC))
    same(get("f"), b"text")


@case
def a_user_in_many_groups():
    put("f", b"text")
    os.chown("f", 0, 5015)
    os.chmod("f", 0o640)
    as_user(1000, lambda: same(get("f"), b"text"), groups=range(5000, 5016))


@case
def deleting_needs_the_directory_and_not_the_file():
    os.mkdir("d")
    os.chmod("d", 0o777)
    put("d/f")
    os.chmod("d/f", 0)
    as_user(1000, lambda: os.unlink("d/f"))
    same(os.listdir("d"), [])
