#include "ds/grants/verdict_cache.hpp"

#include <algorithm>

namespace pnfs::ds {

namespace {
bool is_zero(const Other& other) {
  return other == Other{};
}
}  // namespace

bool VerdictCache::matches(const Key& key, const Held& held, uint64_t fileid, const Other& other) {
  return (fileid == 0 || held.verdict.fileid == fileid) && (is_zero(other) || key.other == other);
}

const Verdict* VerdictCache::find(const Key& key, uint32_t access) const {
  const auto it = held_.find(key);
  if (it == held_.end() || (it->second.verdict.access & access) != access) return nullptr;
  return &it->second.verdict;
}

bool VerdictCache::arrived(const Key& key, uint64_t ticket, Verdict verdict) {
  if (ticket != revokes_) return false;
  if (held_.size() >= kMost) {
    const auto idle = std::find_if(held_.begin(), held_.end(), [](const auto& e) { return e.second.running == 0; });
    if (idle != held_.end()) held_.erase(idle);
  }
  held_[key].verdict = std::move(verdict);
  return true;
}

void VerdictCache::pin(const Key& key) {
  ++held_.at(key).running;
}

bool VerdictCache::unpin(const Key& key) {
  // The oldest I/O first: which of the equals it is makes no difference, all of them must end.
  for (auto it = draining_.begin(); it != draining_.end(); ++it) {
    if (it->key != key) continue;
    if (--it->running > 0) return false;
    draining_.erase(it);
    return true;
  }
  const auto it = held_.find(key);
  if (it != held_.end() && it->second.running > 0) --it->second.running;
  return false;
}

void VerdictCache::revoke(uint64_t fileid, const Other& other) {
  ++revokes_;
  for (auto it = held_.begin(); it != held_.end();) {
    if (!matches(it->first, it->second, fileid, other)) {
      ++it;
      continue;
    }
    if (it->second.running > 0) draining_.push_back({it->first, it->second.verdict.fileid, it->second.running});
    it = held_.erase(it);
  }
}

bool VerdictCache::settled(uint64_t fileid, const Other& other) const {
  return std::none_of(draining_.begin(), draining_.end(), [&](const Draining& d) {
    return (fileid == 0 || d.fileid == fileid) && (is_zero(other) || d.key.other == other);
  });
}

void VerdictCache::drop_client(uint64_t client) {
  for (auto it = held_.begin(); it != held_.end();) {
    if (it->first.client != client) {
      ++it;
      continue;
    }
    if (it->second.running > 0) draining_.push_back({it->first, it->second.verdict.fileid, it->second.running});
    it = held_.erase(it);
  }
}

}  // namespace pnfs::ds
