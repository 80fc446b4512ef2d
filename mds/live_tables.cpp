#include "mds/live_tables.hpp"

#include <set>

#include "common/rpc/uaddr.hpp"
#include "common/xdr/codec.hpp"

namespace pnfs::mds {

namespace {

using live::Row;

// OPEN4_SHARE_ACCESS_* and OPEN4_SHARE_DENY_*.
std::string_view share_name(uint32_t bits) {
  constexpr std::string_view kNames[] = {"NONE", "READ", "WRITE", "BOTH"};
  return kNames[bits & state::kShareBoth];
}

Row range_row(const state::ByteRange& range, bool exclusive) {
  Row row{{"type", exclusive ? "WRITE" : "READ"}, {"offset", range.begin}, {"length", range.wire_length()}};
  if (range.last == UINT64_MAX) row["length"] = nullptr;  // to the end
  return row;
}

void add_open(const state::OpenEntry& open, Row& row) {
  row["owner"] = live::printable(open.owner->owner);
  row["access"] = share_name(open.access);
  row["deny"] = share_name(open.deny);
}

void add_lock(const state::LockEntry& lock, Row& row) {
  row["owner"] = live::printable(lock.owner->owner);
  Row ranges = Row::array();
  for (const state::HeldRange& held : lock.ranges.held()) ranges.push_back(range_row(held.range, held.exclusive));
  row["ranges"] = std::move(ranges);
}

void add_delegation(const state::DelegationEntry& delegation, TimePoint now, Row& row) {
  row["type"] = delegation.write ? "WRITE" : "READ";
  row["recalled_s"] = nullptr;
  if (delegation.recalled) row["recalled_s"] = live::seconds(now - delegation.recalled_at);
}

std::string stateid_text(const nfs::stateid4& stateid) {
  return fmt::format("{}/{}", stateid.seqid, live::hex(stateid.other.bytes));
}

Row entry_row(const state::Entry& entry, uint32_t instance, TimePoint now) {
  const state::StateKey key{instance, entry.kind, entry.serial};
  Row row{{"kind", to_string(entry.kind)},
          {"fileid", entry.file},
          {"clientid", live::hex(entry.client)},
          {"stateid", stateid_text(key.with_seqid(entry.seqid))},
          {"revoked", entry.revoked}};
  if (entry.kind == state::StateKind::open) add_open(static_cast<const state::OpenEntry&>(entry), row);
  if (entry.kind == state::StateKind::lock) add_lock(static_cast<const state::LockEntry&>(entry), row);
  if (entry.kind == state::StateKind::delegation) add_delegation(static_cast<const state::DelegationEntry&>(entry), now, row);
  return row;
}

Row waiting_row(state::FileId file, const state::WaitingLock& waiting) {
  return {{"kind", "waiting"},
          {"fileid", file},
          {"clientid", live::hex(waiting.client)},
          {"owner", live::printable(waiting.owner)},
          {"ranges", Row::array({range_row(waiting.range, waiting.exclusive)})}};
}

// "127.0.0.1:12050"; "*:12050": at the IP by which the client reaches the MDS.
std::string address_text(const layout::DsAddress& at) {
  return fmt::format("{}:{}", at.ip.empty() ? "*" : at.ip, at.port);
}

}  // namespace

void fill_opens(const state::StateTable& table, const std::vector<state::clientid4>& clients, TimePoint now, live::Table& out) {
  std::set<state::FileId> locked;
  for (const state::clientid4 client : clients) {
    const state::ClientState* state = table.client(client);
    if (state == nullptr) continue;
    for (const state::Entry* entry : state->entries) {
      if (!out.wants_file(entry->file)) continue;
      if (entry->kind == state::StateKind::lock) locked.insert(entry->file);
      if (out.wants_client(client)) out.add([&] { return entry_row(*entry, table.instance(), now); });
    }
  }
  for (const state::FileId id : locked) {
    const state::FileState* file = table.file(id);
    if (file == nullptr) continue;
    for (const state::WaitingLock& waiting : file->waiting)
      if (out.wants_client(waiting.client)) out.add([&] { return waiting_row(id, waiting); });
  }
}

state::StateTable::Counts counts_of(const state::StateTable& table, state::clientid4 client) {
  state::StateTable::Counts counts;
  const state::ClientState* state = table.client(client);
  if (state == nullptr) return counts;
  for (const state::Entry* entry : state->entries) {
    if (entry->kind == state::StateKind::open) ++counts.opens;
    if (entry->kind == state::StateKind::lock) ++counts.locks;
    if (entry->kind == state::StateKind::delegation) ++counts.delegations;
  }
  return counts;
}

void fill_locks(const GrantTable& table, live::Table& out) {
  for (const Grant& grant : table.snapshot()) {
    if (!out.wants_file(grant.fileid)) continue;
    out.add([&] {
      const control::StripeSet& set = grant.set;
      Row row{{"fileid", grant.fileid},
              {"id", grant.id},
              {"mode", to_string(grant.mode)},
              {"node", grant.node},
              {"generation", grant.generation},
              {"state", grant.quarantined ? "quarantined" : grant.revoking ? "revoking" : "granted"},
              {"offset", set.window.offset},
              {"end", set.window.end},
              {"stripe_bytes", set.count > 1 ? set.unit_bytes : 0},
              {"stripe_count", set.count},
              {"stripe_indices", set.indices}};
      if (set.window.end == control::kToEnd) row["end"] = nullptr;
      return row;
    });
  }
}

void fill_members(const cluster::Membership& members, TimePoint now, live::Table& out) {
  using cluster::NodeState;
  for (const auto& [id, node] : members.all()) {
    out.add([&, id = id, &node = node] {
      Row addresses = Row::array();
      for (const layout::DsAddress& at : node.addresses) addresses.push_back(address_text(at));
      const bool has_lease = node.state == NodeState::member || node.state == NodeState::joining;
      Row row{{"node", id},
              {"name", node.name},
              {"role", "ds"},
              {"state", to_string(node.state)},
              {"lease_left_s", nullptr},
              {"key", live::hex(node.key)},
              {"instance", live::hex(node.instance)},
              {"connected", node.connection != 0},
              {"draining", node.draining},
              {"store_epoch", node.store_epoch},
              {"addresses", std::move(addresses)}};
      if (has_lease) row["lease_left_s"] = live::seconds(std::max(node.lease_until - now, Duration{}));
      return row;
    });
  }
}

namespace {

// Who serves at one of these addresses; "" when it is no member any more.
std::string server_at(const cluster::Membership& members, const nfs::multipath_list4& addresses, Row& texts) {
  std::string name;
  for (const nfs::netaddr4& each : addresses.items) {
    const auto at = rpc::parse_uaddr(each.na_r_netid.text, each.na_r_addr.text);
    if (!at) continue;
    const bool any = at->address().is_unspecified();
    texts.push_back(address_text({any ? "" : at->address().to_string(), at->port()}));
    for (const auto& [id, node] : members.all())
      for (const layout::DsAddress& known : node.addresses)
        if (known.port == at->port() && (any || known.ip.empty() || known.ip == at->address().to_string()))
          name = node.name;
  }
  return name;
}

}  // namespace

// As GETDEVICEINFO tells it, to a client whose way here is not known.
void fill_devices(layout::LayoutDriver& driver, const cluster::Membership& members, live::Table& out) {
  for (const nfs::deviceid4& id : driver.devices()) {
    Arena arena;
    std::span<const std::byte> body;
    nfs::nfsv4_1_file_layout_ds_addr4 device;
    if (!driver.device(id, io::Endpoint(), arena, body)) continue;
    xdr::Decoder decoder(body, arena);
    if (!xdr::decode(decoder, device)) continue;
    for (size_t i = 0; i < device.nflda_multipath_ds_list.items.size(); ++i) {
      out.add([&] {
        Row addresses = Row::array();
        Row indices = Row::array();
        const std::string name = server_at(members, device.nflda_multipath_ds_list.items[i], addresses);
        const auto& all = device.nflda_stripe_indices.items;
        for (size_t stripe = 0; stripe < all.size(); ++stripe)
          if (all[stripe] == i) indices.push_back(stripe);
        return Row{{"deviceid", live::hex(id.bytes)},
                   {"name", name},
                   {"addresses", std::move(addresses)},
                   {"stripe_indices", std::move(indices)},
                   {"stripe_count", all.size()}};
      });
    }
  }
}

}  // namespace pnfs::mds
