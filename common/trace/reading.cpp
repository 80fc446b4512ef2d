#include "common/trace/reading.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>

#include "common/trace/json_line.hpp"

namespace pnfs::trace {

namespace {

int64_t microseconds(WallTime at) {
  return at.seconds * 1'000'000 + at.nanoseconds / 1000;
}

// "offset+length,offset+length"
bool covers(std::string_view ranges, uint64_t offset, uint64_t length) {
  while (!ranges.empty()) {
    const std::string_view one = ranges.substr(0, ranges.find(','));
    ranges.remove_prefix(std::min(ranges.size(), one.size() + 1));
    uint64_t begin = 0, size = 0;
    const size_t plus = std::min(one.find('+'), one.size());
    std::from_chars(one.data(), one.data() + plus, begin);
    if (plus < one.size()) std::from_chars(one.data() + plus + 1, one.data() + one.size(), size);
    if (size != 0 && offset < begin + size && begin < offset + length) return true;
  }
  return false;
}

// What one node may still be doing, and for which request: one of its own, or another node's that sent a control call.
struct Running {
  const OwnedEvent* event;
  std::string request;  // "ds1:17"
  int64_t end;
};

// The request that an event is part of; empty: none that is known.
std::string request_of(const OwnedEvent& event) {
  if (event.kind == Kind::op && event.call) return event.node + ":" + std::to_string(*event.call);
  return event.kind == Kind::control ? event.cause : std::string();
}

}  // namespace

bool is_good(std::string_view status) {
  return status.empty() || status == "NFS4_OK" || status == "CTL_OK" || status == "OK" || status == "GOOD" ||
         status == "CONDITION MET" || status == "SUCCESS";
}

Result<std::vector<OwnedEvent>> read_files(std::span<const std::string> paths) {
  std::vector<OwnedEvent> events;
  for (const std::string& path : paths) {
    std::ifstream in(path);
    if (!in) return error(Errc::io, "cannot read the trace {}: {}", path, std::strerror(errno));
    for (std::string line; std::getline(in, line);) {
      auto event = parse_json_line(line);
      if (event) {
        events.push_back(std::move(*event));
      } else if (in.peek() != std::ifstream::traits_type::eof()) {
        return event.error().with_context(path);
      }
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.ts < b.ts; });
  return events;
}

void find_causes(std::span<OwnedEvent> events) {
  std::map<std::string, std::vector<Running>, std::less<>> running;
  for (OwnedEvent& event : events) {
    const int64_t now = microseconds(event.ts);
    if (std::string request = request_of(event); !request.empty()) {
      auto& of_node = running[event.node];
      std::erase_if(of_node, [&](const Running& r) { return r.end < now; });
      of_node.push_back({&event, std::move(request), now + static_cast<int64_t>(event.us.value_or(0)) + 1});
    }
    if (event.kind != Kind::scsi || !event.cause.empty()) continue;
    const auto of_node = running.find(std::string_view(event.client).substr(event.client.rfind(':') + 1));
    if (of_node == running.end()) continue;
    // What has been traced last of a request is nearest to the device.
    const Running* found = nullptr;
    const Running* only = nullptr;
    bool several = false;
    for (const Running& r : of_node->second) {
      if (r.end < now) continue;
      if (event.offset && covers(r.event->device, *event.offset, event.length.value_or(0))) found = &r;
      several |= only != nullptr && only->request != r.request;
      only = &r;
    }
    if (found == nullptr && !several && only != nullptr && only->event->device.empty()) found = only;
    if (found != nullptr) event.cause = found->request;
  }
}

}  // namespace pnfs::trace
