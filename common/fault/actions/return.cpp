// return STATUS, return! STATUS: answer this. Before: without running the operation; after: although it ran.
#include <fmt/format.h>

#include <algorithm>

#include "common/fault/action.hpp"

namespace pnfs::fault {

namespace {

class Return final : public Action {
 public:
  explicit Return(uint32_t status) : status_(status) {}
  bool apply(Firing& f) const override {
    if (!f.verdict.status) f.verdict.status = status_;
    return true;
  }

 private:
  uint32_t status_;
};

// A status that the protocol does not allow there needs "force".
Result<void> check_valid(const Words& words, size_t column, const Place& place, uint32_t status) {
  for (const Point* point : place.points) {
    const auto& valid = point->valid_statuses;
    if (status == 0 || valid.empty() || std::ranges::find(valid, status) != valid.end()) continue;
    std::string names;
    for (const uint32_t s : valid)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", place.vocabulary.status_name(point->domain, s));
    return words.fail_at(column, fmt::format("the RFC does not let {} return {} (write \"return {} force\" to do it "
                                             "all the same); it may return {}",
                                             full_name(*point), place.vocabulary.status_name(point->domain, status),
                                             place.vocabulary.status_name(point->domain, status), names));
  }
  return {};
}

Result<std::unique_ptr<Action>> parse_return(Words& words, const Place& place) {
  if (words.at_end()) return words.fail("a status was expected after \"return\"");
  const Word word = words.take();
  const auto status = place.vocabulary.status_number(place.domain(), word.text);
  if (!status)
    return words.fail_at(word.column,
                         fmt::format("\"{}\" is no status of {}", word.text, full_name(*place.points.front())));
  if (!words.take_if("force"))
    if (const auto ok = check_valid(words, word.column, place, *status); !ok) return ok.error();
  return std::unique_ptr<Action>(std::make_unique<Return>(*status));
}

}  // namespace

extern const ActionKind kReturnAction{
    .name = "return",
    .usage = "return STATUS [force]",
    .where = "it needs before or after an operation, callback, control call, block I/O or SCSI command",
    .example = "before LAYOUTGET iomode=RW do return NFS4ERR_BADIOMODE",
    .allowed = [](const Place& p) { return p.stage != Stage::reply && p.domain() != Domain::connection; },
    .parse = &parse_return,
};

}  // namespace pnfs::fault
