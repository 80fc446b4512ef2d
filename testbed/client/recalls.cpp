// What the server asks for over the back channel (RFC 8881 20.2, 20.3).
#include "testbed/client/file_system.hpp"

namespace pnfs::client {

using namespace nfs;

io::Task<nfsstat4> FileSystem::callback(nfs_cb_opnum4 op, const void* args, void*) {
  switch (op) {
    case OP_CB_LAYOUTRECALL:
      co_return recall_layout(*static_cast<const CB_LAYOUTRECALL4args*>(args));
    case OP_CB_RECALL:
      co_return recall_delegation(*static_cast<const CB_RECALL4args*>(args));
    default:
      co_return NFS4_OK;
  }
}

nfsstat4 FileSystem::recall_layout(const CB_LAYOUTRECALL4args& args) {
  bool any = false;
  for (const FilePtr& file : open_files()) {
    const auto& wanted = args.clora_recall.lor_layout.lor_fh.bytes;
    const bool this_one = args.clora_recall.lor_recalltype != LAYOUTRECALL4_FILE ||
                          std::equal(wanted.begin(), wanted.end(), file->fh.begin(), file->fh.end());
    if (!file->layout || !this_one) continue;
    any = true;
    if (args.clora_recall.lor_recalltype == LAYOUTRECALL4_FILE)
      file->layout->stateid = args.clora_recall.lor_layout.lor_stateid;
    if (file->layout_recalled) continue;
    file->layout_recalled = true;
    tasks_.spawn("layout recall", return_recalled(file));
  }
  return any ? NFS4_OK : NFS4ERR_NOMATCHING_LAYOUT;
}

io::Task<void> FileSystem::return_recalled(FilePtr file) {
  struct Done {
    FileSystem& fs;
    OpenFile& file;
    ~Done() {
      file.layout_recalled = false;
      fs.layout_idle_.notify_all();
    }
  } done{*this, *file};
  while (file->layout_users > 0) co_await layout_idle_.wait();
  auto committed = co_await commit_striped(file);
  if (committed) {
    auto told = co_await layoutcommit(file);
    (void)told;  // the layout goes back whatever it was
  }
  auto returned = co_await layoutreturn(file);
  if (!returned) file->layout.reset();
}

nfsstat4 FileSystem::recall_delegation(const CB_RECALL4args& args) {
  for (const FilePtr& file : open_files()) {
    if (file->delegation == OPEN_DELEGATE_NONE || file->delegation_stateid.other != args.stateid.other) continue;
    tasks_.spawn("delegation recall", return_delegation(file));
    return NFS4_OK;
  }
  return NFS4ERR_BAD_STATEID;
}

}  // namespace pnfs::client
