// Which events somebody wants to see.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/trace/event.hpp"

namespace pnfs::trace {

// Terms that must all hold: FIELD=VALUE, FIELD!=VALUE, FIELD<N, FIELD<=N, FIELD>N, FIELD>=N. FIELD is "kind" or any
// field of an event; VALUE is a list of alternatives joined by ',' each of which may hold '*' and '?'. FIELD!=VALUE is
// about events that have the field. Statuses may be written without NFS4ERR_ or CTL_, and OK is SCSI's GOOD too. "file"
// is path or fileid, "client" is the owner string or the address.
//
//   op=LAYOUTGET,GETDEVICEINFO  status!=OK  node=ds*  bytes>=4096
class Filter {
 public:
  Filter() = default;  // everything
  static Result<Filter> parse(std::span<const std::string> terms);
  // Adds one term.
  Result<void> add(std::string_view term);
  bool matches(const Event& event) const;

 private:
  enum class Compare : uint8_t { equal, different, less, less_equal, greater, greater_equal };
  struct Term {
    std::string field;
    Compare compare;
    std::vector<std::string> alternatives;
    uint64_t number = 0;
  };
  static bool holds(const Term& term, const Event& event);

  std::vector<Term> terms_;
};

}  // namespace pnfs::trace
