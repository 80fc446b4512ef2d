#include "common/compound/reply_size.hpp"

namespace pnfs::compound {

namespace {

constexpr size_t kStateid = 16;
constexpr size_t kChangeInfo = 20;
constexpr size_t kBitmap = 4 + 8;
constexpr size_t kGetfh = 8 + 4 + 32;
constexpr size_t kVerifier = 8;
constexpr size_t kDelegation = 4 + kStateid + 4 + 12 + 12 + 16;  // write, with a space limit and a small ACE

}  // namespace

size_t least_result_bytes(nfs::nfs_opnum4 op) {
  switch (op) {
    case nfs::OP_OPEN:
      return kStateid + kChangeInfo + 4 + kBitmap + kDelegation + kGetfh;
    case nfs::OP_CREATE:
      return kChangeInfo + kBitmap + kGetfh;
    case nfs::OP_CLOSE:
    case nfs::OP_OPEN_DOWNGRADE:
    case nfs::OP_LOCK:
    case nfs::OP_LOCKU:
      return kStateid;
    case nfs::OP_LINK:
    case nfs::OP_REMOVE:
      return kChangeInfo;
    case nfs::OP_RENAME:
      return 2 * kChangeInfo;
    case nfs::OP_SETATTR:
      return kBitmap;
    case nfs::OP_WRITE:
      return 8 + kVerifier;
    case nfs::OP_LAYOUTGET:
      return 4 + kStateid + 4 + 28 + 4 + 36 + 36;
    case nfs::OP_LAYOUTRETURN:
      return 4 + kStateid;
    case nfs::OP_LAYOUTCOMMIT:
      return 4 + 8;
    case nfs::OP_EXCHANGE_ID:
      return 16 + 4 + 8 + 64 + 64 + 4;
    case nfs::OP_CREATE_SESSION:
      return 24 + 56;
    default:
      return 0;
  }
}

}  // namespace pnfs::compound
