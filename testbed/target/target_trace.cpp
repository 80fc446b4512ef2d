#include "testbed/target/target_trace.hpp"

#include "testbed/target/pdu.hpp"
#include "testbed/target/scsi/logical_unit.hpp"

namespace pnfs::target {

void TargetTrace::on_command(const CommandRecord& r) {
  if (!sink_.enabled(trace::Kind::scsi)) return;
  const scsi::Command& c = r.command;
  trace::Event event;
  event.kind = trace::Kind::scsi;
  event.client = r.initiator;
  event.xid = r.tag;
  const std::string unknown = r.name.empty() ? fmt::format("opcode 0x{:02x}", c.opcode()) : std::string();
  event.op = r.name.empty() ? std::string_view(unknown) : r.name;
  const std::string args = r.lun != kNoLun ? fmt::format("lun={} lba={} blocks={}", r.lun, c.lba, c.blocks) : "no such lun";
  event.args = args;
  if (c.blocks != 0 && c.unit != nullptr) {
    event.offset = c.lba * c.unit->block_bytes();
    event.length = c.blocks * c.unit->block_bytes();
  }
  event.bytes = r.bytes;
  event.status = scsi::to_string(c.status);
  std::string reason;
  if (c.status == scsi::Status::check_condition) reason = scsi::words_of(c.sense);
  event.reason = reason;
  event.fault = r.fault;
  sink_.record(event);
}

void TargetTrace::on_session(const SessionRecord& r) {
  trace::Event event;
  event.kind = trace::Kind::net;
  event.client = r.initiator;
  event.client_addr = r.peer;
  event.op = r.event;
  event.args = r.target;
  event.reason = r.reason;
  sink_.record(event);
}

void TargetTrace::on_rule(std::string_view rule, std::string_view op, std::string_view initiator) {
  trace::Event event;
  event.kind = trace::Kind::fault;
  event.client = initiator;
  event.op = op;
  event.fault = rule;
  sink_.record(event);
}

}  // namespace pnfs::target
