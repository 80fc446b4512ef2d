// pnfs-guest: supervises one guest (see supervisor.hpp). Started by the kernel library only.
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>

#include "testbed/kernel/supervisor.hpp"

int main() {
  using namespace pnfs;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  auto options = kernel::read_record(0, std::chrono::seconds(10));
  if (!options) {
    std::fprintf(stderr, "pnfs-guest is started by pnfslab, not by hand\n");
    return 2;
  }
  constexpr int kResults = 3;
  kernel::Supervisor supervisor(std::move(*options));
  kernel::Settings begun;
  const auto started = supervisor.start();
  if (!started) {
    begun.add("error", started.error().reason);
    begun.add("code", static_cast<int>(started.error().code));
  } else {
    begun.add("started", "1");
  }
  if (!kernel::write_record(kResults, begun) || !started) return 1;
  return kernel::write_record(kResults, supervisor.supervise()) ? 0 : 1;
}
