#include <algorithm>

#include "testbed/target/connection.hpp"
#include "testbed/target/scsi/dispatch.hpp"

namespace pnfs::target {

namespace {

std::string_view name_of(FaultAction::Kind kind) {
  using enum FaultAction::Kind;
  switch (kind) {
    case none:
      return "";
    case check_condition:
      return "check-condition";
    case status:
      return "status";
    case delay:
      return "delay";
    case drop:
      return "drop";
    case drop_answer:
      return "drop-answer";
    case short_transfer:
      return "short-transfer";
    case torn_write:
      return "torn-write";
    case lie:
      return "lie";
    case lose_cache:
      return "lose-cache";
    case reset_connection:
      return "reset-connection";
    case async_logout:
      return "async-logout";
  }
  return "?";
}

}  // namespace

void Connection::start_delay(Task& task) {
  Task* kept = &keep(task);
  const auto resume = [weak = weak_from_this(), tag = kept->tag] {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    const auto found = self->tasks_.find(tag);
    if (found == self->tasks_.end()) return;
    found->second->delay_timer = 0;
    self->carry_out(*found->second);
    self->kick();
  };
  kept->delay_timer = server_.timers().schedule_after(kept->action->delay, resume);
}

bool Connection::apply_fault(Task& task, const FaultAction& action) {
  using Kind = FaultAction::Kind;
  scsi::Command& c = task.command;
  task.fault = name_of(action.kind);
  task.action = action;
  switch (action.kind) {
    case Kind::none:
      return false;
    case Kind::check_condition:
      c.fail(action.key, action.asc);
      answer(task);
      return true;
    case Kind::status:
      c.finish(action.status);
      answer(task);
      return true;
    case Kind::delay:
      start_delay(task);
      return true;
    case Kind::drop_answer:
      scsi::execute(c);
      [[fallthrough]];
    case Kind::drop:
      // Without an answer the command keeps its place in the window, as a lost one does.
      remark(task, false);
      record(task, 0);
      window_.begin();
      end_task(task.tag);
      return true;
    case Kind::short_transfer:
      if (c.takes_data) {
        c.data_out = c.data_out.first(std::min<size_t>(action.bytes, c.data_out.size()));
        return false;
      }
      scsi::execute(c);
      c.data_in_bytes = std::min(c.data_in_bytes, action.bytes);
      answer(task);
      return true;
    case Kind::torn_write:
      if (!c.takes_data) return false;
      c.data_out = c.data_out.first(std::min<size_t>(action.bytes, c.data_out.size()));
      scsi::execute(c);
      c.fail(scsi::SenseKey::medium_error, scsi::Asc::write_error);
      answer(task);
      return true;
    case Kind::lie:
      c.finished = true;
      answer(task);
      return true;
    case Kind::lose_cache:
      remark(task, false);
      record(task, 0);
      server_.power_fail();
      return true;
    case Kind::reset_connection:
      remark(task, false);
      record(task, 0);
      close("a fault rule reset it", true);
      return true;
    case Kind::async_logout:
      scsi::execute(c);
      answer(task);
      request_logout(5);
      return true;
  }
  return false;
}

}  // namespace pnfs::target
