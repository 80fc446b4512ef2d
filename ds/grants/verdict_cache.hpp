// What the MDS said about clients' stateids: who may do what to which file here. Pure.
//
// Bound to (client id at this server, stateid.other, filehandle). A verdict is kept until the MDS revokes it; the
// revoke is done when no I/O stands on the verdict any more. Answers to checks that were under way when a revoke came
// are not kept.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/control/stripe_set.hpp"

namespace pnfs::ds {

using Other = std::array<std::byte, 12>;

struct Verdict {
  uint64_t fileid = 0;
  uint64_t generation = 0;
  uint32_t access = 0;  // OPEN4_SHARE_ACCESS_READ, _WRITE
  bool dense = false;
  bool commit_thru_mds = false;
  uint32_t dense_index = 0;
  control::StripeSet set;  // this server's stripes; the window spans everything that the layout covers
  std::vector<control::ByteRange> readable;  // what the layout covers; ascending, apart
  std::vector<control::ByteRange> writable;

  // The client's layout has every byte of the range, for an iomode that allows the access.
  bool covers(uint32_t wanted, const control::ByteRange& range) const;
};

class VerdictCache {
 public:
  struct Key {
    uint64_t client = 0;
    Other other{};
    std::string filehandle;
    auto operator<=>(const Key&) const = default;
  };
  static constexpr size_t kMost = 100'000;

  // Null: ask. Valid until the next call.
  const Verdict* find(const Key& key, uint32_t access) const;

  // Before the question is sent; give the ticket to arrived().
  uint64_t asking() const { return revokes_; }
  // False: a revoke came meanwhile; ask again.
  bool arrived(const Key& key, uint64_t ticket, Verdict verdict);

  // I/O stands on the verdict until unpin() with what pin() gave. The key must be held.
  uint64_t pin(const Key& key);
  // True when a revoked verdict is now free of I/O: somebody may be waiting.
  bool unpin(const Key& key, uint64_t pin);

  // All that match: a zero `other` is every stateid of the file, fileid 0 every file.
  void revoke(uint64_t fileid, const Other& other);
  // No I/O stands on revoked verdicts that match.
  bool settled(uint64_t fileid, const Other& other) const;
  void drop_client(uint64_t client);
  size_t size() const { return held_.size(); }

 private:
  struct Held {
    Verdict verdict;
    uint64_t serial = 0;  // of this verdict's life: I/O under a revoked one is told from I/O under its successor
    uint32_t running = 0;
  };
  static bool matches(const Key& key, const Held& held, uint64_t fileid, const Other& other);

  std::map<Key, Held> held_;
  // Revoked ones on which I/O still runs when a new verdict takes their place.
  struct Draining {
    Key key;
    uint64_t fileid;
    uint64_t serial;
    uint32_t running;
  };
  void drain(const Key& key, const Held& held);
  std::vector<Draining> draining_;
  uint64_t revokes_ = 0;
  uint64_t serials_ = 0;
};

}  // namespace pnfs::ds
