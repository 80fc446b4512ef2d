// What the server asks for over the back channel (RFC 8881 20.2, 20.3, 20.12).
#include "common/xdr/codec.hpp"
#include "testbed/client/file_system.hpp"

namespace pnfs::client {

using namespace nfs;

io::Task<nfsstat4> FileSystem::callback(nfs_cb_opnum4 op, const void* args, void* res) {
  switch (op) {
    case OP_CB_LAYOUTRECALL:
      co_return recall_layout(*static_cast<const CB_LAYOUTRECALL4args*>(args));
    case OP_CB_RECALL:
      co_return recall_delegation(*static_cast<const CB_RECALL4args*>(args));
    case OP_CB_GETATTR:
      co_return tell_attributes(*static_cast<const CB_GETATTR4args*>(args), *static_cast<CB_GETATTR4res*>(res));
    case OP_CB_NOTIFY_DEVICEID:
      take_notices(*static_cast<const CB_NOTIFY_DEVICEID4args*>(args));
      co_return NFS4_OK;
    default:
      co_return NFS4_OK;
  }
}

nfsstat4 FileSystem::recall_layout(const CB_LAYOUTRECALL4args& args) {
  const auto type = args.clora_recall.lor_recalltype;
  const auto& which = args.clora_recall.lor_layout;
  recalls_.push_back({static_cast<uint32_t>(type), args.clora_iomode, args.clora_changed, which.lor_offset,
                      which.lor_length, which.lor_stateid});
  if (options_.layout_recall_answer) return *options_.layout_recall_answer;
  std::vector<FilePtr> files;
  bool any = false;
  for (const FilePtr& file : open_files()) {
    const auto& wanted = which.lor_fh.bytes;
    const bool this_one = type != LAYOUTRECALL4_FILE ||
                          std::equal(wanted.begin(), wanted.end(), file->fh.begin(), file->fh.end());
    if (!file->layout || !this_one) continue;
    any = true;
    if (type == LAYOUTRECALL4_FILE) file->layout->stateid = which.lor_stateid;
    if (file->layout_recalled) continue;
    file->layout_recalled = true;
    files.push_back(file);
  }
  if (!any) return NFS4ERR_NOMATCHING_LAYOUT;
  if (type == LAYOUTRECALL4_FILE) {
    for (const FilePtr& file : files) tasks_.spawn("layout recall", return_recalled(file));
  } else {
    tasks_.spawn("bulk layout recall", return_all_recalled(std::move(files), static_cast<layoutreturn_type4>(type)));
  }
  return NFS4_OK;
}

// Everything written under the layout is at the servers, and nothing is on its way.
io::Task<void> FileSystem::settle_layout(FilePtr file) {
  while (file->layout_users > 0) co_await layout_idle_.wait();
  auto committed = co_await commit_striped(file);
  if (!committed) co_return;
  auto told = co_await layoutcommit(file);
  (void)told;  // the layout goes back whatever it was
}

namespace {

// I/O that waits for the end of a recall goes on.
struct RecallDone {
  RecallDone(std::vector<FilePtr> files, io::Event& idle) : files(std::move(files)), idle(idle) {}
  ~RecallDone() {
    for (const FilePtr& file : files) file->layout_recalled = false;
    idle.notify_all();
  }
  std::vector<FilePtr> files;
  io::Event& idle;
};

}  // namespace

io::Task<void> FileSystem::return_recalled(FilePtr file) {
  const RecallDone done({file}, layout_idle_);
  co_await settle_layout(file);
  auto returned = co_await layoutreturn(file);
  if (!returned) file->layout.reset();
}

// 12.5.5.1: the final LAYOUTRETURN echoes the scope of the recall; nothing else may be returned meanwhile.
io::Task<void> FileSystem::return_all_recalled(std::vector<FilePtr> files, layoutreturn_type4 type) {
  const RecallDone done(files, layout_idle_);
  for (const FilePtr& file : files) co_await settle_layout(file);
  for (const FilePtr& file : files) file->layout.reset();
  devices_.clear();  // 20.3.3: the mappings are recalled with them
  auto reply = co_await run([this, type] {
    LAYOUTRETURN4args args;
    args.lora_iomode = LAYOUTIOMODE4_ANY;
    args.lora_layoutreturn.lr_returntype = type;
    auto compound = Compound::in_session();
    compound->putfh(root_).add(OP_LAYOUTRETURN, args).cache();
    return compound;
  });
  (void)reply;
}

void FileSystem::take_notices(const CB_NOTIFY_DEVICEID4args& args) {
  for (const notify4& change : args.cnda_changes) {
    Arena arena;
    xdr::Decoder values(change.notify_vals.bytes, arena);
    if (notify_deviceid_change4 changed;
        change.notify_mask.has(NOTIFY_DEVICEID4_CHANGE) && xdr::decode(values, changed)) {
      notices_.push_back({changed.ndc_deviceid, false, changed.ndc_immediate});
      devices_.erase(changed.ndc_deviceid);
    }
    if (notify_deviceid_delete4 deleted;
        change.notify_mask.has(NOTIFY_DEVICEID4_DELETE) && xdr::decode(values, deleted)) {
      notices_.push_back({deleted.ndd_deviceid, true, false});
      devices_.erase(deleted.ndd_deviceid);
    }
  }
}

nfsstat4 FileSystem::recall_delegation(const CB_RECALL4args& args) {
  for (const FilePtr& file : open_files()) {
    if (file->delegation == OPEN_DELEGATE_NONE || file->delegation_stateid.other != args.stateid.other) continue;
    tasks_.spawn("delegation recall", return_delegation(file));
    return NFS4_OK;
  }
  return NFS4ERR_BAD_STATEID;
}

nfsstat4 FileSystem::tell_attributes(const CB_GETATTR4args& args, CB_GETATTR4res& res) {
  for (const FilePtr& file : open_files()) {
    if (!std::equal(args.fh.bytes.begin(), args.fh.bytes.end(), file->fh.begin(), file->fh.end())) continue;
    if (file->delegation != OPEN_DELEGATE_WRITE || !file->held) continue;
    for (size_t i = 0; i < 8; ++i) {
      told_[i] = static_cast<std::byte>(file->held->change >> (56 - 8 * i));
      told_[8 + i] = static_cast<std::byte>(file->held->size >> (56 - 8 * i));
    }
    res.resok4.obj_attributes.attrmask = {FATTR4_CHANGE, FATTR4_SIZE};
    res.resok4.obj_attributes.attr_vals.bytes = told_;
    return NFS4_OK;
  }
  return NFS4ERR_BADHANDLE;
}

}  // namespace pnfs::client
