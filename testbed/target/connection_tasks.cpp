#include <algorithm>

#include "testbed/target/connection.hpp"
#include "testbed/target/scsi/dispatch.hpp"

namespace pnfs::target {

namespace {

// Data asked for by R2T and not yet here, over all tasks of a session: what bounds its memory.
constexpr uint64_t kMaxSolicitedBytes = 64u << 20;

}  // namespace

void Connection::on_scsi_command(const Header& header, ConstBytes data, Buffer placed) {
  if (!target_) return protocol_error(header, "a SCSI command in a discovery session");
  if (tasks_.contains(header.task_tag()))
    return protocol_error(header, "a task tag that is in use", RejectReason::task_in_progress);
  // The common case never leaves the stack; only what has to wait moves to the table.
  Task task;
  task.tag = header.task_tag();
  task.wire_lun = header.lun();
  scsi::Command& c = task.command;
  std::copy_n(&header.raw[32], 16, c.cdb.begin());
  c.nexus = nexus_;
  c.pool = &server_.pool();
  c.luns = &target_->luns;
  c.expected_bytes = header.word(20);
  const bool writes = header.raw[1] & 0x20;
  if (const auto it = target_->units.find(parse_lun(header.lun())); it != target_->units.end())
    c.unit = it->second.get();
  scsi::admit(c);
  if (c.finished) return answer(task);
  // A command that takes data from an initiator that has none to give gets none.
  if (c.takes_data && c.expected_bytes > 0 && !writes) {
    c.fail_field(0);
    return answer(task);
  }
  const uint32_t wanted =
      c.takes_data ? static_cast<uint32_t>(std::min<uint64_t>(c.transfer_bytes, c.expected_bytes)) : 0;
  const bool unsolicited_open = !header.final() && writes && wanted > data.size();
  if (data.size() >= wanted) {
    task.buffer = std::move(placed);
    c.data_out = data.first(wanted);
    if (!server_.fault_hook()) return carry_out(task);
    return run(task);
  }
  if (!parameters().immediate_data && !data.empty()) {
    c.fail(scsi::SenseKey::aborted_command, scsi::Asc::unexpected_unsolicited_data);
    return answer(task);
  }
  auto& kept = *tasks_.emplace(task.tag, std::make_unique<Task>(std::move(task))).first->second;
  window_.begin();
  kept.wanted = wanted;
  kept.received = static_cast<uint32_t>(data.size());
  kept.buffer = placed ? std::move(placed) : server_.pool().take(wanted);
  if (!data.empty() && data.data() != kept.buffer.data()) std::memcpy(kept.buffer.data(), data.data(), data.size());
  kept.unsolicited_open = unsolicited_open;
  kept.solicited = kept.received;
  if (!unsolicited_open) return solicit(kept);
  // RFC 7143 13.14: immediate and unsolicited data together stay within FirstBurstLength.
  const uint32_t burst = std::min(parameters().first_burst_bytes, kept.wanted);
  Sequence sequence;
  sequence.offset = kept.received;
  sequence.length = burst > kept.received ? burst - kept.received : 0;
  kept.solicited = kept.received + sequence.length;
  kept.sequences.push_back(sequence);
  if (parameters().initial_r2t) fail_task(kept, scsi::Asc::unexpected_unsolicited_data);
}

void Connection::solicit(Task& task) {
  while (task.solicited < task.wanted && task.sequences.size() < parameters().max_outstanding_r2t) {
    if (!task.counted) {
      if (solicited_bytes_ > 0 && solicited_bytes_ + task.wanted > kMaxSolicitedBytes) {
        waiting_for_room_.push_back(task.tag);
        return;
      }
      task.counted = true;
      solicited_bytes_ += task.wanted;
    }
    Sequence sequence;
    do {
      sequence.transfer_tag = ++last_transfer_tag_;
    } while (sequence.transfer_tag == kReservedTag);
    sequence.offset = task.solicited;
    sequence.length = std::min(parameters().max_burst_bytes, task.wanted - task.solicited);
    task.solicited += sequence.length;
    Header header;
    header.set_opcode(Opcode::r2t, 0x80);
    header.set_lun(task.wire_lun);
    header.set_task_tag(task.tag);
    header.set_transfer_tag(sequence.transfer_tag);
    header.set_word(36, task.next_r2t_sn++);
    header.set_word(40, sequence.offset);
    header.set_word(44, sequence.length);
    task.sequences.push_back(sequence);
    send(header, false);
  }
}

void Connection::solicit_waiting() {
  while (!waiting_for_room_.empty()) {
    const auto it = tasks_.find(waiting_for_room_.front());
    if (it != tasks_.end()) {
      if (solicited_bytes_ > 0 && solicited_bytes_ + it->second->wanted > kMaxSolicitedBytes) return;
      waiting_for_room_.pop_front();
      solicit(*it->second);
    } else {
      waiting_for_room_.pop_front();
    }
  }
}

uint8_t* Connection::data_out_place(const Header& header, Task*& task) {
  const auto it = tasks_.find(header.task_tag());
  if (it == tasks_.end()) return nullptr;
  for (const Sequence& s : it->second->sequences) {
    if (s.transfer_tag != header.transfer_tag()) continue;
    const bool in_order = header.word(36) == s.next_data_sn && header.word(40) == s.offset + s.received;
    if (!in_order || header.data_bytes() > s.length - s.received) return nullptr;
    task = it->second.get();
    return task->buffer.data() + s.offset + s.received;
  }
  return nullptr;
}

void Connection::on_data_out(const Header& header, ConstBytes data, bool placed) {
  const auto it = tasks_.find(header.task_tag());
  // Data for a command that was answered early or aborted is on its way for a while: it is dropped (RFC 7143 4.2.5.2).
  if (it == tasks_.end()) return;
  Task& task = *it->second;
  const auto sequence = std::ranges::find(task.sequences, header.transfer_tag(), &Sequence::transfer_tag);
  if (sequence == task.sequences.end()) return fail_task(task, scsi::Asc::invalid_transfer_tag);
  // RFC 7143 4.2.2.3: data PDUs of a sequence are numbered; at level 0 a gap cannot be mended.
  if (header.word(36) != sequence->next_data_sn) return fail_task(task, scsi::Asc::data_phase_error);
  if (header.word(40) != sequence->offset + sequence->received) return fail_task(task, scsi::Asc::data_offset_error);
  const bool unsolicited = sequence->transfer_tag == kReservedTag;
  const uint32_t room = sequence->length - sequence->received;
  if (data.size() > room && !unsolicited) return fail_task(task, scsi::Asc::data_phase_error);
  // Unasked data may go beyond what the command takes: the CDB can ask for less than the initiator offers.
  const auto count = std::min<uint32_t>(static_cast<uint32_t>(data.size()), room);
  if (!placed && count > 0) std::memcpy(task.buffer.data() + sequence->offset + sequence->received, data.data(), count);
  ++sequence->next_data_sn;
  sequence->received += count;
  task.received += count;
  if (!header.final()) return;
  if (sequence->received < sequence->length && !unsolicited) return fail_task(task, scsi::Asc::data_phase_error);
  if (unsolicited) {
    task.unsolicited_open = false;
    task.solicited = sequence->offset + sequence->received;  // the initiator may stop before FirstBurstLength
  }
  task.sequences.erase(sequence);
  if (task.received < task.wanted) return solicit(task);
  task.command.data_out = ConstBytes(task.buffer.data(), task.wanted);
  run(task);
}

FaultAction Connection::ask_fault(const scsi::Command& c) const {
  FaultHook* hook = server_.fault_hook();
  if (!hook || !c.unit) return {};
  FaultQuery query;
  query.target = target_->config.rules.name;
  query.initiator = nexus_->initiator;
  query.lun = c.unit->config().lun;
  query.opcode = c.opcode();
  query.name = c.entry ? c.entry->name : "";
  query.lba = c.lba;
  query.blocks = c.blocks;
  return hook->on_command(query);
}

void Connection::run(Task& task) {
  const FaultAction action = ask_fault(task.command);
  if (action.kind != FaultAction::Kind::none && apply_fault(task, action)) return;
  carry_out(task);
}

Connection::Task& Connection::keep(Task& task) {
  if (const auto it = tasks_.find(task.tag); it != tasks_.end()) return *it->second;
  const ConstBytes data = task.command.data_out;
  Task& kept = *tasks_.emplace(task.tag, std::make_unique<Task>(std::move(task))).first->second;
  window_.begin();
  if (!data.empty() && data.data() != kept.buffer.data()) {
    // The data are in the input buffer, which goes on.
    kept.buffer = server_.pool().take(data.size());
    std::memcpy(kept.buffer.data(), data.data(), data.size());
    kept.command.data_out = ConstBytes(kept.buffer.data(), data.size());
  }
  return kept;
}

void Connection::carry_out(Task& task) {
  scsi::execute(task.command);
  if (!task.command.deferred) return answer(task);
  Task& kept = keep(task);
  kept.command.unit->sanitize->answer = [weak = weak_from_this(), tag = kept.tag](bool ok) {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    const auto it = self->tasks_.find(tag);
    if (it == self->tasks_.end() || !it->second->command.deferred) return;
    Task& done = *it->second;
    done.command.finished = true;
    if (!ok) done.command.fail(scsi::SenseKey::medium_error, scsi::Asc::sanitize_failed);
    self->answer(done);
    self->kick();
  };
}

// For a packet capture: every status but GOOD, every rule that acted.
void Connection::remark(const Task& task, bool answered) {
  const scsi::Command& c = task.command;
  const std::string_view fault = task.fault;
  if (!stream_->watched() || (c.status == scsi::Status::good && fault.empty())) return;
  std::string text(c.entry ? c.entry->name : "");
  if (!answered) {
    text += ": no answer";
  } else if (c.status != scsi::Status::good) {
    text += fmt::format(": {}", scsi::to_string(c.status));
    if (c.status == scsi::Status::check_condition) text += ": " + scsi::words_of(c.sense);
  }
  if (!fault.empty()) text += fmt::format("; fault: {}", fault);
  if (!answered) {
    stream_->remark_silence(text);
  } else if (!queue_.empty() && !closed_) {
    queue_.back().remark = std::move(text);
  }
}

void Connection::record(const Task& task, uint64_t bytes) const {
  const scsi::Command& c = task.command;
  TargetObserver* watcher = server_.watcher();
  if (!watcher) return;
  watcher->on_command({target_->config.rules.name, nexus_->initiator, c.unit ? c.unit->config().lun : kNoLun,
                       c.entry ? c.entry->name : "", task.tag, c, bytes, task.fault});
}

void Connection::answer(Task& task) {
  scsi::Command& c = task.command;
  const bool good = c.status == scsi::Status::good;
  const uint64_t bytes = !good ? 0 : c.takes_data ? c.data_out.size() : c.data_in_bytes;
  // Ended first, so that the answer carries the opened window.
  const auto it = tasks_.find(task.tag);
  std::unique_ptr<Task> kept;
  if (it != tasks_.end() && it->second.get() == &task) {
    kept = std::move(it->second);
    tasks_.erase(it);
    release(*kept);
  }
  if (good && c.data_in_bytes > 0) {
    send_data_in(task);
  } else {
    send_response(task);
  }
  remark(task, true);
  record(task, bytes);
  solicit_waiting();
}

void Connection::fail_task(Task& task, scsi::Asc asc) {
  task.command.fail(scsi::SenseKey::aborted_command, asc);
  answer(task);
}

// What a task held, given back; the caller has taken it out of the table.
void Connection::release(Task& task) {
  window_.end();
  if (task.counted) solicited_bytes_ -= task.wanted;
  if (task.delay_timer != 0) server_.timers().cancel(task.delay_timer);
  if (placing_.active && placing_.task == &task) {
    // Its data are still arriving: they keep a place to go to.
    placing_.task = nullptr;
    placing_.buffer = std::move(task.buffer);
  }
}

void Connection::end_task(uint32_t tag) {
  const auto it = tasks_.find(tag);
  if (it == tasks_.end()) return;
  const auto task = std::move(it->second);
  tasks_.erase(it);
  release(*task);
}

void Connection::abort_tasks(const scsi::LogicalUnit* unit) {
  std::vector<uint32_t> tags;
  for (const auto& [tag, task] : tasks_) {
    if (!unit || task->command.unit == unit) tags.push_back(tag);
  }
  for (const uint32_t tag : tags) end_task(tag);
}

}  // namespace pnfs::target
