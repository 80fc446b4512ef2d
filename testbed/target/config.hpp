// What a target process serves, however it was described: by options or by an ietd.conf.
#pragma once

#include <string>
#include <vector>

#include "testbed/target/server.hpp"

namespace pnfs::target {

struct UnitSpec {
  enum class Type : uint8_t { fileio, blockio, nullio, memory };
  Type type = Type::fileio;
  std::string path;
  uint64_t size_bytes = 0;  // 0: what the file has
  scsi::UnitConfig unit;    // scsi_id and serial may be empty: then they are derived from target and LUN
};

struct TargetSpec {
  TargetConfig config;
  std::vector<UnitSpec> units;
};

struct Config {
  ServerConfig server;
  std::vector<TargetSpec> targets;
};

inline constexpr uint64_t kVolatileCacheBytes = 256u << 20;

// Opens every backing store and adds everything to the server. Errors name the target and LUN.
Result<void> build(Server& server, Config config);

// "512", "64K", "1M", "10G", "2T"
Result<uint64_t> parse_size(std::string_view text);
// RFC 7143 4.2.7.2: iqn., eui. or naa. names of at most 223 characters.
Result<void> check_iscsi_name(std::string_view name);

}  // namespace pnfs::target
