#include "testbed/report/run.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "common/trace/reading.hpp"
#include "testbed/report/summary.hpp"

namespace pnfs::report {

namespace {

using trace::Kind;
using trace::OwnedEvent;

constexpr std::array<std::string_view, 9> kPlumbing = {"SEQUENCE",  "PUTFH",   "PUTROOTFH", "GETFH",          "SAVEFH",
                                                       "RESTOREFH", "GETATTR", "ACCESS",    "SECINFO_NO_NAME"};

int64_t microseconds(WallTime at) {
  return at.seconds * 1'000'000 + at.nanoseconds / 1000;
}

// The name under which a file was opened or made, as far as the trace has it.
FileNames file_names(std::span<const OwnedEvent> events) {
  FileNames names;
  for (const OwnedEvent& e : events)
    if (e.fileid && !e.path.empty() && (e.op == "OPEN" || e.op == "LOOKUP" || e.op == "CREATE"))
      names[*e.fileid] = e.path;
  return names;
}

// Every initiator's first command is answered by a power-on unit attention: how iSCSI begins, not an error. A later one
// tells of a target that was started again.
class Greetings {
 public:
  bool is(const OwnedEvent& e) {
    if (e.kind != Kind::scsi || !met_.insert(e.client).second) return false;
    return e.op == "TEST UNIT READY" && e.reason.starts_with("UNIT ATTENTION, 29");
  }

 private:
  std::set<std::string, std::less<>> met_;
};

// What is left out first when there is too much of it.
int worth(const Row& row) {
  const OwnedEvent& e = *row.event;
  if (!row.good || !e.fault.empty() || e.kind == Kind::fault || e.kind == Kind::state) return 4;
  if (e.kind == Kind::scsi || row.plumbing) return 0;
  if (e.kind == Kind::control || e.op == "READ" || e.op == "WRITE" || e.op == "COMMIT") return 1;
  return e.kind == Kind::net ? 2 : 3;
}

void keep_most(Run& run, size_t most) {
  if (run.rows.size() <= most) return;
  run.left_out = run.rows.size() - most;
  std::array<size_t, 5> of_worth{};
  for (const Row& row : run.rows) ++of_worth[static_cast<size_t>(worth(row))];
  // All of what is worth more than `level`, and of that level as many, from the beginning, as there is room for.
  size_t kept = 0;
  int level = 4;
  while (level >= 0 && kept + of_worth[static_cast<size_t>(level)] <= most)
    kept += of_worth[static_cast<size_t>(level--)];
  size_t room = most - kept;
  std::erase_if(run.rows, [&](const Row& row) {
    const int w = worth(row);
    if (w != level) return w < level;
    if (room == 0) return true;
    --room;
    return false;
  });
}

}  // namespace

Run make_run(std::vector<OwnedEvent> events, const RunOptions& options) {
  Run run;
  run.title = options.title;
  run.events = std::move(events);
  trace::find_causes(run.events);
  if (run.events.empty()) return run;
  run.first = &run.events.front();
  const int64_t begin = microseconds(run.first->ts);
  std::vector<int64_t> times;
  for (const OwnedEvent& e : run.events) times.push_back(microseconds(e.ts) - begin);
  run.length_us = times.back();
  const Lanes lanes(run.events);
  const FileNames names = file_names(run.events);
  run.lanes = lanes.all();
  Greetings greetings;
  for (size_t i = 0; i < run.events.size(); ++i) {
    const OwnedEvent& e = run.events[i];
    const auto [from, to] = lanes.of(e);
    Row row{.event = &e, .us = times[i], .from = from, .to = to, .file = file_text(e, names)};
    row.good = greetings.is(e) || trace::is_good(e.status);
    row.plumbing = row.good && e.fault.empty() && e.kind == Kind::op && std::ranges::count(kPlumbing, e.op) > 0;
    run.rows.push_back(std::move(row));
  }
  run.bars = make_bars(run.events, times, lanes, names);
  summarize(run, lanes, names);
  keep_most(run, options.most_rows);
  return run;
}

}  // namespace pnfs::report
