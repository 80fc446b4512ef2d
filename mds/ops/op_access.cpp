// ACCESS (RFC 8881 18.1): what the caller may do. Errors: INVAL (unknown bits), and those of the filehandle.
#include "mds/ops/ops.hpp"

namespace pnfs::mds {

using namespace nfs;

namespace {
constexpr uint32_t kKnown =
    ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE | ACCESS4_EXECUTE;
constexpr uint32_t kForFiles = ACCESS4_READ | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_EXECUTE;
constexpr uint32_t kForDirectories = ACCESS4_READ | ACCESS4_LOOKUP | ACCESS4_MODIFY | ACCESS4_EXTEND | ACCESS4_DELETE;
}  // namespace

Status op_access(MdsContext& context, const ACCESS4args& args, ACCESS4res& res) {
  Inode inode;
  if (Status status = context.current_inode(inode); !status) return status;
  if ((args.access & ~kKnown) != 0) return fail(NFS4ERR_INVAL, "18.1.3", "access bits {:#x} are unknown", args.access);
  const bool directory = inode.type == volume::FileType::directory;
  const uint32_t may = context.caller.allowed(inode);
  const bool writable = (may & kMayWrite) != 0 && !context.rule.read_only;
  uint32_t granted = 0;
  if ((may & kMayRead) != 0) granted |= ACCESS4_READ;
  if ((may & kMayExecute) != 0) granted |= directory ? ACCESS4_LOOKUP : ACCESS4_EXECUTE;
  // Entries change only in a directory that may be searched too.
  if (writable && (!directory || (may & kMayExecute) != 0)) {
    granted |= ACCESS4_MODIFY | ACCESS4_EXTEND | (directory ? ACCESS4_DELETE : 0);
  }
  res.resok4.supported = args.access & (directory ? kForDirectories : kForFiles);
  res.resok4.access = granted & res.resok4.supported;
  return {};
}

}  // namespace pnfs::mds
