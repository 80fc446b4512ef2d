#!/usr/bin/env python3
"""pnfs-target as a process: options, exit codes, readiness, passed sockets, trace, and what a kill loses.

usage: target_program.py PNFS_TARGET
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
URL = "iscsi://{}/iqn.2026-01.pnfslab:volume/1"


class TargetProgram(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        self.image = self.path / "disk.img"

    def start(self, *options, **more):
        process = subprocess.Popen([PROGRAM, *map(str, options)], stdout=subprocess.PIPE, text=True, **more)
        self.addCleanup(lambda: (process.poll() is None and process.kill(), process.wait(), process.stdout.close()))
        line = process.stdout.readline()
        match = re.fullmatch(r"listening at (\S+)\n", line)
        self.assertTrue(match, line)
        return process, match[1]

    def serve(self, *options, **more):
        return self.start("--file", self.image, "--size", "16M", "--listen", "127.0.0.1:0", *options, **more)

    def refused(self, code, pattern, *options):
        done = subprocess.run([PROGRAM, *map(str, options)], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, pattern)

    def conformance(self, address, test):
        done = subprocess.run(["iscsi-test-cu", "-d", "-t", test, URL.format(address)], capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])

    def test_help_has_an_example(self):
        done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn("Example:", done.stdout)

    def test_bad_options_are_one_sentence_and_exit_code_2(self):
        self.refused(2, "say what to serve")
        self.refused(2, "--colour", "--colour", "blue")
        self.refused(2, "'1Q' is not a size", "--file", self.image, "--size", "1Q")
        self.refused(2, "not an iSCSI name", "--file", self.image, "--size", "1M", "--iqn", "disk")
        self.refused(2, "not a port", "--file", self.image, "--size", "1M", "--listen", "127.0.0.1:99999")
        config = self.path / "ietd.conf"
        config.write_text("Target iqn.2026-01.a:b\n  Lun 0 Path=/x,Typ=fileio\n")
        self.refused(2, r"ietd\.conf:2: Typ: is not a parameter of Lun", "--config", config)

    def test_what_cannot_be_served_is_exit_code_1(self):
        self.refused(1, "does not exist; give a size", "--file", self.path / "none")
        _, address = self.serve()
        self.refused(1, "in use by another target", "--file", self.image, "--listen", "127.0.0.1:0")
        self.refused(1, "port .* in use", "--file", self.path / "two", "--size", "1M", "--listen", address)

    def test_ready_is_told_and_a_listening_socket_is_taken_over(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        reader, writer = os.pipe()
        process, address = self.start("--file", self.image, "--size", "16M", "--listen-fd", listener.fileno(),
                                      "--ready-fd", writer, pass_fds=[listener.fileno(), writer])
        os.close(writer)
        self.assertEqual(os.read(reader, 100), b"ready\n")
        os.close(reader)
        self.assertEqual(address, "127.0.0.1:%d" % listener.getsockname()[1])
        self.conformance(address, "ALL.TestUnitReady")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 0)

    def test_a_kill_loses_what_was_not_flushed_and_an_orderly_stop_does_not(self):
        process, address = self.serve("--cache", "volatile")
        self.conformance(address, "ALL.Write10.Simple")
        process.kill()
        process.wait()
        self.assertFalse(any(self.image.read_bytes()), "unflushed writes reached the file")
        process, address = self.serve("--cache", "volatile")
        self.conformance(address, "ALL.Write10.Simple")
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        self.assertTrue(any(self.image.read_bytes()), "an orderly stop lost writes")

    def test_the_trace_counts_bytes_by_initiator(self):
        trace = self.path / "trace.json"
        process, address = self.serve("--trace", trace)
        self.conformance(address, "ALL.Write16.Simple")
        process.terminate()
        process.wait(30)
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        writes = [l for l in lines if l["kind"] == "scsi" and l["op"] == "WRITE(16)" and l["status"] == "GOOD"]
        self.assertTrue(writes)
        for line in writes:
            self.assertEqual(line["bytes"], line["length"])
            self.assertTrue(line["client"].startswith("iqn."))
        self.assertIn("login", {l["op"] for l in lines if l["kind"] == "net"})

    def test_state_files_look_like_iets(self):
        _, address = self.serve("--state", self.path)
        volume = (self.path / "volume").read_text()
        self.assertRegex(volume, r"^tid:1 name:iqn\.2026-01\.pnfslab:volume\n\tlun:1 state:0 iotype:fileio iomode:wb "
                                 r"blocks:32768 blocksize:512 path:\S+\n$")
        self.assertEqual((self.path / "session").read_text(), "tid:1 name:iqn.2026-01.pnfslab:volume\n")

    def test_registrations_survive_a_kill_only_where_asked_to(self):
        process, address = self.serve()
        self.conformance(address, "ALL.ProutRegister")
        process.kill()
        process.wait()
        self.assertFalse((self.path / "disk.img.registrations").exists())

    def test_chap_from_ietd_conf(self):
        config = self.path / "ietd.conf"
        config.write_text(f"Target iqn.2026-01.pnfslab:volume\n IncomingUser joe secretsecret\n"
                          f" OutgoingUser target targetsecret\n Lun 1 Path={self.image},Size=16M,IOMode=wb\n")
        _, address = self.start("--config", config, "--listen", "127.0.0.1:0")
        def inquire(credentials, more=""):
            url = f"iscsi://{credentials}{address}/iqn.2026-01.pnfslab:volume/1{more}"
            return subprocess.run(["iscsi-inq", url], capture_output=True, text=True, timeout=30).returncode
        self.assertEqual(inquire("joe%secretsecret@"), 0)
        self.assertEqual(inquire("joe%secretsecret@", "?target_user=target&target_password=targetsecret"), 0)
        self.assertNotEqual(inquire("joe%secretsecreT@"), 0)
        self.assertNotEqual(inquire("joe%secretsecret@", "?target_user=target&target_password=wrongwrong"), 0)
        self.assertNotEqual(inquire(""), 0)

    def test_discovery_lists_targets_this_initiator_may_see(self):
        (self.path / "initiators.allow").write_text("iqn.2026-01.a:one ALL\niqn.2026-01.a:two 10.1.1.1\n")
        config = self.path / "ietd.conf"
        config.write_text("Target iqn.2026-01.a:one\n Lun 0 Sectors=2048,Type=nullio\n"
                          "Target iqn.2026-01.a:two\n Lun 0 Sectors=2048,Type=nullio\n")
        _, address = self.start("--config", config, "--listen", "127.0.0.1:0")
        done = subprocess.run(["iscsi-ls", f"iscsi://{address}"], capture_output=True, text=True, timeout=30)
        self.assertIn("iqn.2026-01.a:one", done.stdout)
        self.assertNotIn("iqn.2026-01.a:two", done.stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
