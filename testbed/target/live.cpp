#include "testbed/target/live.hpp"

#include "common/live/desk.hpp"
#include "common/live/metrics.hpp"
#include "testbed/target/server.hpp"

namespace pnfs::target {

namespace {

using live::Row;
using live::Table;

Row target_status_row(const Server& server, const CommandCounters& counters) {
  Row units = Row::array();
  for (const auto& [name, target] : server.targets())
    for (const auto& [lun, unit] : target->units)
      units.push_back({{"target", name},
                       {"lun", lun},
                       {"blocks", unit->blocks()},
                       {"block_bytes", unit->block_bytes()},
                       {"path", unit->config().path}});
  return {{"node", "target"}, {"role", "target"}, {"sessions", counters.sessions()}, {"units", std::move(units)}};
}

}  // namespace

void CommandCounters::count(const CommandRecord& record) {
  Counter& counter = counters_[record.name.empty() ? "unknown" : record.name];
  ++counter.calls;
  counter.bytes += record.bytes;
  if (record.command.status != scsi::Status::good) ++counter.errors;
}

void CommandCounters::count(const SessionRecord& record) {
  if (record.event == "login") ++sessions_;
  if (record.event == "end" && sessions_ > 0) --sessions_;
}

void add_tables(const Server& server, const CommandCounters& counters, live::Desk& desk) {
  desk.add("status", [&server, &counters](Table& out) { out.add([&] { return target_status_row(server, counters); }); });
  desk.add("operations", [&counters](Table& out) {
    for (const auto& [name, counter] : counters.all())
      out.add([&, &name = name, &counter = counter] {
        return Row{{"op", name}, {"calls", counter.calls}, {"errors", counter.errors}, {"bytes", counter.bytes}};
      });
  });
}

void add_metrics(const CommandCounters& counters, live::Metrics& metrics) {
  metrics.counter("pnfslab_scsi_commands", "SCSI commands answered");
  for (const auto& [name, counter] : counters.all()) metrics.sample({{"command", std::string(name)}}, counter.calls);
  metrics.counter("pnfslab_scsi_command_errors", "SCSI commands answered with another status than GOOD");
  for (const auto& [name, counter] : counters.all())
    if (counter.errors != 0) metrics.sample({{"command", std::string(name)}}, counter.errors);
  metrics.counter("pnfslab_scsi_bytes", "Data moved by SCSI commands", "bytes");
  for (const auto& [name, counter] : counters.all())
    if (counter.bytes != 0) metrics.sample({{"command", std::string(name)}}, counter.bytes);
  metrics.gauge("pnfslab_iscsi_sessions", "iSCSI sessions");
  metrics.sample(counters.sessions());
}

}  // namespace pnfs::target
