"""A lab for tests: `pnfslab up` in a state folder of its own, commands in the kernel client, and what the traces say.
Every Lab ends with its `with` block, whatever happens; with PNFSLAB_KEEP=1 the state folder of a failed one (traces,
logs, the LUN) stays for a look."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ.get("PNFSLAB_BIN", "build/release/bin")).resolve()
PNFSLAB = str(BIN / "pnfslab")


def free_base_port():
    """A base port under which the MDS, nine data servers and the target are free."""
    for base in range(20000 + os.getpid() % 500 * 20, 60000, 20):
        try:
            for port in list(range(base, base + 10)) + [base + 1211]:
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
    raise RuntimeError("no free ports")


def run(*words, timeout=180, **more):
    """One pnfslab command; stdout and stderr as text."""
    return subprocess.run([PNFSLAB, *map(str, words)], capture_output=True, text=True, timeout=timeout, **more)


def others_can_reach_us():
    """Whether somebody else than root could run the programs: not where a clone lies in root's home."""
    return all(folder.stat().st_mode & 0o001 for folder in [BIN, *BIN.parents])


def wait_until(true, seconds=60, what=""):
    """Calls `true` until it is; AssertionError after that time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Lab:
    def __init__(self, *up_options, state=None):
        self.options = [str(o) for o in up_options]
        self.keep = state is not None
        self.state = pathlib.Path(state or tempfile.mkdtemp(prefix="pnfslab-test-"))
        self.base_port = free_base_port()

    def up(self, *more):
        done = run("up", "--state", self.state, "--base-port", self.base_port, *self.options, *more)
        if done.returncode != 0:
            raise AssertionError(f"up failed: {done.stdout}{done.stderr}")
        return self

    def down(self):
        return run("down", "--state", self.state)

    def __enter__(self):
        return self.up()

    def __exit__(self, kind, value, trace):
        self.down()
        if kind is not None:
            print(f"logs of the failed run: {self.logs()}")
        if kind is not None and os.environ.get("PNFSLAB_KEEP") == "1":
            print(f"kept for a look: {self.state}")
        elif not self.keep:
            shutil.rmtree(self.state, ignore_errors=True)

    def status(self):
        return json.loads(run("status", "--state", self.state, "--json").stdout)

    def pids(self):
        status = self.status()
        return {"target": status["target"]["pid"], "mds": status["mds"]["pid"],
                **{ds["name"]: ds["pid"] for ds in status["ds"]}}

    def kill(self, *nodes):
        """kill -9, and wait until they are gone."""
        pids = self.pids()
        for node in nodes or pids:
            os.kill(pids[node], signal.SIGKILL)
        for node in nodes or pids:
            while os.path.exists(f"/proc/{pids[node]}/stat") and \
                    pathlib.Path(f"/proc/{pids[node]}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                time.sleep(0.02)

    def client(self, script, *options, check=True, timeout=180):
        """Runs a shell script in a kernel client. Returns the finished process."""
        done = run("client", "--state", self.state, *options, "--", "sh", "-c", script, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"client: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start_client(self, script, *options):
        return subprocess.Popen([PNFSLAB, "client", "--state", str(self.state), *map(str, options), "--", "sh", "-c", script],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def trace(self, node):
        path = self.state / "trace" / f"{node}.jsonl"
        events = []
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                pass  # the last line of a server that was killed
        return events

    def ops(self, node):
        """Operations that a server executed, by name. The server must have ended, or flushed."""
        counts = {}
        for event in self.trace(node):
            if event.get("kind") == "op":
                counts[event["op"]] = counts.get(event["op"], 0) + 1
        return counts

    def fsck(self):
        return run("fsck", "--state", self.state)

    def logs(self):
        text = ""
        for path in sorted((self.state / "log").glob("*.log")):
            text += f"\n--- {path.name}\n" + "\n".join(path.read_text().splitlines()[-15:])
        return text
