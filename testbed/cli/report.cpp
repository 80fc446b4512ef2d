#include <cstdio>

#include "testbed/cli/command.hpp"

namespace pnfs::cli {

int report(std::string_view command, const Error& problem) {
  fmt::print(stderr, "pnfslab {}: {}\n", command, problem.reason);
  if (problem.code == Errc::cancelled) return kExitInterrupted;
  return problem.code == Errc::invalid ? kExitUsage : kExitFailed;
}

}  // namespace pnfs::cli
