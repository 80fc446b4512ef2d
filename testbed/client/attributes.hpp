// The attributes that tests and scenarios look at (RFC 8881 5.8). The client's own reading of fattr4, on purpose not
// the servers': a mistake on one side must not be repeated by the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/nfs/basic.hpp"

namespace pnfs::client {

struct Attributes {
  std::optional<nfs::nfs_ftype4> type;
  std::optional<uint64_t> change;
  std::optional<uint64_t> size;
  std::optional<nfs::fsid4> fsid;
  std::optional<uint32_t> lease_s;
  std::optional<uint64_t> fileid;
  std::optional<uint32_t> mode;
  std::optional<uint32_t> links;
  std::optional<std::string> owner;
  std::optional<std::string> group;
  std::optional<uint64_t> space_used;
  std::optional<nfs::nfstime4> access_time;
  std::optional<nfs::nfstime4> metadata_time;
  std::optional<nfs::nfstime4> modify_time;
  std::optional<uint64_t> mounted_on;
  std::optional<uint64_t> max_read;
  std::optional<uint64_t> max_write;
  std::optional<std::vector<uint32_t>> layout_types;
  std::optional<nfs::nfsstat4> read_error;  // FATTR4_RDATTR_ERROR

  // What a getattr asks for.
  static nfs::bitmap4 usual();
};

// nullopt: malformed, or an attribute that nobody asked for.
std::optional<Attributes> read_attributes(const nfs::fattr4& wire);

// Attributes to be set; encoded in the arena.
struct NewAttributes {
  std::optional<uint64_t> size;
  std::optional<uint32_t> mode;
  std::optional<std::string> owner;
  std::optional<std::string> group;
  std::optional<nfs::nfstime4> modify_time;
  nfs::fattr4 encode(Arena& arena) const;
};

}  // namespace pnfs::client
