// Access control entries (RFC 8881 6.2.1). Needed on the wire for delegations and the acl attribute.
#pragma once

#include "common/nfs/basic.hpp"

namespace pnfs::nfs {

inline constexpr uint32_t ACL4_SUPPORT_ALLOW_ACL = 0x00000001;
inline constexpr uint32_t ACL4_SUPPORT_DENY_ACL = 0x00000002;
inline constexpr uint32_t ACL4_SUPPORT_AUDIT_ACL = 0x00000004;
inline constexpr uint32_t ACL4_SUPPORT_ALARM_ACL = 0x00000008;

inline constexpr uint32_t ACE4_ACCESS_ALLOWED_ACE_TYPE = 0x00000000;
inline constexpr uint32_t ACE4_ACCESS_DENIED_ACE_TYPE = 0x00000001;
inline constexpr uint32_t ACE4_SYSTEM_AUDIT_ACE_TYPE = 0x00000002;
inline constexpr uint32_t ACE4_SYSTEM_ALARM_ACE_TYPE = 0x00000003;

inline constexpr uint32_t ACE4_FILE_INHERIT_ACE = 0x00000001;
inline constexpr uint32_t ACE4_DIRECTORY_INHERIT_ACE = 0x00000002;
inline constexpr uint32_t ACE4_NO_PROPAGATE_INHERIT_ACE = 0x00000004;
inline constexpr uint32_t ACE4_INHERIT_ONLY_ACE = 0x00000008;
inline constexpr uint32_t ACE4_SUCCESSFUL_ACCESS_ACE_FLAG = 0x00000010;
inline constexpr uint32_t ACE4_FAILED_ACCESS_ACE_FLAG = 0x00000020;
inline constexpr uint32_t ACE4_IDENTIFIER_GROUP = 0x00000040;
inline constexpr uint32_t ACE4_INHERITED_ACE = 0x00000080;

inline constexpr uint32_t ACE4_READ_DATA = 0x00000001;
inline constexpr uint32_t ACE4_LIST_DIRECTORY = 0x00000001;
inline constexpr uint32_t ACE4_WRITE_DATA = 0x00000002;
inline constexpr uint32_t ACE4_ADD_FILE = 0x00000002;
inline constexpr uint32_t ACE4_APPEND_DATA = 0x00000004;
inline constexpr uint32_t ACE4_ADD_SUBDIRECTORY = 0x00000004;
inline constexpr uint32_t ACE4_READ_NAMED_ATTRS = 0x00000008;
inline constexpr uint32_t ACE4_WRITE_NAMED_ATTRS = 0x00000010;
inline constexpr uint32_t ACE4_EXECUTE = 0x00000020;
inline constexpr uint32_t ACE4_DELETE_CHILD = 0x00000040;
inline constexpr uint32_t ACE4_READ_ATTRIBUTES = 0x00000080;
inline constexpr uint32_t ACE4_WRITE_ATTRIBUTES = 0x00000100;
inline constexpr uint32_t ACE4_WRITE_RETENTION = 0x00000200;
inline constexpr uint32_t ACE4_WRITE_RETENTION_HOLD = 0x00000400;
inline constexpr uint32_t ACE4_DELETE = 0x00010000;
inline constexpr uint32_t ACE4_READ_ACL = 0x00020000;
inline constexpr uint32_t ACE4_WRITE_ACL = 0x00040000;
inline constexpr uint32_t ACE4_WRITE_OWNER = 0x00080000;
inline constexpr uint32_t ACE4_SYNCHRONIZE = 0x00100000;

using acetype4 = uint32_t;
using aceflag4 = uint32_t;
using acemask4 = uint32_t;

struct nfsace4 {
  acetype4 type = 0;
  aceflag4 flag = 0;
  acemask4 access_mask = 0;
  utf8str_mixed who;
  PNFS_XDR(nfsace4, type, flag, access_mask, who)
};

}  // namespace pnfs::nfs
