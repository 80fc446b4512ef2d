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
  // A verdict on the file is being taken back from a node (kEveryNode: a stateid is ending): that node is given none
  // meanwhile, or its answer could be taken for one about the new verdict. Gives a number for end_ending(); they rise.
  static constexpr NodeId kEveryNode = UINT32_MAX;
  uint64_t begin_ending(uint64_t fileid, NodeId node);
  void end_ending(uint64_t number) { ending_.erase(number); }
  bool ending(uint64_t fileid, NodeId node) const;
  // One that began no later than `number` is still under way, of this file (0: of any).
  bool ending_since(uint64_t number, uint64_t fileid) const;
  uint64_t last_ending() const { return endings_; }
  bool any_ending() const { return !ending_.empty(); }
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
  std::map<NodeId, uint32_t> by_node() const;  // how many each holds

 private:
  struct Given {
    uint64_t client = 0;
    std::set<NodeId> nodes;
  };
  std::map<uint64_t, std::map<Other, Given>> files_;
  std::map<uint64_t, std::pair<uint64_t, NodeId>> ending_;  // by number: file and node
  uint64_t endings_ = 0;
  size_t size_ = 0;
};

}  // namespace pnfs::mds::cluster
