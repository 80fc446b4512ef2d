// What is being asked of the MDS right now. Who needs the same answer waits for it instead of asking too: a burst of
// requests on one file costs one call.
#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <optional>

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
  // An answer about one place of a file is likely to tell what is so close to it, too.
  static constexpr uint64_t kNear = 16ull << 20;

  explicit Questions(io::Executor executor) : answered_(executor) {}

  using Number = uint64_t;
  struct Place {
    Number number = 0;
    uint64_t offset = 0;
  };
  // One that is under way, if any. `offset`: where in the file; 0 for a stateid.
  std::optional<Number> find(const What& what, uint64_t offset) const {
    const auto [begin, end] = asked_.equal_range(what);
    for (auto it = begin; it != end; ++it) {
      const uint64_t there = it->second.offset;
      if (std::max(there, offset) - std::min(there, offset) <= kNear) return it->second.number;
    }
    return std::nullopt;
  }
  // Until that one is answered, or its call has timed out; what came of it the caller must look up.
  io::Task<void> answer(What what, Number number) {
    while (is_under_way(what, number)) co_await answered_.wait();
  }

  // While it lives the question is under way.
  class Asked {
   public:
    Asked(Questions& questions, const What& what, uint64_t offset)
        : questions_(questions), at_(questions.asked_.insert({what, {questions.next_++, offset}})) {}
    ~Asked() {
      questions_.asked_.erase(at_);
      questions_.answered_.notify_all();
    }
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;

   private:
    Questions& questions_;
    std::multimap<What, Place>::iterator at_;
  };

 private:
  bool is_under_way(const What& what, Number number) const {
    const auto [begin, end] = asked_.equal_range(what);
    return std::any_of(begin, end, [&](const auto& entry) { return entry.second.number == number; });
  }

  std::multimap<What, Place> asked_;
  Number next_ = 0;
  io::Event answered_;
};

}  // namespace pnfs::ds
