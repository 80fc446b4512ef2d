#include "common/base/process.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace pnfs {

std::optional<ProcessStat> process_stat(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  // Field 2 is the name in parentheses and may hold anything.
  const size_t end = text.rfind(')');
  if (end == text.npos) return std::nullopt;
  std::istringstream rest(text.substr(end + 1));
  ProcessStat stat;
  std::string skipped;
  rest >> stat.state;
  for (int field = 4; field < 20; ++field) rest >> skipped;
  rest >> stat.threads >> skipped >> stat.start_time;
  if (!rest) return std::nullopt;
  return stat;
}

}  // namespace pnfs
