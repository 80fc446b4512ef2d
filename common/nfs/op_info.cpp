#include "common/nfs/op_info.hpp"

#include <algorithm>
#include <cctype>

#include "common/nfs/ops.hpp"

namespace pnfs::nfs {

namespace {

#define PNFS_OP(name, section)                                                                  \
  OpInfo {                                                                                      \
    OP_##name, #name, section, &xdr::type_info<name##4args>, &xdr::type_info<name##4res>, false \
  }
#define PNFS_RETIRED_OP(name)                                                                  \
  OpInfo {                                                                                     \
    OP_##name, #name, "18.52", &xdr::type_info<name##4args>, &xdr::type_info<name##4res>, true \
  }

constexpr OpInfo kOperations[] = {
    PNFS_OP(ACCESS, "18.1"),
    PNFS_OP(CLOSE, "18.2"),
    PNFS_OP(COMMIT, "18.3"),
    PNFS_OP(CREATE, "18.4"),
    PNFS_OP(DELEGPURGE, "18.5"),
    PNFS_OP(DELEGRETURN, "18.6"),
    PNFS_OP(GETATTR, "18.7"),
    PNFS_OP(GETFH, "18.8"),
    PNFS_OP(LINK, "18.9"),
    PNFS_OP(LOCK, "18.10"),
    PNFS_OP(LOCKT, "18.11"),
    PNFS_OP(LOCKU, "18.12"),
    PNFS_OP(LOOKUP, "18.13"),
    PNFS_OP(LOOKUPP, "18.14"),
    PNFS_OP(NVERIFY, "18.15"),
    PNFS_OP(OPEN, "18.16"),
    PNFS_OP(OPENATTR, "18.17"),
    PNFS_RETIRED_OP(OPEN_CONFIRM),
    PNFS_OP(OPEN_DOWNGRADE, "18.18"),
    PNFS_OP(PUTFH, "18.19"),
    PNFS_OP(PUTPUBFH, "18.20"),
    PNFS_OP(PUTROOTFH, "18.21"),
    PNFS_OP(READ, "18.22"),
    PNFS_OP(READDIR, "18.23"),
    PNFS_OP(READLINK, "18.24"),
    PNFS_OP(REMOVE, "18.25"),
    PNFS_OP(RENAME, "18.26"),
    PNFS_RETIRED_OP(RENEW),
    PNFS_OP(RESTOREFH, "18.27"),
    PNFS_OP(SAVEFH, "18.28"),
    PNFS_OP(SECINFO, "18.29"),
    PNFS_OP(SETATTR, "18.30"),
    PNFS_RETIRED_OP(SETCLIENTID),
    PNFS_RETIRED_OP(SETCLIENTID_CONFIRM),
    PNFS_OP(VERIFY, "18.31"),
    PNFS_OP(WRITE, "18.32"),
    PNFS_RETIRED_OP(RELEASE_LOCKOWNER),
    PNFS_OP(BACKCHANNEL_CTL, "18.33"),
    PNFS_OP(BIND_CONN_TO_SESSION, "18.34"),
    PNFS_OP(EXCHANGE_ID, "18.35"),
    PNFS_OP(CREATE_SESSION, "18.36"),
    PNFS_OP(DESTROY_SESSION, "18.37"),
    PNFS_OP(FREE_STATEID, "18.38"),
    PNFS_OP(GET_DIR_DELEGATION, "18.39"),
    PNFS_OP(GETDEVICEINFO, "18.40"),
    PNFS_OP(GETDEVICELIST, "18.41"),
    PNFS_OP(LAYOUTCOMMIT, "18.42"),
    PNFS_OP(LAYOUTGET, "18.43"),
    PNFS_OP(LAYOUTRETURN, "18.44"),
    PNFS_OP(SECINFO_NO_NAME, "18.45"),
    PNFS_OP(SEQUENCE, "18.46"),
    PNFS_OP(SET_SSV, "18.47"),
    PNFS_OP(TEST_STATEID, "18.48"),
    PNFS_OP(WANT_DELEGATION, "18.49"),
    PNFS_OP(DESTROY_CLIENTID, "18.50"),
    PNFS_OP(RECLAIM_COMPLETE, "18.51"),
    PNFS_OP(ILLEGAL, "18.52"),
};

constexpr OpInfo kCallbacks[] = {
    PNFS_OP(CB_GETATTR, "20.1"),
    PNFS_OP(CB_RECALL, "20.2"),
    PNFS_OP(CB_LAYOUTRECALL, "20.3"),
    PNFS_OP(CB_NOTIFY, "20.4"),
    PNFS_OP(CB_PUSH_DELEG, "20.5"),
    PNFS_OP(CB_RECALL_ANY, "20.6"),
    PNFS_OP(CB_RECALLABLE_OBJ_AVAIL, "20.7"),
    PNFS_OP(CB_RECALL_SLOT, "20.8"),
    PNFS_OP(CB_SEQUENCE, "20.9"),
    PNFS_OP(CB_WANTS_CANCELLED, "20.10"),
    PNFS_OP(CB_NOTIFY_LOCK, "20.11"),
    PNFS_OP(CB_NOTIFY_DEVICEID, "20.12"),
    PNFS_OP(CB_ILLEGAL, "20.13"),
};

static_assert(std::size(kOperations) == 57 && std::size(kCallbacks) == 13);

const OpInfo* by_number(std::span<const OpInfo> table, uint32_t number) {
  // Numbers run from 3 without a gap; only ILLEGAL is elsewhere.
  if (number >= 3 && number - 3 < table.size() - 1) return &table[number - 3];
  return number == table.back().number ? &table.back() : nullptr;
}

const OpInfo* by_name(std::span<const OpInfo> table, std::string_view name) {
  auto same = [](unsigned char a, unsigned char b) { return std::toupper(a) == b; };
  constexpr std::string_view kPrefix = "OP_";
  for (const OpInfo& op : table) {
    if (std::ranges::equal(name, op.name, same)) return &op;
    if (name.size() > kPrefix.size() && std::ranges::equal(name.substr(0, kPrefix.size()), kPrefix, same) &&
        std::ranges::equal(name.substr(kPrefix.size()), op.name, same))
      return &op;
  }
  return nullptr;
}

}  // namespace

std::span<const OpInfo> operations() {
  return kOperations;
}
std::span<const OpInfo> callbacks() {
  return kCallbacks;
}

const OpInfo* find_op(uint32_t number) {
  return by_number(kOperations, number);
}
const OpInfo* find_callback(uint32_t number) {
  return by_number(kCallbacks, number);
}
const OpInfo* find_op(std::string_view name) {
  return by_name(kOperations, name);
}
const OpInfo* find_callback(std::string_view name) {
  return by_name(kCallbacks, name);
}

std::string op_name(uint32_t number) {
  const OpInfo* op = find_op(number);
  return op != nullptr ? std::string(op->name) : fmt::format("OP_{}", number);
}
std::string callback_name(uint32_t number) {
  const OpInfo* op = find_callback(number);
  return op != nullptr ? std::string(op->name) : fmt::format("OP_CB_{}", number);
}

}  // namespace pnfs::nfs
