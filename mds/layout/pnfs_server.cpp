#include "mds/layout/pnfs_server.hpp"

#include "common/volume/volume.hpp"
#include "mds/mds.hpp"
#include "mds/namespace/names.hpp"

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
      dlm_({.keeps_old_tail = personality_.dlm_keeps_old_tail, .prefix_match = personality_.dlm_prefix_match}),
      table_([this] { return mds_.state().new_key(state::StateKind::layout).with_seqid(0).other.bytes; }),
      tasks_(mds.seams().executor) {
  cluster::Cluster::Hooks hooks;
  hooks.judge = [this](const cluster::StateidQuestion& question) { return judge(question); };
  hooks.membership_changed = [this] { devices_changed(); };
  hooks.server_scope = [this] { return mds_.server_scope(); };
  hooks.takes_mds_handles = [this] {
    StripingRules rules = personality_.striping;
    bool any = rules.handles == HandleRule::none;
    for (const DirectoryRules& dir : personality_.directories)
      if (apply_words(rules = personality_.striping, dir.words)) any = any || rules.handles == HandleRule::none;
    return any;
  };
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

uint32_t PnfsServer::exchange_flags() const {
  // local-export: the MDS has both roles (13.1), so that a client takes it for its own data server.
  return nfs::EXCHGID4_FLAG_USE_PNFS_MDS | (personality_.mds_is_the_ds ? nfs::EXCHGID4_FLAG_USE_PNFS_DS : 0);
}

io::Task<Status> PnfsServer::hold(FileId file, uint64_t offset, uint64_t length, bool write,
                                  std::unique_ptr<DataGuard::Hold>& out) {
  // To the end for writing: the size is about to change. Then no node may keep an idea of the old one.
  if (write && length == UINT64_MAX) offset = 0;
  return cluster_->hold(file, control::range_of(offset, length), write ? GrantMode::ex : GrantMode::pr, out);
}

// All of the client's on the file: locks end with their open, and what still lives is asked for again.
io::Task<Status> PnfsServer::revoke_stateid(clientid4 client, FileId file, stateid4) {
  return cluster_->revoke_verdicts(cluster_->verdicts().of_client(file, client));
}

io::Task<void> PnfsServer::settle(FileId file) {
  return cluster_->settle_verdicts(file);
}

bool PnfsServer::settled() const {
  return !cluster_->verdicts_are_ending();
}

// A files layout says where data is served, not who may: new permissions leave it true, as truncate and remove do. (What
// data servers hold of the file's bytes goes through DataGuard::hold.)
io::Task<Status> PnfsServer::judge_again(FileId file) {
  return cluster_->revoke_verdicts(cluster_->verdicts().of_file(file));
}

Status PnfsServer::recall_writers(FileId file) {
  const auto holders = table_.holders(file);
  const bool any = std::ranges::any_of(holders, [&](clientid4 client) { return table_.holds(client, file, true); });
  if (!any || !personality_.recalls) return {};
  send(table_.recall_file(file, {}, nfs::LAYOUTIOMODE4_RW, mds_.seams().clock.now()));
  return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "layouts for writing of file {} are being recalled", file);
}

void PnfsServer::drop_client(clientid4 client) {
  table_.drop_client(client);
  notices_.drop_client(client);
  cluster_->revoke_verdicts_later(cluster_->verdicts().of_client_everywhere(client));
}

void PnfsServer::client_closed(clientid4 client, FileId file) {
  const auto striping = table_.striping_of(client, file);
  if (striping == nullptr || !striping->return_on_close) return;
  // 18.43.3: it was told to return the layout before its close.
  table_.drop(client, file);
  returned(client, file);
}

// Also of a part: what remains is asked for again. The reply waits until it is done (Mds::before_reply).
void PnfsServer::returned(clientid4 client, FileId file) {
  cluster_->revoke_verdicts_later(cluster_->verdicts().of_client(file, client));
}

void PnfsServer::file_removed(FileId file) {
  if (personality_.recalls) send(table_.recall_file(file, {}, nfs::LAYOUTIOMODE4_ANY, mds_.seams().clock.now()));
}

std::string PnfsServer::hint_for_new_file(const volume::Inode& directory) {
  std::string words = directory.layout_hint;
  if (personality_.directories.empty()) return words;
  std::map<FileId, std::string_view> ruled;
  for (const DirectoryRules& rules : personality_.directories)
    if (const FileId id = find_path(mds_.catalog(), rules.path); id != 0) ruled[id] = rules.words;
  // From the root down, so that a directory wins over those it lies in.
  constexpr int kDeepest = 4096;
  volume::Inode at = directory;
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (const auto rules = ruled.find(at.fileid); rules != ruled.end())
      words = std::string(rules->second) + " " + words;
    if (at.fileid == volume::kRootFileId) break;
    auto parent = mds_.catalog().get(at.parent);
    if (!parent) break;
    at = std::move(*parent);
  }
  return words;
}

}  // namespace pnfs::mds::layout
