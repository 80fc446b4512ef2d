#include "testbed/target/connection.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "testbed/target/digest.hpp"

namespace pnfs::target {

namespace {

// Room for one largest PDU and then some: small reads are served many per system call.
constexpr size_t kInputBytes = 512 * 1024;
// Data segments of at least this size that have not fully arrived are read to their place instead of moved there.
constexpr uint32_t kPlacingBytes = 8192;
// With more than this queued no further command is carried out until the writer has taken it: few buffers that stay in
// the processor's cache are faster than many.
constexpr size_t kMaxQueuedBytes = 2u << 20;

size_t tail_bytes(uint32_t data_bytes, bool digest) {
  if (data_bytes == 0) return 0;
  return padding_of(data_bytes) + (digest ? 4 : 0);
}

}  // namespace

Connection::Connection(Server& server, std::unique_ptr<io::Stream> stream)
    : server_(server),
      stream_(std::move(stream)),
      directory_(server.directory_for(stream_->local(), stream_->remote())),
      machine_(*directory_, server.random()),
      wake_writer_(server.timers().executor()),
      taken_(server.timers().executor()),
      reader_done_(server.timers().executor()),
      input_(64 * 1024) {}

io::Task<void> Connection::read_loop(std::shared_ptr<Connection> self) {
  Connection& c = *self;
  c.last_heard_ = c.server_.timers().now();
  c.arm_idle_timer();
  while (!c.closed_) {
    while (!c.closed_ && c.queued_bytes_ <= kMaxQueuedBytes && c.parse_one()) {
    }
    if (c.closed_) break;
    c.kick();
    if (c.queued_bytes_ > kMaxQueuedBytes) {
      co_await c.taken_.wait();
      continue;
    }
    std::span<uint8_t> into(c.input_.data() + c.end_, c.input_.size() - c.end_);
    const bool placing = c.placing_.active && c.placing_.left > 0;
    if (placing) into = {c.placing_.next, c.placing_.left};
    auto got = co_await c.stream_->read_some(std::as_writable_bytes(into));
    if (!got) {
      c.close(got.error().code == Errc::closed ? "the initiator closed the connection" : got.error().reason);
      break;
    }
    c.last_heard_ = c.server_.timers().now();
    if (placing) {
      c.placing_.next += *got;
      c.placing_.left -= static_cast<uint32_t>(*got);
    } else {
      c.end_ += *got;
    }
  }
  c.server_.timers().cancel(c.idle_timer_);
  c.kick();
}

void Connection::close(std::string_view why, bool with_reset) {
  if (closed_) return;
  closed_ = true;
  why_closed_ = why;
  server_.detach(*this);
  abort_tasks(nullptr);
  if (stream_->watched()) stream_->remark_end(why_closed_);
  if (with_reset) {
    stream_->reset();
  } else {
    stream_->close();
  }
  wake_writer_.notify_all();
  taken_.notify_all();
  if (TargetObserver* watcher = server_.watcher(); watcher && full_feature_)
    watcher->on_session({"end", login().target, login().initiator, io::to_string(peer()), why_closed_});
}

// Moves what is there to the front when `bytes` more would not fit behind it.
void Connection::make_room(size_t bytes) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ + bytes <= input_.size()) return;
  std::memmove(input_.data(), input_.data() + begin_, available());
  end_ -= begin_;
  begin_ = 0;
  if (bytes > input_.size()) input_.resize(std::max(bytes, kInputBytes));
}

bool Connection::parse_one() {
  if (placing_.active) return finish_placing();
  if (available() < kHeaderBytes) {
    make_room(kHeaderBytes);
    return false;
  }
  Header header;
  std::copy_n(&input_[begin_], kHeaderBytes, header.raw.begin());
  const size_t before_digest = kHeaderBytes + header.ahs_bytes();
  const bool header_digest = digests_on_ && parameters().header_digest;
  const size_t header_bytes = before_digest + (header_digest ? 4 : 0);
  if (header.data_bytes() > (full_feature_ ? parameters().max_recv_data_bytes : 8192)) {
    close("a data segment larger than MaxRecvDataSegmentLength");
    return false;
  }
  const size_t total =
      header_bytes + header.data_bytes() + tail_bytes(header.data_bytes(), digests_on_ && parameters().data_digest);
  if (available() < header_bytes) {
    make_room(header_bytes);
    return false;
  }
  if (header_digest) {
    const uint32_t crc = crc32c_add(crc32c_begin(), ConstBytes(&input_[begin_], before_digest));
    if (!crc32c_matches(&input_[begin_ + before_digest], crc)) {
      // RFC 7143 7.8: nothing in it can be trusted, not even its length.
      close("header digest error");
      return false;
    }
  }
  if (available() < total) {
    if (try_placing(header, header_bytes)) return true;
    make_room(total);
    return false;
  }
  const ConstBytes data(&input_[begin_ + header_bytes], header.data_bytes());
  const uint8_t* tail = data.data() + data.size();
  begin_ += total;
  if (check_data_digest(header, data, tail)) handle(header, data, {});
  return true;
}

// Starts reading a large data segment to where it is wanted. False: it takes the way through the input buffer.
bool Connection::try_placing(const Header& header, size_t header_bytes) {
  if (!full_feature_ || header.data_bytes() < kPlacingBytes) return false;
  Placing placing;
  if (header.opcode() == Opcode::data_out) {
    placing.next = data_out_place(header, placing.task);
  } else if (header.opcode() == Opcode::scsi_command) {
    const uint32_t expected = header.word(20);
    if (expected < header.data_bytes() || expected > scsi::kMaxTransferBytes) return false;
    placing.buffer = server_.pool().take(expected);
    placing.next = placing.buffer.data();
  }
  if (!placing.next) return false;
  placing.active = true;
  placing.header = header;
  begin_ += header_bytes;
  const size_t here = std::min<size_t>(available(), header.data_bytes());
  std::copy_n(&input_[begin_], here, placing.next);
  begin_ += here;
  placing.next += here;
  placing.left = header.data_bytes() - static_cast<uint32_t>(here);
  placing_ = std::move(placing);
  return true;
}

bool Connection::finish_placing() {
  if (placing_.left > 0) return false;
  const Header header = placing_.header;
  const size_t tail = tail_bytes(header.data_bytes(), digests_on_ && parameters().data_digest);
  if (available() < tail) {
    make_room(tail);
    return false;
  }
  const ConstBytes data(placing_.next - header.data_bytes(), header.data_bytes());
  const uint8_t* tail_at = input_.data() + begin_;
  begin_ += tail;
  Placing done = std::move(placing_);
  placing_ = Placing{};
  if (!check_data_digest(header, data, tail_at)) return true;
  if (header.opcode() == Opcode::data_out) {
    if (done.task) on_data_out(header, data, true);  // else aborted while the data came
  } else {
    handle(header, data, std::move(done.buffer));
  }
  return true;
}

bool Connection::check_data_digest(const Header& header, ConstBytes data, const uint8_t* tail) {
  if (data.empty() || !digests_on_ || !parameters().data_digest) return true;
  const uint32_t padding = padding_of(static_cast<uint32_t>(data.size()));
  const uint32_t crc = crc32c_add(crc32c_add(crc32c_begin(), data), ConstBytes(tail, padding));
  if (crc32c_matches(tail + padding, crc)) return true;
  // RFC 7143 7.8 at ErrorRecoveryLevel 0: reject it, and since its number is then missing, end the session.
  send_reject(RejectReason::data_digest_error, header);
  send_async_drop("data digest error");
  return false;
}

void Connection::handle(const Header& header, ConstBytes data, Buffer placed) {
  if (!full_feature_) {
    if (header.opcode() == Opcode::login) return on_login(header, data);
    return close("a PDU other than a login request before login");
  }
  switch (header.opcode()) {
    case Opcode::data_out:
      return on_data_out(header, data, false);
    case Opcode::snack:
      return send_reject(RejectReason::snack_reject, header);  // RFC 7143 11.16: needs level 1
    case Opcode::nop_out:
      if (header.task_tag() == kReservedTag) return;  // the answer to our ping: last_heard_ has taken note
      break;
    case Opcode::scsi_command:
    case Opcode::task_management:
    case Opcode::text:
    case Opcode::logout:
      break;
    default:
      return protocol_error(header, "an opcode no initiator sends", RejectReason::command_not_supported);
  }
  switch (window_.classify(header.cmd_sn(), header.immediate())) {
    case CommandWindow::Verdict::ignore:
      return;
    case CommandWindow::Verdict::hold:
      // Bounded by the window; the same number twice keeps the first.
      held_.try_emplace(header.cmd_sn(), Held{header, {data.begin(), data.end()}});
      return;
    case CommandWindow::Verdict::deliver:
      break;
  }
  if (!header.immediate()) window_.advance();
  dispatch(header, data, std::move(placed));
  if (!held_.empty()) deliver_held();
}

void Connection::deliver_held() {
  for (auto it = held_.find(window_.expected()); it != held_.end() && !closed_; it = held_.find(window_.expected())) {
    const Held held = std::move(it->second);
    held_.erase(it);
    window_.advance();
    dispatch(held.header, held.data, {});
  }
}

void Connection::dispatch(const Header& header, ConstBytes data, Buffer placed) {
  switch (header.opcode()) {
    case Opcode::scsi_command:
      return on_scsi_command(header, data, std::move(placed));
    case Opcode::task_management:
      return on_task_management(header);
    case Opcode::text:
      return on_text(header, data);
    case Opcode::logout:
      return on_logout(header);
    default:
      return on_nop_out(header, data);
  }
}

void Connection::protocol_error(const Header& header, std::string_view what, RejectReason reason) {
  spdlog::info("{} from {}: {}", login().initiator, io::to_string(peer()), what);
  send_reject(reason, header);
}

void Connection::arm_idle_timer() {
  const uint32_t wait_s = !full_feature_ ? server_.config().login_timeout_s
                          : !target_     ? 300
                          : ping_sent_   ? target_->config.nop_timeout_s
                                         : target_->config.nop_interval_s;
  if (wait_s == 0) {
    idle_timer_ = 0;
    return;
  }
  idle_timer_ = server_.timers().schedule(last_heard_ + std::chrono::seconds(wait_s), [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->closed_) self->on_idle();
  });
}

void Connection::on_idle() {
  const TimePoint now = server_.timers().now();
  if (!full_feature_) return close("login took too long");
  const uint32_t interval_s = target_ ? target_->config.nop_interval_s : 300;
  const bool idle = now - last_heard_ >= std::chrono::seconds(interval_s);
  if (ping_sent_ && idle) return close("the initiator does not answer a NOP-In");
  ping_sent_ = false;
  if (idle && !target_) return close("an idle discovery session");
  if (idle) {
    Header ping;
    ping.set_opcode(Opcode::nop_in, 0x80);
    ping.set_task_tag(kReservedTag);
    ping.set_transfer_tag(++last_transfer_tag_);
    send(ping, false);
    kick();
    ping_sent_ = true;
    last_heard_ = now;  // the time-out for the answer counts from here
  }
  arm_idle_timer();
}

}  // namespace pnfs::target
