#include "mds/namespace/names.hpp"

#include "common/base/utf8.hpp"
#include "common/volume/types.hpp"

namespace pnfs::mds {

using nfs::fail;

namespace {
constexpr size_t kMaxLinkBytes = 4095;
}

nfs::Status check_name(std::string_view name) {
  if (name.empty()) return fail(nfs::NFS4ERR_INVAL, "15.1.1.4", "the name is empty");
  if (name.size() > volume::kMaxNameBytes) {
    return fail(nfs::NFS4ERR_NAMETOOLONG, "15.1.4.10", "the name has {} bytes, {} are allowed", name.size(),
                volume::kMaxNameBytes);
  }
  if (!is_utf8(name)) return fail(nfs::NFS4ERR_INVAL, "14.4", "the name is not UTF-8");
  if (name == "." || name == "..") return fail(nfs::NFS4ERR_BADNAME, "15.1.7.2", "\"{}\" is not a name", name);
  if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return fail(nfs::NFS4ERR_BADCHAR, "15.1.7.1", "the name holds a slash or NUL");
  }
  return {};
}

nfs::Status check_link_text(std::string_view text) {
  if (text.empty()) return fail(nfs::NFS4ERR_INVAL, "18.4.3", "the symbolic link's text is empty");
  if (text.size() > kMaxLinkBytes) {
    return fail(nfs::NFS4ERR_NAMETOOLONG, "15.1.4.10", "the symbolic link's text has {} bytes, {} are allowed",
                text.size(), kMaxLinkBytes);
  }
  if (text.find('\0') != std::string_view::npos) {
    return fail(nfs::NFS4ERR_INVAL, "18.4.3", "the symbolic link's text holds NUL");
  }
  return {};
}

// The file that a path from the root leads to; 0 when there is none.
volume::FileId find_path(volume::Catalog& catalog, std::string_view path) {
  volume::FileId file = volume::kRootFileId;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == path.npos ? path.size() : slash + 1);
    if (name.empty()) continue;
    const auto entry = catalog.lookup(file, name);
    if (!entry) return 0;
    file = entry->fileid;
  }
  return file;
}

}  // namespace pnfs::mds
