"""The quickstart's own packets: tshark decodes every NFS message, and counts what the traces count."""
import collections
import json
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml

from lab import run

NFS, CALL, REPLY = 100003, 0, 1
TIMEOUT = 300
TSHARKS_NAMES = {"GETDEVINFO": "GETDEVICEINFO", "GETDEVLIST": "GETDEVICELIST"}


def command(file, ports, *more):
    """tshark with every server port decoded as RPC. Segments may be seen in another order than they were sent."""
    words = ["tshark", "-n", "-r", str(file), "-o", "tcp.reassemble_out_of_order:TRUE"]
    for port in ports:
        words += ["-d", f"tcp.port=={port},rpc"]
    return words + list(more)


def tshark(file, ports, *more):
    done = subprocess.run(command(file, ports, *more), capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        raise AssertionError(f"tshark failed: {done.stderr}")
    return done.stdout


def number(element, field):
    found = element.find(f".//field[@name='{field}']")
    return None if found is None else int(found.get("show"), 0)


def messages(file, ports):
    """(server's port, message type, opcodes) of every NFS message between client and servers, callbacks apart."""
    words = command(file, ports, "-J", "tcp rpc nfs", "-T", "pdml", "-Y", "rpc")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for _, packet in xml.iterparse(process.stdout):
            if packet.tag != "packet":
                continue
            port, kind, program = None, None, None
            # One packet may hold several messages: each is an rpc layer with the nfs layer that follows it.
            for layer in packet.iter("proto"):
                if layer.get("name") == "tcp":
                    source, target = number(layer, "tcp.srcport"), number(layer, "tcp.dstport")
                    port = source if source in ports else target
                elif layer.get("name") == "rpc":
                    kind, program = number(layer, "rpc.msgtyp"), number(layer, "rpc.program")
                elif layer.get("name") == "nfs" and program == NFS:
                    opcodes = [f.get("showname") for f in layer.iter("field") if f.get("name") == "nfs.opcode"]
                    names = [re.search(r"(\w+) \(\d+\)", text)[1] for text in opcodes]
                    yield port, kind, [TSHARKS_NAMES.get(name, name) for name in names]
            packet.clear()


class Capture(unittest.TestCase):
    def check(self, file, told):
        ports = {port: name for name, port in told["ports"].items()}
        self.assertEqual(tshark(file, ports, "-Y", "_ws.malformed || rpc.fragment.error"), "")
        # Nothing is missing in it, and no byte to or from a server is left undecoded.
        self.assertEqual(tshark(file, ports, "-Y", "tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment"), "")
        self.assertEqual(tshark(file, ports, "-Y", "tcp.len > 0 && !rpc && !tcp.segment_data && !tcp.analysis.flags"), "")
        self.check_counts(file, told)

    def check_counts(self, file, told):
        ports = {port: name for name, port in told["ports"].items()}
        kinds = {name: collections.Counter() for name in told["ports"]}
        executed = {name: collections.Counter() for name in told["ports"]}
        for port, kind, names in messages(file, ports):
            kinds[ports[port]][kind] += 1
            if kind == REPLY:  # a reply holds a result of each operation that was executed
                executed[ports[port]].update(names)
        for name in told["ports"]:
            self.assertGreaterEqual(kinds[name][CALL], told["calls"][name], name)
            self.assertEqual(kinds[name][CALL], kinds[name][REPLY], name)
            shown = {op: count for op, count in told["ops"][name].items() if count}
            self.assertEqual(dict(executed[name]), shown, name)
        self.assertGreater(sum(told["calls"].values()), 40)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        done = run("quickstart", "--json", cls.folder / "result.json", "--capture", cls.folder)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.told = json.loads((cls.folder / "result.json").read_text())

    def test_modern(self):
        self.check(self.folder / "modern.pcap", self.told["modern"])

    def test_dlm_2014(self):
        self.check(self.folder / "dlm-2014.pcap", self.told["dlm-2014"])

    def test_a_capture_that_misses_a_call_is_noticed(self):
        told, whole, short = self.told["dlm-2014"], self.folder / "dlm-2014.pcap", self.folder / "short.pcap"
        calls = tshark(whole, told["ports"].values(), "-Y", "rpc.msgtyp == 0", "-T", "fields", "-e", "frame.number").split()
        subprocess.run(["editcap", whole, short, calls[len(calls) // 2]], check=True, stderr=subprocess.DEVNULL)
        with self.assertRaises(AssertionError):
            self.check_counts(short, told)


if __name__ == "__main__":
    unittest.main()
