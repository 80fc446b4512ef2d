#include "testbed/report/ladder_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pnfs::report {

namespace {

constexpr size_t kLaneWidth = 11;
constexpr std::string_view kRed = "\x1b[31m", kMagenta = "\x1b[35m", kPlain = "\x1b[0m";

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
}

size_t centre(size_t lane) {
  return lane * kLaneWidth + kLaneWidth / 2;
}

// "|     |---------->|      |"; x instead of the arrow's head when it failed, * for what concerns one node.
std::string arrow(const Row& row, size_t lanes) {
  std::string line(lanes * kLaneWidth, ' ');
  for (size_t i = 0; i < lanes; ++i) line[centre(i)] = '|';
  const size_t from = centre(row.from), to = centre(row.to);
  if (from == to) {
    line[to] = '*';
    return line;
  }
  const auto [left, right] = std::minmax(from, to);
  for (size_t i = left + 1; i < right; ++i) line[i] = '-';
  line[from < to ? to - 1 : to + 1] = !row.good ? 'x' : from < to ? '>' : '<';
  return line;
}

std::string seconds(int64_t us) {
  return fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
}

void add_summary(std::string& out, const Run& run) {
  out += fmt::format("{}: {} events, {} NFS calls, {} s\n", printable(run.title), run.events.size(), run.calls,
                     seconds(run.length_us));
  for (const std::string& sentence : run.fallbacks) out += "* " + printable(sentence) + '\n';
  if (!run.traffic.empty()) out += "\nwho moved how many bytes\n";
  for (const Traffic& t : run.traffic) {
    out += fmt::format("  {:>12} -> {:<8} READ {:>7} {:>10}   WRITE {:>7} {:>10}\n", printable(run.sender(t)),
                       printable(run.lanes[t.to].title), t.reads, human_bytes(t.read_bytes), t.writes,
                       human_bytes(t.written_bytes));
  }
  if (!run.failures.empty()) out += "\nerrors\n";
  for (const Failure& f : run.failures) {
    out += fmt::format("  {:>5} x {} {} {}{}{}{}\n", f.count, f.node, f.op, f.status, f.reason.empty() ? "" : ": ",
                       printable(f.reason), f.section.empty() ? "" : " [RFC 8881 " + f.section + "]");
  }
  if (!run.bars.empty()) out += "\nlifetimes (seconds)\n";
  for (const Bar& bar : run.bars) {
    out += fmt::format("  {:>12} .. {:<12} {:<10} {} ({})\n", seconds(bar.begin), bar.ended ? seconds(bar.end) : "end",
                       printable(run.lanes[bar.lane].title), printable(bar.label),
                       bar.ended ? bar.how : "still there at the end");
  }
}

}  // namespace

std::string human_bytes(uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  if (bytes < 10'000'000) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

std::string words_of(const Row& row) {
  const trace::OwnedEvent& e = *row.event;
  std::string out = e.op;
  if (e.kind == trace::Kind::fault) return "fault " + printable(e.fault) + " (at " + printable(e.op) + ")";
  if (!e.iomode.empty()) out += ' ' + e.iomode;
  if (e.offset || e.length) {
    out += fmt::format(" {}+", e.offset.value_or(0));
    out += e.length == ~uint64_t{0} ? "all" : fmt::format("{}", e.length.value_or(0));
  }
  if (!row.file.empty()) out += ' ' + printable(row.file);
  if (!e.status.empty()) out += "  " + e.status;
  if (!e.reason.empty()) out += (e.status.empty() ? "  " : ": ") + printable(e.reason);
  if (!e.section.empty()) out += " [RFC 8881 " + e.section + "]";
  if (!e.fault.empty() && e.reason.find(e.fault) == std::string::npos) out += "  fault: " + printable(e.fault);
  return out;
}

std::string to_text(const Run& run, const TextOptions& options) {
  std::string out;
  add_summary(out, run);
  out += fmt::format("\n{:>12} ", "seconds");
  for (const Lane& lane : run.lanes)
    out += fmt::format("{:^{}}", printable(lane.title).substr(0, kLaneWidth - 1), kLaneWidth);
  out += '\n';
  size_t hidden = 0;
  for (const Row& row : run.rows) {
    const bool block = row.event->kind == trace::Kind::scsi && row.good && row.event->fault.empty();
    if ((row.plumbing && !options.plumbing) || (block && !options.scsi)) {
      ++hidden;
      continue;
    }
    const bool fault = row.event->kind == trace::Kind::fault;
    const std::string_view colour = !options.colours ? "" : fault ? kMagenta : row.good ? "" : kRed;
    out += fmt::format("{:>12} {}{}  {}{}\n", seconds(row.us), colour, arrow(row, run.lanes.size()), words_of(row),
                       colour.empty() ? "" : kPlain);
  }
  if (hidden > 0)
    out += fmt::format("({} operations like SEQUENCE and PUTFH, and block commands, that went well are not shown: --all)\n", hidden);
  if (run.left_out > 0) out += fmt::format("({} routine events of a long run are left out)\n", run.left_out);
  return out;
}

}  // namespace pnfs::report
