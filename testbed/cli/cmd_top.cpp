// pnfslab top: what each server does right now, refreshed until q or Ctrl-C.
#include <poll.h>
#include <unistd.h>

#include <ranges>

#include "testbed/cli/command.hpp"
#include "testbed/cli/table_command.hpp"
#include "testbed/cli/terminal.hpp"
#include "testbed/lab/interrupt.hpp"
#include "testbed/live/text.hpp"

namespace pnfs::cli {

namespace {

using live::Row;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kLineEnd = "\x1b[K\r\n";  // on a raw terminal

struct TopOptions {
  std::string state = lab::default_state_folder();
  double interval_s = 1;
  unsigned count = 0;
  bool as_json = false;
};

struct Counts {
  uint64_t calls = 0, errors = 0, bytes = 0, us = 0;
};
// By server, then operation.
struct Sample {
  Clock::time_point taken;
  std::map<std::string, std::map<std::string, Counts>> servers;
  std::vector<live::Missing> missing;
};

Result<Sample> take_sample(const lab::LabState& lab) {
  auto rows = live::fetch(lab, {.table = "operations"});
  if (!rows) return rows.error();
  Sample sample{Clock::now(), {}, std::move(rows->missing)};
  for (const Row& row : rows->rows) {
    sample.servers[row.value("at", "")][row.value("op", "")] = {
        row.value("calls", uint64_t{0}), row.value("errors", uint64_t{0}), row.value("bytes", uint64_t{0}),
        row.value("us", uint64_t{0})};
  }
  for (const lab::Server& server : lab.servers) sample.servers[server.name];
  return sample;
}

// A server that was started anew counts from nothing.
uint64_t grown(uint64_t before, uint64_t now) {
  return now >= before ? now - before : now;
}

struct Rate {
  std::string server, op;
  double calls = 0, errors = 0, bytes = 0;
  double mean_us = 0;
};

std::vector<Rate> rates(const Sample& before, const Sample& now) {
  const double seconds = std::max(std::chrono::duration<double>(now.taken - before.taken).count(), 1e-3);
  std::vector<Rate> out;
  for (const auto& [server, ops] : now.servers) {
    const auto old = before.servers.find(server);
    for (const auto& [op, counts] : ops) {
      Counts was;
      if (old != before.servers.end())
        if (const auto found = old->second.find(op); found != old->second.end()) was = found->second;
      const uint64_t calls = grown(was.calls, counts.calls);
      if (calls == 0) continue;
      out.push_back({server, op, static_cast<double>(calls) / seconds,
                     static_cast<double>(grown(was.errors, counts.errors)) / seconds,
                     static_cast<double>(grown(was.bytes, counts.bytes)) / seconds,
                     static_cast<double>(grown(was.us, counts.us)) / static_cast<double>(calls)});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Rate& a, const Rate& b) { return a.calls > b.calls; });
  return out;
}

bool reads(const Rate& rate) {
  return rate.op.starts_with("READ") && rate.op != "READDIR" && rate.op != "READLINK" && !rate.op.starts_with("READ CAP");
}

std::string screen(const lab::LabState& lab, const Sample& now, const std::vector<Rate>& all, size_t most_lines) {
  live::Columns servers({"server", "state", ">op/s", ">error/s", ">read/s", ">write/s"});
  for (const lab::Server& server : lab.servers) {
    Rate sum;
    double read = 0;
    for (const Rate& rate : all) {
      if (rate.server != server.name) continue;
      sum.calls += rate.calls, sum.errors += rate.errors, sum.bytes += rate.bytes;
      if (reads(rate)) read += rate.bytes;
    }
    std::string state = "up";
    for (const live::Missing& each : now.missing)
      if (each.node == server.name) state = lab::is_running(server) ? "silent" : "gone";
    servers.add({server.name, state, fmt::format("{:.0f}", sum.calls), fmt::format("{:.0f}", sum.errors),
                 live::human_bytes(static_cast<uint64_t>(read)),
                 live::human_bytes(static_cast<uint64_t>(sum.bytes - read))});
  }
  std::string out = fmt::format("pnfslab top   profile {}   volume {}\n\n", lab.profile, lab.store_url) + servers.text();
  live::Columns ops({"server", "operation", ">op/s", ">error/s", ">bytes/s", ">mean us"});
  const size_t room = most_lines > lab.servers.size() + 6 ? most_lines - lab.servers.size() - 6 : 1;
  for (const Rate& rate : all | std::views::take(room))
    ops.add({rate.server, rate.op, fmt::format("{:.1f}", rate.calls), fmt::format("{:.1f}", rate.errors),
             live::human_bytes(static_cast<uint64_t>(rate.bytes)),
             rate.mean_us > 0 ? fmt::format("{:.0f}", rate.mean_us) : "-"});  // the target keeps no time
  return out + "\n" + (ops.empty() ? "nothing is going on\n" : ops.text());
}

Row to_json(const Sample& now, const std::vector<Rate>& all) {
  Row rows = Row::array();
  for (const Rate& rate : all)
    rows.push_back({{"at", rate.server}, {"op", rate.op}, {"calls_per_s", rate.calls}, {"errors_per_s", rate.errors},
                    {"bytes_per_s", rate.bytes}, {"mean_us", rate.mean_us}});
  Row missing = Row::array();
  for (const live::Missing& each : now.missing) missing.push_back({{"node", each.node}, {"reason", each.reason}});
  return {{"rows", std::move(rows)}, {"missing", std::move(missing)}};
}

// False: the user has seen enough.
bool wait_for_key(double seconds, bool keys) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, keys ? 1 : 0, static_cast<int>(seconds * 1000)) <= 0) return !lab::interrupted();
  char key = 0;
  if (::read(STDIN_FILENO, &key, 1) != 1) return false;
  return key != 'q' && key != 'Q' && key != 3 && key != 4;
}

int top(const TopOptions& options) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0 && !options.as_json;
  const bool keys = terminal && ::isatty(STDIN_FILENO) != 0;
  const lab::InterruptGuard guard;
  std::optional<RawTerminal> raw;
  if (keys) raw.emplace(STDIN_FILENO);
  std::optional<Sample> before;
  for (unsigned shown = 0; options.count == 0 || shown < options.count;) {
    const auto lab = lab::load_state(options.state);
    if (!lab) return raw.reset(), report("top", lab.error());
    auto now = take_sample(*lab);
    if (!now) return raw.reset(), report("top", now.error());
    if (before) {
      const auto all = rates(*before, *now);
      if (options.as_json) {
        fmt::print("{}\n", to_json(*now, all).dump());
      } else if (terminal) {
        std::string text = screen(*lab, *now, all, terminal_size(STDOUT_FILENO).rows - 1);
        for (size_t at = text.find('\n'); keys && at != text.npos; at = text.find('\n', at + kLineEnd.size()))
          text.replace(at, 1, kLineEnd);
        fmt::print("\x1b[H{}\x1b[J", text);
      } else {
        fmt::print("{}\n", screen(*lab, *now, all, 1000));
      }
      std::fflush(stdout);
      ++shown;
    } else if (terminal) {
      fmt::print("\x1b[2J");
    }
    before = std::move(*now);
    if (options.count != 0 && shown >= options.count) break;
    if (!wait_for_key(options.interval_s, keys)) break;
  }
  return 0;
}

}  // namespace

void add_top(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("top",
                                 "Show what each server does right now, until q or Ctrl-C\n"
                                 "Example: pnfslab top --interval 0.5\n"
                                 "         pnfslab top --json --count 1 | jq '.rows[] | select(.op == \"READ\")'");
  auto options = std::make_shared<TopOptions>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_option("--interval", options->interval_s, "Seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  sub->add_option("--count", options->count, "How often to show it; 0: until told to stop")->capture_default_str();
  sub->add_flag("--json", options->as_json, "One line of JSON for each look");
  sub->callback([options, &action] { action = [options] { return top(*options); }; });
}

}  // namespace pnfs::cli
