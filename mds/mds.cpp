// The life of a metadata server: what start() builds and stop() takes down, in which order.
#include "mds/mds.hpp"

#include "common/compound/backchannel.hpp"
#include "common/compound/nfs_service.hpp"
#include "common/control/verifier.hpp"
#include "common/rpc/server.hpp"
#include "common/volume/data_io.hpp"
#include "common/volume/volume.hpp"
#include "mds/context.hpp"
#include "mds/data/file_io.hpp"
#include "mds/data/reaper.hpp"
#include "mds/namespace/attributes.hpp"
#include "mds/ops/op_table.hpp"

namespace pnfs::mds {

struct Mds::Silent {
  trace::NullSink trace;
  fault::NoFaults faults;
};

Mds::Mds(Options options, const Seams& seams)
    : options_(std::move(options)),
      seams_(seams),
      silent_(std::make_unique<Silent>()),
      tasks_(seams.executor),
      facts_(std::make_unique<FilesystemFacts>()) {
  rpc::Limits limits;
  const size_t data = std::max(options_.max_read_bytes, options_.max_write_bytes);
  limits.max_record_bytes = data + (64u << 10);
  limits.max_connections = options_.limits.connections;
  server_ = std::make_unique<rpc::Server>(seams_.network, seams_.timers, limits, seams_.observer, seams_.faults);
}

Mds::~Mds() = default;

volume::Catalog& Mds::catalog() {
  return volume_->catalog();
}
trace::Sink& Mds::trace() {
  return seams_.trace != nullptr ? *seams_.trace : silent_->trace;
}
fault::Injector& Mds::faults() {
  return seams_.faults != nullptr ? *seams_.faults : silent_->faults;
}

void Mds::make_identity() {
  const auto& uuid = volume_->superblock().uuid;
  std::string hex;
  for (std::byte b : uuid) hex += fmt::format("{:02x}", static_cast<unsigned>(b));
  volume_id_ = nfs::volume_id_of(uuid);
  // Two servers never share these: a Linux client that sees one so_major_id and client id at two addresses takes both
  // for one server and sends I/O to the wrong one (RFC 8881 2.10.5).
  identity_.major_id = fmt::format("pnfslab/{}/{}", hex, options_.node);
  identity_.scope = fmt::format("pnfslab/{}/{}", hex, options_.node);
  identity_.impl_domain = "pnfslab";
  identity_.impl_name = "pnfs-mds";
}

io::Task<Result<void>> Mds::start() {
  volume::MountOptions mount;
  mount.node = options_.node;
  mount.host = options_.host;
  mount.pid = options_.pid;
  mount.force = options_.force_mount;
  mount.lease = options_.volume_lease;
  mount.is_dead = options_.owner_is_dead;
  auto opened = co_await volume::Volume::open(seams_.store, mount, seams_.timers, seams_.random);
  if (!opened) co_return opened.error();
  volume_ = std::move(*opened);
  volume_->on_failure([this](const Error& error) {
    spdlog::error("the volume failed: {}", error.reason);
    if (failed_) failed_(error);
  });
  make_identity();
  epoch_base_ = seams_.store.epoch();
  data_io_ = std::make_unique<volume::DataIo>(seams_.executor, seams_.store);

  session::Config config;
  config.node = 0;
  config.boot_instance = static_cast<uint32_t>(volume_->boot_instance());
  config.lease = options_.lease;
  config.limits.max_clients = options_.limits.clients;
  config.limits.max_sessions = options_.limits.sessions;
  config.limits.max_sessions_per_client = options_.limits.sessions_per_client;
  config.limits.max_slots = options_.limits.slots;
  config.limits.max_reply_cache_bytes = uint64_t{options_.limits.reply_cache_mib} << 20;
  config.limits.max_client_bytes = uint64_t{options_.limits.kib_per_client} << 10;
  config.limits.max_request_bytes = options_.max_write_bytes + 4096;
  config.limits.max_response_bytes = options_.max_read_bytes + 4096;
  sessions_ = std::make_unique<session::SessionTable>(config, *this);
  state::Limits limits;
  limits.stateids_per_client = options_.limits.stateids_per_client;
  limits.lock_ranges_per_file = options_.limits.locks_per_owner;
  limits.bytes_per_client = uint64_t{options_.limits.kib_per_client} << 10;
  state_ = std::make_unique<state::StateTable>(static_cast<uint32_t>(volume_->boot_instance()), limits);
  names_ = std::make_unique<Namespace>(volume_->catalog(), volume_->extents(), seams_.clock,
                                       [this](FileId file) { maybe_reap(file); });
  pnfs_ = make_pnfs(*this);
  state_->set_layouts(pnfs_.get());
  names_->set_hint_for_new([this](const volume::Inode& dir) { return pnfs_->hint_for_new_file(dir); });
  file_io_ = std::make_unique<FileIo>(seams_.executor, *data_io_, *names_, *pnfs_, *volume_);
  reaper_ = std::make_unique<Reaper>(seams_.timers, *names_, *file_io_,
                                     [this](FileId file) { return state_->is_open(file); });
  backchannel_ = std::make_unique<compound::Backchannel>(
      *this, [this](session::ConnectionId id) { return server_->connection(id); });

  auto restored = restore_clients();
  if (!restored) co_return restored.error();
  auto pnfs_started = co_await pnfs_->start();
  if (!pnfs_started) co_return pnfs_started.error();

  const auto layouts = pnfs_->layout_types();
  identity_.pnfs_flags = pnfs_->exchange_flags();
  facts_->fsid = {volume_id_, 0};
  facts_->lease_seconds = static_cast<uint32_t>(std::chrono::ceil<std::chrono::seconds>(options_.lease).count());
  facts_->max_read_bytes = options_.max_read_bytes;
  facts_->max_write_bytes = options_.max_write_bytes;
  facts_->layout_types = layouts;
  facts_->open_arguments = options_.open_arguments;
  facts_->layout_block_bytes = pnfs_->layout_block_bytes();
  facts_->thresholds = pnfs_->thresholds();

  service_ = std::make_unique<compound::NfsService<MdsContext, Mds>>(*this);
  server_->add_service(*service_);
  if (rpc::Service* control = pnfs_->control_service()) server_->add_service(*control);
  for (const io::Endpoint& at : options_.listen) {
    auto listening = server_->listen(at);
    if (!listening) co_return listening.error();
  }
  tasks_.spawn("mds tick", tick());
  tasks_.spawn("mds reaper", reaper_->run());
  if (!grace_.active(seams_.timers.now())) reaper_->enable();
  co_return Result<void>{};
}

io::Task<Result<void>> Mds::stop(How how) {
  // Nobody asks any more, then nobody works any more, then the volume may go.
  co_await server_->stop();
  if (pnfs_) co_await pnfs_->stop();
  tasks_.stop();
  co_await tasks_.join();
  if (!volume_) co_return Result<void>{};
  Result<void> closed;
  if (how == How::clean) {
    closed = co_await volume_->close();
  } else {
    co_await volume_->abandon();
  }
  co_return closed;
}

// The periodic work: leases, the end of grace, delegations that were not returned, lost device sessions.
io::Task<void> Mds::tick() {
  const Duration period =
      std::clamp<Duration>(options_.lease / 8, std::chrono::milliseconds(100), std::chrono::seconds(2));
  for (;;) {
    co_await seams_.timers.sleep(period);
    sweep_leases();
    end_grace_if_over();
    revoke_overdue();
    balance_slots();
    const uint64_t epoch = seams_.store.epoch();
    if (epoch != epoch_base_) {
      // Writes may be lost: raised durably before anybody can see a verifier without it again after a restart.
      auto raised = co_await volume_->raise_write_epoch();
      if (raised) epoch_base_ = epoch;
    }
  }
}

nfs::verifier4 Mds::write_verifier() const {
  nfs::verifier4 verifier;
  const uint64_t store_epoch = seams_.store.epoch();
  if (store_epoch == epoch_base_) {
    // What data servers answer with where COMMIT goes through the MDS.
    verifier.bytes = control::volume_verifier(volume_->write_epoch(), volume_->boot_instance());
  } else {
    // A device session that was lost since the last raise counts at once, and never looks like any other state: a sum
    // of the two epochs would come back later.
    verifier.bytes = control::server_verifier(volume_->write_epoch(), store_epoch, volume_->boot_instance());
  }
  return verifier;
}

}  // namespace pnfs::mds
