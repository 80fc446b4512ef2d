#!/usr/bin/env python3
"""Runs the POSIX cases below a folder:  run.py FOLDER               one client, every case
                                         run.py FOLDER ROLE SYNC     ROLE "a" or "b" of two clients that share FOLDER
                                         run.py --list
One line for each case, "ok NAME" or "not ok NAME: why"; exit code 1 when one failed. SYNC is a folder that both roles
see at once (not on the file system under test); there they wait for each other."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import lib  # noqa: E402
import data, dirs, direct, links, locks, mapped, names, owners, pairs, pairs_state, renames, sparse, times  # noqa: E401,E402,F401

PATIENCE_S = 60


class PeerFailed(Exception):
    pass


class Sync:
    """Meeting points: sync() returns when the other role has called it as often."""

    def __init__(self, folder, name, role):
        self.base = os.path.join(folder, name)
        self.role, self.other = role, "b" if role == "a" else "a"
        self.step = 0

    def __call__(self):
        self.step += 1
        self.tell(str(self.step))
        self.wait(str(self.step))

    def tell(self, what):
        os.close(os.open(f"{self.base}.{what}.{self.role}", os.O_CREAT | os.O_WRONLY, 0o666))

    def wait(self, what):
        end = time.monotonic() + PATIENCE_S
        while not os.path.exists(f"{self.base}.{what}.{self.other}"):
            if what != "done" and os.path.exists(f"{self.base}.failed.{self.other}"):
                raise PeerFailed("the other client failed")
            if time.monotonic() > end:
                raise PeerFailed(f"the other client did not come to step {what}")
            time.sleep(0.002)


def report(name, error, began):
    if error is None:
        print(f"ok {name} # {(time.monotonic() - began) * 1000:.0f} ms", flush=True)
        return 0
    text = f"{type(error).__name__}: {error}".strip().replace("\n", " | ")
    line = error.__traceback__
    while line.tb_next is not None and "lib.py" not in line.tb_next.tb_frame.f_code.co_filename:
        line = line.tb_next
    print(f"not ok {name}: {text} (line {line.tb_lineno})", flush=True)
    return 1


def chosen(cases):
    """POSIX_CASES="name ..." only those, POSIX_WITHOUT="name ..." all but those, POSIX_SHARE=1/2 every second case."""
    wanted, without = (os.environ.get(key, "").split() for key in ("POSIX_CASES", "POSIX_WITHOUT"))
    mine, shares = map(int, os.environ.get("POSIX_SHARE", "1/1").split("/"))
    names = [name for name in cases if (not wanted or name in wanted) and name not in without]
    return {name: cases[name] for name in names[mine - 1::shares]}


def run_alone(folder):
    failed = 0
    for name, function in chosen(lib.CASES).items():
        began = time.monotonic()
        place = os.path.join(folder, name)
        os.mkdir(place, 0o777)
        os.chmod(place, 0o777)
        os.chdir(place)
        problem = None
        try:
            function()
        except Exception as e:
            problem = e
        failed += report(name, problem, began)
        os.umask(0o022)
        os.chdir(folder)
    return failed


def run_pairs(folder, role, sync_folder):
    failed = 0
    for name, function in chosen(lib.PAIRS).items():
        began = time.monotonic()
        place = os.path.join(folder, name)
        sync = Sync(sync_folder, name, role)
        problem = None
        try:
            if role == "a":
                os.mkdir(place, 0o777)
            sync()
            os.chdir(place)
            function(role, sync)
        except Exception as e:
            problem = e
            sync.tell("failed")
        sync.tell("done")
        try:
            sync.wait("done")
        except PeerFailed as e:
            problem = problem or e
        failed += report(name, problem, began)
        os.chdir(folder)
    return failed


def take_a_pid_of(role):
    """Even process ids for role "a", odd ones for "b": Linux makes the verifier of an exclusive create from jiffies and
    the process id, and two guests that were started together agree in both, so that to the server the second create
    is the first one sent again (RFC 8881 section 18.16.3) and both clients win."""
    while os.getpid() % 2 != "ab".index(role):
        child = os.fork()
        if child:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def main(words):
    if words == ["--list"]:
        print("\n".join([*lib.CASES, *lib.PAIRS]))
        return 0
    folder = os.path.abspath(words[0])
    os.umask(0o022)
    if len(words) == 1:
        return 1 if run_alone(folder) else 0
    take_a_pid_of(words[1])
    return 1 if run_pairs(folder, words[1], words[2]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
