// Verdicts on stateids: giving and revoking them; and files that data servers changed for good.
#include "common/nfs/file_handle.hpp"
#include "common/rpc/request.hpp"
#include "common/volume/volume.hpp"
#include "mds/control/cluster.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

using namespace std::chrono_literals;
constexpr Duration kVerdictPatience = 2s;
constexpr Duration kForgetRetry = 200ms;

}  // namespace

io::Task<STATEID_CHECKres> Cluster::do_stateid_check(rpc::Request& request, const STATEID_CHECKargs& args) {
  STATEID_CHECKres res;
  std::string why;
  if (const auto status = check_caller(request, args.node_id, args.mds_epoch, why); status != CTL_OK) {
    res.status = status;
    res.reason.text = request.arena().copy(std::string_view(why));
    co_return res;
  }
  StateidQuestion question;
  question.node = args.node_id;
  question.co_ownerid = {reinterpret_cast<const char*>(args.co_ownerid.bytes.data()), args.co_ownerid.size()};
  question.principal = args.principal.text;
  question.stateid.seqid = args.seqid;
  question.stateid.other = args.other;
  question.filehandle = args.filehandle.bytes;
  question.access = args.access;
  if (const auto handle = nfs::FileHandle::from_wire(args.filehandle.bytes); handle && verdicts_.ending(handle->fileid, args.node_id)) {
    res.status = CTL_DELAY;
    res.reason.text = "verdicts on this file are being taken back";
    co_return res;
  }
  const StateidVerdict verdict = hooks_.judge(question);
  if (!verdict.status) {
    res.status = CTL_REFUSED;
    res.refusal.nfs_status = verdict.status.status;
    res.refusal.reason.text = request.arena().copy(std::string_view(verdict.status.reason));
    co_return res;
  }
  // Noted before the answer leaves: a revoke that comes now must reach this node too.
  verdicts_.given(verdict.fileid, args.other.bytes, verdict.client, args.node_id);
  res.ok.fileid = verdict.fileid;
  res.ok.file_generation = verdict.generation;
  res.ok.access = verdict.access;
  res.ok.dense = verdict.dense;
  res.ok.commit_thru_mds = verdict.commit_thru_mds;
  res.ok.dense_index = verdict.dense_index;
  res.ok.file_size = verdict.file_size;
  res.ok.set = to_wire(verdict.set, request.arena());
  res.ok.readable.items = to_wire(verdict.readable, request.arena());
  res.ok.writable.items = to_wire(verdict.writable, request.arena());
  co_return res;
}

// Verdicts on these files are ending as long as this lives.
class Cluster::Ending {
 public:
  Ending(Cluster& cluster, const std::vector<VerdictBook::Entry>& entries, NodeId node) : cluster_(cluster) {
    std::set<uint64_t> files;
    for (const auto& entry : entries)
      if (files.insert(entry.fileid).second) numbers_.push_back(cluster_.verdicts_.begin_ending(entry.fileid, node));
  }
  Ending(Ending&& other) noexcept : cluster_(other.cluster_), numbers_(std::exchange(other.numbers_, {})) {}
  ~Ending() {
    for (const uint64_t number : numbers_) cluster_.verdicts_.end_ending(number);
    if (!numbers_.empty()) cluster_.changed();
  }

 private:
  Cluster& cluster_;
  std::vector<uint64_t> numbers_;
};

io::Task<void> Cluster::forget_at(NodeId node, std::vector<VerdictBook::Entry> entries, Ending ending) {
  for (;;) {
    const Node* member = members_.find(node);
    if (member == nullptr || member->state == NodeState::fenced) {
      for (const auto& entry : entries) verdicts_.confirmed(entry);
      changed();
      co_return;
    }
    if (auto connection = connection_of(node)) {
      std::vector<verdict_key> keys;
      for (const auto& entry : entries) {
        verdict_key key;
        key.fileid = entry.fileid;
        key.other.bytes = entry.other;
        keys.push_back(key);
      }
      REVOKE_STATEIDargs args;
      args.mds_epoch = mds_.volume().boot_instance();
      args.keys.items = keys;
      auto forgot = co_await call<STATUSres>(connection, CTLPROC_REVOKE_STATEID, args, members_.lease());
      if (forgot && forgot->res.status == CTL_OK) {
        for (const auto& entry : entries) verdicts_.confirmed(entry);
        changed();
        co_return;
      }
    }
    co_await mds_.seams().timers.sleep(kForgetRetry);
  }
}

void Cluster::revoke_verdicts_later(std::vector<VerdictBook::Entry> entries) {
  std::map<NodeId, std::vector<VerdictBook::Entry>> by_node;
  for (auto& entry : entries) by_node[entry.node].push_back(entry);
  for (auto& [node, list] : by_node) {
    for (size_t at = 0; at < list.size(); at += 1000) {
      std::vector<VerdictBook::Entry> part(list.begin() + at, list.begin() + std::min(at + 1000, list.size()));
      Ending ending(*this, part, node);
      tasks_.spawn("revoke verdicts", forget_at(node, std::move(part), std::move(ending)));
    }
  }
}

io::Task<nfs::Status> Cluster::revoke_verdicts(std::vector<VerdictBook::Entry> entries) {
  if (entries.empty()) co_return nfs::Status{};
  const Ending ending(*this, entries, VerdictBook::kEveryNode);  // until the caller has ended the stateid: it goes on without a pause in between
  revoke_verdicts_later(entries);
  if (left_out(step::kAwaitVerdicts)) co_return nfs::Status{};
  const TimePoint deadline = mds_.seams().clock.now() + kVerdictPatience;
  auto outstanding = [&] {
    for (const auto& entry : entries) {
      const auto still = verdicts_.of_stateid(entry.fileid, entry.other);
      if (std::find(still.begin(), still.end(), entry) != still.end()) return true;
    }
    return false;
  };
  while (outstanding()) {
    if (mds_.seams().clock.now() >= deadline)
      co_return nfs::fail(nfs::NFS4ERR_DELAY, "13.9.2", "a data server has not confirmed yet that the stateid is gone");
    co_await wait_change(deadline);
  }
  co_return nfs::Status{};
}

io::Task<void> Cluster::settle_verdicts(uint64_t fileid) {
  if (left_out(step::kAwaitVerdicts)) co_return;
  const uint64_t last = verdicts_.last_ending();
  while (grants_.has_unknown() || verdicts_.ending_since(last, fileid)) co_await changed_.wait();
}

}  // namespace pnfs::mds::cluster
