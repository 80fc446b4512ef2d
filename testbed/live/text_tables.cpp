// The plain tables, and which text belongs to which name.
#include "testbed/live/text.hpp"

namespace pnfs::live {

namespace {

// Rows in the order a reader expects; servers keep some of them unordered.
std::vector<Row> sorted(const Rows& rows, std::initializer_list<const char*> keys) {
  std::vector<Row> out = rows.rows;
  std::stable_sort(out.begin(), out.end(), [&](const Row& a, const Row& b) {
    for (const char* key : keys) {
      const Row& left = a.contains(key) ? a[key] : Row();
      const Row& right = b.contains(key) ? b[key] : Row();
      if (left != right) return left < right;
    }
    return false;
  });
  return out;
}

std::string lock_ranges(const Row& row) {
  std::string out;
  for (const Row& range : row.value("ranges", Row::array()))
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", range.value("type", ""), human_range(range));
  return out;
}

// What an open, lock or delegation lets its holder do.
std::string what_of(const Row& row) {
  const std::string kind = row.value("kind", "");
  if (kind == "open") return fmt::format("access {} deny {}", cell(row, "access"), cell(row, "deny"));
  if (kind != "delegation") return lock_ranges(row);
  std::string text = cell(row, "type");
  if (row.contains("recalled_s") && !row["recalled_s"].is_null())
    text += fmt::format(", recalled {} s ago", cell(row, "recalled_s"));
  return text;
}

}  // namespace

std::string clients_text(const Rows& rows) {
  Columns columns({"at", "clientid", "state", ">lease", "address", "back channel", ">sessions", ">opens", ">locks",
                   ">delegations", ">layouts", "owner"});
  for (const Row& row : sorted(rows, {"at", "clientid"}))
    columns.add({cell(row, "at"), cell(row, "clientid"), cell(row, "state"), cell(row, "lease_left_s") + " s",
                 cell(row, "address"), cell(row, "back_channel"), cell(row, "sessions"), cell(row, "opens"),
                 cell(row, "locks"), cell(row, "delegations"), cell(row, "layouts"), cell(row, "owner")});
  return columns.text();
}

std::string sessions_text(const Rows& rows) {
  Columns columns({"at", "sessionid", "clientid", ">slots", ">busy", ">cached", "back channel", "connections"});
  for (const Row& row : sorted(rows, {"at", "clientid", "sessionid"})) {
    std::string connections;
    for (const Row& each : row.value("connections", Row::array()))
      connections += fmt::format("{}{} {}", connections.empty() ? "" : ", ", cell(each, "address"), cell(each, "direction"));
    columns.add({cell(row, "at"), cell(row, "sessionid"), cell(row, "clientid"), cell(row, "slots"), cell(row, "busy"),
                 human_bytes(row.value("cached_bytes", uint64_t{0})), cell(row, "back_channel"), connections});
  }
  return columns.text();
}

std::string opens_text(const Rows& rows) {
  Columns columns({">fileid", "kind", "clientid", "stateid", "what", "owner"});
  for (const Row& row : sorted(rows, {"fileid", "kind", "clientid"}))
    columns.add({cell(row, "fileid"), cell(row, "kind"), cell(row, "clientid"), cell(row, "stateid"),
                 what_of(row) + (row.value("revoked", false) ? ", revoked" : ""), cell(row, "owner")});
  return columns.text();
}

std::string layouts_text(const Rows& rows) {
  Columns columns({">fileid", "clientid", "iomode", "range", ">unit", "kind", "deviceid", "recall", "stateid"});
  for (const Row& row : rows.rows) {
    std::string recall = cell(row, "recall");
    if (recall != "none") recall += fmt::format(" {} s ago", cell(row, "recalled_s"));
    columns.add({cell(row, "fileid"), cell(row, "clientid"), cell(row, "iomode"), human_range(row),
                 human_bytes(row.value("stripe_bytes", uint64_t{0})), row.value("dense", false) ? "dense" : "sparse",
                 cell(row, "deviceid"), recall, cell(row, "stateid")});
  }
  return columns.text();
}

std::string devices_text(const Rows& rows) {
  Columns columns({"deviceid", "server", "addresses", ">stripes", "stripe indices"});
  for (const Row& row : rows.rows)
    columns.add({cell(row, "deviceid"), cell(row, "name"), cell(row, "addresses"), cell(row, "stripe_count"),
                 cell(row, "stripe_indices")});
  return columns.text();
}

std::string text_of(const lab::LabState& lab, const Rows& rows) {
  std::string text;
  if (rows.table == "nodes") {
    text = nodes_text(rows);
  } else if (rows.table == "locks") {
    const auto status = fetch(lab, {.table = "status"});
    const auto nodes = fetch(lab, {.table = "nodes"});
    Row mds;
    for (const Row& row : status ? status->rows : std::vector<Row>())
      if (row.value("role", "") == "mds") mds = row;
    text = locks_text(rows, mds, nodes ? *nodes : Rows{});
  } else if (rows.table == "clients") {
    text = clients_text(rows);
  } else if (rows.table == "sessions") {
    text = sessions_text(rows);
  } else if (rows.table == "opens") {
    text = opens_text(rows);
  } else if (rows.table == "layouts") {
    text = layouts_text(rows);
  } else if (rows.table == "devices") {
    text = devices_text(rows);
  } else {
    text = rows.to_json().dump(2) + "\n";
  }
  return text + remarks(rows);
}

}  // namespace pnfs::live
