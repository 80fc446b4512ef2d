#include "testbed/bench/scratch.hpp"

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace pnfs::bench {

Scratch::Scratch(const std::string& below) : below_(below) {
  std::string pattern = below + "/pnfslab-bench-XXXXXX";
  if (mkdtemp(pattern.data()) != nullptr) folder_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<void> Scratch::made() const {
  if (folder_.empty()) return error(Errc::io, "cannot make a folder in {}: {}", below_, std::strerror(errno));
  return {};
}

Error interrupted_error() {
  return error(Errc::cancelled, "interrupted");
}

Result<void> wait_for(const std::function<bool()>& ready, Child& child, const std::string& name) {
  for (int i = 0; i < 500; ++i) {
    if (ready()) return {};
    if (lab::interrupted()) return interrupted_error();
    if (!child.running()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return error(Errc::io, "{} did not start: {}", name, read_text(child.log_file()));
}

}  // namespace pnfs::bench
