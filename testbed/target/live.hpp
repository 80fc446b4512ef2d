// A running target for those who look (common/live/LIVE.md): its tables and metrics, and the counts they need.
#pragma once

#include <map>
#include <string>

#include "testbed/target/observer.hpp"

namespace pnfs::live {
class Desk;
class Metrics;
}  // namespace pnfs::live

namespace pnfs::target {

class Server;

class CommandCounters {
 public:
  void count(const CommandRecord& record);
  void count(const SessionRecord& record);

  struct Counter {
    uint64_t calls = 0, errors = 0, bytes = 0;
  };
  // By the command's name, which is a constant of the opcode table.
  const std::map<std::string_view, Counter>& all() const { return counters_; }
  uint64_t sessions() const { return sessions_; }  // that are there now

 private:
  uint64_t sessions_ = 0;
  std::map<std::string_view, Counter> counters_;
};

// Server and counters outlive the desk.
void add_tables(const Server& server, const CommandCounters& counters, live::Desk& desk);
void add_metrics(const CommandCounters& counters, live::Metrics& metrics);

}  // namespace pnfs::target
