// pnfslab bench: what the parts cost; each has a file of its own.
#include "testbed/cli/command.hpp"

namespace pnfs::cli {

void add_bench(CLI::App& app, Action& action) {
  auto* bench = app.add_subcommand("bench", "Measure what a part costs, beside a yardstick\n"
                                                "Example: pnfslab bench target --sizes 4K --depths 16,32");
  bench->require_subcommand(1);
  add_bench_target(*bench, action);
  add_bench_mds(*bench, action);
  add_bench_data(*bench, action);
  add_bench_trace(*bench, action);
}

}  // namespace pnfs::cli
