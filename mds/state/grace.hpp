// The grace period after a start (RFC 8881 8.4.2): who may reclaim what, and when it is over. Pure: time is passed in.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/nfs/status.hpp"
#include "mds/state/stateid.hpp"

namespace pnfs::mds::state {

class Grace {
 public:
  // `owners`: co_ownerids of the clients that the last instance had recorded and that may hold state to reclaim. With
  // none there is no grace period.
  void begin(std::vector<std::string> owners, TimePoint now, Duration length);

  // A recorded client is at it: the end moves to at least a quarter of the period from now, so that a client that came
  // late, or one of very many, gets to its end (RFC 8881 8.4.2.1 lets a server extend). Never beyond twice the period
  // and 50 ms for each recorded client.
  void reclaiming(std::string_view owner, TimePoint now);

  bool active(TimePoint now) const { return active_ && now < until_; }
  TimePoint until() const { return until_; }
  // The time is up, or everybody is done: true once, when it ends with this call.
  bool end_if_over(TimePoint now);
  void end_now() { over_early_ = true; }

  // Has this owner state of the last instance to reclaim?
  bool may_reclaim(std::string_view owner) const;
  // Its RECLAIM_COMPLETE; the last one ends the grace period early.
  void complete(std::string_view owner);
  // A recorded owner whose record went for good (it came back with another verifier and nothing to reclaim still counts
  // as there until it says so).
  void forget(std::string_view owner);
  size_t waiting_for() const { return waiting_.size(); }

 private:
  bool active_ = false;
  bool over_early_ = false;
  TimePoint began_{};
  Duration length_{};
  TimePoint until_{};
  std::set<std::string, std::less<>> waiting_;
  std::set<std::string, std::less<>> recorded_;
};

}  // namespace pnfs::mds::state
