// Grants: giving them out with their extents, and taking them back.
#include "common/rpc/request.hpp"
#include "common/volume/volume.hpp"
#include "mds/control/cluster.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

using namespace std::chrono_literals;

constexpr Duration kGrantPatience = 2s;   // then the data server's client is told to come back
constexpr Duration kRevokeRetry = 200ms;  // after a call that failed although the node is still a member
constexpr uint64_t kWindow = 128ull << 20;
constexpr size_t kMostExtents = 8192;     // in one reply

GRANTres refuse_grant(rpc::Request& request, control_status status, std::string_view why) {
  GRANTres res;
  res.status = status;
  res.reason.text = request.arena().copy(why);
  return res;
}

}  // namespace

// The MDS's own grant, for one I/O.
class Cluster::Hold final : public DataGuard::Hold {
 public:
  Hold(Cluster& cluster, uint64_t id) : cluster_(cluster), id_(id) {}
  ~Hold() override {
    cluster_.grants_.gone(kMdsNode, id_);
    cluster_.changed();
  }

 private:
  Cluster& cluster_;
  uint64_t id_;
};

io::Task<nfs::Status> Cluster::hold(uint64_t fileid, ByteRange range, GrantMode mode,
                                    std::unique_ptr<DataGuard::Hold>& out) {
  const StripeSet set = StripeSet::whole(align_out(range));
  const TimePoint deadline = mds_.seams().clock.now() + kGrantPatience;
  for (;;) {
    auto answer = grants_.request(kMdsNode, fileid, mode, set);
    if (answer) {
      out = std::make_unique<Hold>(*this, answer.granted->id);
      co_return nfs::Status{};
    }
    send_revokes(answer.revoke);
    if (mds_.seams().clock.now() >= deadline)
      co_return nfs::fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "{}",
                          answer.blocked_by_unknown
                              ? "a data server of an earlier start of this MDS has not come back yet"
                              : "a data server has not given up its grant yet");
    co_await wait_change(deadline);
  }
}

// As wide as can be had without taking anything from anybody: fewer calls later.
StripeSet Cluster::widen(NodeId node, uint64_t fileid, GrantMode mode, const StripeSet& asked, ByteRange need) const {
  StripeSet set = asked;
  set.window = {};
  if (!grants_.conflicts(node, fileid, mode, set)) return set;
  need = align_out(need);
  const uint64_t window_end = need.end > UINT64_MAX - kWindow ? kToEnd : (need.end + kWindow - 1) / kWindow * kWindow;
  set.window = {need.offset / kWindow * kWindow, window_end};
  if (!grants_.conflicts(node, fileid, mode, set)) return set;
  set.window = need;
  return set;
}

io::Task<GRANTres> Cluster::do_grant(rpc::Request& request, const GRANTargs& args) {
  std::string why;
  if (const auto status = check_caller(request, args.node_id, args.mds_epoch, why); status != CTL_OK)
    co_return refuse_grant(request, status, why);
  const NodeId node = args.node_id;
  const uint64_t fileid = args.fileid;
  const GrantMode mode = args.mode == GRANT_EX ? GrantMode::ex : GrantMode::pr;
  const StripeSet asked = from_wire(args.set);
  const ByteRange need = from_wire(args.need);
  if (!asked.valid() || need.empty() || (args.mode != GRANT_EX && args.mode != GRANT_PR))
    co_return refuse_grant(request, CTL_INVALID, "the stripe set or the range makes no sense");
  auto inode = mds_.catalog().get(fileid);
  if (!inode || inode->type != volume::FileType::regular || inode->generation != args.file_generation)
    co_return refuse_grant(request, CTL_NOT_FOUND, "no such file");
  if (args.written_end > inode->size) (void)raise_size(fileid, args.written_end, false);

  const TimePoint deadline = mds_.seams().clock.now() + kGrantPatience;
  uint64_t grant_id = 0;
  for (;;) {
    const Grant* granted = args.grant_id == 0 ? nullptr : grants_.extendable(node, fileid, args.grant_id);
    if (granted != nullptr && (mode == GrantMode::pr || granted->mode == GrantMode::ex)) {
      grant_id = granted->id;
      break;
    }
    auto answer = grants_.request(node, fileid, mode, widen(node, fileid, mode, asked, need));
    if (answer) {
      grant_id = answer.granted->id;
      break;
    }
    send_revokes(answer.revoke);
    if (mds_.seams().clock.now() >= deadline) co_return refuse_grant(request, CTL_DELAY, "another node has not let go yet");
    co_await wait_change(deadline);
    if (const auto status = check_caller(request, node, args.mds_epoch, why); status != CTL_OK)
      co_return refuse_grant(request, status, why);
  }

  const uint64_t size_before = inode->size;
  if (mode == GrantMode::ex) {
    const auto status = co_await allocate_ahead(fileid, need, why);
    if (status != CTL_OK) co_return refuse_grant(request, status, why);
  } else if (const uint64_t ticket = mds_.catalog().ticket(); !mds_.catalog().is_durable(ticket)) {
    // What the node will answer from this grant must not be undone by a crash: a truncation, for one.
    auto durable = co_await mds_.volume().durable(ticket);
    if (!durable) co_return refuse_grant(request, CTL_IO, durable.error().reason);
  }

  // Nothing seen before the wait counts any more.
  const Grant* granted = grants_.find(grant_id);
  if (granted == nullptr || granted->revoking) co_return refuse_grant(request, CTL_DELAY, "the grant was revoked meanwhile");
  inode = mds_.catalog().get(fileid);
  if (!inode) co_return refuse_grant(request, CTL_NOT_FOUND, "the file was removed");
  ByteRange mapped = granted->set.window;
  auto extents = mds_.volume().extents().get(fileid, mapped.offset, mapped.end == kToEnd ? UINT64_MAX : mapped.length());
  if (!extents) co_return refuse_grant(request, CTL_IO, extents.error().reason);
  if (extents->size() > kMostExtents) {
    mapped.offset = std::max(mapped.offset, align_out(need).offset);
    std::erase_if(*extents, [&](const volume::Extent& e) { return e.file_end() <= mapped.offset; });
    if (extents->size() > kMostExtents) {
      extents->resize(kMostExtents);
      mapped.end = extents->back().file_end();
    }
  }

  GRANTres res;
  res.ok.grant_id = grant_id;
  res.ok.generation = granted->generation;
  res.ok.mds_epoch = mds_.volume().boot_instance();
  res.ok.mode = granted->mode == GrantMode::ex ? GRANT_EX : GRANT_PR;
  res.ok.set = to_wire(granted->set, request.arena());
  res.ok.mapped = to_wire(mapped);
  res.ok.file_size = std::min(size_before, inode->size);  // durable with the allocation
  res.ok.extents.items = request.arena().make_array<ctl_extent>(extents->size());
  for (size_t i = 0; i < extents->size(); ++i)
    res.ok.extents[i] = {(*extents)[i].file_offset, (*extents)[i].volume_offset, (*extents)[i].length};
  co_return res;
}

void Cluster::took_back(NodeId node, uint64_t grant_id, uint64_t written_end) {
  const Grant* grant = grants_.find(grant_id);
  if (grant == nullptr || grant->node != node) return;
  if (written_end != 0 && grant->mode == GrantMode::ex) {
    auto raised = raise_size(grant->fileid, written_end, false);
    if (!raised && raised.error().code != Errc::not_found)
      spdlog::warn("file {}: its size could not be raised to {}: {}", grant->fileid, written_end,
                   raised.error().reason);
  }
  grants_.gone(node, grant_id);
}

io::Task<STATUSres> Cluster::do_grant_return(rpc::Request& request, const GRANT_RETURNargs& args) {
  STATUSres res;
  std::string why;
  res.status = check_caller(request, args.node_id, args.mds_epoch, why);
  if (res.status != CTL_OK) {
    res.reason.text = request.arena().copy(std::string_view(why));
    co_return res;
  }
  for (const auto& grant : args.grants) took_back(args.node_id, grant.grant_id, grant.written_end);
  changed();
  co_return res;
}

// Who holds no grant there any more has said how far it wrote when it gave it up, and the file may have been cut since.
io::Task<STATUSres> Cluster::do_file_changed(rpc::Request& request, const FILE_CHANGEDargs& args) {
  STATUSres res;
  std::string why;
  const auto refuse = [&](control_status status, std::string_view reason) {
    res.status = status;
    res.reason.text = request.arena().copy(reason);
    return res;
  };
  const TimePoint deadline = mds_.seams().clock.now() + kGrantPatience;
  // The grant that is held now: one that is given while this waits says nothing of what was written before.
  const uint64_t end = args.size_at_least;
  const uint64_t grant = end == 0 ? 0 : grants_.exclusive_at(args.node_id, args.fileid, end - 1);
  for (;;) {
    if (const auto status = check_caller(request, args.node_id, args.mds_epoch, why); status != CTL_OK)
      co_return refuse(status, why);
    if (!grants_.is_revoking(args.node_id, args.fileid)) break;
    if (mds_.seams().clock.now() >= deadline) co_return refuse(CTL_DELAY, "a grant of the file is being taken back");
    co_await wait_change(deadline);
  }
  auto inode = mds_.catalog().get(args.fileid);
  if (!inode || inode->generation != args.file_generation) co_return refuse(CTL_NOT_FOUND, "no such file");
  const bool counts = grants_.find(grant) != nullptr;
  if (counts || args.touch) {
    auto raised = raise_size(args.fileid, counts ? end : 0, args.touch);
    if (!raised) co_return refuse(raised.error().code == Errc::busy ? CTL_DELAY : CTL_IO, raised.error().reason);
  }
  auto durable = co_await mds_.volume().durable(mds_.catalog().ticket());
  if (!durable) co_return refuse(CTL_IO, durable.error().reason);
  co_return res;
}

void Cluster::send_revokes(const std::vector<Revocation>& revocations) {
  std::map<NodeId, std::vector<uint64_t>> by_node;
  for (const auto& revocation : revocations) by_node[revocation.node].push_back(revocation.grant_id);
  counters_.revokes += revocations.size();
  for (auto& [node, ids] : by_node) tasks_.spawn("revoke grants", revoke_at(node, std::move(ids)));
}

io::Task<void> Cluster::revoke_at(NodeId node, std::vector<uint64_t> ids) {
  for (;;) {
    std::erase_if(ids, [&](uint64_t id) { return grants_.find(id) == nullptr; });
    const Node* member = members_.find(node);
    if (ids.empty() || member == nullptr || member->state == NodeState::fenced) co_return;
    if (auto connection = connection_of(node)) {
      REVOKEargs args;
      args.mds_epoch = mds_.volume().boot_instance();
      args.grant_ids.items = ids;
      auto revoked = co_await call<REVOKEres>(connection, CTLPROC_REVOKE, args, members_.lease());
      if (revoked && revoked->res.status == CTL_OK) {
        for (const auto& gone : revoked->res.ok.grants) took_back(node, gone.grant_id, gone.written_end);
        changed();
        continue;
      }
    }
    co_await mds_.seams().timers.sleep(kRevokeRetry);
  }
}

}  // namespace pnfs::mds::cluster
