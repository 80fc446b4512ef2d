// GETDEVICELIST (RFC 8881 18.41).
//
// NFS4ERR_NOFILEHANDLE        no current filehandle
// NFS4ERR_UNKNOWN_LAYOUTTYPE  not a layout type of this server
// NFS4ERR_INVAL               gdla_maxdevices is 0
// NFS4ERR_BAD_COOKIE          a cookie that was never given out
// NFS4ERR_NOT_SAME            the list has changed since the cookie verifier was given out
#include "mds/layout/ops/ops.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

using namespace nfs;

Status op_getdevicelist(MdsContext& context, const GETDEVICELIST4args& args, GETDEVICELIST4res& res) {
  auto& pnfs = pnfs_of(context.mds);
  if (auto status = context.require_current(); !status) return status;
  LayoutDriver* driver = pnfs.driver(args.gdla_layout_type);
  if (driver == nullptr)
    return fail(NFS4ERR_UNKNOWN_LAYOUTTYPE, "18.41.3", "layout type {} is not served here",
                static_cast<uint32_t>(args.gdla_layout_type));
  if (args.gdla_maxdevices == 0) return fail(NFS4ERR_INVAL, "18.41.3", "no device is asked for");
  const auto ids = driver->devices();
  const uint64_t count = ids.size();
  verifier4 verifier;
  const uint64_t version = pnfs.device_version();
  std::memcpy(verifier.bytes.data(), &version, sizeof version);
  if (args.gdla_cookie != 0 && args.gdla_cookieverf != verifier)
    return fail(NFS4ERR_NOT_SAME, "18.41.3", "the list of devices has changed");
  if (args.gdla_cookie > count) return fail(NFS4ERR_BAD_COOKIE, "18.41.3", "cookie {} is unknown", args.gdla_cookie);
  const size_t fits = std::min<size_t>(args.gdla_maxdevices, context.reply_room() / sizeof(deviceid4));
  const size_t first = static_cast<size_t>(args.gdla_cookie);
  const size_t n = std::min(fits, ids.size() - first);
  auto& ok = res.gdlr_resok4;
  ok.gdlr_deviceid_list.items = context.arena().make_array<deviceid4>(n);
  std::copy_n(ids.begin() + static_cast<ptrdiff_t>(first), n, ok.gdlr_deviceid_list.items.begin());
  ok.gdlr_cookie = first + n;
  ok.gdlr_cookieverf = verifier;
  ok.gdlr_eof = first + n == ids.size();
  return {};
}

}  // namespace pnfs::mds::layout
