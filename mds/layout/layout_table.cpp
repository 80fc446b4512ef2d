#include "mds/layout/layout_table.hpp"

#include <algorithm>

namespace pnfs::mds::layout {

using nfs::fail;

namespace {

// 12.5.5.2.1.4: zero is never used, 0xffffffff is followed by 1.
uint32_t next_seqid(uint32_t seqid) {
  return seqid == UINT32_MAX ? 1 : seqid + 1;
}

// How far `presented` lies behind `current`; a huge number when it lies ahead.
uint32_t seqids_behind(uint32_t presented, uint32_t current) {
  if (presented <= current) return current - presented;
  return current + (UINT32_MAX - presented);
}

bool matches(bool rw, layoutiomode4 iomode) {
  return iomode == nfs::LAYOUTIOMODE4_ANY || (iomode == nfs::LAYOUTIOMODE4_RW) == rw;
}

}  // namespace

const LayoutTable::Held* LayoutTable::find(clientid4 client, FileId file) const {
  const auto it = held_.find({file, client});
  return it == held_.end() ? nullptr : &it->second;
}

LayoutTable::Held* LayoutTable::find(clientid4 client, FileId file) {
  const auto it = held_.find({file, client});
  return it == held_.end() ? nullptr : &it->second;
}

Status LayoutTable::check_stateid(clientid4 client, const Held* held, const stateid4& presented) const {
  if (const auto revoked = revoked_.find(client);
      revoked != revoked_.end() && revoked->second.contains(presented.other.bytes))
    return fail(nfs::NFS4ERR_ADMIN_REVOKED, "12.5.6", "the layout was revoked; free its stateid");
  if (held == nullptr || held->stateid.other != presented.other)
    return fail(nfs::NFS4ERR_BAD_STATEID, "12.5.3", "the client holds no layout of this file under that stateid");
  if (presented.seqid == 0)
    return fail(nfs::NFS4ERR_BAD_STATEID, "12.5.5.2.1.4", "a layout stateid with seqid 0 is never valid");
  const uint32_t behind = seqids_behind(presented.seqid, held->stateid.seqid);
  if (behind > UINT32_MAX / 2)
    return fail(nfs::NFS4ERR_BAD_STATEID, "12.5.5.2.1.4", "seqid {} was never given out, the latest is {}",
                presented.seqid, held->stateid.seqid);
  if (behind > kSeqidRange)
    return fail(nfs::NFS4ERR_OLD_STATEID, "12.5.5.2.1.4", "seqid {} is {} behind {}, at most {} are allowed",
                presented.seqid, behind, held->stateid.seqid, kSeqidRange);
  return {};
}

Status LayoutTable::may_get(clientid4 client, FileId file, const stateid4& presented, bool is_layout,
                            const ByteRange& range) const {
  const Held* held = find(client, file);
  if (is_layout)
    if (auto status = check_stateid(client, held, presented); !status) return status;
  if (bulk_.contains(client))
    return fail(nfs::NFS4ERR_RECALLCONFLICT, "12.5.5.2.1.5", "a recall of all layouts of this client is outstanding");
  if (held != nullptr && held->segments.size() >= kMostPieces)
    return fail(nfs::NFS4ERR_LAYOUTTRYLATER, "18.43.3", "the client holds {} pieces of the file apart; return some",
                held->segments.size());
  if (held == nullptr || !held->recall || !held->recall->range.overlaps(range)) return {};
  const LayoutRecall& recall = *held->recall;
  // 12.5.5.2.1.3, case 3 against cases 1 and 2.
  if (recall.answered && is_layout && presented.seqid == recall.stateid.seqid)
    return fail(nfs::NFS4ERR_RETURNCONFLICT, "12.5.5.2.1.3",
                "the client took the recall of {} (seqid {}) and has not returned it yet", to_string(recall.range),
                recall.stateid.seqid);
  return fail(nfs::NFS4ERR_RECALLCONFLICT, "12.5.5.2.1.3", "a recall of {} (seqid {}) is outstanding",
              to_string(recall.range), recall.stateid.seqid);
}

stateid4 LayoutTable::granted(clientid4 client, FileId file, const Segment& segment,
                              std::shared_ptr<const FileStriping> striping) {
  auto [it, fresh] = held_.try_emplace({file, client});
  Held& held = it->second;
  if (fresh) {
    held.stateid.other.bytes = new_other_();
    held.stateid.seqid = 1;
    by_client_[client].insert(file);
  } else {
    held.stateid.seqid = next_seqid(held.stateid.seqid);
  }
  if (striping) held.striping = std::move(striping);
  // Joined with what it touches of the same iomode.
  Segment joined = segment;
  std::erase_if(held.segments, [&](const Segment& old) {
    if (old.rw != joined.rw || old.range.end < joined.range.offset || joined.range.end < old.range.offset) return false;
    joined.range = {std::min(old.range.offset, joined.range.offset), std::max(old.range.end, joined.range.end)};
    return true;
  });
  held.segments.push_back(joined);
  return held.stateid;
}

void LayoutTable::note_request(clientid4 client, FileId file, const session::RequestName& name) {
  constexpr size_t kKept = 8;
  Held* held = find(client, file);
  if (held == nullptr) return;
  if (held->requests.size() == kKept) held->requests.erase(held->requests.begin());
  held->requests.push_back(name);
}

std::vector<session::RequestName> LayoutTable::granting_requests(clientid4 client, FileId file) const {
  const Held* held = find(client, file);
  return held == nullptr ? std::vector<session::RequestName>{} : held->requests;
}

Status LayoutTable::may_commit(clientid4 client, FileId file, const stateid4& stateid, const ByteRange& range) const {
  const Held* held = find(client, file);
  if (auto status = check_stateid(client, held, stateid); !status) {
    if (status.status == nfs::NFS4ERR_ADMIN_REVOKED) return status;
    return {nfs::NFS4ERR_BADLAYOUT, "18.42.3", status.reason};  // BADLAYOUT where others say BAD_STATEID
  }
  bool any = false;
  for (const Segment& segment : held->segments) {
    if (!segment.range.overlaps(range)) continue;
    any = true;
    if (segment.rw) return {};
  }
  if (any)
    return fail(nfs::NFS4ERR_BADIOMODE, "18.42.3", "the client's layout of {} is for READ, not for RW", to_string(range));
  return fail(nfs::NFS4ERR_BADLAYOUT, "18.42.3", "the client holds no layout of {}", to_string(range));
}

void LayoutTable::subtract(Held& held, layoutiomode4 iomode, const ByteRange& range) {
  std::vector<Segment> left;
  for (const Segment& segment : held.segments) {
    if (!matches(segment.rw, iomode) || !segment.range.overlaps(range)) {
      left.push_back(segment);
      continue;
    }
    if (segment.range.offset < range.offset) left.push_back({{segment.range.offset, range.offset}, segment.rw});
    if (range.end < segment.range.end) left.push_back({{range.end, segment.range.end}, segment.rw});
  }
  held.segments = std::move(left);
}

Status LayoutTable::give_back(clientid4 client, FileId file, const stateid4& stateid, layoutiomode4 iomode,
                              const ByteRange& range, std::optional<stateid4>& remaining) {
  remaining.reset();
  if (bulk_.contains(client))
    return fail(nfs::NFS4ERR_RECALLCONFLICT, "12.5.5.2.1.5", "a recall of all layouts of this client is outstanding");
  Held* held = find(client, file);
  if (auto status = check_stateid(client, held, stateid); !status) return status;
  subtract(*held, iomode, range);
  // 12.5.5.1: the final return of a recall names the whole recalled range.
  if (held->recall && range.contains(held->recall->range) &&
      (iomode == held->recall->iomode || iomode == nfs::LAYOUTIOMODE4_ANY)) {
    held->recall.reset();
  }
  if (held->segments.empty() && !held->recall) {
    erase({file, client});
    return {};
  }
  held->stateid.seqid = next_seqid(held->stateid.seqid);
  remaining = held->stateid;
  return {};
}

Status LayoutTable::give_back_all(clientid4 client, BulkScope scope, layoutiomode4 iomode, std::vector<FileId>& files) {
  const auto bulk = bulk_.find(client);
  if (bulk != bulk_.end() && bulk->second.scope != scope)
    return fail(nfs::NFS4ERR_RECALLCONFLICT, "12.5.5.2.1.5", "the outstanding recall is of the other scope");
  // 12.5.5.1: the final return echoes the recall, which is of any iomode.
  if (bulk != bulk_.end() && iomode == nfs::LAYOUTIOMODE4_ANY) bulk_.erase(bulk);
  const auto owned = by_client_.find(client);
  if (owned == by_client_.end()) return {};
  files.assign(owned->second.begin(), owned->second.end());
  for (const FileId file : files) {
    Held& held = held_.at({file, client});
    subtract(held, iomode, {});
    if (iomode == nfs::LAYOUTIOMODE4_ANY || held.segments.empty()) erase({file, client});
  }
  return {};
}

void LayoutTable::erase(const Key& key) {
  if (held_.erase(key) == 0) return;
  const auto owned = by_client_.find(key.second);
  owned->second.erase(key.first);
  if (owned->second.empty()) by_client_.erase(owned);
}

void LayoutTable::drop(clientid4 client, FileId file) {
  erase({file, client});
}

void LayoutTable::revoke(clientid4 client, FileId file, TimePoint now) {
  const Held* held = find(client, file);
  if (held == nullptr) return;
  // An entry without segments only waits for the last word of a recall: the client has nothing to lose by it.
  if (!held->segments.empty()) revoked_[client].emplace(held->stateid.other.bytes, now);
  erase({file, client});
}

void LayoutTable::forget_revoked(TimePoint revoked_before) {
  for (auto& [client, stateids] : revoked_)
    std::erase_if(stateids, [&](const auto& entry) { return entry.second <= revoked_before; });
  std::erase_if(revoked_, [](const auto& entry) { return entry.second.empty(); });
}

void LayoutTable::drop_client(clientid4 client) {
  bulk_.erase(client);
  revoked_.erase(client);
  const auto owned = by_client_.find(client);
  if (owned == by_client_.end()) return;
  for (const FileId file : owned->second) held_.erase({file, client});
  by_client_.erase(owned);
}

void LayoutTable::drop_file(FileId file) {
  for (const clientid4 client : holders(file)) erase({file, client});
}

Status LayoutTable::test(clientid4 client, const stateid4& stateid) const {
  if (const auto owned = by_client_.find(client); owned != by_client_.end()) {
    for (const FileId file : owned->second) {
      const Held& held = held_.at({file, client});
      if (held.stateid.other == stateid.other) return check_stateid(client, &held, stateid);
    }
  }
  return check_stateid(client, nullptr, stateid);
}

Status LayoutTable::free(clientid4 client, const stateid4& stateid) {
  const auto revoked = revoked_.find(client);
  if (revoked != revoked_.end() && revoked->second.erase(stateid.other.bytes) > 0) {
    if (revoked->second.empty()) revoked_.erase(revoked);
    return {};
  }
  if (auto status = test(client, stateid); !status) return status;
  return fail(nfs::NFS4ERR_LOCKS_HELD, "18.38.3", "the layout is still held; return it instead");
}

bool LayoutTable::has_state(clientid4 client) const {
  const auto owned = by_client_.find(client);
  return owned != by_client_.end() && std::ranges::any_of(owned->second, [&](FileId file) {
    return !held_.at({file, client}).segments.empty();
  });
}

bool LayoutTable::holds(clientid4 client, FileId file, bool rw) const {
  const Held* held = find(client, file);
  if (held == nullptr) return false;
  return std::any_of(held->segments.begin(), held->segments.end(), [&](const Segment& s) { return s.rw || !rw; });
}

std::shared_ptr<const FileStriping> LayoutTable::striping_of(clientid4 client, FileId file) const {
  const Held* held = find(client, file);
  return held == nullptr ? nullptr : held->striping;
}

std::vector<clientid4> LayoutTable::holders(FileId file) const {
  std::vector<clientid4> out;
  for (auto it = held_.lower_bound({file, 0}); it != held_.end() && it->first.first == file; ++it)
    out.push_back(it->first.second);
  return out;
}

std::vector<Segment> LayoutTable::segments(clientid4 client, FileId file) const {
  const Held* held = find(client, file);
  return held == nullptr ? std::vector<Segment>{} : held->segments;
}

std::vector<ByteRange> LayoutTable::covered(clientid4 client, FileId file, bool rw) const {
  std::vector<ByteRange> parts;
  for (const Segment& segment : segments(client, file))
    if (segment.rw || !rw) parts.push_back(segment.range);
  std::ranges::sort(parts, {}, &ByteRange::offset);
  std::vector<ByteRange> joined;
  for (const ByteRange& part : parts) {
    if (joined.empty() || joined.back().end < part.offset) {
      joined.push_back(part);
    } else {
      joined.back().end = std::max(joined.back().end, part.end);
    }
  }
  return joined;
}

std::set<FileId> LayoutTable::files() const {
  std::set<FileId> out;
  for (const auto& [key, held] : held_) out.insert(key.first);
  return out;
}

bool LayoutTable::any(const std::function<bool(const FileStriping&)>& wanted, clientid4 client) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& entry) {
    return (client == 0 || entry.first.second == client) && entry.second.striping && wanted(*entry.second.striping);
  });
}

}  // namespace pnfs::mds::layout
