"""Two kernel clients change the same files under byte-range locks while a data server is killed and started again every
few seconds: every byte they read is what a model says, on both, and afterwards on a mount without the layout driver."""
import hashlib
import json
import os
import pathlib
import sys
import threading
import time
import unittest

from lab import Lab, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "storm"))
import worker  # noqa: E402

SLOW = os.environ.get("PNFSLAB_SLOW") == "1"
STEPS = 1200 if SLOW else 60  # of each client
KILLS_S = 3                  # between two
LEAST = {"reads": 100, "fences": 10, "resends": 20} if SLOW else {"reads": 8, "fences": 2, "resends": 2}


class Model:
    """Files as a program on one machine would see them."""

    def __init__(self):
        self.files = {}

    def play(self, line):
        """Does the step; says what is wrong with it, or nothing."""
        name = line["file"]
        if line["op"] == "remove":
            self.files.pop(name, None)
            return None
        content = self.files.setdefault(name, bytearray())
        if line["op"] == "write":
            end = line["offset"] + line["length"]
            content.extend(bytes(max(0, end - len(content))))
            content[line["offset"]:end] = worker.pattern(line["seed"], line["length"])
        elif line["op"] == "truncate":
            size = line["size"]
            del content[size:]
            content.extend(bytes(size - len(content)))
        else:
            wanted = bytes(content[line["offset"]:])
            if (len(wanted), hashlib.md5(wanted).hexdigest()) != (line["length"], line["md5"]):
                return f"{line}: the model has {len(wanted)} bytes, md5 {hashlib.md5(wanted).hexdigest()}"
        return None

    def sums(self):
        return {f"file{name}": hashlib.md5(content).hexdigest() for name, content in self.files.items()}


def check(lines):
    """The model after all steps. Lines of each file are numbered without a gap, whoever wrote them."""
    model, wrong = Model(), []
    lines = [line for line in lines if "number" in line]
    for name in {line["file"] for line in lines}:
        steps = sorted((line for line in lines if line["file"] == name), key=lambda line: line["number"])
        if [line["number"] for line in steps] != list(range(1, len(steps) + 1)):
            wrong.append(f"file{name}: steps are numbered {[line['number'] for line in steps]}")
        wrong += [problem for problem in map(model.play, steps) if problem]
    return model, wrong


class Killer(threading.Thread):
    """Kills one data server after the other and starts it again, until it is told to stop."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab, self.stop, self.kills, self.problem = lab, threading.Event(), 0, None

    def run(self):
        names = ["ds1", "ds2"]
        while not self.stop.wait(KILLS_S):
            name = names[self.kills % len(names)]
            self.lab.kill(name)
            self.stop.wait(0.7)
            done = run("ds", "start", name, "--state", self.lab.state)
            if done.returncode != 0:
                self.problem = f"ds start {name}: {done.stderr}"
                return
            self.kills += 1


class Storm(unittest.TestCase):
    def test_the_model_sees_what_is_wrong(self):
        good = [{"file": 0, "number": 1, "op": "write", "offset": 0, "length": 3, "seed": 1},
                {"file": 0, "number": 2, "op": "read", "offset": 0, "length": 3,
                 "md5": hashlib.md5(worker.pattern(1, 3)).hexdigest()}]
        self.assertEqual(check(good)[1], [])
        self.assertNotEqual(check([good[0], {**good[1], "md5": "0"}])[1], [])
        self.assertNotEqual(check([good[1], {**good[0], "number": 3}])[1], [])

    def test_two_clients_while_data_servers_die(self):
        # device-ids=instance: a data server that starts again makes a new device, so that a client which has given up
        # on the old one (Linux: for two minutes) comes back to it at once.
        with Lab("--data-servers", 2, "--lease-seconds", 10, "--layout", "device-ids=instance") as lab:
            killer = Killer(lab)
            killer.start()
            try:
                out = lab.client(f"""role=$(hostname)
                    mkdir -p /mnt/pnfs/storm
                    python3 {worker.__file__} /mnt/pnfs/storm $role {STEPS} {os.getpid()} || exit 1
                    echo done >/mnt/pnfs/$role.done
                    while [ ! -f /mnt/pnfs/client1.done ] || [ ! -f /mnt/pnfs/client2.done ]; do sleep 0.5; done
                    cd /mnt/pnfs/storm && md5sum file* | sed "s/^/sum $role /" """,
                                 "--count", 2, "--memory", 384, "--timeout", 3000, check=False, timeout=3200)
            finally:
                killer.stop.set()
                killer.join(60)
            (lab.state / "steps.txt").write_text(out.stdout)  # read when the state folder is kept
            self.assertIsNone(killer.problem)
            self.assertEqual(out.returncode, 0, out.stdout[-3000:] + out.stderr[-3000:])
            plain = lab.client("cd /mnt/pnfs/storm && md5sum file* | sed 's/^/sum plain /'", "--no-layouts").stdout
            fsck = lab.fsck()
            lab.down()

            lines, sums = [], {}
            for text in (out.stdout + plain).splitlines():
                words = text[text.find("sum "):].split() if "sum " in text else []
                if len(words) == 4:
                    sums.setdefault(words[1], {})[words[3]] = words[2]
                elif "{" in text:
                    lines.append(json.loads(text[text.index("{"):]))
            model, wrong = check(lines)
            self.assertEqual(wrong[:3], [])
            self.assertEqual(sum("number" in line for line in lines), 2 * STEPS)
            for who in ("client1", "client2", "plain"):
                self.assertEqual(sums.get(who), model.sums(), who)
            self.assertEqual(fsck.returncode, 0, fsck.stdout + fsck.stderr)
            self.check_marks(lab, killer.kills)

    def check_marks(self, lab, kills):
        """A run that met nothing proves nothing."""
        seen = {"reads": min(lab.ops(ds).get("READ", 0) for ds in ("ds1", "ds2")),
                "fences": sum(e.get("op", "").startswith("PERSISTENT RESERVE OUT") and "PREEMPT" in json.dumps(e)
                              for e in lab.trace("target")),
                "resends": lab.ops("mds").get("WRITE", 0) + lab.ops("mds").get("READ", 0)}
        print(f"{kills} kills, {seen}")
        for mark, least in LEAST.items():
            self.assertGreaterEqual(seen[mark], least, seen)


if __name__ == "__main__":
    unittest.main()
