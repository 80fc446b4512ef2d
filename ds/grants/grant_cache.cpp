#include "ds/grants/grant_cache.hpp"

#include <algorithm>
#include <utility>

namespace pnfs::ds {

void GrantCache::add_mapped(Held& held, const control::ByteRange& range) {
  control::ByteRange merged = range;
  std::vector<control::ByteRange> out;
  for (const auto& old : held.mapped) {
    if (old.end < merged.offset || merged.end < old.offset) {
      out.push_back(old);
    } else {
      merged = {std::min(old.offset, merged.offset), std::max(old.end, merged.end)};
    }
  }
  out.push_back(merged);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  held.mapped = std::move(out);
}

// The end of the mapped stretch that holds `offset`, or `offset` when there is none.
uint64_t GrantCache::mapped_until(const Held& held, uint64_t offset) {
  for (const auto& range : held.mapped)
    if (range.offset <= offset && offset < range.end) return range.end;
  return offset;
}

// A grant whose set holds the byte; one that also maps it is better, an exclusive one better still.
GrantCache::Held* GrantCache::best_for(uint64_t fileid, Access access, uint64_t offset) {
  const auto file = files_.find(fileid);
  if (file == files_.end()) return nullptr;
  Held* best = nullptr;
  for (const uint64_t id : file->second.grants) {
    Held& held = held_.at(id);
    if (held.revoked || (access == Access::write && held.access != Access::write)) continue;
    if (!held.set.contains({offset, offset + 1})) continue;
    if (mapped_until(held, offset) > offset) return &held;
    best = &held;
  }
  return best;
}

GrantCache::Coverage GrantCache::cover(uint64_t fileid, Access access, const control::ByteRange& range) {
  Coverage result;
  std::vector<volume::MappedRange> part;
  std::set<uint64_t> used;
  for (uint64_t at = range.offset; at < range.end;) {
    Held* held = best_for(fileid, access, at);
    uint64_t end = at;
    if (held != nullptr) {
      end = std::min({mapped_until(*held, at), range.end, held->set.window.end});
      // Past the end of this server's stripes the pattern may leave the grant.
      bool first_run = true;
      uint64_t run_end = at;
      held->set.for_each_run({at, end}, [&](control::ByteRange run) {
        if (first_run && run.offset == at) run_end = run.end;
        first_run = false;
      });
      end = run_end;
    }
    if (end == at) {
      result.missing = {at, range.end};
      result.extend = held != nullptr ? held->id : 0;
      result.ranges.clear();
      return result;
    }
    files_.at(fileid).map.map(at, end - at, part);
    for (const auto& piece : part) {
      if (piece.hole && access == Access::write) {
        result.missing = {piece.file_offset, range.end};
        result.extend = held->id;
        result.ranges.clear();
        return result;
      }
      result.ranges.push_back(piece);
    }
    used.insert(held->id);
    at = end;
  }
  result.complete = true;
  for (const uint64_t id : used) {
    Held& held = held_.at(id);
    ++held.running;
    held.used = ++use_count_;
    result.pin.grants.push_back(id);
  }
  pinned_ += used.size();
  return result;
}

std::vector<GrantCache::Gone> GrantCache::unpin(const Pin& pin) {
  std::vector<Gone> gone;
  for (const uint64_t id : pin.grants) {
    Held& held = held_.at(id);
    --held.running;
    --pinned_;
    if (held.running == 0 && held.revoked) {
      gone.push_back(erase(id));
    }
  }
  return gone;
}

void GrantCache::call_ended() {
  if (--calls_ == 0) revoked_early_.clear();
}

bool GrantCache::arrived(GrantNews news) {
  if (revoked_early_.contains(news.id) || !news.set.valid()) return false;
  auto it = held_.find(news.id);
  if (it == held_.end()) {
    it = held_.emplace(news.id, Held{.id = news.id, .fileid = news.fileid}).first;
    files_[news.fileid].grants.insert(news.id);
  }
  Held& held = it->second;
  if (held.revoked || held.fileid != news.fileid) return false;
  // Replies about one grant may arrive out of order. Blocks never move under a grant, so an older map is still true:
  // only mode and set are taken from the newest.
  if (news.generation > held.generation) {
    held.generation = news.generation;
    held.access = news.access;
    held.set = std::move(news.set);
  }
  held.used = ++use_count_;
  File& file = files_.at(news.fileid);
  file.changed = use_count_;
  volume::ExtentMap merged = file.map;
  for (volume::Extent extent : news.extents) {
    if (extent.length == 0 || extent.file_offset > UINT64_MAX - extent.length) return false;
    // What is known already stays; the rest of the extent is added around it.
    std::vector<volume::MappedRange> known;
    merged.map(extent.file_offset, extent.length, known);
    for (const auto& piece : known) {
      if (!piece.hole) continue;
      if (!merged.add_checked({piece.file_offset, extent.volume_offset + (piece.file_offset - extent.file_offset),
                               piece.length}))
        return false;
    }
  }
  file.map = std::move(merged);
  if (!news.mapped.empty()) add_mapped(held, news.mapped);
  file.size_told = std::max(file.size_told, news.file_size);
  file.size_durable = news.file_size;
  return true;
}

GrantCache::Gone GrantCache::erase(uint64_t id) {
  const auto it = held_.find(id);
  const auto file = files_.find(it->second.fileid);
  const Gone gone{id, it->second.written_end};
  file->second.grants.erase(id);
  file->second.changed = ++use_count_;
  if (file->second.grants.empty()) files_.erase(file);
  held_.erase(it);
  return gone;
}

std::optional<GrantCache::Gone> GrantCache::revoke(uint64_t grant_id) {
  const auto it = held_.find(grant_id);
  if (calls_ > 0) revoked_early_.insert(grant_id);
  if (it == held_.end()) return Gone{grant_id, 0};
  it->second.revoked = true;
  files_.at(it->second.fileid).changed = ++use_count_;
  if (it->second.running > 0) return std::nullopt;
  return erase(grant_id);
}

bool GrantCache::drop_all() {
  std::vector<uint64_t> idle_ids;
  for (auto& [id, held] : held_) {
    held.revoked = true;
    if (calls_ > 0) revoked_early_.insert(id);
    if (held.running == 0) idle_ids.push_back(id);
  }
  for (const uint64_t id : idle_ids) erase(id);
  return pinned_ == 0;
}

std::vector<GrantCache::Gone> GrantCache::surplus(size_t keep) {
  if (held_.size() <= keep) return {};
  std::vector<std::pair<uint64_t, uint64_t>> idle_ids;  // last use, id
  for (const auto& [id, held] : held_)
    if (held.running == 0 && !held.revoked) idle_ids.emplace_back(held.used, id);
  std::sort(idle_ids.begin(), idle_ids.end());
  std::vector<Gone> out;
  for (const auto& [used, id] : idle_ids) {
    if (held_.size() <= keep) break;
    if (calls_ > 0) revoked_early_.insert(id);  // an extension that is under way must not bring it back
    out.push_back(erase(id));
  }
  return out;
}

uint64_t GrantCache::known_size(uint64_t fileid) const {
  const auto it = files_.find(fileid);
  return it == files_.end() ? 0 : std::max(it->second.size_told, written_end(fileid));
}

uint64_t GrantCache::written_end(uint64_t fileid) const {
  const auto it = files_.find(fileid);
  uint64_t end = 0;
  if (it != files_.end())
    for (const uint64_t id : it->second.grants) end = std::max(end, held_.at(id).written_end);
  return end;
}

void GrantCache::wrote_to(uint64_t fileid, uint64_t generation, std::span<const Pin> pins, uint64_t end) {
  const auto file = files_.find(fileid);
  if (file == files_.end()) return;
  for (const Pin& pin : pins) {
    for (const uint64_t id : pin.grants) {
      Held& held = held_.at(id);
      held.written_end = std::max(held.written_end, std::min(end, held.set.window.end));
    }
  }
  if (end > file->second.size_durable) untold_[fileid] = {generation, ++use_count_};
}

std::optional<GrantCache::Telling> GrantCache::untold(uint64_t fileid) const {
  const auto it = untold_.find(fileid);
  if (it == untold_.end()) return std::nullopt;
  return Telling{fileid, it->second.generation, written_end(fileid), use_count_};
}

void GrantCache::told(const Telling& telling) {
  const auto it = untold_.find(telling.fileid);
  if (it != untold_.end() && it->second.written <= telling.stamp) untold_.erase(it);
  const auto file = files_.find(telling.fileid);
  if (file != files_.end() && file->second.changed <= telling.stamp)
    file->second.size_durable = std::max(file->second.size_durable, telling.end);
}

bool GrantCache::forget_untold() {
  return !std::exchange(untold_, {}).empty();
}

}  // namespace pnfs::ds
