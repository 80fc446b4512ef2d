// What this data server may touch: the grants it holds, the extents under them, and the I/O that runs on each. Pure
// decisions: no clock, no socket, no Asio. The caller asks what covers an I/O, pins it, does the I/O, unpins it.
//
// The promise of a revoke (design: a DS learns extents by grant): once the cache says that a grant is gone, no I/O
// stands on it and none will. A revoke may overtake the reply that brings its grant: the id is then remembered, and the
// grant is refused when it arrives.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "common/control/stripe_set.hpp"
#include "common/volume/extent_map.hpp"

namespace pnfs::ds {

enum class Access : uint8_t { read, write };

// A GRANT reply in our own words.
struct GrantNews {
  uint64_t id = 0;
  uint64_t generation = 0;
  uint64_t fileid = 0;
  Access access = Access::read;  // write: exclusive
  control::StripeSet set;
  control::ByteRange mapped;  // block-aligned: `extents` say everything about it
  uint64_t file_size = 0;
  std::vector<volume::Extent> extents;
};

class GrantCache {
 public:
  // Holds its grants until unpin(). Movable value; give each to unpin() exactly once.
  struct Pin {
    std::vector<uint64_t> grants;
  };
  struct Coverage {
    bool complete = false;
    std::vector<volume::MappedRange> ranges;  // complete: exactly the range asked for, in file order
    Pin pin;                                  // complete: taken
    control::ByteRange missing;               // otherwise: ask the MDS for this (a new grant or more extents)
    uint64_t extend = 0;                      // the grant to extend, 0: a new one
  };

  // What covers [offset, end) for this access. A write needs exclusive grants and blocks for every byte; a read takes
  // any grant, and where its map has a hole there is one. Pins what it found when it is complete.
  Coverage cover(uint64_t fileid, Access access, const control::ByteRange& range);

  // What is told to the MDS of a grant that is gone.
  struct Gone {
    uint64_t id = 0;
    uint64_t written_end = 0;
  };
  // Returns the revoked grants on which this was the last I/O: their revokes may be acknowledged now.
  std::vector<Gone> unpin(const Pin& pin);

  // Calls under way: between the two a revoke of an unknown id is remembered.
  void call_started() { ++calls_; }
  void call_ended();

  // False: it was revoked while its reply was under way (ask again), or is older than what is held (nothing to do), or
  // contradicts itself.
  bool arrived(GrantNews news);

  // Nothing: I/O runs on it; unpin() will tell.
  std::optional<Gone> revoke(uint64_t grant_id);

  // The lease is lost or the MDS has a new epoch: nothing may start; true when nothing runs any more.
  bool drop_all();
  bool idle() const { return pinned_ == 0; }
  bool running(uint64_t grant_id) const { return held_.contains(grant_id); }  // of a revoked one: I/O still runs

  // The least recently used grants without I/O, to be given back when more than `keep` are held. They are gone here.
  std::vector<Gone> surplus(size_t keep);

  // What this server knows of the file's size, from the MDS and from its own writes; kept as long as a grant of the file
  // is. Nobody else can have written to bytes that a grant covers, so what lies beyond is a hole (RFC 8881 13.10).
  uint64_t known_size(uint64_t fileid) const;
  // The end of this server's furthest write under the grants that it still holds.
  uint64_t written_end(uint64_t fileid) const;
  // A write that stands on these pins has been done up to `end` in the file.
  void wrote_to(uint64_t fileid, uint64_t generation, std::span<const Pin> pins, uint64_t end);

  // ---- sizes that die with the MDS: writes went beyond the size that it holds durably
  //
  // A client that is told that its data is committed may forget it, so COMMIT first has the size told. With the grants
  // the means to tell it are gone as well: then the write verifier has to change.
  struct Telling {
    uint64_t fileid = 0;
    uint64_t generation = 0;
    uint64_t end = 0;    // 0: no grant is held any more, the MDS was told when it was given up
    uint64_t stamp = 0;  // for told()
  };
  // Nothing: the MDS holds all that is known here.
  std::optional<Telling> untold(uint64_t fileid) const;
  // The MDS holds it durably.
  void told(const Telling& telling);
  // True when there was anything untold.
  bool forget_untold();

  size_t size() const { return held_.size(); }

 private:
  struct Held {
    uint64_t id = 0;
    uint64_t generation = 0;
    uint64_t fileid = 0;
    Access access = Access::read;
    control::StripeSet set;
    std::vector<control::ByteRange> mapped;  // sorted, disjoint, not adjacent
    uint32_t running = 0;
    bool revoked = false;
    uint64_t used = 0;
    uint64_t written_end = 0;  // within the window: what a truncation behind it says is not for this grant to undo
  };
  static void add_mapped(Held& held, const control::ByteRange& range);
  static uint64_t mapped_until(const Held& held, uint64_t offset);
  Held* best_for(uint64_t fileid, Access access, uint64_t offset);
  Gone erase(uint64_t id);

  std::map<uint64_t, Held> held_;
  struct File {
    std::set<uint64_t> grants;
    // Of all grants together: blocks are only ever added to a file while any grant of it is out, and what one grant
    // brought must show under the others (a shared one may have told of a hole that is written by now).
    volume::ExtentMap map;
    uint64_t size_told = 0;     // by the MDS, the largest
    uint64_t size_durable = 0;  // at the MDS, as last heard of it
    uint64_t changed = 0;       // when a grant came or went
  };
  std::map<uint64_t, File> files_;
  struct Untold {
    uint64_t generation = 0;
    uint64_t written = 0;  // when
  };
  std::map<uint64_t, Untold> untold_;
  std::set<uint64_t> revoked_early_;
  size_t calls_ = 0;
  size_t pinned_ = 0;
  uint64_t use_count_ = 0;  // the only clock here
};

}  // namespace pnfs::ds
