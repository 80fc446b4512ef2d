// State tables as text for people.
#pragma once

#include <string>
#include <vector>

#include "testbed/live/fetch.hpp"

namespace pnfs::live {

// Lines up columns. A head that begins with '>' is aligned to the right.
class Columns {
 public:
  explicit Columns(std::vector<std::string> heads);
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text(size_t indent = 0) const;

 private:
  std::vector<std::string> heads_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// A cell: "-" for what is missing or null, a string without quotes, a number, yes or no.
std::string cell(const Row& row, const char* key);
std::string join(const Row& list, std::string_view between = " ");
std::string human_bytes(uint64_t bytes);  // "1.5 MiB"
// "12.0 KiB at 0", "all"; end null: to the end.
std::string human_range(const Row& row);

// Of any table by its name. `status` and `operations` have no text of their own here and give their JSON.
std::string text_of(const lab::LabState& lab, const Rows& rows);

// One for each table (text_<table>.cpp or text_tables.cpp).
std::string nodes_text(const Rows& rows);
std::string locks_text(const Rows& rows, const Row& mds_status, const Rows& nodes);
std::string clients_text(const Rows& rows);
std::string sessions_text(const Rows& rows);
std::string opens_text(const Rows& rows);
std::string layouts_text(const Rows& rows);
std::string devices_text(const Rows& rows);
// "ds2 did not answer: ..." and "showing 1000 of 5000" where that is so.
std::string remarks(const Rows& rows);

}  // namespace pnfs::live
