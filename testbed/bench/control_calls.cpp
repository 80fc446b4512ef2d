#include "testbed/bench/control_calls.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

namespace pnfs::bench {

namespace {
// The server writes its trace at least every so often.
constexpr auto kFlush = std::chrono::milliseconds(300);
constexpr int kMostFlushes = 100;  // somebody writes on and on: what is there is counted
const std::set<std::string, std::less<>> kNotCounted{"REGISTER", "RENEW", "PING", "LEAVE"};
}  // namespace

Result<uint64_t> ControlCallCounter::count() {
  std::error_code ec;
  for (int i = 0; i < kMostFlushes; ++i) {
    const auto before = std::filesystem::file_size(path_, ec);
    std::this_thread::sleep_for(kFlush);
    if (std::filesystem::file_size(path_, ec) == before) break;
  }
  std::ifstream in(path_);
  if (!in) return error(Errc::io, "cannot read the metadata server's trace {}: {}", path_, std::strerror(errno));
  in.seekg(at_);
  uint64_t calls = 0;
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // not written to its end yet
    at_ = in.tellg();
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (!event.is_discarded() && event.value("kind", "") == "control" && event.value("client", "").starts_with("ds") &&
        !kNotCounted.contains(event.value("op", "")))
      ++calls;
  }
  return calls;
}

}  // namespace pnfs::bench
