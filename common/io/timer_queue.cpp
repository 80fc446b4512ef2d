#include "common/io/timer_queue.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <memory>

namespace pnfs::io {

TimerQueue::Id TimerQueue::schedule(TimePoint when, std::function<void()> action) {
  const Id id = next_id_++;
  const auto it = by_time_.emplace(Key{when, id}, std::move(action)).first;
  by_id_.emplace(id, when);
  if (it == by_time_.begin()) on_earliest_changed();
  return id;
}

bool TimerQueue::cancel(Id id) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) return false;
  by_time_.erase(Key{it->second, id});
  by_id_.erase(it);
  return true;
}

Task<void> TimerQueue::sleep(Duration delay) {
  auto initiate = [this, delay](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto slot = asio::get_associated_cancellation_slot(*shared);
    auto complete = [this, shared](boost::system::error_code ec) {
      asio::post(executor_, [shared, ec] { std::move (*shared)(ec); });
    };
    const Id id = schedule_after(delay, [complete] { complete({}); });
    if (slot.is_connected()) {
      slot.assign([this, id, complete](asio::cancellation_type) {
        if (cancel(id)) complete(asio::error::operation_aborted);
      });
    }
  };
  co_await asio::async_initiate<decltype(use_task), void(boost::system::error_code)>(initiate, use_task);
}

std::optional<TimePoint> TimerQueue::next_deadline() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first.when;
}

size_t TimerQueue::fire_due() {
  size_t count = 0;
  const TimePoint now = clock_.now();
  while (!by_time_.empty() && by_time_.begin()->first.when <= now) {
    auto node = by_time_.extract(by_time_.begin());
    by_id_.erase(node.key().id);
    node.mapped()();
    ++count;
  }
  return count;
}

void AsioTimers::on_earliest_changed() {
  arm();
}

void AsioTimers::arm() {
  const auto earliest = next_deadline();
  if (!earliest || (armed_for_ && *armed_for_ <= *earliest)) return;
  armed_for_ = earliest;
  timer_.expires_after(std::max(Duration(0), *earliest - now()));
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;  // re-armed for an earlier deadline, or the queue is gone
    armed_for_.reset();
    fire_due();
    arm();
  });
}

}  // namespace pnfs::io
