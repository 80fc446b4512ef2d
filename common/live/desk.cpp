#include "common/live/desk.hpp"

#include <charconv>

namespace pnfs::live {

namespace {

std::string_view next_word(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

Result<void> take_option(std::string_view word, Query& query) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view text = equals == word.npos ? std::string_view() : word.substr(equals + 1);
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size())
    return error(Errc::invalid, "state: \"{}\" is not limit=N, fileid=N or client=N", word);
  if (name == "limit") {
    query.limit = std::min<size_t>(number, kMostRows);
  } else if (name == "fileid") {
    query.fileid = number;
  } else if (name == "client") {
    query.client = number;
  } else {
    return error(Errc::invalid, "state: \"{}\" is none of limit, fileid, client", name);
  }
  return {};
}

}  // namespace

Result<std::string> Desk::command(std::string_view text) const {
  if (next_word(text) != "state") return error(Errc::invalid, "\"{}\" asks for no state", text);
  Row out{{"version", kVersion}, {"node", node_}};
  Query query;
  query.table = next_word(text);
  if (query.table.empty()) {
    out["tables"] = Row::array();
    for (const auto& [name, fill] : tables_) out["tables"].push_back(name);
    return out.dump();
  }
  const auto found = tables_.find(query.table);
  if (found == tables_.end()) return error(Errc::not_found, "{} keeps no table \"{}\"", node_, query.table);
  for (std::string_view word = next_word(text); !word.empty(); word = next_word(text))
    if (auto taken = take_option(word, query); !taken) return taken.error();
  Table table(std::move(query));
  found->second(table);
  out["table"] = table.query().table;
  out["total"] = table.total();
  out["rows"] = table.rows();
  return out.dump(-1, ' ', false, Row::error_handler_t::replace);
}

}  // namespace pnfs::live
