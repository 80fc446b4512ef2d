#include "common/volume/fsck_checks.hpp"

#include <map>

#include "common/volume/catalog_schema.hpp"
#include "common/volume/range_set.hpp"

namespace pnfs::volume {

void check_integrity(CatalogImpl& catalog, FsckReport& report) {
  each_row(catalog, report, "PRAGMA integrity_check(50)", [&](const Query& row) {
    const std::string_view text = row.text(0);
    if (text != "ok") find(report, FindingKind::catalog, true, "{}", text);
  });
}

// Every byte of the data area has at most one owner: a file, the zeroed pool, or quarantine.
void check_space(CatalogImpl& catalog, FsckReport& report) {
  const Superblock& s = report.superblock;
  report.data_bytes = s.data.length;
  std::map<uint64_t, std::pair<uint64_t, std::string>> owners;  // offset -> end, who
  auto claim = [&](uint64_t offset, uint64_t length, std::string who) {
    if (length == 0 || (offset | length) % kExtentAlign != 0 || offset < s.data.offset || offset > s.data.end() ||
        length > s.data.end() - offset) {
      find(report, FindingKind::out_of_range, true, "{}: {}+{} does not lie in the data area {}+{}, or is misaligned",
           who, offset, length, s.data.offset, s.data.length);
      return;
    }
    const auto next = owners.lower_bound(offset);
    const auto* clash = next != owners.end() && next->first < offset + length ? &*next : nullptr;
    if (clash == nullptr && next != owners.begin() && std::prev(next)->second.first > offset) clash = &*std::prev(next);
    if (clash != nullptr) {
      find(report, FindingKind::doubly_used, true, "{}+{} belongs to {} and to {}", offset, length,
           clash->second.second, who);
      return;
    }
    owners.emplace_hint(next, offset, std::pair(offset + length, std::move(who)));
  };
  each_row(catalog, report, "SELECT fileid, file_offset, volume_offset, length FROM extents", [&](const Query& row) {
    ++report.extents;
    report.mapped_bytes += row.u64(3);
    claim(row.u64(2), row.u64(3), fmt::format("file {} at {}", row.u64(0), row.u64(1)));
  });
  each_row(catalog, report, "SELECT volume_offset, length FROM zeroed", [&](const Query& row) {
    report.zeroed_bytes += row.u64(1);
    claim(row.u64(0), row.u64(1), "the zeroed free space");
  });
  each_row(catalog, report, "SELECT volume_offset, length, slot FROM quarantine", [&](const Query& row) {
    report.quarantined_bytes += row.u64(1);
    claim(row.u64(0), row.u64(1), fmt::format("the quarantine of node slot {}", row.u32(2)));
  });
  each_row(catalog, report,
           "SELECT fileid, count(*), sum(length) FROM extents WHERE fileid NOT IN (SELECT fileid FROM inodes)"
           " GROUP BY fileid",
           [&](const Query& row) {
             find(report, FindingKind::leak, true, "{} extents with {} bytes belong to file {}, which does not exist",
                  row.u64(1), row.u64(2), row.u64(0));
           });
  each_row(
      catalog, report,
      "SELECT a.fileid, b.file_offset FROM extents AS a JOIN extents AS b ON a.fileid = b.fileid AND"
      " b.file_offset = (SELECT min(file_offset) FROM extents WHERE fileid = a.fileid AND file_offset > a.file_offset)"
      " WHERE a.file_offset + a.length > b.file_offset",
      [&](const Query& row) {
        find(report, FindingKind::doubly_used, true, "file {} has two extents for its offset {}", row.u64(0),
             row.u64(1));
      });
}

namespace {

void check_entries(CatalogImpl& catalog, FsckReport& report) {
  each_row(catalog, report,
           "SELECT e.dir, e.name, e.fileid FROM entries AS e LEFT JOIN inodes AS i ON i.fileid = e.fileid"
           " WHERE i.fileid IS NULL",
           [&](const Query& row) {
             find(report, FindingKind::entry, true, "entry '{}' of directory {} leads to file {}, which does not exist",
                  row.text(1), row.u64(0), row.u64(2));
           });
  each_row(catalog, report,
           "SELECT e.dir, count(*), i.type FROM entries AS e LEFT JOIN inodes AS i ON i.fileid = e.dir"
           " GROUP BY e.dir HAVING i.type IS NULL OR i.type != 2",
           [&](const Query& row) {
             find(report, FindingKind::entry, true, "{} entries belong to {}, which is not a directory", row.u64(1),
                  row.u64(0));
           });
  each_row(catalog, report,
           "SELECT e.dir, max(e.cookie), i.next_cookie FROM entries AS e JOIN inodes AS i ON i.fileid = e.dir"
           " GROUP BY e.dir HAVING max(e.cookie) >= i.next_cookie OR min(e.cookie) < 3",
           [&](const Query& row) {
             find(report, FindingKind::entry, true, "directory {} has an entry with cookie {}; the next one is {}",
                  row.u64(0), row.u64(1), row.u64(2));
           });
}

void check_links(CatalogImpl& catalog, FsckReport& report) {
  each_row(catalog, report,
           "SELECT i.fileid, i.nlink, count(e.fileid) FROM inodes AS i LEFT JOIN entries AS e ON e.fileid = i.fileid"
           " WHERE i.type != 2 GROUP BY i.fileid HAVING i.nlink != count(e.fileid)",
           [&](const Query& row) {
             find(report, row.u64(2) == 0 ? FindingKind::orphan : FindingKind::link_count, true,
                  "file {} says it has {} names; {} are found", row.u64(0), row.u64(1), row.u64(2));
           });
  each_row(catalog, report,
           "SELECT i.fileid FROM inodes AS i WHERE i.nlink = 0 AND NOT EXISTS"
           " (SELECT 1 FROM entries WHERE entries.fileid = i.fileid)",
           [&](const Query& row) {
             find(report, FindingKind::orphan, false, "file {} was removed while open; the next mount frees it",
                  row.u64(0));
           });
}

void check_directories(CatalogImpl& catalog, FsckReport& report) {
  each_row(catalog, report,
           "SELECT i.fileid, i.nlink, count(c.fileid) FROM inodes AS i"
           " LEFT JOIN entries AS e ON e.dir = i.fileid LEFT JOIN inodes AS c ON c.fileid = e.fileid AND c.type = 2"
           " WHERE i.type = 2 AND i.nlink != 0 GROUP BY i.fileid HAVING i.nlink != 2 + count(c.fileid)",
           [&](const Query& row) {
             find(report, FindingKind::link_count, true, "directory {} has nlink {}, and {} subdirectories", row.u64(0),
                  row.u64(1), row.u64(2));
           });
  each_row(catalog, report,
           "SELECT i.fileid, count(e.fileid) FROM inodes AS i LEFT JOIN entries AS e ON e.fileid = i.fileid"
           " WHERE i.type = 2 AND i.nlink != 0 GROUP BY i.fileid HAVING count(e.fileid) != (i.fileid != 1)",
           [&](const Query& row) {
             find(report, row.u64(1) == 0 ? FindingKind::orphan : FindingKind::entry, true, "directory {} has {} names",
                  row.u64(0), row.u64(1));
           });
  each_row(catalog, report,
           "SELECT i.fileid, i.parent, e.dir FROM inodes AS i JOIN entries AS e ON e.fileid = i.fileid"
           " WHERE i.type = 2 AND i.parent != e.dir",
           [&](const Query& row) {
             find(report, FindingKind::entry, true, "directory {} says its parent is {}; it is found in {}", row.u64(0),
                  row.u64(1), row.u64(2));
           });
  // Directories that hang together in a ring have one name each and are still lost.
  each_row(catalog, report,
           "WITH RECURSIVE reached(dir) AS (SELECT 1 UNION SELECT e.fileid FROM reached JOIN entries AS e"
           " ON e.dir = reached.dir JOIN inodes AS i ON i.fileid = e.fileid WHERE i.type = 2)"
           " SELECT fileid FROM inodes WHERE type = 2 AND nlink != 0 AND fileid NOT IN (SELECT dir FROM reached)",
           [&](const Query& row) {
             find(report, FindingKind::orphan, true, "directory {} cannot be reached from the root", row.u64(0));
           });
}

}  // namespace

void check_tree(CatalogImpl& catalog, FsckReport& report) {
  each_row(catalog, report, "SELECT count(*), sum(type = 2), (SELECT count(*) FROM entries) FROM inodes",
           [&](const Query& row) {
             report.inodes = row.u64(0);
             report.directories = row.u64(1);
             report.entries = row.u64(2);
           });
  bool root = false;
  each_row(catalog, report, "SELECT 1 FROM inodes WHERE fileid = 1 AND type = 2 AND parent = 1",
           [&](const Query&) { root = true; });
  if (!root) find(report, FindingKind::entry, true, "there is no root directory");
  check_entries(catalog, report);
  check_links(catalog, report);
  check_directories(catalog, report);
  each_row(catalog, report,
           "SELECT i.fileid, i.type FROM inodes AS i WHERE i.type != 1 AND EXISTS"
           " (SELECT 1 FROM extents WHERE extents.fileid = i.fileid)",
           [&](const Query& row) {
             find(report, FindingKind::attribute, true, "file {} of type {} has data extents", row.u64(0), row.u64(1));
           });
}

void check_counters(CatalogImpl& catalog, FsckReport& report) {
  uint64_t largest = 0;
  each_row(catalog, report, "SELECT max(fileid) FROM inodes", [&](const Query& row) { largest = row.u64(0); });
  Query query(catalog.sql("SELECT value FROM settings WHERE key = ?"));
  const auto row = query.blob(std::string_view(kSettingNextFileId)).row();
  const uint64_t next = row && *row ? std::strtoull(std::string(query.text(0)).c_str(), nullptr, 10) : 0;
  if (next <= largest) {
    find(report, FindingKind::attribute, true, "the next file id is {}, but file {} exists", next, largest);
  }
}

}  // namespace pnfs::volume
