// Private to this folder: the checks of fsck on a loaded catalog.
#pragma once

#include "common/volume/catalog_impl.hpp"
#include "common/volume/fsck.hpp"

namespace pnfs::volume {

void check_integrity(CatalogImpl& catalog, FsckReport& report);
void check_space(CatalogImpl& catalog, FsckReport& report);
void check_tree(CatalogImpl& catalog, FsckReport& report);
void check_counters(CatalogImpl& catalog, FsckReport& report);

// A report names at most so many findings of one kind of check; the rest is counted.
inline constexpr size_t kMaxFindings = 100;

template <class... Args>
void find(FsckReport& report, FindingKind kind, bool is_error, fmt::format_string<Args...> text, Args&&... args) {
  report.findings.push_back({kind, is_error, fmt::format(text, std::forward<Args>(args)...)});
}

// Runs `sql` and gives each row to `visit`; a query that fails is a finding itself.
template <class Visit>
void each_row(CatalogImpl& catalog, FsckReport& report, const char* sql, Visit visit) {
  Query query(catalog.sql(sql));
  size_t before = report.findings.size();
  size_t more = 0;
  for (;;) {
    const auto row = query.row();
    if (!row) {
      find(report, FindingKind::catalog, true, "{}", row.error().reason);
      return;
    }
    if (!*row) break;
    if (report.findings.size() - before >= kMaxFindings) {
      ++more;
      continue;
    }
    visit(query);
  }
  if (more > 0)
    find(report, FindingKind::catalog, true, "{} rows more were not looked at after so many findings", more);
}

}  // namespace pnfs::volume
