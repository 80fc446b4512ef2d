// LayoutTable's recalls (RFC 8881 12.5.5, 20.3).
#include <algorithm>

#include "mds/layout/layout_table.hpp"

namespace pnfs::mds::layout {

LayoutRecall LayoutTable::start_recall(const Key& key, Held& held, const ByteRange& range, layoutiomode4 iomode,
                                       TimePoint now) {
  // 12.5.3: the seqid grows with each CB_LAYOUTRECALL too.
  held.stateid.seqid = held.stateid.seqid == UINT32_MAX ? 1 : held.stateid.seqid + 1;
  held.recall = LayoutRecall{.client = key.second,
                             .file = key.first,
                             .stateid = held.stateid,
                             .range = range,
                             .iomode = iomode,
                             .sent = now};
  return *held.recall;
}

std::vector<LayoutRecall> LayoutTable::recall_file(FileId file, const ByteRange& range, layoutiomode4 iomode,
                                                   TimePoint now, clientid4 except, clientid4 only) {
  std::vector<LayoutRecall> out;
  for (auto it = held_.lower_bound({file, 0}); it != held_.end() && it->first.first == file; ++it) {
    Held& held = it->second;
    if (it->first.second == except || (only != 0 && it->first.second != only) || held.recall || bulk_.contains(it->first.second)) continue;
    const bool wanted = std::any_of(held.segments.begin(), held.segments.end(), [&](const Segment& segment) {
      return segment.range.overlaps(range) &&
             (iomode == nfs::LAYOUTIOMODE4_ANY || (iomode == nfs::LAYOUTIOMODE4_RW) == segment.rw);
    });
    if (wanted) out.push_back(start_recall(it->first, held, range, iomode, now));
  }
  return out;
}

std::vector<LayoutRecall> LayoutTable::recall_if(const std::function<bool(const FileStriping&)>& wanted,
                                                 TimePoint now, clientid4 only) {
  std::vector<LayoutRecall> out;
  for (auto& [key, held] : held_) {
    if (held.recall || bulk_.contains(key.second) || (only != 0 && key.second != only) || !held.striping || !wanted(*held.striping)) continue;
    out.push_back(start_recall(key, held, {}, nfs::LAYOUTIOMODE4_ANY, now));
  }
  return out;
}

bool LayoutTable::recall_bulk(clientid4 client, BulkScope scope, TimePoint now) {
  const auto owned = by_client_.find(client);
  if (owned == by_client_.end() || bulk_.contains(client)) return false;
  for (const FileId file : owned->second)
    if (held_.at({file, client}).recall) return false;
  bulk_.emplace(client, Bulk{scope, now});
  return true;
}

void LayoutTable::recall_answered(clientid4 client, FileId file, bool will_return) {
  Held* held = find(client, file);
  if (held == nullptr || !held->recall) return;
  if (will_return) {
    held->recall->answered = true;
    return;
  }
  const LayoutRecall recall = *held->recall;
  held->recall.reset();
  subtract(*held, recall.iomode, recall.range);
  if (held->segments.empty()) erase({file, client});
}

void LayoutTable::bulk_answered(clientid4 client, bool will_return) {
  const auto bulk = bulk_.find(client);
  if (bulk == bulk_.end()) return;
  if (will_return) {
    bulk->second.answered = true;
    return;
  }
  bulk_.erase(bulk);
  const auto owned = by_client_.find(client);
  if (owned == by_client_.end()) return;
  const std::vector<FileId> files(owned->second.begin(), owned->second.end());
  for (const FileId file : files) erase({file, client});
}

std::vector<LayoutRecall> LayoutTable::revoke_overdue(TimePoint sent_before, TimePoint now) {
  std::vector<LayoutRecall> out;
  for (const auto& [key, held] : held_) {
    const auto bulk = bulk_.find(key.second);
    if (held.recall && held.recall->sent <= sent_before) {
      out.push_back(*held.recall);
    } else if (bulk != bulk_.end() && bulk->second.sent <= sent_before) {
      out.push_back({.client = key.second, .file = key.first, .stateid = held.stateid, .sent = bulk->second.sent});
    }
  }
  for (const LayoutRecall& recall : out) revoke(recall.client, recall.file, now);
  // Also those of clients that had nothing left: nobody waits for their LAYOUTRETURN any more.
  std::erase_if(bulk_, [&](const auto& entry) { return entry.second.sent <= sent_before; });
  return out;
}

bool LayoutTable::recall_outstanding(clientid4 client, FileId file) const {
  const Held* held = find(client, file);
  return held != nullptr && held->recall.has_value();
}

bool LayoutTable::recall_outstanding(FileId file) const {
  for (auto it = held_.lower_bound({file, 0}); it != held_.end() && it->first.first == file; ++it)
    if (it->second.recall || bulk_.contains(it->first.second)) return true;
  return false;
}

}  // namespace pnfs::mds::layout
