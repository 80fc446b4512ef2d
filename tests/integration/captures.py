"""What tshark makes of a capture that the servers wrote, held against the trace of the same run."""
import collections
import ipaddress
import json
import struct
import subprocess

NFS = "100003"
CALL = "0"
WRONG = ["tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment", "tcp.analysis.retransmission",
         "tcp.analysis.out_of_order"]
CHECKSUMS = ["tcp.checksum.status", "ip.checksum.status"]
FIELDS = ["frame.number", "frame.interface_name", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport",
          "_ws.malformed", "frame.comment", "rpc.msgtyp", "rpc.xid", "rpc.program", "rpc.procedure", "iscsi.opcode",
          *WRONG, *CHECKSUMS]
# 2^32 is where TCP's numbers begin again; nothing here gets that far.
OPTIONS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]


def servers(path):
    """{(address, port): node}: where each node of the capture was connected to."""
    data, at, names, found = path.read_bytes(), 0, [], {}
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 1:
            code, size = struct.unpack_from("<HH", data, at + 16)
            assert code == 2, "the interface's name comes first"
            names.append(data[at + 20:at + 20 + size].decode())
        elif kind == 6:
            interface, = struct.unpack_from("<I", data, at + 8)
            ip = at + 42
            four = data[ip - 2:ip] == b"\x08\x00"
            address = data[ip + 16:ip + 20] if four else data[ip + 24:ip + 40]
            tcp = ip + (20 if four else 40)
            if data[tcp + 13] & 0x12 == 0x02:  # SYN without ACK
                port, = struct.unpack_from(">H", data, tcp + 2)
                found[str(ipaddress.ip_address(address)), port] = names[interface]
        at += length
    return found


def frames(path, *more):
    """One dictionary a frame; a field that is there several times is joined by commas."""
    words = ["tshark", "-n", "-r", str(path), *OPTIONS, *more, "-T", "fields", "-E", "occurrence=a", "-E", "separator=/t"]
    # A lab's ports may be what tshark takes for another protocol's.
    for port, is_target in {(port, node == "target") for (_, port), node in servers(path).items()}:
        words += ["-d", f"tcp.port=={port},{'iscsi' if is_target else 'rpc'}"]
    for field in FIELDS:
        words += ["-e", field]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"tshark failed: {done.stderr}")
    for line in done.stdout.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


class Seen:
    """What a capture holds: NFS requests to each node by their xid, SCSI commands, comments, and what is wrong."""

    def __init__(self, path):
        self.servers = servers(path)
        self.calls = collections.defaultdict(collections.Counter)
        self.scsi, self.problems, self.comments, self.packets = 0, [], [], 0
        for frame in frames(path):
            self.packets += 1
            self.take(frame, path)

    def take(self, frame, path):
        comment = frame["frame.comment"]
        if comment:
            self.comments.append(comment)
        what = [name for name in WRONG if frame[name]]
        what += [name for name in CHECKSUMS if frame[name] not in ("1", "")]  # Good
        # A rule may have made it malformed; its packet says so.
        if frame["_ws.malformed"] and "fault:" not in comment:
            what.append("malformed")
        if what:
            self.problems.append(f"{path.name}: frame {frame['frame.number']}: {', '.join(what)}")
        node = self.servers.get((frame["ip.dst"] or frame["ipv6.dst"], int(frame["tcp.dstport"])))
        if node == "target":
            self.scsi += frame["iscsi.opcode"].lower().split(",").count("0x01")
        split = [frame[name].split(",") for name in ("rpc.msgtyp", "rpc.xid", "rpc.program", "rpc.procedure")]
        for kind, xid, program, procedure in zip(*split):
            if node and (kind, program, procedure) == (CALL, NFS, "1"):  # COMPOUND
                self.calls[node][int(xid, 16)] += 1


def traced(path):
    """({node: requests by their xid}, SCSI commands) as the trace counts them."""
    requests, scsi = set(), 0
    for line in path.read_text().splitlines():
        event = json.loads(line)
        if event["kind"] in ("op", "rpc") and "xid" in event:
            # A server that was started again counts calls and connections from one.
            requests.add((event["node"], event["call"], event.get("conn"), event["xid"]))
        scsi += event["kind"] == "scsi"
    calls = collections.defaultdict(collections.Counter)
    for node, _, _, xid in requests:
        calls[node][xid] += 1
    return calls, scsi


def problems(pcapng, jsonl, killed=()):
    """Sentences; none when the capture decodes and holds the requests that the trace has, those and no others. A node that
    was killed from outside had the end of one or the other still in memory."""
    seen = Seen(pcapng)
    calls, scsi = traced(jsonl)
    found = list(seen.problems)
    for node in sorted((set(calls) | set(seen.calls)) - set(killed)):
        for what, xids in (("not in the capture", calls[node] - seen.calls[node]), ("not in the trace", seen.calls[node] - calls[node])):
            if xids:
                found.append(f"{pcapng.name}: calls to {node} that are {what}: xid {', '.join(f'{x:#x}' for x in xids)}")
    if seen.scsi != scsi:
        found.append(f"{pcapng.name}: {seen.scsi} SCSI commands, the trace has {scsi}")
    if not all(calls[node] & seen.calls[node] for node in {"mds", *killed}) or not scsi:
        found.append(f"{jsonl.name}: no request, or no SCSI command")
    return found
