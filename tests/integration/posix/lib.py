"""What the POSIX cases are made of. A case is a function; it runs as root with an empty folder of its own as working
directory and fails by an exception. `@case` names it after the function; `@cases(...)` makes one case of each value."""
import errno
import os
import sys
import traceback

CASES = {}  # name -> function without arguments
PAIRS = {}  # name -> function(role, sync) that two clients run at once, in the same folder


class Failed(Exception):
    pass


def _add(table, name, function):
    if name in table:
        raise RuntimeError(f"two cases are called {name}")
    table[name] = function


def case(function):
    _add(CASES, function.__name__, function)
    return function


def cases(**values):
    """@cases(small=3, large=4): cases function_small and function_large, called with the value."""
    def add(function):
        for name, value in values.items():
            _add(CASES, f"{function.__name__}_{name}", lambda f=function, v=value: f(v))
        return function
    return add


def pair(function):
    _add(PAIRS, function.__name__, function)
    return function


def same(got, wanted):
    if got != wanted:
        short = lambda v: v if len(repr(v)) < 200 else repr(v)[:200] + "..."
        raise Failed(f"got {short(got)}, wanted {short(wanted)}")


def true(condition, what="condition"):
    if not condition:
        raise Failed(f"{what} does not hold")


def fails(code, call, *args, **more):
    """The call fails with this errno (or one of a tuple of them)."""
    codes = code if isinstance(code, tuple) else (code,)
    try:
        result = call(*args, **more)
    except OSError as e:
        if e.errno not in codes:
            names = "/".join(errno.errorcode[c] for c in codes)
            raise Failed(f"failed with {errno.errorcode.get(e.errno, e.errno)}, wanted {names}") from e
        return
    raise Failed(f"succeeded with {result!r}, wanted {'/'.join(errno.errorcode[c] for c in codes)}")


def in_child(work):
    """Runs work() in a process of its own; its exception becomes ours."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        code = 0
        try:
            work()
        except BaseException:
            os.write(write, traceback.format_exc(limit=-2).encode()[-2000:])
            code = 1
        os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        raise Failed(f"the child died of signal {os.WTERMSIG(status)}")
    if os.WEXITSTATUS(status) != 0:
        raise Failed(f"in a child: {text}")


def as_user(uid, work, gid=None, groups=()):
    """Runs work() as another user: in this process, since a fork is what a guest is slowest at."""
    before = os.getgroups()
    gid = uid if gid is None else gid
    os.setgroups(list(groups))
    os.setresgid(gid, gid, 0)
    os.setresuid(uid, uid, 0)
    try:
        work()
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(before)


def put(path, data=b"", mode=0o644):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
    finally:
        os.close(fd)


def get(path):
    with open(path, "rb", buffering=0) as f:
        parts = []
        while part := f.read(1 << 20):
            parts.append(part)
        return b"".join(parts)


def pattern(size, salt=0):
    """Bytes that differ from page to page."""
    out = bytearray()
    while len(out) < size:
        out += (b"%08d:%03d " % (len(out), salt)) * 8
    return bytes(out[:size])


def listing(path="."):
    """Names, without those an NFS client keeps removed files under while it still needs them."""
    return sorted(name for name in os.listdir(path) if not name.startswith(".nfs"))


def mode_of(path):
    return os.lstat(path).st_mode & 0o7777


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)
