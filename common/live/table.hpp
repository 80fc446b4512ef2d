// The state of a running server as tables, for people and programs that look (LIVE.md): `pnfslab nodes`, `locks`, ...,
// live/ of the FUSE view. Whoever keeps state has a function that fills a Table from it: no clock, no I/O, and never
// more rows than were asked for, however much state there is.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"

namespace pnfs::live {

using Row = nlohmann::ordered_json;

inline constexpr size_t kUsualRows = 1000;
inline constexpr size_t kMostRows = 20'000;

struct Query {
  std::string table;
  size_t limit = kUsualRows;
  std::optional<uint64_t> fileid;  // only rows of this file, client
  std::optional<uint64_t> client;
};

class Table {
 public:
  explicit Table(Query query) : query_(std::move(query)) {}

  bool wants_file(uint64_t fileid) const { return !query_.fileid || *query_.fileid == fileid; }
  bool wants_client(uint64_t client) const { return !query_.client || *query_.client == client; }
  // Rows beyond the limit are counted and not made.
  template <class Make>
  void add(Make&& make) {
    ++total_;
    if (rows_.size() < query_.limit) rows_.push_back(make());
  }

  const Query& query() const { return query_; }
  const std::vector<Row>& rows() const { return rows_; }
  size_t total() const { return total_; }

 private:
  Query query_;
  std::vector<Row> rows_;
  size_t total_ = 0;
};

// Owners and names are any bytes: what does not print becomes \xNN, and a long one is cut.
std::string printable(std::string_view bytes, size_t most = 256);
std::string hex(std::span<const std::byte> bytes);
std::string hex(uint64_t number);  // "0x2a"
double seconds(Duration time);     // to a thousandth

}  // namespace pnfs::live
