#include "common/rpc/connection.hpp"

#include "common/io/task_group.hpp"
#include "common/rpc/pending.hpp"

namespace pnfs::rpc {

Connection::Connection(uint64_t id, std::unique_ptr<io::Stream> stream, const Environment& environment)
    : id_(id),
      stream_(std::move(stream)),
      env_(environment),
      local_(stream_->local()),
      remote_(stream_->remote()),
      remote_text_(io::to_string(remote_)),
      watched_(stream_->watched()),
      ahead_(kAheadBytes),
      room_(env_.timers->executor()),
      queued_(env_.timers->executor()),
      next_xid_(static_cast<uint32_t>(id << 16) + 1) {}

Connection::~Connection() = default;

void Connection::start(bool accepted) {
  accepted_ = accepted;
  if (env_.observer) env_.observer->opened(*this);
  env_.tasks->spawn("rpc reader", read_records(shared_from_this()));
  env_.tasks->spawn("rpc writer", write_records(shared_from_this()));
}

void Connection::close(std::string_view reason) {
  end(std::string(reason), false);
}

void Connection::reset(std::string_view reason) {
  end(std::string(reason), true);
}

void Connection::end(std::string reason, bool with_reset) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  close_reason_ = std::move(reason);
  if (watched_) stream_->remark_end(close_reason_);
  if (with_reset) {
    stream_->reset();
  } else {
    stream_->close();
  }
  for (Watch* watch : {&record_watch_, &write_watch_})
    if (watch->timer != 0) env_.timers->cancel(watch->timer);
  auto unsent = std::move(queue_);
  queue_.clear();
  for (Held& held : held_) {
    env_.timers->cancel(held.timer);
    unsent.push_back(std::move(held.message));
  }
  held_.clear();
  for (Outgoing& message : unsent) discard(message);
  for (const auto& [xid, pending] : pending_)
    pending->finish(error(Errc::closed, "the connection to {} closed: {}", io::to_string(remote_), close_reason_));
  queued_.notify_all();
  room_.notify_all();
  if (env_.observer) env_.observer->closed(*this, close_reason_);
  const auto actions = std::move(close_actions_);
  close_actions_.clear();
  for (const auto& [token, action] : actions) action(*this);
}

Connection::CloseToken Connection::on_close(std::function<void(Connection&)> action) {
  const CloseToken token = next_token_++;
  if (closed_) {
    action(*this);
  } else {
    close_actions_.emplace(token, std::move(action));
  }
  return token;
}

void Connection::forget_close(CloseToken token) {
  close_actions_.erase(token);
}

void Connection::begin(Watch Connection::*watch, Duration limit, std::string_view what) {
  Watch& w = this->*watch;
  w.began = env_.timers->now();
  if (w.timer != 0) return;
  w.timer = env_.timers->schedule_after(limit, [weak = weak_from_this(), watch, limit, what] {
    if (const auto self = weak.lock()) self->check(watch, limit, what);
  });
}

void Connection::check(Watch Connection::*watch, Duration limit, std::string_view what) {
  Watch& w = this->*watch;
  w.timer = 0;
  if (closed_ || !w.began) return;
  if (env_.timers->now() - *w.began >= limit) {
    end(fmt::format("{} took longer than {} ms", what,
                    std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()),
        false);
    return;
  }
  w.timer = env_.timers->schedule(*w.began + limit, [weak = weak_from_this(), watch, limit, what] {
    if (const auto self = weak.lock()) self->check(watch, limit, what);
  });
}

}  // namespace pnfs::rpc
