// What a data server is told at its start.
#pragma once

#include <string>
#include <vector>

#include "common/server/seams.hpp"

namespace pnfs::ds {

struct Options {
  std::string node = "ds1";
  std::vector<io::Endpoint> listen;
  // Where clients reach this server, if not at the listeners' ports on the IP by which they reach the MDS.
  std::vector<io::Endpoint> advertise;
  io::Endpoint mds;                                  // its control program; the port it serves NFS on
  Duration join_timeout = std::chrono::seconds(30);  // how long the start may wait for the MDS
  uint32_t max_read_bytes = 1u << 20;
  uint32_t max_write_bytes = 1u << 20;
  size_t keep_grants = 10'000;
  // RFC 8881 13.9.1: stateids must come with seqid 0. Linux does so; a strict server refuses others.
  bool strict_seqid = false;
  // COMMIT leaves the file's size to the LAYOUTCOMMIT behind it, as RFC 8881 18.3.4 lets it: lost if the MDS dies between
  // the two and the client does not go by 12.7.4.
  bool lazy_size = false;
};

using server::Seams;

}  // namespace pnfs::ds
