// Runs scenarios, each in a lab of its own with one or several kernel clients, several at once, and judges them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "testbed/lab/guest_run.hpp"
#include "testbed/scenario/scenario.hpp"

namespace pnfs::scenario {

inline constexpr const char* kManualClient = "manual";

struct RunOptions {
  std::string kernel_path, modules_path;  // empty: the installed User-Mode Linux
  // Not in labs of their own but, one after the other, in the lab that runs with this state folder. Its clients come by
  // `network` when its servers are containers.
  std::string running_lab;
  lab::GuestNetwork network;
  bool hosts = false;          // all in the topology `hosts`, whatever they say
  bool slow = false;           // also those tagged slow
  bool keep = false;           // keep the state folders also of those that passed
  std::string capture;         // folder that gets each one's packets (ID.pcapng) and trace (ID.jsonl)
  unsigned jobs = 2;           // how many at once
  uint16_t base_port = 14049;  // of the first; labs take the free ports from there on
  uint64_t seed = 0;           // where the chances of rules come from
  // The kernel is one that [kernels] speaks of: a packaged one. One of the user's own is judged by the expectations.
  bool packaged_kernel = true;
  // Instead of a kernel: the command that is the client (external_client.hpp), or "manual"; empty: none.
  std::string client_command;
  std::string client_release;         // the Linux release of that client; empty: unknown, or no Linux
  std::string address = "127.0.0.1";  // where the servers listen
};

// known_bad: it failed on a kernel of which [kernels] says so.
enum class Verdict { passed, failed, known_bad, skipped, not_tested };
std::string_view to_string(Verdict verdict);

struct Outcome {
  const Scenario* scenario = nullptr;
  Verdict verdict = Verdict::not_tested;
  bool passed_as_red = false;  // failed, because it passes although [kernels] says red
  double seconds = 0;
  std::string kernel_release;
  // failed, known_bad: one text per unmet expectation or unfired rule; not_tested and skipped: the reason.
  std::vector<std::string> problems;
  std::vector<std::string> not_judged;  // expectations about what cannot be seen of an external client
  std::string folder;                   // logs and traces, when kept
  Observed observed;                    // when it was played
};

// What the caller is told while it waits. Called by several threads, one at a time.
struct Progress {
  std::function<void(const Scenario&)> began;
  std::function<void(const Outcome&)> done;  // in the order of the list
};

// A signal (SIGINT, SIGTERM) ends all of it: what was not played is not_tested, and nothing is left behind.
std::vector<Outcome> run_all(const std::vector<Scenario>& scenarios, const RunOptions& options,
                             const Progress& progress);

// What is wrong with what was observed: unmet expectations and rules that never acted.
std::vector<std::string> judge(const Scenario& scenario, const Observed& observed);

bool has_acted(std::string_view rule, const Observed& observed);

// One line of TAP (and its diagnosis) for an outcome; number counts from 1.
std::string to_tap(const Outcome& outcome, size_t number);
std::string to_junit(const std::vector<Outcome>& outcomes);
// 0 all passed, 1 at least one failed, 125 none failed but one could not be tested (git bisect's "skip").
int exit_code(const std::vector<Outcome>& outcomes);

}  // namespace pnfs::scenario
