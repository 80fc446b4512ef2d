#include "common/compound/fault_desk.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>

#include "common/compound/fault_points.hpp"
#include "common/fault/command.hpp"

namespace pnfs::compound {

namespace {

constexpr const char* kSavedRules = "PNFSLAB_FAULT_RULES";  // environment of the next life

// This process's arguments without --ready-fd: nobody waits any more, and the descriptor is another thing now.
std::vector<std::string> arguments() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) {
    if (!words.empty() && words.back() == "--ready-fd") {
      words.pop_back();
      continue;
    }
    if (!word.starts_with("--ready-fd=")) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

FaultDesk::FaultDesk(boost::asio::io_context& context, const Clock& clock, std::string node, uint64_t seed)
    : context_(context) {
  add_nfs_points(vocabulary_);
  fault::Engine::Options options;
  options.node = std::move(node);
  options.seed = seed;
  options.actor = this;
  engine_ = std::make_unique<fault::Engine>(vocabulary_, clock, std::move(options));
}

FaultDesk::~FaultDesk() = default;

void FaultDesk::set_trace(trace::Sink* sink) {
  sink_ = sink;
  if (sink != nullptr) trace_faults(*engine_, *sink);
}

Result<void> FaultDesk::load(const std::vector<std::string>& rules) {
  if (const char* saved = std::getenv(kSavedRules)) return engine_->restore(saved);
  for (const std::string& rule : rules)
    if (auto added = engine_->add(rule); !added) return added.error().with_context("--fault");
  return {};
}

Result<std::string> FaultDesk::command(std::string_view text) {
  constexpr std::string_view kPrefix = "fault ";
  if (!text.starts_with(kPrefix)) return error(Errc::invalid, "\"{}\" is no command; those of fault rules are", text);
  return fault::run_command(*engine_, vocabulary_, text.substr(kPrefix.size()));
}

void FaultDesk::perform(const fault::NodeAction& action) {
  using Verb = fault::NodeAction::Verb;
  if (action.verb == Verb::hang || action.verb == Verb::kill) {
    if (sink_ != nullptr) sink_->flush();
    if (on_halt) on_halt();
    // One thread does everything, leases included: when it sleeps the node hangs.
    if (action.verb == Verb::hang) std::this_thread::sleep_for(action.duration);
    if (action.verb == Verb::kill) ::kill(::getpid(), SIGKILL);
    return;
  }
  boost::asio::post(context_, [this, action] {
    if (action.verb != Verb::restart) {
      if (on_recall) on_recall(action);
    } else if (!std::exchange(restarting_, true) && on_restart) {
      on_restart();
    }
  });
}

Error FaultDesk::reborn() {
  std::vector<std::string> words = arguments();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::setenv(kSavedRules, engine_->save().c_str(), 1);
  ::unsetenv("NOTIFY_FD");
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execv("/proc/self/exe", argv.data());
  return error(Errc::io, "cannot start anew: {}", std::strerror(errno));
}

bool FaultDesk::is_reborn() {
  return std::getenv(kSavedRules) != nullptr;
}

}  // namespace pnfs::compound
