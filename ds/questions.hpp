// What is being asked of the MDS right now. Who needs the same answer waits for it instead of asking too: a burst of
// requests on one file costs one call.
#pragma once

#include <compare>
#include <set>

#include "common/io/event.hpp"
#include "ds/grants/verdict_cache.hpp"

namespace pnfs::ds {

class Questions {
 public:
  struct What {
    uint64_t of = 0;  // the client whose stateid it is, or the file that is to be granted
    Other stateid{};  // zeros: a grant
    uint32_t access = 0;
    auto operator<=>(const What&) const = default;
  };
  explicit Questions(io::Executor executor) : answered_(executor) {}

  bool under_way(const What& what) const { return asked_.contains(what); }
  // Until nobody asks it any more; what came of it the caller must look up.
  io::Task<void> answer(What what) {
    while (under_way(what)) co_await answered_.wait();
  }

  // While it lives the question is under way.
  class Asked {
   public:
    Asked(Questions& questions, const What& what) : questions_(questions), at_(questions.asked_.insert(what)) {}
    ~Asked() {
      questions_.asked_.erase(at_);
      questions_.answered_.notify_all();
    }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;

   private:
    Questions& questions_;
    std::multiset<What>::iterator at_;
  };

 private:
  std::multiset<What> asked_;
  io::Event answered_;
};

}  // namespace pnfs::ds
