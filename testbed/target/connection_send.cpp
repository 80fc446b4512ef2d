#include "testbed/target/connection.hpp"
#include "testbed/target/digest.hpp"

namespace pnfs::target {

void Connection::kick() {
  if (!queue_.empty() || closed_) wake_writer_.notify_all();
}

io::Task<void> Connection::write_loop(std::shared_ptr<Connection> self) {
  Connection& c = *self;
  std::vector<OutPdu> batch;
  std::vector<io::ConstBytes> pieces;
  while (!c.closed_) {
    if (c.queue_.empty()) {
      if (c.close_when_drained_) break;
      co_await c.wake_writer_.wait();
      continue;
    }
    batch.swap(c.queue_);
    c.queued_bytes_ = 0;
    c.taken_.notify_all();  // the next answers are made while these are sent
    pieces.clear();
    size_t bytes = 0;
    for (OutPdu& pdu : batch) {
      const size_t begin = bytes;
      bytes += pdu.head_bytes + pdu.data.size() + pdu.tail_bytes;
      if (!pdu.remark.empty()) c.stream_->remark(begin, bytes, std::move(pdu.remark));
      pieces.push_back(std::as_bytes(std::span(pdu.head).first(pdu.head_bytes)));
      if (!pdu.data.empty()) pieces.push_back(std::as_bytes(pdu.data));
      if (pdu.tail_bytes > 0) pieces.push_back(std::as_bytes(std::span(pdu.tail).first(pdu.tail_bytes)));
    }
    auto written = co_await c.stream_->write(pieces);
    batch.clear();
    if (!written) {
      c.close(written.error().reason);
      break;
    }
  }
  c.close(c.why_closed_);
}

void Connection::send(Header& header, bool status, ConstBytes data, Buffer owner, std::vector<uint8_t> bytes) {
  if (closed_ || close_when_drained_) return;
  OutPdu& pdu = queue_.emplace_back();
  pdu.buffer = std::move(owner);
  pdu.bytes = std::move(bytes);
  pdu.data = pdu.bytes.empty() ? data : ConstBytes(pdu.bytes);
  const auto length = static_cast<uint32_t>(pdu.data.size());
  header.set_data_bytes(length);
  // Data-In without status, R2T and pings carry the next StatSN or none; they do not use one up.
  header.set_word(24, status || header.opcode() != Opcode::data_in ? stat_sn_ : 0);
  if (status) ++stat_sn_;
  header.set_word(28, window_.expected());
  header.set_word(32, window_.max());
  std::copy(header.raw.begin(), header.raw.end(), pdu.head.begin());
  if (digests_on_ && parameters().header_digest) {
    put_crc32c(&pdu.head[kHeaderBytes], crc32c_add(crc32c_begin(), header.raw));
    pdu.head_bytes = kHeaderBytes + 4;
  }
  if (length > 0) {
    const uint32_t padding = padding_of(length);
    pdu.tail.fill(0);
    pdu.tail_bytes = static_cast<uint8_t>(padding);
    if (digests_on_ && parameters().data_digest) {
      const uint32_t crc = crc32c_add(crc32c_add(crc32c_begin(), pdu.data), ConstBytes(pdu.tail).first(padding));
      put_crc32c(&pdu.tail[padding], crc);
      pdu.tail_bytes = static_cast<uint8_t>(padding + 4);
    }
  }
  queued_bytes_ += pdu.head_bytes + length + pdu.tail_bytes;
}

namespace {

// Residual count and its flags (RFC 7143 11.4.5), at the offsets Data-In and SCSI Response share.
void put_residual(Header& header, const scsi::Command& c, uint64_t moved) {
  if (c.status == scsi::Status::good || c.status == scsi::Status::condition_met) {
    if (c.transfer_bytes > c.expected_bytes) {
      header.raw[1] |= 0x04;
      header.set_word(44, static_cast<uint32_t>(c.transfer_bytes - c.expected_bytes));
      return;
    }
  }
  if (moved < c.expected_bytes) {
    header.raw[1] |= 0x02;
    header.set_word(44, static_cast<uint32_t>(c.expected_bytes - moved));
  }
}

}  // namespace

void Connection::send_response(const Task& task) {
  const scsi::Command& c = task.command;
  Header header;
  header.set_opcode(Opcode::scsi_response, 0x80);
  header.raw[3] = static_cast<uint8_t>(c.status);
  header.set_task_tag(task.tag);
  header.set_word(36, task.next_r2t_sn);  // ExpDataSN: R2Ts and Data-Ins sent
  const uint64_t moved = c.takes_data ? std::min<uint64_t>(c.data_out.size(), c.expected_bytes) : 0;
  put_residual(header, c, c.status == scsi::Status::check_condition ? 0 : moved);
  if (c.status != scsi::Status::check_condition) return send(header, true);
  const auto sense = scsi::encode(c.sense, c.unit && c.unit->descriptor_sense);
  std::vector<uint8_t> data(2 + sense.size());
  put16(&data[0], static_cast<uint32_t>(sense.size()));
  std::copy(sense.begin(), sense.end(), data.begin() + 2);
  send(header, true, {}, {}, std::move(data));
}

// The status of a read that went well rides on its last Data-In (RFC 7143 11.7.3).
void Connection::send_data_in(Task& task) {
  scsi::Command& c = task.command;
  const uint32_t total = c.data_in_bytes;
  const ConstBytes all(c.data_in.data(), total);
  uint32_t data_sn = 0;
  uint32_t burst = 0;
  for (uint32_t at = 0; at < total;) {
    const uint32_t room = parameters().max_burst_bytes - burst;
    const uint32_t count = std::min({parameters().max_send_data_bytes, room, total - at});
    burst += count;
    const bool last = at + count == total;
    const bool end_of_burst = last || burst == parameters().max_burst_bytes;
    if (end_of_burst) burst = 0;
    Header header;
    header.set_opcode(Opcode::data_in, static_cast<uint8_t>((end_of_burst ? 0x80 : 0) | (last ? 0x01 : 0)));
    header.set_task_tag(task.tag);
    header.set_transfer_tag(kReservedTag);
    header.set_word(36, data_sn++);
    header.set_word(40, at);
    if (last) {
      header.raw[3] = static_cast<uint8_t>(c.status);
      put_residual(header, c, total);
    }
    send(header, last, all.subspan(at, count), last ? std::move(c.data_in) : Buffer{});
    at += count;
  }
}

void Connection::send_reject(RejectReason reason, const Header& bad) {
  Header header;
  header.set_opcode(Opcode::reject, 0x80);
  header.raw[2] = static_cast<uint8_t>(reason);
  header.set_task_tag(kReservedTag);
  send(header, true, {}, {}, {bad.raw.begin(), bad.raw.end()});
}

void Connection::request_logout(uint16_t seconds) {
  Header header;
  header.set_opcode(Opcode::async_message, 0x80);
  header.set_task_tag(kReservedTag);
  header.raw[36] = 1;
  put16(&header.raw[42], seconds);
  send(header, true);
  kick();
}

void Connection::send_async_drop(std::string_view why) {
  Header header;
  header.set_opcode(Opcode::async_message, 0x80);
  header.set_task_tag(kReservedTag);
  header.raw[36] = 3;  // all connections of this session go
  send(header, true);
  close_when_drained_ = true;
  why_closed_ = why;
  kick();
}

}  // namespace pnfs::target
