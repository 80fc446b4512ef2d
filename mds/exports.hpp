// Who may use the export, by address, and as whom: rules in the manner of exports(5). Pure.
//
//   10.1.0.0/16(rw,no_root_squash)   *(ro,all_squash,anonuid=1000)
//
// CLIENT is an address, a network (address/bits) or *. Options: ro (the default) or rw; root_squash (the default),
// no_root_squash or all_squash; anonuid=N and anongid=N (65534). The first rule that matches counts; a client that none
// matches is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/io/stream.hpp"

namespace pnfs::mds {

struct Squash {
  bool root = false;  // uid 0 and gid 0 become the anonymous user and group
  bool all = false;   // everybody does
  uint32_t anonymous_uid = 65534;
  uint32_t anonymous_gid = 65534;
};

struct ExportRule {
  std::optional<io::asio::ip::address> network;  // nullopt: everybody
  unsigned bits = 0;                             // of `network`
  bool read_only = false;
  Squash squash;

  bool matches(const io::asio::ip::address& client) const;
};

// invalid: what is wrong with the rule, and how one looks.
Result<ExportRule> parse_export_rule(std::string_view text);

// Without rules everybody may do everything.
class Exports {
 public:
  Exports() : rules_(1) {}
  explicit Exports(std::vector<ExportRule> rules) : rules_(std::move(rules)) {}
  // null: not for this client.
  const ExportRule* find(const io::asio::ip::address& client) const;

 private:
  std::vector<ExportRule> rules_;
};

}  // namespace pnfs::mds
