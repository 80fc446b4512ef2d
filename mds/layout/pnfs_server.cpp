#include "mds/layout/pnfs_server.hpp"

#include "common/volume/volume.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds {

std::unique_ptr<Pnfs> make_pnfs(Mds& mds) {
  layout::Personality personality = *layout::make_personality(to_string(mds.options().profile));
  if (mds.options().personality) personality = *mds.options().personality;
  return std::make_unique<layout::PnfsServer>(mds, std::move(personality));
}

}  // namespace pnfs::mds

namespace pnfs::mds::layout {

using nfs::fail;

PnfsServer& pnfs_of(Mds& mds) {
  return static_cast<PnfsServer&>(mds.pnfs());
}

PnfsServer::PnfsServer(Mds& mds, Personality personality)
    : mds_(mds),
      personality_(std::move(personality)),
      dlm_({.keeps_old_tail = personality_.keeps_old_dlm_tail, .prefix_match = personality_.dlm_prefix_match}),
      table_([this] { return mds_.state().new_key(state::StateKind::layout).with_seqid(0).other.bytes; }),
      tasks_(mds.seams().executor) {
  cluster::Cluster::Hooks hooks;
  hooks.judge = [this](const cluster::StateidQuestion& question) { return judge(question); };
  hooks.membership_changed = [this] { membership_changed(); };
  hooks.server_scope = [this] { return mds_.server_scope(); };
  cluster_ = std::make_unique<cluster::Cluster>(mds_, std::move(hooks));
}

PnfsServer::~PnfsServer() = default;

io::Task<Result<void>> PnfsServer::start() {
  if (!mds_.options().dlm_device.empty())
    if (auto taken = dlm_.write(mds_.options().dlm_device); !taken) co_return taken;
  devices_ = std::make_unique<DeviceTable>(mds_.volume_id());
  auto handle = [this](Arena& arena, FileId file, uint64_t generation, bool dense,
                       uint32_t stripe_index) -> std::span<const std::byte> {
    // local-export: the MDS is the data server, and one filehandle serves both roles.
    nfs::FileHandle h = mds_.handle_of(file, generation);
    if (!personality_.mds_is_the_ds) h = h.as(nfs::HandleKind::ds);
    if (dense) h.stripe_index = stripe_index;
    return arena.copy(std::span<const std::byte>(h.to_wire()));
  };
  files_ = std::make_unique<FilesDriver>(personality_, *devices_, [this] { return servers(); }, handle);
  if (auto started = co_await cluster_->start(); !started) co_return started;
  tasks_.spawn("layout recalls", watch_recalls());
  co_return Result<void>{};
}

io::Task<void> PnfsServer::stop() {
  tasks_.stop();
  co_await tasks_.join();
  co_await cluster_->stop();
}

rpc::Service* PnfsServer::control_service() {
  return cluster_.get();
}

std::span<const nfs::layouttype4> PnfsServer::layout_types() const {
  static constexpr nfs::layouttype4 kTypes[] = {nfs::LAYOUT4_NFSV4_1_FILES};
  return kTypes;
}

LayoutDriver* PnfsServer::driver(nfs::layouttype4 type) {
  return files_ != nullptr && type == files_->type() ? files_.get() : nullptr;
}

// Which data servers new layouts name, by node id, so that stripe indices do not depend on who came first.
std::vector<DataServer> PnfsServer::servers() const {
  std::vector<DataServer> out;
  if (personality_.mds_is_the_ds) {
    const auto listening = mds_.options().listen;
    out.push_back({0, "mds", {{"", listening.empty() ? uint16_t{2049} : listening.front().port()}}});
    return out;
  }
  const auto usable = cluster_->members().usable();
  const auto line = dlm_.servers_of(mds_.volume().superblock().name.empty() ? "sdb" : "sdb");
  for (const cluster::Node* node : usable) {
    if (node->draining) continue;
    DataServer server{node->id, node->name, node->addresses};
    out.push_back(std::move(server));
  }
  if (line.empty()) return out;
  // The line names addresses; the i-th address stands for the i-th data server, at the port it serves.
  std::vector<DataServer> listed;
  for (size_t i = 0; i < line.size() && i < out.size(); ++i) {
    DataServer server = out[i];
    const uint16_t port = server.addresses.empty() ? uint16_t{2049} : server.addresses.front().port;
    server.addresses = {{line[i], port}};
    listed.push_back(std::move(server));
  }
  return listed;
}

io::Task<Status> PnfsServer::hold(FileId file, uint64_t offset, uint64_t length, bool write,
                                  std::unique_ptr<DataGuard::Hold>& out) {
  // To the end for writing: the size is about to change. Then no node may keep an idea of the old one.
  if (write && length == UINT64_MAX) offset = 0;
  return cluster_->hold(file, control::range_of(offset, length), write ? GrantMode::ex : GrantMode::pr, out);
}

io::Task<Status> PnfsServer::revoke_stateid(clientid4, FileId file, stateid4 stateid) {
  return cluster_->revoke_verdicts(cluster_->verdicts().of_stateid(file, stateid.other.bytes));
}

// A files layout says where data is served, not where it lies: truncate and remove leave it true. What data servers
// hold of the file goes through DataGuard::hold. But a removed file's layouts are of no more use.
io::Task<Status> PnfsServer::recall_layouts(FileId file, clientid4) {
  return cluster_->revoke_verdicts(cluster_->verdicts().of_file(file));
}

void PnfsServer::drop_client(clientid4 client) {
  table_.drop_client(client);
  cluster_->revoke_verdicts_later(cluster_->verdicts().of_client_everywhere(client));
}

void PnfsServer::client_closed(clientid4 client, FileId file) {
  if (personality_.return_on_close) table_.drop(client, file);
}

void PnfsServer::returned(clientid4 client, FileId file) {
  if (!table_.holds(client, file)) cluster_->revoke_verdicts_later(cluster_->verdicts().of_client(file, client));
}

// RFC 8881 13.9.1: the same validation as if the I/O came to the MDS, and a layout that covers it.
cluster::StateidVerdict PnfsServer::judge(const cluster::StateidQuestion& question) {
  cluster::StateidVerdict verdict;
  auto refuse = [&](Status why) {
    verdict.status = std::move(why);
    return verdict;
  };
  const auto handle = nfs::FileHandle::from_wire(question.filehandle);
  if (!handle) return refuse(fail(nfs::NFS4ERR_BADHANDLE, "15.1.2.1", "not a filehandle of this volume"));
  auto inode = mds_.catalog().get(handle->fileid);
  if (handle->volume_id != mds_.volume_id() || !inode ||
      static_cast<uint32_t>(inode->generation) != handle->generation)
    return refuse(fail(nfs::NFS4ERR_STALE, "15.1.2.7", "the file is gone"));
  verdict.fileid = handle->fileid;
  verdict.generation = inode->generation;
  verdict.file_size = inode->size;

  clientid4 client = 0;
  std::string theirs;
  mds_.sessions().each_client([&](const session::Client& c) {
    if (!c.confirmed || c.owner != question.co_ownerid) return;
    client = c.id;
    theirs = session::to_string(c.principal);
  });
  if (client == 0)
    return refuse(fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "the MDS knows no client of this owner"));
  if (theirs != question.principal)
    return refuse(fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "the client is {} at the MDS and {} at the data server", theirs,
                       question.principal));
  verdict.client = client;

  if (!personality_.checks_stateids_at_ds) {
    verdict.access = personality_.grants_rw ? 3 : 1;
  } else {
    const auto key = state::StateKey::from(question.stateid);
    if (key && key->kind == state::StateKind::layout)
      return refuse(fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "a layout stateid is not for I/O"));
    auto asked = mds_.state().check_io(client, handle->fileid, question.stateid, question.access);
    if (!asked) return refuse(std::move(asked));
    for (const uint32_t bit : {state::kShareRead, state::kShareWrite})
      if (mds_.state().check_io(client, handle->fileid, question.stateid, bit)) verdict.access |= bit;
    // A layout for READ does not let write, one for RW lets both.
    if (!table_.holds(client, handle->fileid, true)) verdict.access &= ~state::kShareWrite;
    if (!table_.holds(client, handle->fileid, false)) verdict.access = 0;
  }
  if ((verdict.access & question.access) != question.access)
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "the client holds no layout of the file that allows {}",
                       (question.access & state::kShareWrite) != 0 ? "writing" : "reading"));

  const auto striping = table_.striping_of(client, handle->fileid);
  if (striping == nullptr)
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "the client holds no layout of the file"));
  control::ByteRange window{control::kToEnd, 0};
  for (const Segment& segment : table_.segments(client, handle->fileid)) {
    window.offset = std::min(window.offset, segment.range.offset);
    window.end = std::max(window.end, segment.range.end);
  }
  const bool dense = striping->dense;
  const uint32_t index = handle->stripe_index;
  if (dense && index >= striping->count())
    return refuse(fail(nfs::NFS4ERR_STALE, "13.11", "a filehandle of another layout: the present one is dense"));
  verdict.set = striping->set_of(question.node, window, dense ? &index : nullptr);
  if (verdict.set.indices.empty())
    return refuse(fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "the client's layout does not name this data server"));
  verdict.dense = dense;
  verdict.dense_index = dense ? index : 0;
  verdict.commit_thru_mds = striping->commit_thru_mds;
  return verdict;
}

}  // namespace pnfs::mds::layout
