// A run as it is drawn: lanes, what passed between them, lifetimes, and what it comes down to. Made of a trace's events
// alone; the page and the text show the same.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/trace/event.hpp"

namespace pnfs::report {

struct Lane {
  std::string id;     // "client:Linux NFSv4.1 vm1", "mds", "ds1", "target"
  std::string title;  // "vm1"
  bool client = false;
};

// One event as one line of the ladder. from == to: it concerns one node only.
struct Row {
  const trace::OwnedEvent* event = nullptr;
  int64_t us = 0;           // since the run's first event
  size_t from = 0, to = 0;  // lanes
  bool good = true;
  bool plumbing = false;  // what nearly every request has (SEQUENCE, PUTFH, ...), done without an error or a fault
  std::string file;       // name or number
};

struct Bar {
  enum class Kind { fault, session, open, lock, delegation, layout };
  Kind kind = Kind::fault;
  std::string label;  // "layout RW of /file"
  size_t lane = 0;    // whose: the client's, or for a fault rule the node's
  std::string detail;
  int64_t begin = 0, end = 0;  // microseconds
  bool ended = false;          // false: it was still there when the trace ends
  std::string how;             // how it ended
  std::vector<int64_t> hits;   // of a fault rule
};

// Who moved how many bytes.
struct Traffic {
  size_t from = 0, to = 0;  // lanes; the same: Run::sender
  uint64_t reads = 0, read_bytes = 0, writes = 0, written_bytes = 0;
};

struct Failure {
  std::string node, op, status, reason, section;
  uint64_t count = 0;
};

struct Run {
  std::vector<trace::OwnedEvent> events;
  std::vector<Lane> lanes;
  std::vector<Row> rows;
  std::vector<Bar> bars;
  std::vector<Traffic> traffic;
  std::vector<Failure> failures;
  std::vector<std::string> fallbacks;  // what clients did about it, in sentences
  std::string title;
  trace::OwnedEvent const* first = nullptr;
  int64_t length_us = 0;
  uint64_t calls = 0;
  uint64_t left_out = 0;  // events that are counted above but not among the rows

  // mkfs, fsck and other initiators without a lane of their own are "tools".
  std::string_view sender(const Traffic& t) const {
    return t.from == t.to ? "tools" : std::string_view(lanes[t.from].title);
  }
};

struct RunOptions {
  std::string title;
  size_t most_rows = 20'000;  // beyond, what is routine is left out first
};

// `events` in order of time. The Run's pointers stay valid when it is moved.
Run make_run(std::vector<trace::OwnedEvent> events, const RunOptions& options);

std::string_view to_string(Bar::Kind kind);

}  // namespace pnfs::report
