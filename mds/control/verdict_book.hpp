// Which data server was told that which stateid is good for which file, so that it can be told when that ends.
// Pure. A node that is asked to forget stays on the list until it has confirmed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "mds/grants/grant_table.hpp"

namespace pnfs::mds::cluster {

class VerdictBook {
 public:
  using Other = std::array<std::byte, 12>;
  struct Entry {
    uint64_t fileid = 0;
    Other other{};
    NodeId node = 0;
    bool operator==(const Entry&) const = default;
  };

  void given(uint64_t fileid, const Other& other, uint64_t client, NodeId node);
  // What must be revoked before the stateid, the client's use of the file, the file's permissions, or the client are
  // said to be gone.
  std::vector<Entry> of_stateid(uint64_t fileid, const Other& other) const;
  std::vector<Entry> of_client(uint64_t fileid, uint64_t client) const;
  std::vector<Entry> of_file(uint64_t fileid) const;
  std::vector<Entry> of_client_everywhere(uint64_t client) const;
  void confirmed(const Entry& entry);
  // The node is gone or has dropped everything.
  void forget_node(NodeId node);
  size_t size() const { return size_; }

 private:
  struct Given {
    uint64_t client = 0;
    std::set<NodeId> nodes;
  };
  std::map<uint64_t, std::map<Other, Given>> files_;
  size_t size_ = 0;
};

}  // namespace pnfs::mds::cluster
