// The MDS's end of the control program: membership with leases, grants, verdicts on stateids. Carries out what the pure
// parts (membership, grant table, verdict book) decide.
//
// Served on the listeners of NFS; each data server registers over a connection of its own, and calls to it go back over
// that one. Threading: the executor's thread. Life: start() once the volume is open, stop() before it closes.
#pragma once

#include <functional>
#include <memory>

#include "common/control/control_service.hpp"
#include "common/control/wire.hpp"
#include "common/io/event.hpp"
#include "common/io/task_group.hpp"
#include "common/volume/types.hpp"
#include "mds/control/allocation_plan.hpp"
#include "mds/control/membership.hpp"
#include "mds/control/verdict_book.hpp"
#include "mds/grants/grant_table.hpp"
#include "mds/pnfs.hpp"

namespace pnfs::mds::cluster {

using namespace pnfs::control;

// A data server's question about a stateid, and the answer (RFC 8881 13.9.1).
struct StateidQuestion {
  NodeId node = 0;
  std::string_view co_ownerid;
  std::string_view principal;
  nfs::stateid4 stateid;
  std::span<const std::byte> filehandle;
  uint32_t access = 0;
};
struct StateidVerdict {
  nfs::Status status;
  uint64_t client = 0;
  uint64_t fileid = 0;
  uint64_t generation = 0;
  uint32_t access = 0;
  bool dense = false;
  bool commit_thru_mds = false;
  uint32_t dense_index = 0;
  uint64_t file_size = 0;
  StripeSet set;
  std::vector<ByteRange> readable;
  std::vector<ByteRange> writable;
};

// To whole units of allocation.
ByteRange align_out(const ByteRange& range);

class Cluster final : public ControlService {
 public:
  struct Hooks {
    std::function<StateidVerdict(const StateidQuestion&)> judge;
    std::function<void()> membership_changed;
    std::function<std::string()> server_scope;
    std::function<bool()> takes_mds_handles;
  };
  Cluster(Mds& mds, Hooks hooks);
  ~Cluster() override;

  // Reads the nodes that were recorded: none of them is granted anything, and nothing that they might still touch is
  // freed, until it has acknowledged this start, was fenced, or outlived its lease (design, Fencing that holds).
  io::Task<Result<void>> start();
  io::Task<void> stop();

  // Keeps a range for the MDS itself. Waits a bounded time for those in the way, then DELAY.
  io::Task<nfs::Status> hold(uint64_t fileid, ByteRange range, GrantMode mode,
                             std::unique_ptr<DataGuard::Hold>& out);
  // The reply to whoever ends a stateid waits for this: no data server accepts it any more. DELAY when one has not
  // confirmed in time.
  io::Task<nfs::Status> revoke_verdicts(std::vector<VerdictBook::Entry> entries);
  // Until no verdict on the file (0: on any file) is on its way out, and no data server is left that may still go by those
  // of an earlier start of this MDS: before anybody is told that a stateid has died. Bounded by the node lease: who has
  // not confirmed by then is fenced.
  io::Task<void> settle_verdicts(uint64_t fileid);
  bool verdicts_are_ending() const { return verdicts_.any_ending() || grants_.has_unknown(); }
  // The same without waiting; a data server that does not answer loses its lease.
  void revoke_verdicts_later(std::vector<VerdictBook::Entry> entries);

  // Forgets a node that has ended: fenced first. busy: it is connected, or not fenced yet (try again).
  Result<void> remove(NodeId id);

  Membership& members() { return members_; }
  const GrantTable& grants() const { return grants_; }
  const VerdictBook& verdicts() const { return verdicts_; }
  // What happened since the start; for `pnfslab nodes` and tests.
  struct Counters {
    uint64_t revokes = 0;     // grants that were called back
    uint64_t fenced = 0;      // lives of nodes that were ended
    uint64_t waited_out = 0;  // of them, those that no device could fence
  };
  const Counters& counters() const { return counters_; }
  Duration node_lease() const { return members_.lease(); }

 private:
  class Hold;
  io::Task<bool> run(rpc::Request& request, control_proc proc, const void* args, void* res) override;
  std::string caller_name(const rpc::Request& request) const override;

  io::Task<REGISTERres> do_register(rpc::Request& request, const REGISTERargs& args);
  io::Task<RENEWres> do_renew(rpc::Request& request, const RENEWargs& args);
  io::Task<GRANTres> do_grant(rpc::Request& request, const GRANTargs& args);
  io::Task<STATUSres> do_grant_return(rpc::Request& request, const GRANT_RETURNargs& args);
  io::Task<STATEID_CHECKres> do_stateid_check(rpc::Request& request, const STATEID_CHECKargs& args);
  io::Task<STATUSres> do_file_changed(rpc::Request& request, const FILE_CHANGEDargs& args);
  io::Task<STATUSres> do_leave(rpc::Request& request, const LEAVEargs& args);
  NODESres list_nodes(Arena& arena) const;
  LOCKSres list_locks(Arena& arena, const LOCKSargs& args) const;

  // CTL_OK when the caller is a member over this very connection and knows our epoch.
  control_status check_caller(const rpc::Request& request, NodeId node, uint64_t epoch, std::string& why) const;
  io::Task<Result<void>> record_node(volume::NodeRecord record);
  io::Task<Result<void>> dispose_of_old_life(NodeId id, uint64_t instance, uint64_t key);
  StripeSet widen(NodeId node, uint64_t fileid, GrantMode mode, const StripeSet& asked, ByteRange need) const;
  io::Task<control_status> allocate(uint64_t fileid, ByteRange range, std::string& why);
  bool is_allocated(uint64_t fileid, const ByteRange& range);
  io::Task<control_status> allocate_ahead(uint64_t fileid, const ByteRange& need, std::string& why);

  void send_revokes(const std::vector<Revocation>& revocations);
  io::Task<void> revoke_at(NodeId node, std::vector<uint64_t> ids);
  class Ending;
  io::Task<void> forget_at(NodeId node, std::vector<VerdictBook::Entry> entries, Ending ending);
  void took_back(NodeId node, uint64_t grant_id, uint64_t written_end);
  // The file is at least this long (RFC 8881 13.9.2.3). The ticket of the change, 0 when nothing changed.
  Result<uint64_t> raise_size(uint64_t fileid, uint64_t size, bool touch);

  io::Task<void> watch_leases();
  io::Task<Result<void>> fence_at_device(uint64_t key);
  io::Task<void> fence(NodeId id);
  io::Task<void> end_unknown(NodeId id, uint64_t key);
  io::Task<void> tell_write_epoch();
  io::Task<void> raise_write_epoch();
  std::shared_ptr<rpc::Connection> connection_of(NodeId id);
  // Returns when something changed or the time has come, whichever is first.
  io::Task<void> wait_change(TimePoint deadline);
  void changed();

  Mds& mds_;
  Hooks hooks_;
  Membership members_;
  GrantTable grants_;
  VerdictBook verdicts_;
  Counters counters_;
  io::Event changed_;
  io::TaskGroup tasks_;
  std::map<NodeId, std::shared_ptr<rpc::Connection>> connections_;
  std::map<NodeId, uint64_t> unknown_instances_;  // recorded before this start
  uint64_t owner_instance_ = 0;
  bool raising_epoch_ = false;
  AllocationPlan plan_;
};

}  // namespace pnfs::mds::cluster
