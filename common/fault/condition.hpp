// The "when" of a rule: KEY=VALUE words, all of which must hold.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/fault/injector.hpp"
#include "common/fault/vocabulary.hpp"
#include "common/fault/words.hpp"

namespace pnfs::fault {

enum class Compare : uint8_t { equal, different, less, less_equal, greater, greater_equal, contains };

// One comparison with something that is known at the point. Values may be alternatives joined by ',' for = and !=.
struct Condition {
  enum class Source : uint8_t {
    client,
    address,
    principal,
    file,  // path (with * and ?) or fileid
    iomode,
    offset,
    length,
    range,     // FIRST-LAST in bytes: overlaps what the operation touches
    compound,  // the COMPOUND has this operation
    index,
    minorversion,
    connection,
    status,  // of the result, at `after`
    args,    // a field of the arguments
    res,     // a field of the result
  };
  Source source = Source::client;
  Compare compare = Compare::equal;
  std::string path;                       // args, res
  std::vector<std::string> alternatives;  // as written
  uint64_t first = 0, last = 0;           // range

  // False as well when the thing is not known at the point or the field is not there.
  bool holds(const Context& context) const;
};

// How often a rule acts, among the times its conditions hold.
struct Limits {
  uint64_t nth = 0;                  // only the n-th time; 0: not limited
  uint64_t every = 1;                // every n-th time
  uint64_t times = 0;                // then no more; 0: not limited
  uint32_t probability = 1'000'000;  // parts of a million
  Duration from{};                   // since the rule was added
  std::optional<Duration> until;
};

// Takes one condition or limit word. `points` and `stage` say which fields exist.
Result<void> parse_condition(Words& words, const std::vector<const Point*>& points, Stage stage,
                             std::vector<Condition>& conditions, Limits& limits);

}  // namespace pnfs::fault
