#include "testbed/target/rule_hook.hpp"

#include <algorithm>

#include "testbed/target/scsi/dispatch.hpp"

namespace pnfs::target {

namespace {

using Kind = FaultAction::Kind;

// Rules are words parted by blanks, so a point has none.
std::string point_name(std::string_view command) {
  std::string name(command);
  std::ranges::replace(name, ' ', '_');
  return name;
}

// common/fault's one number: status | sense key << 8 | ASC << 16 | ASCQ << 24.
FaultAction answer(uint32_t status) {
  FaultAction action;
  action.status = static_cast<scsi::Status>(status & 0xff);
  action.kind = Kind::status;
  if (action.status == scsi::Status::check_condition) {
    action.kind = Kind::check_condition;
    action.key = static_cast<scsi::SenseKey>(status >> 8 & 0xf);
    action.asc = static_cast<scsi::Asc>((status >> 16 & 0xff) << 8 | status >> 24);
  }
  return action;
}

FaultAction of_kind(Kind kind, uint32_t bytes = 0) {
  FaultAction action;
  action.kind = kind;
  action.bytes = bytes;
  return action;
}

FaultAction to_action(const fault::Verdict& v) {
  if (v.drop_request) return of_kind(Kind::drop);
  if (v.reset || v.close) return of_kind(Kind::reset_connection);
  if (v.status) return answer(*v.status);
  if (v.lie) return of_kind(Kind::lie);
  if (v.torn_bytes) return of_kind(Kind::torn_write, *v.torn_bytes);
  if (v.short_bytes) return of_kind(Kind::short_transfer, *v.short_bytes);
  if (v.lose_cache) return of_kind(Kind::lose_cache);
  if (v.drop_reply) return of_kind(Kind::drop_answer);
  if (v.logout) return of_kind(Kind::async_logout);
  FaultAction action;
  if (v.delay > Duration(0)) {
    action.kind = Kind::delay;
    action.delay = v.delay;
  }
  return action;
}

}  // namespace

void add_scsi_points(fault::Vocabulary& vocabulary) {
  for (const scsi::CommandEntry& entry : scsi::command_table())
    vocabulary.add({.domain = fault::Domain::scsi, .name = point_name(entry.name), .section = ""});
}

FaultAction RuleHook::on_command(const FaultQuery& query) {
  if (!injector_.active(fault::Domain::scsi, fault::Stage::before)) return {};
  const std::string op = point_name(query.name);
  fault::Context context;
  context.domain = fault::Domain::scsi;
  context.op = op;
  context.client = query.initiator;
  context.offset = query.lba;
  context.length = query.blocks;
  return to_action(injector_.consult(context));
}

}  // namespace pnfs::target
