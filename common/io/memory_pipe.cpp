#include "common/io/memory_wire.hpp"

namespace pnfs::io {

MemoryPipe::MemoryPipe(std::shared_ptr<MemoryNetwork::State> net, Endpoint from, Endpoint to)
    : from(from),
      to(to),
      net_(std::move(net)),
      readable_(net_->timers.executor()),
      writable_(net_->timers.executor()) {}

Task<Result<size_t>> MemoryPipe::read(std::span<std::byte> into) {
  const auto self = shared_from_this();
  for (;;) {
    if (reader_closed_) co_return error(Errc::closed, "reading from {}: closed on this side", to_string(from));
    if (reader_reset_) co_return error(Errc::closed, "reading from {}: reset by the peer", to_string(from));
    if (!arrived_.empty()) {
      const std::vector<std::byte>& front = arrived_.front();
      const size_t count = std::min(into.size(), front.size() - front_used_);
      std::memcpy(into.data(), front.data() + front_used_, count);
      front_used_ += count;
      held_bytes_ -= count;
      if (front_used_ == front.size()) {
        arrived_.pop_front();
        front_used_ = 0;
      }
      writable_.notify_all();
      co_return count;
    }
    if (end_arrived_) co_return error(Errc::closed, "reading from {}: the peer closed", to_string(from));
    co_await readable_.wait();
  }
}

Task<Result<void>> MemoryPipe::write(std::span<const ConstBytes> pieces) {
  const auto self = shared_from_this();
  for (ConstBytes piece : pieces) {
    while (!piece.empty()) {
      if (writer_closed_) co_return error(Errc::closed, "writing to {}: closed on this side", to_string(to));
      if (writer_reset_) co_return error(Errc::closed, "writing to {}: reset by the peer", to_string(to));
      if (held_bytes_ >= MemoryNetwork::kWindowBytes) {
        co_await writable_.wait();
        continue;
      }
      const size_t room = MemoryNetwork::kWindowBytes - held_bytes_;
      const size_t count = std::min({piece.size(), room, MemoryNetwork::kSegmentBytes});
      enqueue({piece.begin(), piece.begin() + static_cast<ptrdiff_t>(count)}, false);
      piece = piece.subspan(count);
    }
  }
  co_return Result<void>{};
}

void MemoryPipe::enqueue(std::vector<std::byte> bytes, bool end) {
  const Link& link = net_->link_of(from.address(), to.address());
  const TimePoint now = net_->timers.now();
  line_free_ = std::max(line_free_, now);
  if (link.bytes_per_second != 0) line_free_ += Duration(bytes.size() * 1'000'000'000ull / link.bytes_per_second);
  TimePoint when = line_free_ + net_->delay(from.address(), to.address());
  if (!in_flight_.empty()) when = std::max(when, in_flight_.back().when);
  held_bytes_ += bytes.size();
  net_->bytes_sent += bytes.size();
  // Small writes that arrive together travel together.
  if (!in_flight_.empty() && !end && in_flight_.back().when == when && !in_flight_.back().end &&
      in_flight_.back().bytes.size() + bytes.size() <= MemoryNetwork::kSegmentBytes) {
    in_flight_.back().bytes.insert(in_flight_.back().bytes.end(), bytes.begin(), bytes.end());
    return;
  }
  in_flight_.push_back({when, std::move(bytes), end});
  arm();
}

void MemoryPipe::arm() {
  if (armed_ || stalled_ || in_flight_.empty()) return;
  armed_ = true;
  net_->timers.schedule(in_flight_.front().when, [self = shared_from_this()] {
    self->armed_ = false;
    self->deliver();
  });
}

void MemoryPipe::deliver() {
  if (in_flight_.empty()) return;
  if (!net_->reachable(from.address(), to.address())) {
    stalled_ = true;
    return;
  }
  Segment segment = std::move(in_flight_.front());
  in_flight_.pop_front();
  if (reader_closed_ || reader_reset_) {
    // Nobody has this connection any more: the peer's kernel says so.
    held_bytes_ -= segment.bytes.size();
    if (!segment.end) send_reset_to_writer();
  } else {
    if (!segment.bytes.empty()) arrived_.push_back(std::move(segment.bytes));
    end_arrived_ = end_arrived_ || segment.end;
    readable_.notify_all();
  }
  arm();
}

void MemoryPipe::retry() {
  if (!stalled_) return;
  stalled_ = false;
  if (!in_flight_.empty()) in_flight_.front().when = net_->timers.now() + net_->delay(from.address(), to.address());
  arm();
}

void MemoryPipe::close_writer(bool silent) {
  if (writer_closed_) return;
  writer_closed_ = true;
  if (!silent && !writer_reset_) enqueue({}, true);
  writable_.notify_all();
}

void MemoryPipe::close_reader() {
  if (reader_closed_) return;
  reader_closed_ = true;
  for (const auto& bytes : arrived_) held_bytes_ -= bytes.size();
  held_bytes_ += front_used_;
  front_used_ = 0;
  arrived_.clear();
  readable_.notify_all();
  writable_.notify_all();
}

// A reset ends both directions at the side that hears it.
void MemoryPipe::reset_at(const Endpoint& side) {
  for (const auto& pipe : {shared_from_this(), twin.lock()}) {
    if (!pipe) continue;
    (pipe->to == side ? pipe->reader_reset_ : pipe->writer_reset_) = true;
    pipe->readable_.notify_all();
    pipe->writable_.notify_all();
  }
}

void MemoryPipe::send_reset_to_reader() {
  net_->timers.schedule_after(net_->delay(from.address(), to.address()), [self = shared_from_this()] {
    if (!self->net_->reachable(self->from.address(), self->to.address())) return;  // lost; a later packet asks again
    self->reset_at(self->to);
  });
}

void MemoryPipe::send_reset_to_writer() {
  net_->timers.schedule_after(net_->delay(to.address(), from.address()), [self = shared_from_this()] {
    if (!self->net_->reachable(self->to.address(), self->from.address())) return;
    self->reset_at(self->from);
  });
}

}  // namespace pnfs::io
