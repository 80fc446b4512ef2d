#include "mds/control/cluster.hpp"

#include "common/rpc/request.hpp"
#include "common/rpc/server.hpp"
#include "common/volume/volume.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::cluster {

namespace {

using namespace std::chrono_literals;

// Less than half the shortest client lease (design, Fencing that holds), and short enough that a dead node does not
// keep everybody waiting.
Duration node_lease_for(Duration client_lease) {
  return std::min<Duration>(client_lease / 3, 10s);
}

}  // namespace

Cluster::Cluster(Mds& mds, Hooks hooks)
    : ControlService({mds.options().node, &mds.seams().timers, mds.seams().trace, mds.seams().faults}),
      mds_(mds),
      hooks_(std::move(hooks)),
      members_(node_lease_for(mds.options().lease)),
      changed_(mds.seams().executor),
      tasks_(mds.seams().executor) {}

Cluster::~Cluster() = default;

io::Task<Result<void>> Cluster::start() {
  auto owner = co_await volume::read_owner(mds_.seams().store, mds_.volume().superblock());
  if (!owner) co_return owner.error().with_context("reading the volume's owner record");
  owner_instance_ = owner->instance;
  const auto& geometry = mds_.seams().store.geometry();
  if (!geometry.persistent_reservations) {
    spdlog::warn("{}: no persistent reservations: a data server that is lost cannot be fenced, its files wait for its lease "
                 "({} ms and a margin)",
                 mds_.seams().store.name(), members_.lease() / 1ms);
  } else if (!geometry.preempt_and_abort) {
    spdlog::info("{}: no PREEMPT AND ABORT: data servers are fenced with PREEMPT and LOGICAL UNIT RESET",
                 mds_.seams().store.name());
  }
  auto nodes = mds_.catalog().nodes();
  if (!nodes) co_return nodes.error().with_context("reading the recorded nodes");
  for (const auto& node : *nodes) {
    if (node.fenced || node.instance == 0) continue;
    grants_.set_unknown(node.slot);
    unknown_instances_[node.slot] = node.instance;
    tasks_.spawn("end of an unknown node", end_unknown(node.slot, node.key));
  }
  tasks_.spawn("node leases", watch_leases());
  co_return Result<void>{};
}

io::Task<void> Cluster::stop() {
  tasks_.stop();
  changed_.notify_all();
  co_await tasks_.join();
  connections_.clear();
}

io::Task<bool> Cluster::run(rpc::Request& request, control_proc proc, const void* args, void* res) {
  switch (proc) {
    case CTLPROC_REGISTER:
      *static_cast<REGISTERres*>(res) = co_await do_register(request, *static_cast<const REGISTERargs*>(args));
      co_return true;
    case CTLPROC_RENEW:
      *static_cast<RENEWres*>(res) = co_await do_renew(request, *static_cast<const RENEWargs*>(args));
      co_return true;
    case CTLPROC_GRANT:
      *static_cast<GRANTres*>(res) = co_await do_grant(request, *static_cast<const GRANTargs*>(args));
      co_return true;
    case CTLPROC_GRANT_RETURN:
      *static_cast<STATUSres*>(res) = co_await do_grant_return(request, *static_cast<const GRANT_RETURNargs*>(args));
      co_return true;
    case CTLPROC_STATEID_CHECK:
      *static_cast<STATEID_CHECKres*>(res) = co_await do_stateid_check(request, *static_cast<const STATEID_CHECKargs*>(args));
      co_return true;
    case CTLPROC_FILE_CHANGED:
      *static_cast<STATUSres*>(res) = co_await do_file_changed(request, *static_cast<const FILE_CHANGEDargs*>(args));
      co_return true;
    case CTLPROC_LEAVE:
      *static_cast<STATUSres*>(res) = co_await do_leave(request, *static_cast<const LEAVEargs*>(args));
      co_return true;
    case CTLPROC_NODES:
      *static_cast<NODESres*>(res) = list_nodes(request.arena());
      co_return true;
    case CTLPROC_LOCKS:
      *static_cast<LOCKSres*>(res) = list_locks(request.arena(), *static_cast<const LOCKSargs*>(args));
      co_return true;
    default:
      co_return false;
  }
}

std::string Cluster::caller_name(const rpc::Request& request) const {
  for (const auto& [id, node] : members_.all())
    if (node.connection == request.connection()->id()) return node.name;
  return {};
}

control_status Cluster::check_caller(const rpc::Request& request, NodeId id, uint64_t epoch, std::string& why) const {
  const Node* node = members_.find(id);
  if (node == nullptr || node->connection != request.connection()->id()) {
    why = fmt::format("node {} is not registered over this connection", id);
    return CTL_NOT_MEMBER;
  }
  if (epoch != mds_.volume().boot_instance()) {
    why = fmt::format("epoch {} is over, this is {}", epoch, mds_.volume().boot_instance());
    return CTL_STALE_EPOCH;
  }
  if (node->state != NodeState::member) {
    why = fmt::format("node {} is {}, register again", id, to_string(node->state));
    return CTL_NOT_MEMBER;
  }
  return CTL_OK;
}

std::shared_ptr<rpc::Connection> Cluster::connection_of(NodeId id) {
  const auto it = connections_.find(id);
  if (it == connections_.end() || it->second->closed()) return nullptr;
  return it->second;
}

void Cluster::changed() {
  changed_.notify_all();
}

io::Task<void> Cluster::wait_change(TimePoint deadline) {
  struct Alarm {
    io::TimerQueue& timers;
    io::TimerQueue::Id id;
    ~Alarm() { timers.cancel(id); }
  };
  auto& timers = mds_.seams().timers;
  const Alarm alarm{timers, timers.schedule(deadline, [this] { changed_.notify_all(); })};
  co_await changed_.wait();
}

Result<uint64_t> Cluster::raise_size(uint64_t fileid, uint64_t size, bool touch) {
  auto& catalog = mds_.catalog();
  auto savepoint = catalog.begin();
  if (!savepoint) return savepoint.error();
  auto inode = catalog.get(fileid);
  if (!inode) return inode.error();
  if (!touch && inode->size >= size) return 0;
  inode->size = std::max(inode->size, size);
  inode->mtime = inode->ctime = mds_.seams().clock.wall();
  ++inode->change;
  if (auto put = catalog.put(*inode); !put) return put.error();
  return savepoint->release();
}

}  // namespace pnfs::mds::cluster
