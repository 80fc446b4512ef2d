#include "testbed/live/fetch.hpp"

#include "common/live/desk.hpp"
#include "testbed/lab/node_command.hpp"

namespace pnfs::live {

namespace {

struct Keeper {
  std::string_view table;
  std::string_view roles;
};
constexpr Keeper kKeepers[] = {
    {"status", "target mds ds"}, {"nodes", "mds"}, {"locks", "mds"},   {"clients", "mds ds"},
    {"sessions", "mds ds"},      {"opens", "mds"}, {"layouts", "mds"}, {"devices", "mds"},
    {"operations", "target mds ds"},
};

bool keeps(std::string_view role, std::string_view table) {
  for (const Keeper& keeper : kKeepers)
    if (keeper.table == table) return (" " + std::string(keeper.roles) + " ").find(fmt::format(" {} ", role)) != std::string::npos;
  return false;
}

std::string words_of(const Query& query) {
  std::string text = fmt::format("state {} limit={}", query.table, query.limit);
  if (query.fileid) text += fmt::format(" fileid={}", *query.fileid);
  if (query.client) text += fmt::format(" client={}", *query.client);
  return text;
}

Result<void> ask(const lab::LabState& lab, const lab::Server& server, const Query& query, Rows& out) {
  if (!lab::is_running(server)) return error(Errc::closed, "it is gone; see {}", lab.log_file(server.name));
  auto answer = lab::send_command(lab.socket_file(server.name), words_of(query));
  if (!answer) return answer.error();
  Row said = Row::parse(*answer, nullptr, false);
  if (!said.is_object() || !said.contains("rows") || !said["rows"].is_array() ||
      said.value("version", 0) != kVersion)
    return error(Errc::protocol, "its answer is no table of version {}; is it another release?", kVersion);
  out.total += said.value("total", size_t{0});
  for (Row& row : said["rows"]) {
    Row with{{"at", server.name}};
    with.update(row);
    out.rows.push_back(std::move(with));
  }
  return {};
}

}  // namespace

Row Rows::to_json() const {
  Row out{{"version", kVersion}, {"table", table}, {"total", total}, {"rows", rows}, {"missing", Row::array()}};
  for (const Missing& each : missing) out["missing"].push_back({{"node", each.node}, {"reason", each.reason}});
  return out;
}

const std::vector<std::string>& table_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Keeper& keeper : kKeepers) all.emplace_back(keeper.table);
    return all;
  }();
  return names;
}

Result<Rows> fetch(const lab::LabState& lab, const Query& query) {
  Rows out;
  out.table = query.table;
  size_t asked = 0;
  for (const lab::Server& server : lab.servers) {
    if (!keeps(server.role, query.table)) continue;
    ++asked;
    if (auto done = ask(lab, server, query, out); !done) out.missing.push_back({server.name, done.error().reason});
  }
  if (asked == 0) return error(Errc::not_found, "no server of this lab keeps a table \"{}\"", query.table);
  if (out.missing.size() == asked)
    return error(Errc::closed, "{}: {}", out.missing.front().node, out.missing.front().reason);
  return out;
}

}  // namespace pnfs::live
