// ietd.conf(5) as the users of IET know it, and its initiators.allow and targets.allow.
//
// Beyond IET, a Lun line may say Size=1G (a missing file is created), Thin=Yes, Removable=Yes, IOMode=volatile (writes
// that were not flushed die with the process) and SanitizeRate=20M.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "testbed/target/config.hpp"

namespace pnfs::target {

struct IetdConfig {
  Config config;
  // "ietd.conf:7: Wthreads ...": directives accepted without an effect.
  std::vector<std::string> notes;
};

// `name` is how messages call the file. Errors are "name:LINE: what is wrong".
Result<IetdConfig> parse_ietd_config(std::string_view text, const std::string& name);

// The file and, beside it, initiators.allow and targets.allow where they exist.
Result<IetdConfig> load_ietd_config(const std::string& path);

// One of the two allow files: who may see which target.
class AccessList {
 public:
  // `patterns`: the file holds initiator names too (initiators.allow).
  static Result<AccessList> parse(std::string_view text, const std::string& name, bool patterns);

  // The first line for the target, or for ALL, that matches allows; ALL is the last word; no line at all refuses.
  bool allows(std::string_view target, const io::Endpoint& address, std::string_view initiator = {}) const;

 private:
  struct Entry {
    bool any = false;
    std::string pattern;  // an initiator name with * and ?
    boost::asio::ip::address network;
    int prefix = -1;
  };
  struct Line {
    std::string target;  // normal form, or ALL
    std::vector<Entry> entries;
  };
  static Result<Entry> parse_entry(std::string_view text, bool patterns);
  static bool matches(const Entry& entry, const boost::asio::ip::address& address, std::string_view initiator);
  std::vector<Line> lines_;
};

}  // namespace pnfs::target
