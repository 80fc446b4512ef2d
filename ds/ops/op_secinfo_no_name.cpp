// SECINFO_NO_NAME at a data server (RFC 8881 18.45; 13.12 makes it mandatory there).
//
// NFS4ERR_NOFILEHANDLE     no PUTFH before
// NFS4ERR_INVAL            the style is neither CURRENT_FH nor PARENT
// NFS4ERR_NOENT            PARENT: a data server's files have no directories
#include "ds/ops/ops.hpp"

namespace pnfs::ds {

nfs::Status op_secinfo_no_name(DsContext& context, const nfs::SECINFO_NO_NAME4args& args,
                               nfs::SECINFO_NO_NAME4res& res) {
  if (auto status = context.require_current(); !status) return status;
  if (args == nfs::SECINFO_STYLE4_PARENT)
    return nfs::fail(nfs::NFS4ERR_NOENT, "18.45.3", "a data server's file has no parent directory here");
  if (args != nfs::SECINFO_STYLE4_CURRENT_FH)
    return nfs::fail(nfs::NFS4ERR_INVAL, "18.45.3", "style {} is not known", static_cast<uint32_t>(args));
  res.resok4.items = context.arena().make_array<nfs::secinfo4>(2);
  res.resok4[0].flavor = nfs::kFlavorSys;
  res.resok4[1].flavor = nfs::kFlavorNone;
  // 2.6.3.1.1.8: the current filehandle is consumed.
  context.current = {};
  return {};
}

}  // namespace pnfs::ds
