// The state tables of a whole lab (common/live/LIVE.md), asked for at the control sockets of its servers.
#pragma once

#include "common/live/table.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::live {

struct Missing {
  std::string node;
  std::string reason;
};

// The rows of every server that keeps the table; each row begins with "at", the server that said it.
struct Rows {
  std::string table;
  size_t total = 0;
  std::vector<Row> rows;
  std::vector<Missing> missing;  // servers that did not answer

  Row to_json() const;  // {"version","table","total","rows","missing"}
};

// Those a person may ask for, in the order of `pnfslab --help`.
const std::vector<std::string>& table_names();

// Errors: closed, when not one server that keeps the table answers (and why).
Result<Rows> fetch(const lab::LabState& lab, const Query& query);

}  // namespace pnfs::live
