// The rules of opens, share reservations, byte-range locks and delegations once more, as plainly as they can be said:
// lists that are searched from end to end and a map of single bytes. StateTable is held against it.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/nfs/status.hpp"
#include "mds/state/stateid.hpp"

namespace pnfs::mds::state {

struct Model {
  static constexpr size_t kBytes = 24;
  using Bytes = std::array<int, kBytes>;  // 0 free, 1 shared, 2 exclusive

  struct Open {
    clientid4 client;
    std::string owner;
    FileId file;
    std::vector<std::pair<uint32_t, uint32_t>> opened;  // (access, deny) in effect
    stateid4 stateid;
    uint32_t access() const {
      uint32_t sum = 0;
      for (auto [a, d] : opened) sum |= a;
      return sum;
    }
    uint32_t deny() const {
      uint32_t sum = 0;
      for (auto [a, d] : opened) sum |= d;
      return sum;
    }
  };
  struct Lock {
    clientid4 client;
    std::string owner;
    FileId file;
    stateid4 open;  // other only
    stateid4 stateid;
    Bytes bytes{};
  };
  struct Delegation {
    clientid4 client;
    FileId file;
    bool write;
    stateid4 stateid;
    bool recalled = false;
    bool revoked = false;
  };
  std::vector<Open> opens;
  std::vector<Lock> locks;
  std::vector<Delegation> delegations;

  bool share_conflict(clientid4 client, const std::string& owner, FileId file, uint32_t access, uint32_t deny) const {
    for (const Open& o : opens) {
      if (o.file != file || (o.client == client && o.owner == owner)) continue;
      if ((access & o.deny()) != 0 || (deny & o.access()) != 0) return true;
    }
    return false;
  }
  bool lock_conflict(clientid4 client, const std::string& owner, FileId file, size_t begin, size_t last,
                     bool exclusive) const {
    for (const Lock& l : locks) {
      if (l.file != file || (l.client == client && l.owner == owner)) continue;
      for (size_t i = begin; i <= last; ++i) {
        if (l.bytes[i] == 2 || (exclusive && l.bytes[i] == 1)) return true;
      }
    }
    return false;
  }
  bool may_downgrade(const Open& o, uint32_t access, uint32_t deny) const {
    uint32_t a = 0, d = 0;
    for (auto [oa, od] : o.opened) {
      if ((oa & ~access) == 0 && (od & ~deny) == 0) a |= oa, d |= od;
    }
    return access != 0 && a == access && d == deny;
  }
  bool may_delegate(clientid4 client, FileId file, bool write) const {
    for (const Delegation& d : delegations) {
      if (d.file == file && !d.revoked && (d.client == client || d.write || write)) return false;
    }
    for (const Open& o : opens) {
      if (o.file == file && o.client != client && (write || (o.access() & 2) != 0 || (o.deny() & 1) != 0)) return false;
    }
    return true;
  }
  void close(stateid4 other) {
    std::erase_if(locks, [&](const Lock& l) { return l.open.other == other.other; });
    std::erase_if(opens, [&](const Open& o) { return o.stateid.other == other.other; });
  }
  void drop(clientid4 client) {
    std::erase_if(locks, [&](const Lock& l) { return l.client == client; });
    std::erase_if(opens, [&](const Open& o) { return o.client == client; });
    std::erase_if(delegations, [&](const Delegation& d) { return d.client == client; });
  }

  // What a stateid stands for, and what RFC 8881 8.2.2 says about its use by `client`.
  struct Known {
    StateKind kind;
    clientid4 client;
    FileId file;
    uint32_t access;
    uint32_t seqid;
    bool revoked;
    bool holds_bytes;
  };
  std::optional<Known> known(const stateid4& s) const {
    for (const Open& o : opens) {
      if (o.stateid.other == s.other) {
        return Known{StateKind::open, o.client, o.file, o.access(), o.stateid.seqid, false, false};
      }
    }
    for (const Lock& l : locks) {
      if (l.stateid.other != s.other) continue;
      uint32_t access = 0;
      for (const Open& o : opens) {
        if (o.stateid.other == l.open.other) access = o.access();
      }
      const bool holds = l.bytes != Bytes{};
      return Known{StateKind::lock, l.client, l.file, access, l.stateid.seqid, false, holds};
    }
    for (const Delegation& d : delegations) {
      if (d.stateid.other == s.other) {
        return Known{StateKind::delegation, d.client, d.file, d.write ? 3u : 1u, d.stateid.seqid, d.revoked, false};
      }
    }
    return std::nullopt;
  }
  nfs::nfsstat4 test(clientid4 client, const stateid4& s) const {
    const auto k = known(s);
    if (!k || k->client != client) return nfs::NFS4ERR_BAD_STATEID;
    if (s.seqid != 0 && s.seqid < k->seqid) return nfs::NFS4ERR_OLD_STATEID;
    if (s.seqid > k->seqid) return nfs::NFS4ERR_BAD_STATEID;
    return k->revoked ? nfs::NFS4ERR_DELEG_REVOKED : nfs::NFS4_OK;
  }
  nfs::nfsstat4 use(clientid4 client, FileId file, const stateid4& s) const {
    const auto status = test(client, s);
    if (status != nfs::NFS4_OK) return status;
    return known(s)->file == file ? nfs::NFS4_OK : nfs::NFS4ERR_BAD_STATEID;
  }
  nfs::nfsstat4 io(clientid4 client, FileId file, const stateid4& s, uint32_t access) const {
    const auto status = use(client, file, s);
    if (status != nfs::NFS4_OK) return status;
    uint32_t allowed = known(s)->access;
    if ((allowed & 2) != 0) allowed |= 1;
    return (access & ~allowed) == 0 ? nfs::NFS4_OK : nfs::NFS4ERR_OPENMODE;
  }
};

}  // namespace pnfs::mds::state
