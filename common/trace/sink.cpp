#include "common/trace/sink.hpp"

namespace pnfs::trace {

void MemorySink::write(const Event& event) {
  OwnedEvent owned = to_owned(event);
  if (owned.node.empty()) owned.node = node_;
  if (owned.ts == WallTime{}) owned.ts = clock_.wall();
  events_.push_back(std::move(owned));
}

}  // namespace pnfs::trace
