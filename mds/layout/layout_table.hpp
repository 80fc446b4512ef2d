// Which client holds which layout: stateids, segments, recalls. Decisions only, no clock (times come in), no socket.
//
// One record per client and file (there is one layout type); its stateid lives from the first LAYOUTGET until the last
// byte was returned (RFC 8881 12.5.3). Ranges are bytes. Stateids passed in are never "current": the compound resolves
// that.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "common/base/clock.hpp"
#include "common/control/stripe_set.hpp"
#include "common/nfs/layout.hpp"
#include "common/nfs/status.hpp"
#include "common/session/types.hpp"

namespace pnfs::live {
class Table;
}

namespace pnfs::mds::layout {

using control::ByteRange;
using nfs::clientid4;
using nfs::layoutiomode4;
using nfs::stateid4;
using nfs::Status;
using FileId = uint64_t;

struct FileStriping;  // striping.hpp

struct Segment {
  ByteRange range;
  bool rw = false;
};

struct LayoutRecall {
  clientid4 client = 0;
  FileId file = 0;
  stateid4 stateid;  // seqid already raised
  ByteRange range;
  layoutiomode4 iomode = nfs::LAYOUTIOMODE4_ANY;
  TimePoint sent{};
  bool answered = false;  // the client said OK and owes a LAYOUTRETURN
};

enum class BulkScope : uint8_t { fsid, all };

class LayoutTable {
 public:
  using Other = std::array<std::byte, 12>;
  // How many LAYOUTGET and LAYOUTRETURN of one file may be under way at once (RFC 8881 12.5.5.2.1.4).
  static constexpr uint32_t kSeqidRange = 4096;
  // Pieces of one file that one client may hold apart from each other.
  static constexpr size_t kMostPieces = 4096;

  // `new_other` gives the identity of a new layout stateid.
  explicit LayoutTable(std::function<Other()> new_other) : new_other_(std::move(new_other)) {}

  // ---- LAYOUTGET. `presented` is a layout stateid (is_layout) or one that the caller has checked as an open's, lock's
  // or delegation's. BAD_STATEID, OLD_STATEID, ADMIN_REVOKED, RECALLCONFLICT, RETURNCONFLICT, LAYOUTTRYLATER.
  Status may_get(clientid4 client, FileId file, const stateid4& presented, bool is_layout, const ByteRange& range) const;
  // Records what was granted; gives the stateid of the reply.
  stateid4 granted(clientid4 client, FileId file, const Segment& segment,
                   std::shared_ptr<const FileStriping> striping = nullptr);

  // The requests that gave the client what it holds, the latest few: what a recall refers to (RFC 8881 2.10.6.3).
  void note_request(clientid4 client, FileId file, const session::RequestName& name);
  std::vector<session::RequestName> granting_requests(clientid4 client, FileId file) const;

  // ---- LAYOUTCOMMIT: BADLAYOUT (no such layout), BADIOMODE (none of it for RW) (RFC 8881 18.42.3), ADMIN_REVOKED.
  Status may_commit(clientid4 client, FileId file, const stateid4& stateid, const ByteRange& range) const;

  // ---- LAYOUTRETURN. `remaining` is set when the layout stateid lives on. BAD_STATEID, OLD_STATEID, ADMIN_REVOKED,
  // RECALLCONFLICT.
  Status give_back(clientid4 client, FileId file, const stateid4& stateid, layoutiomode4 iomode, const ByteRange& range,
                   std::optional<stateid4>& remaining);
  // FSID and ALL (there is one file system). Gives the files concerned. RECALLCONFLICT when the scope does not match an
  // outstanding bulk recall.
  Status give_back_all(clientid4 client, BulkScope scope, layoutiomode4 iomode, std::vector<FileId>& files);

  // ---- recalls. Only those that are not recalled already; each is to be sent.
  std::vector<LayoutRecall> recall_file(FileId file, const ByteRange& range, layoutiomode4 iomode, TimePoint now,
                                        clientid4 except = 0, clientid4 only = 0);
  std::vector<LayoutRecall> recall_if(const std::function<bool(const FileStriping&)>& wanted, TimePoint now,
                                      clientid4 only = 0);
  // No bulk recall while another recall of the client is out (12.5.5.2.1.5): false.
  bool recall_bulk(clientid4 client, BulkScope scope, TimePoint now);
  // The client answered the callback: it will return (true), or holds nothing of it (false).
  void recall_answered(clientid4 client, FileId file, bool will_return);
  void bulk_answered(clientid4 client, bool will_return);
  // Recalls sent by then whose layouts have not come back: the layouts are revoked, bulk recalls end. Gives what was
  // revoked.
  std::vector<LayoutRecall> revoke_overdue(TimePoint sent_before, TimePoint now);
  bool recall_outstanding(FileId file) const;
  bool recall_outstanding(clientid4 client, FileId file) const;

  // ---- the end of it
  // The client loses the layout; its stateid answers ADMIN_REVOKED until it is freed or forgotten.
  void revoke(clientid4 client, FileId file, TimePoint now);
  // Layouts revoked by then that nobody has freed.
  void forget_revoked(TimePoint revoked_before);
  void drop_client(clientid4 client);
  void drop_file(FileId file);
  void drop(clientid4 client, FileId file);
  Status test(clientid4 client, const stateid4& stateid) const;
  Status free(clientid4 client, const stateid4& stateid);
  // Some bytes are held. What was returned to the last byte while its recall still waits for the client's last word
  // (12.5.5.1) is none.
  bool has_state(clientid4 client) const;
  bool has_revoked(clientid4 client) const { return revoked_.contains(client); }

  // ---- questions
  bool holds(clientid4 client, FileId file) const { return find(client, file) != nullptr; }
  bool holds(clientid4 client, FileId file, bool rw) const;
  // Every file that somebody holds a layout of.
  std::set<FileId> files() const;
  // Some layout (of the client, unless 0) has a striping that is asked for.
  bool any(const std::function<bool(const FileStriping&)>& wanted, clientid4 client = 0) const;
  // The striping the client was told, null when it holds nothing.
  std::shared_ptr<const FileStriping> striping_of(clientid4 client, FileId file) const;
  std::vector<clientid4> holders(FileId file) const;
  std::vector<Segment> segments(clientid4 client, FileId file) const;
  // What the client may read (write, with rw) through data servers: ascending and apart.
  std::vector<ByteRange> covered(clientid4 client, FileId file, bool rw) const;
  size_t size() const { return held_.size(); }
  size_t count_of(clientid4 client) const;
  // One row for each segment (common/live/LIVE.md; live_layouts.cpp).
  void fill(TimePoint now, live::Table& out) const;

 private:
  struct Held {
    stateid4 stateid;
    std::vector<Segment> segments;
    std::optional<LayoutRecall> recall;
    std::shared_ptr<const FileStriping> striping;
    std::vector<session::RequestName> requests;
  };
  struct Bulk {
    BulkScope scope;
    TimePoint sent;
    bool answered = false;
  };
  using Key = std::pair<FileId, clientid4>;

  const Held* find(clientid4 client, FileId file) const;
  Held* find(clientid4 client, FileId file);
  Status check_stateid(clientid4 client, const Held* held, const stateid4& presented) const;
  void subtract(Held& held, layoutiomode4 iomode, const ByteRange& range);
  void erase(const Key& key);
  LayoutRecall start_recall(const Key& key, Held& held, const ByteRange& range, layoutiomode4 iomode, TimePoint now);

  std::function<Other()> new_other_;
  std::map<Key, Held> held_;
  std::map<clientid4, std::set<FileId>> by_client_;
  std::map<clientid4, Bulk> bulk_;
  std::map<clientid4, std::map<Other, TimePoint>> revoked_;
};

}  // namespace pnfs::mds::layout
