#include "testbed/kernel/report.hpp"

#include <array>

namespace pnfs::kernel {

namespace {

constexpr std::array<std::string_view, 14> kProblems = {"WARNING:",
                                                        "BUG:",
                                                        "Kernel panic",
                                                        "Oops",
                                                        "general protection fault",
                                                        "blocked for more",
                                                        "refcount_t:",
                                                        "lockdep",
                                                        "list_del corruption",
                                                        "list_add corruption",
                                                        "possible recursive",
                                                        "use-after-free",
                                                        "Segfault with no mm",
                                                        "sleeping function called from invalid"};

constexpr std::string_view kPanic = "Kernel panic - not syncing: ";

// "<4>[    1.230000] text" -> "text"
std::string_view without_prefix(std::string_view line) {
  if (line.starts_with('<')) {
    const size_t end = line.find('>');
    if (end != std::string_view::npos && end <= 4) line.remove_prefix(end + 1);
  }
  if (line.starts_with('[')) {
    const size_t end = line.find("] ");
    if (end != std::string_view::npos) line.remove_prefix(end + 2);
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::vector<std::string> kernel_problems(std::string_view log) {
  std::vector<std::string> found;
  while (!log.empty()) {
    const size_t end = log.find('\n');
    const std::string_view line = without_prefix(log.substr(0, end));
    for (const std::string_view problem : kProblems) {
      if (line.find(problem) == std::string_view::npos) continue;
      found.emplace_back(line);
      break;
    }
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
  }
  return found;
}

std::string panic_text(std::string_view console) {
  const size_t at = console.find(kPanic);
  if (at == std::string_view::npos) return "";
  const std::string_view text = console.substr(at + kPanic.size());
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

std::string last_lines(std::string_view text, size_t count) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  size_t at = text.size();
  while (count-- > 0 && at != std::string_view::npos && at > 0) at = text.rfind('\n', at - 1);
  return std::string(at == std::string_view::npos || at == 0 ? text : text.substr(at + 1));
}

}  // namespace pnfs::kernel
