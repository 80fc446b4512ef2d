// Messages on their way out: batches, and what faults do to them.
#include "common/io/task_group.hpp"
#include "common/rpc/connection.hpp"

namespace pnfs::rpc {

namespace {
constexpr size_t kBatchMessages = 64;
constexpr size_t kBatchBytes = 4u << 20;
}  // namespace

void Connection::discard(Outgoing& message) {
  if (message.reply) release(*message.reply);
  message = {};
}

void Connection::send(Outgoing message) {
  if (closed_ || black_hole_) {
    discard(message);
    return;
  }
  if (const uint32_t behind = message.treatment().behind; behind != 0) {
    const auto timer = env_.timers->schedule_after(kHeldAtMost, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->held_.empty()) return;
      self->held_.front().behind = 0;
      self->overtake();
    });
    held_.push_back({std::move(message), behind, timer});
    return;
  }
  enqueue(std::move(message));
  for (Held& held : held_)
    if (held.behind > 0) --held.behind;
  overtake();
}

// Those that enough others have overtaken leave.
void Connection::overtake() {
  for (size_t i = 0; i < held_.size();) {
    if (held_[i].behind > 0) {
      ++i;
      continue;
    }
    env_.timers->cancel(held_[i].timer);
    Outgoing message = std::move(held_[i].message);
    held_.erase(held_.begin() + static_cast<ptrdiff_t>(i));
    enqueue(std::move(message));
  }
}

void Connection::enqueue(Outgoing message) {
  queue_.push_back(std::move(message));
  if (queue_.size() == 1) queued_.notify_all();
}

void Connection::black_hole() {
  black_hole_ = true;
  auto unsent = std::move(queue_);
  queue_.clear();
  for (Outgoing& message : unsent) discard(message);
}

std::span<const io::ConstBytes> Connection::Outgoing::finish() {
  if (reply) return reply->finish();
  xdr::Encoder::patch(call->mark_, kLastFragment | static_cast<uint32_t>(call->encoder_.size() - 4));
  return call->encoder_.pieces();
}

io::Task<void> Connection::write_records(std::shared_ptr<Connection> self) {
  std::vector<Outgoing> batch;
  std::vector<io::ConstBytes> pieces;
  while (!self->closed_) {
    if (self->queue_.empty()) {
      co_await self->queued_.wait();
      continue;
    }
    size_t bytes = 0;
    while (!self->queue_.empty() && batch.size() < kBatchMessages && bytes < kBatchBytes) {
      Outgoing& message = batch.emplace_back(std::move(self->queue_.front()));
      self->queue_.pop_front();
      const size_t first = pieces.size();
      const auto message_pieces = message.finish();
      for (uint32_t copy = 0; copy <= message.treatment().duplicate; ++copy)
        pieces.insert(pieces.end(), message_pieces.begin(), message_pieces.end());
      const size_t begin = bytes;
      for (size_t i = first; i < pieces.size(); ++i) bytes += pieces[i].size();
      if (self->watched_ && !message.treatment().remark.empty())
        self->stream_->remark(begin, bytes, message.treatment().remark);
      if (self->env_.observer) self->env_.observer->sent(*self, std::span(pieces).subspan(first));
    }
    self->begin(&Connection::write_watch_, self->env_.limits.write_timeout, "writing to a peer that does not read");
    auto written = co_await self->stream_->write(pieces);
    self->write_watch_.began.reset();
    for (const Outgoing& message : batch)
      if (message.reply) self->release(*message.reply);
    batch.clear();
    pieces.clear();
    if (!written) self->end(written.error().reason, false);
  }
}

}  // namespace pnfs::rpc
