#include "mds/state/grace.hpp"

#include <algorithm>

namespace pnfs::mds::state {

namespace {
constexpr Duration kMoreForEach = std::chrono::milliseconds(50);
}

void Grace::begin(std::vector<std::string> owners, TimePoint now, Duration length) {
  recorded_ = {owners.begin(), owners.end()};
  waiting_ = recorded_;
  active_ = !waiting_.empty();
  over_early_ = false;
  began_ = now;
  length_ = length;
  until_ = now + length;
}

void Grace::reclaiming(std::string_view owner, TimePoint now) {
  if (!active(now) || !recorded_.contains(owner)) return;
  const Duration most = 2 * length_ + kMoreForEach * static_cast<int64_t>(recorded_.size());
  until_ = std::max(until_, std::min(now + length_ / 4, began_ + most));
}

bool Grace::end_if_over(TimePoint now) {
  if (!active_ || (now < until_ && !waiting_.empty() && !over_early_)) return false;
  active_ = false;
  // Who did not come back in time has lost the right: a late reclaim could meet what others have taken since.
  recorded_.clear();
  waiting_.clear();
  return true;
}

bool Grace::may_reclaim(std::string_view owner) const {
  return waiting_.find(owner) != waiting_.end();
}

void Grace::complete(std::string_view owner) {
  if (auto it = waiting_.find(owner); it != waiting_.end()) waiting_.erase(it);
}

void Grace::forget(std::string_view owner) {
  complete(owner);
}

}  // namespace pnfs::mds::state
