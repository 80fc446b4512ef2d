// pnfslab trace: what the servers of a lab did and why, merged by time.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <deque>
#include <thread>

#include "common/trace/filter.hpp"
#include "common/trace/follow.hpp"
#include "common/trace/format.hpp"
#include "common/trace/json_line.hpp"
#include "common/trace/reading.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::cli {

namespace {

using namespace lab;  // its functions are what the subcommands are made of

constexpr std::chrono::milliseconds kPollEvery{100};

struct Options {
  std::string state = default_state_folder();
  std::vector<std::string> terms;
  bool follow = false;
  bool as_json = false;
};

volatile std::sig_atomic_t ended = 0;

int local_utc_offset_minutes() {
  const time_t now = time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  return static_cast<int>(local.tm_gmtoff / 60);
}

int show(const Options& options) {
  const auto state = load_state(options.state);
  if (!state) return report("trace", state.error());
  const auto filter = trace::Filter::parse(options.terms);
  if (!filter) return report("trace", filter.error());
  std::deque<trace::Follower> files;
  for (const Server& server : state->servers) files.emplace_back(state->trace_file(server.name));
  trace::FormatOptions format;
  format.colours = isatty(STDOUT_FILENO) != 0;
  format.utc_offset_minutes = local_utc_offset_minutes();
  std::signal(SIGINT, [](int) { ended = 1; });

  // Events are merged within a poll; between polls they come as the files grow.
  do {
    std::vector<trace::OwnedEvent> events;
    for (trace::Follower& file : files) {
      auto polled = file.poll([&](const trace::OwnedEvent& event) { events.push_back(event); });
      if (!polled) return report("trace", polled.error());
    }
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.ts < b.ts; });
    trace::find_causes(events);
    std::string out;
    for (const auto& event : events) {
      if (!filter->matches(trace::to_view(event))) continue;
      if (options.as_json) {
        trace::append_json_line(out, trace::to_view(event));
      } else {
        out += trace::format_line(trace::to_view(event), format) + '\n';
      }
    }
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) return 0;
    if (options.follow) std::this_thread::sleep_for(kPollEvery);
  } while (options.follow && !ended);
  return 0;
}

}  // namespace

void add_trace(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "trace",
      "Show what the servers did and why, one line an operation\n"
      "Example: pnfslab trace --follow node=mds op=LAYOUTGET,LAYOUTRETURN 'status!=OK'\n"
      "Filters are FIELD=VALUE, FIELD!=VALUE, FIELD>=N ...; fields: kind, node, client, op, file, status,\n"
      "iomode, offset, bytes, reason ... (common/trace/TRACE.md lists them all); a VALUE may hold * and ?.\n"
      "request=ds1:17 shows a request with the control calls and block commands that it caused");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  sub->add_flag("-f,--follow", options->follow, "Go on as the servers do; Ctrl-C ends it");
  sub->add_flag("--json", options->as_json, "JSON lines");
  sub->add_option("filter", options->terms, "What to show (default: everything)");
  sub->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace pnfs::cli
