"""Peers that send nonsense to the NFS ports: their connection alone suffers, with a reason in the trace, while a kernel
client goes on. (tests/sim has the same at every server, on virtual time.)"""
import os
import socket
import struct
import unittest

from lab import Lab

# RFC 5531: a call of NFS version 4, procedure COMPOUND, AUTH_NONE.
CALL = struct.pack(">IIIIII", 7, 0, 2, 100003, 4, 1) + bytes(16)


def record(payload, claimed=None):
    return struct.pack(">I", 0x80000000 | (len(payload) if claimed is None else claimed)) + payload


def answer(stream):
    """What comes back: bytes of one record, or b"" when the server closed."""
    got = b""
    try:
        while len(got) < 4 or len(got) < 4 + (struct.unpack(">I", got[:4])[0] & 0x7fffffff):
            piece = stream.recv(65536)
            if not piece:
                return b""
            got += piece
    except ConnectionResetError:
        return b""
    return got[4:]


class BadPeers(unittest.TestCase):
    def test_their_connection_alone_suffers(self):
        with Lab() as lab:
            writer = lab.start_client("for i in $(seq 40); do echo $i >> /mnt/pnfs/log && sync && sleep 0.1; done; wc -l < /mnt/pnfs/log")
            ports = [lab.base_port, lab.base_port + 1, lab.base_port + 2]
            for port in ports:
                def connect():
                    stream = socket.create_connection(("127.0.0.1", port))
                    stream.settimeout(60)
                    return stream

                garbage = connect()
                garbage.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(4096))
                oversized = connect()
                oversized.sendall(record(b"", claimed=100 << 20))
                truncated = connect()
                # A compound of one operation, EXCHANGE_ID, that ends after its verifier (RFC 8881 15.1.1.1: BADXDR).
                truncated.sendall(record(CALL + struct.pack(">III", 0, 1, 1) + struct.pack(">I", 42) + bytes(8)))
                reply = answer(truncated)
                self.assertEqual(struct.unpack(">I", reply[24:28])[0], 10036)  # NFS4ERR_BADXDR
                unfinished = connect()
                unfinished.sendall(record(CALL[:10], claimed=400))
                self.assertEqual(answer(garbage), b"")
                self.assertEqual(answer(oversized), b"")
                for stream in (garbage, oversized, truncated):
                    stream.close()
                unfinished.close()
            output, _ = writer.communicate(timeout=180)
            self.assertEqual(writer.returncode, 0, output)
            self.assertEqual(output.split()[-1], "40", output)
            lab.down()
            for node in ("mds", "ds1", "ds2"):
                reasons = [e.get("reason", "") for e in lab.trace(node) if e.get("kind") == "net" and e.get("op") == "close"]
                self.assertTrue(any("over the limit" in r for r in reasons), (node, reasons))
            lab.up()
            self.assertEqual(lab.client("tail -n 1 /mnt/pnfs/log").stdout.strip(), "40")


if __name__ == "__main__":
    unittest.main()
