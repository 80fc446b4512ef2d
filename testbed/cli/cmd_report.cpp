// pnfslab report: a run drawn, as one HTML page or as text.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/trace/filter.hpp"
#include "common/trace/reading.hpp"
#include "testbed/cli/command.hpp"
#include "testbed/lab/lab_state.hpp"
#include "testbed/report/ladder_text.hpp"
#include "testbed/report/page.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  std::string state = lab::default_state_folder();
  std::vector<std::string> traces;
  std::vector<std::string> terms;
  std::string output = "report.html";
  std::string title;
  bool text = false;
  bool all = false;
};

Result<std::vector<trace::OwnedEvent>> events_of(const Options& options) {
  std::vector<std::string> files = options.traces;
  if (files.empty()) files = lab::files_of(options.state, "trace", ".jsonl");
  if (files.empty()) {
    return error(Errc::not_found,
                 "no trace in '{0}'; a lab writes it there (pnfslab up --state {0}), a scenario keeps it with: pnfslab run "
                 "--keep",
                 options.state);
  }
  const auto filter = trace::Filter::parse(options.terms);
  if (!filter) return filter.error();
  auto events = trace::read_files(files);
  if (!events) return events.error();
  trace::find_causes(*events);  // before a filter takes away what they are found from
  std::erase_if(*events, [&](const trace::OwnedEvent& event) { return !filter->matches(trace::to_view(event)); });
  if (events->empty()) return error(Errc::not_found, "no event is left to draw");
  return events;
}

std::string title_of(const Options& options) {
  if (!options.title.empty()) return options.title;
  if (options.traces.size() == 1) return std::filesystem::path(options.traces.front()).stem();
  const auto lab = lab::load_state(options.state);
  return lab ? fmt::format("pnfslab, profile {}", lab->profile) : "pnfslab";
}

int draw(const Options& options) {
  auto events = events_of(options);
  if (!events) return report("report", events.error());
  const report::Run run = report::make_run(std::move(*events), {.title = title_of(options)});
  const bool to_stdout = options.text || options.output == "-";
  // Who filters has said what he wants to see.
  const report::TextOptions text{.colours = isatty(STDOUT_FILENO) != 0,
                                 .plumbing = options.all,
                                 .scsi = options.all || !options.terms.empty()};
  const std::string drawn = options.text ? report::to_text(run, text) : report::to_page(run);
  if (to_stdout) {
    std::fwrite(drawn.data(), 1, drawn.size(), stdout);
    return std::fflush(stdout) == 0 ? 0 : kExitFailed;
  }
  std::ofstream out(options.output, std::ios::binary);
  out << drawn;
  if (!out.flush())
    return report("report", error(Errc::io, "cannot write '{}': {}", options.output, std::strerror(errno)));
  fmt::print("{}: {} events of {} nodes and {} clients; open it in a browser\n", options.output, run.events.size(),
             std::ranges::count(run.lanes, false, &report::Lane::client),
             std::ranges::count(run.lanes, true, &report::Lane::client));
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand(
      "report",
      "Draw a run as a ladder: one HTML page that needs no network, or text\n"
      "Example: pnfslab report -o run.html; pnfslab report --text 'op=LAYOUT*,READ,WRITE' >ladder.txt\n"
      "It has who said what to whom and why, injected faults, lifetimes of sessions, opens and layouts, who moved how\n"
      "many bytes, errors by kind, and what clients fell back to. The lab may be down; filters are those of pnfslab trace");
  auto options = std::make_shared<Options>();
  sub->add_option("--state", options->state, "The state folder of a lab, or what a scenario kept")->capture_default_str();
  sub->add_option("--trace", options->traces, "A trace file (NODE.jsonl, or ID.jsonl of pnfslab run --capture) instead;\n"
                  "may be given more than once")
      ->allow_extra_args(false);
  sub->add_option("-o,--output", options->output, "Where the page goes; - is standard output")->capture_default_str();
  sub->add_option("--title", options->title, "Its title");
  sub->add_flag("--text", options->text, "The same as text on standard output, for a terminal or an issue");
  sub->add_flag("--all", options->all, "With --text: also SEQUENCE, PUTFH and the like, and block commands, when they went well");
  sub->add_option("filter", options->terms, "What to draw (default: everything)");
  sub->callback([options, &action] { action = [options] { return draw(*options); }; });
}

}  // namespace pnfs::cli
