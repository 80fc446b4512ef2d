// Who may touch which bytes of which file: the table of grants between nodes, as DLM's lock table was to a cluster file
// system. Decisions only: no clock, no socket, no Asio. The caller sends the revocations it is told about and reports
// what came of them.
//
// A grant is shared (PR: nobody writes) or exclusive (EX: nobody else reads or writes) over a stripe set of one file.
// Grants of one node never conflict with each other: the node orders its own I/O.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "common/control/stripe_set.hpp"

namespace pnfs::mds {

using NodeId = uint32_t;
inline constexpr NodeId kMdsNode = 0;  // I/O that comes to the MDS itself

enum class GrantMode : uint8_t { pr, ex };
std::string_view to_string(GrantMode mode);

struct Grant {
  uint64_t id = 0;  // never reused within an epoch
  NodeId node = kMdsNode;
  uint64_t fileid = 0;
  GrantMode mode = GrantMode::pr;
  control::StripeSet set;
  uint64_t generation = 1;
  bool revoking = false;     // a revoke is on its way; no longer extended
  bool quarantined = false;  // its node was cut off: stays in the way until told otherwise
};

struct Revocation {
  NodeId node = kMdsNode;
  uint64_t grant_id = 0;
};

class GrantTable {
 public:
  struct Answer {
    const Grant* granted = nullptr;    // valid until the next call
    std::vector<Revocation> revoke;    // to be sent now (those already under way are not repeated)
    bool blocked_by_unknown = false;   // a node whose grants are not known yet (after a restart) is in the way
    explicit operator bool() const { return granted != nullptr; }
  };

  // Grants at once or names what must go first; ask again after that. A set the node already holds in a sufficient mode
  // is answered with that grant, its generation raised; PR over the same set becomes EX under the same id.
  Answer request(NodeId node, uint64_t fileid, GrantMode mode, const control::StripeSet& set);

  // A grant that may be extended by its holder: known, of this node and file, not on its way out.
  const Grant* extendable(NodeId node, uint64_t fileid, uint64_t grant_id);

  // Would request() be granted? Used to choose how wide a window to offer.
  bool conflicts(NodeId node, uint64_t fileid, GrantMode mode, const control::StripeSet& set) const;

  // Acknowledged by its node, or given back unasked. Unknown ids are ignored (answers cross). True if it was there.
  bool gone(NodeId node, uint64_t grant_id);

  // The node left in good order or was fenced for good: all it held is free.
  void forget_node(NodeId node);
  // The node was cut off, but what it has in flight may still reach the disk: its grants stay in the way.
  void quarantine_node(NodeId node);
  // After a restart: a node that may hold grants nobody remembers. It blocks all that would conflict with anything.
  void set_unknown(NodeId node) { unknown_.insert(node); }
  void clear_unknown(NodeId node) { unknown_.erase(node); }
  bool has_unknown() const { return !unknown_.empty(); }

  // A revoke of one of the node's grants of the file is under way.
  bool is_revoking(NodeId node, uint64_t fileid) const;
  // The grant under which the node may write the byte; 0: none.
  uint64_t exclusive_at(NodeId node, uint64_t fileid, uint64_t offset) const;

  const Grant* find(uint64_t grant_id) const;
  size_t size() const { return by_id_.size(); }
  std::vector<Grant> snapshot() const;  // for `pnfslab locks`

 private:
  struct File {
    std::set<uint64_t> grants;
  };
  std::vector<uint64_t> conflicting(NodeId node, uint64_t fileid, GrantMode mode, const control::StripeSet& set) const;
  void erase(uint64_t grant_id);

  std::map<uint64_t, Grant> by_id_;
  std::map<uint64_t, File> files_;
  std::set<NodeId> unknown_;
  uint64_t next_id_ = 1;
};

}  // namespace pnfs::mds
