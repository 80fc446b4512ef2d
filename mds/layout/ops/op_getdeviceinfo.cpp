// GETDEVICEINFO (RFC 8881 18.40).
//
// NFS4ERR_UNKNOWN_LAYOUTTYPE  not a layout type of this server
// NFS4ERR_NOENT               no such device id
// NFS4ERR_TOOSMALL            the address is larger than maxcount; gdir_mincount says how large it is
#include "mds/layout/ops/ops.hpp"
#include "mds/mds.hpp"

namespace pnfs::mds::layout {

using namespace nfs;

Status op_getdeviceinfo(MdsContext& context, const GETDEVICEINFO4args& args, GETDEVICEINFO4res& res) {
  auto& pnfs = pnfs_of(context.mds);
  LayoutDriver* driver = pnfs.driver(args.gdia_layout_type);
  if (driver == nullptr)
    return fail(NFS4ERR_UNKNOWN_LAYOUTTYPE, "18.40.3", "layout type {} is not served here",
                static_cast<uint32_t>(args.gdia_layout_type));
  std::span<const std::byte> body;
  auto status = driver->device(args.gdia_device_id, context.connection().local(), context.arena(), body);
  if (!status) return status;
  res.gdir_resok4.gdir_device_addr.da_layout_type = args.gdia_layout_type;
  // 18.40.3: maxcount counts the whole GETDEVICEINFO4resok: type, length, body, notification bitmap (at most one word).
  // 0 asks for no address, only for notifications.
  const size_t bytes = 4 + 4 + (body.size() + 3) / 4 * 4 + 8;
  if (args.gdia_maxcount != 0) {
    if (bytes > args.gdia_maxcount) {
      res.gdir_mincount = static_cast<count4>(bytes);
      return fail(NFS4ERR_TOOSMALL, "18.40.3", "the device address takes {} bytes, the client takes {}", bytes,
                  args.gdia_maxcount);
    }
    res.gdir_resok4.gdir_device_addr.da_addr_body.bytes = body;
  }
  res.gdir_resok4.gdir_notification = pnfs.wants_notices(context.clientid(), args.gdia_device_id, args.gdia_notify_types);
  return {};
}

}  // namespace pnfs::mds::layout
