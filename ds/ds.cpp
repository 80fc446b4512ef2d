#include "ds/ds.hpp"

#include "common/volume/volume.hpp"
#include "ds/ops/ops.hpp"

namespace pnfs::ds {

using nfs::fail;
using nfs::Status;

namespace {

using namespace std::chrono_literals;

rpc::Limits limits_for(const Options& options) {
  rpc::Limits limits;
  limits.max_record_bytes = options.max_write_bytes + (64u << 10);
  return limits;
}

}  // namespace

DsContext::DsContext(rpc::Request& request, Ds& server) : compound::Context(request, server), ds(server) {}

Ds::Ds(Options options, const Seams& seams)
    : options_(std::move(options)),
      seams_(seams),
      trace_(seams.trace != nullptr ? seams.trace : &no_trace_),
      faults_(seams.faults != nullptr ? seams.faults : &no_faults_),
      buffers_(rpc::BufferPool::create()),
      data_io_(seams.executor, seams.store),
      link_(options_, seams),
      server_(seams.network, seams.timers, limits_for(options_), seams.observer, seams.faults),
      service_(*this),
      tasks_(seams.executor) {
  build_ops();
  server_.add_service(service_);
}

Ds::~Ds() = default;

void Ds::build_ops() {
  using namespace nfs;
  // 13.6: housekeeping and I/O; everything else is answered NOTSUPP.
  ops_.op<OP_EXCHANGE_ID, compound::op_exchange_id>();
  ops_.op<OP_CREATE_SESSION, compound::op_create_session>();
  ops_.op<OP_BIND_CONN_TO_SESSION, compound::op_bind_conn_to_session>();
  ops_.op<OP_SEQUENCE, compound::op_sequence>();
  ops_.op<OP_DESTROY_SESSION, compound::op_destroy_session>();
  ops_.op<OP_DESTROY_CLIENTID, compound::op_destroy_clientid>();
  ops_.op<OP_BACKCHANNEL_CTL, compound::op_backchannel_ctl>();
  ops_.op<OP_SET_SSV, compound::op_set_ssv>();
  ops_.op<OP_PUTFH, compound::op_putfh>();
  ops_.op<OP_READ, op_read>();
  ops_.op<OP_WRITE, op_write>();
  ops_.op<OP_COMMIT, op_commit>();
  ops_.op<OP_SECINFO_NO_NAME, op_secinfo_no_name>();
  for (const nfs_opnum4 op : ops_.forgotten()) ops_.not_supported({op});
}

// Identity (design): from volume UUID and node name, the same after every restart, another one for each node: a client
// that saw the MDS's so_major_id here would send its I/O to the wrong place.
io::Task<Result<void>> Ds::identify() {
  auto superblock = co_await volume::probe(seams_.store);
  if (!superblock) co_return superblock.error().with_context(seams_.store.name());
  volume_id_ = nfs::volume_id_of(superblock->uuid);
  identity_.major_id = fmt::format("pnfslab/{}/ds/{}", volume::to_string(superblock->uuid), options_.node);
  identity_.pnfs_flags = nfs::EXCHGID4_FLAG_USE_PNFS_DS;
  identity_.impl_domain = "pnfslab";
  identity_.impl_name = "pnfs-ds";
  co_return Result<void>{};
}

io::Task<Result<void>> Ds::start() {
  if (auto identified = co_await identify(); !identified) co_return identified;
  // Bound first: a port in use must not cost a place in the cluster; served last: nothing is answered before that.
  std::vector<std::unique_ptr<io::Listener>> listeners;
  std::vector<io::Endpoint> addresses = options_.advertise;
  for (const auto& at : options_.listen) {
    auto listener = seams_.network.listen(at);
    if (!listener) co_return listener.error();
    if (options_.advertise.empty()) {
      // Where it listens on one address only, that is also the only place to reach it, unless it is a loopback: then
      // the client's own view of the MDS decides.
      io::Endpoint address = (*listener)->local();
      if (address.address().is_loopback()) address.address(boost::asio::ip::address_v4::any());
      addresses.push_back(address);
    }
    listeners.push_back(std::move(*listener));
  }
  MdsLink::Identity who;
  who.major_id = identity_.major_id;
  who.addresses = addresses;
  if (auto joined = co_await link_.join(std::move(who)); !joined) co_return joined;
  identity_.scope = link_.server_scope();

  session::Config config;
  config.node = link_.node_id();
  // Differs from earlier starts (client ids of an earlier life must not be taken for this one's).
  config.boot_instance = static_cast<uint32_t>(seams_.clock.wall().seconds * 16 + seams_.random.below(16));
  config.lease = link_.client_lease();
  sessions_ = std::make_unique<session::SessionTable>(config, *this);
  tasks_.spawn("link to the MDS", link_.keep_lease());
  tasks_.spawn("client leases", sweep_clients());
  for (auto& listener : listeners) server_.serve(std::move(listener));
  co_return Result<void>{};
}

io::Task<void> Ds::stop(How how) {
  co_await server_.stop();
  tasks_.stop();
  co_await tasks_.join();
  co_await link_.stop(how == How::clean);
}

io::Task<void> Ds::sweep_clients() {
  for (;;) {
    co_await seams_.timers.sleep(std::max<Duration>(sessions_->config().lease / 4, 100ms));
    // A data server keeps no opens or locks: an expired client loses its sessions and makes new ones.
    for (const session::ClientId client : sessions_->sweep(seams_.clock.now()))
      sessions_->remove_client(client, session::Removed::expired);
  }
}

Status Ds::check_filehandle(compound::Context&, std::span<const std::byte> fh) {
  const auto handle = nfs::FileHandle::from_wire(fh);
  if (!handle) return fail(nfs::NFS4ERR_BADHANDLE, "15.1.2.1", "not a filehandle of this volume's servers");
  if (handle->volume_id != volume_id_) return fail(nfs::NFS4ERR_STALE, "15.1.2.7", "a filehandle of another volume");
  if (handle->kind == nfs::HandleKind::mds && !link_.takes_mds_handles())
    return fail(nfs::NFS4ERR_BADHANDLE, "13.6", "the MDS's filehandle: a data server takes those of a layout");
  return {};
}

Status Ds::put_root(compound::Context&) {
  return fail(nfs::NFS4ERR_NOTSUPP, "13.6", "a data server has no root");
}

io::Task<Status> Ds::before_reply(compound::Context&) {
  co_return Status{};
}

void Ds::client_removed(session::ClientId client, session::Removed) {
  link_.verdicts().drop_client(client);
}

}  // namespace pnfs::ds
