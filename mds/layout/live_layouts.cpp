// The table `layouts` (common/live/LIVE.md).
#include "common/live/table.hpp"
#include "mds/layout/layout_table.hpp"
#include "mds/layout/striping.hpp"

namespace pnfs::mds::layout {

namespace {

using live::Row;

std::string_view recall_name(const std::optional<LayoutRecall>& recall) {
  return !recall ? "none" : recall->answered ? "answered" : "sent";
}

}  // namespace

void LayoutTable::fill(TimePoint now, live::Table& out) const {
  for (const auto& [key, held] : held_) {
    const auto& [file, client] = key;
    if (!out.wants_file(file) || !out.wants_client(client)) continue;
    for (const Segment& segment : held.segments) {
      out.add([&] {
        Row row{{"fileid", file},
                {"clientid", live::hex(client)},
                {"stateid", fmt::format("{}/{}", held.stateid.seqid, live::hex(held.stateid.other.bytes))},
                {"iomode", segment.rw ? "RW" : "READ"},
                {"offset", segment.range.offset},
                {"length", segment.range.length()},
                {"recall", recall_name(held.recall)},
                {"recalled_s", nullptr}};
        if (segment.range.end == control::kToEnd) row["length"] = nullptr;
        if (held.recall) row["recalled_s"] = live::seconds(now - held.recall->sent);
        if (held.striping != nullptr) {
          row["deviceid"] = live::hex(held.striping->device->id.bytes);
          row["stripe_bytes"] = held.striping->unit_bytes;
          row["first_stripe_index"] = held.striping->first_index;
          row["dense"] = held.striping->dense;
          row["commit_through_mds"] = held.striping->commit_thru_mds;
        }
        return row;
      });
    }
  }
}

size_t LayoutTable::count_of(clientid4 client) const {
  const auto found = by_client_.find(client);
  return found == by_client_.end() ? 0 : found->second.size();
}

}  // namespace pnfs::mds::layout
