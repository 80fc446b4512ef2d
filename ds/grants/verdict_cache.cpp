#include "ds/grants/verdict_cache.hpp"

#include <algorithm>

namespace pnfs::ds {

bool Verdict::covers(uint32_t wanted, const control::ByteRange& range) const {
  const auto& parts = (wanted & 2u) != 0 ? writable : readable;
  return range.empty() || std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return part.contains(range); });
}

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
  Held& held = held_[key];
  if (held.serial == 0) held.serial = ++serials_;
  held.verdict = std::move(verdict);
  return true;
}

uint64_t VerdictCache::pin(const Key& key) {
  Held& held = held_.at(key);
  ++held.running;
  return held.serial;
}

bool VerdictCache::unpin(const Key& key, uint64_t pin) {
  if (const auto it = held_.find(key); it != held_.end() && it->second.serial == pin) {
    --it->second.running;
    return false;
  }
  const auto it = std::find_if(draining_.begin(), draining_.end(), [&](const Draining& d) { return d.serial == pin; });
  if (it == draining_.end() || --it->running > 0) return false;
  draining_.erase(it);
  return true;
}

void VerdictCache::drain(const Key& key, const Held& held) {
  if (held.running > 0) draining_.push_back({key, held.verdict.fileid, held.serial, held.running});
}

void VerdictCache::revoke(uint64_t fileid, const Other& other) {
  ++revokes_;
  for (auto it = held_.begin(); it != held_.end();) {
    if (!matches(it->first, it->second, fileid, other)) {
      ++it;
      continue;
    }
    drain(it->first, it->second);
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
    drain(it->first, it->second);
    it = held_.erase(it);
  }
}

}  // namespace pnfs::ds
