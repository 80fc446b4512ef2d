#include <algorithm>

#include "testbed/target/connection.hpp"

namespace pnfs::target {

void Connection::on_nop_out(const Header& header, ConstBytes data) {
  Header out;
  out.set_opcode(Opcode::nop_in, 0x80);
  out.set_lun(header.lun());
  out.set_task_tag(header.task_tag());
  out.set_transfer_tag(kReservedTag);
  const size_t echoed = std::min<size_t>(data.size(), parameters().max_send_data_bytes);
  send(out, true, {}, {}, {data.begin(), data.begin() + static_cast<ptrdiff_t>(echoed)});
}

void Connection::send_text(const Header& request) {
  const size_t count = std::min<size_t>(text_answer_.size(), parameters().max_send_data_bytes);
  const bool last = count == text_answer_.size();
  Header out;
  out.set_opcode(Opcode::text_response, last ? 0x80 : 0x40);  // final, or continued
  out.set_lun(request.lun());
  out.set_task_tag(request.task_tag());
  text_tag_ = last ? kReservedTag : ++last_transfer_tag_;
  out.set_transfer_tag(text_tag_);
  send(out, true, {}, {}, {text_answer_.begin(), text_answer_.begin() + static_cast<ptrdiff_t>(count)});
  text_answer_.erase(0, count);
}

void Connection::on_text(const Header& header, ConstBytes data) {
  if (header.transfer_tag() != kReservedTag) {
    if (header.transfer_tag() != text_tag_) return protocol_error(header, "a text tag we did not give");
    if (!text_answer_.empty()) return send_text(header);  // the initiator asks for the rest
  } else {
    text_request_.clear();
    text_answer_.clear();
  }
  if (text_request_.size() + data.size() > kMaxTextBytes) return protocol_error(header, "text longer than 64 KiB");
  text_request_.append(reinterpret_cast<const char*>(data.data()), data.size());
  if (header.raw[1] & 0x40) return send_text(header);  // more is to come: an empty answer asks for it
  const std::string whole = std::exchange(text_request_, {});
  const auto keys = parse_text(whole);
  if (!keys) return protocol_error(header, keys.error().reason);
  for (const KeyValue& kv : *keys) {
    if (kv.key == "SendTargets") {
      text_answer_ += server_.send_targets(kv.value, login().target, login().initiator, stream_->local(), peer());
    } else if (kv.key.starts_with("X")) {
      append_text(text_answer_, kv.key, "NotUnderstood");
    } else {
      append_text(text_answer_, kv.key, "Reject");  // negotiated values do not change in full feature phase
    }
  }
  send_text(header);
}

void Connection::on_task_management(const Header& header) {
  Header out;
  out.set_opcode(Opcode::task_management_response, 0x80);
  out.set_task_tag(header.task_tag());
  out.raw[2] = target_ ? manage_tasks(header) : 255;
  send(out, true);
  solicit_waiting();
  if ((header.raw[1] & 0x7f) == 7 && target_) {
    // TARGET COLD RESET ends every session, this one after its answer (RFC 7143 11.5.1).
    kick();
    close_when_drained_ = true;
    why_closed_ = "target cold reset";
  }
}

// The response code of RFC 7143 11.6.1.
uint8_t Connection::manage_tasks(const Header& header) {
  constexpr uint8_t kComplete = 0, kNoTask = 1, kNoLun = 2, kNoReassign = 4, kNotSupported = 5;
  const uint8_t function = header.raw[1] & 0x7f;
  scsi::LogicalUnit* unit = nullptr;
  if (const auto it = target_->units.find(parse_lun(header.lun())); it != target_->units.end()) unit = it->second.get();
  if (function <= 5 && function != 0 && !unit) return kNoLun;
  switch (function) {
    case 1: {  // ABORT TASK
      const uint32_t tag = header.word(20);
      const auto it = tasks_.find(tag);
      if (it != tasks_.end()) {
        if (it->second->wire_lun != header.lun()) return kNoTask;
        end_task(tag);
        return kComplete;
      }
      // RFC 7143 11.6.1: a command that has not come yet, but would have, counts as aborted.
      const uint32_t number = header.word(32);
      const auto held = held_.find(number);
      if (held != held_.end() && held->second.header.task_tag() == tag) held_.erase(held);
      const bool to_come = !sn_before(number, window_.expected()) && !sn_before(window_.max(), number);
      return to_come ? kComplete : kNoTask;
    }
    case 2:
      abort_tasks(unit);
      return kComplete;
    case 4:  // CLEAR TASK SET: everyone's tasks
      unit->clear_task_set(nexus_->id);
      return kComplete;
    case 5:
      unit->reset(scsi::Asc::bus_device_reset);
      return kComplete;
    case 6:
      server_.target_reset(*target_, false, this);
      return kComplete;
    case 7:
      server_.target_reset(*target_, true, this);
      return kComplete;
    case 8:
      return kNoReassign;
    default:
      return kNotSupported;  // CLEAR ACA: NormACA is 0
  }
}

void Connection::on_logout(const Header& header) {
  const uint8_t reason = header.raw[1] & 0x7f;
  Header out;
  out.set_opcode(Opcode::logout_response, 0x80);
  out.set_task_tag(header.task_tag());
  if (reason == 2) {
    out.raw[2] = 2;  // connection recovery needs ErrorRecoveryLevel 2
    return send(out, true);
  }
  if (reason == 1 && get16(&header.raw[20]) != login().cid) {
    out.raw[2] = 1;  // no such connection
    return send(out, true);
  }
  put16(&out.raw[40], static_cast<uint16_t>(parameters().time_to_wait_s));
  put16(&out.raw[42], static_cast<uint16_t>(parameters().time_to_retain_s));
  abort_tasks(nullptr);
  send(out, true);
  close_when_drained_ = true;
  why_closed_ = "logout";
}

}  // namespace pnfs::target
